// Something read from the cloud when a page is come to, and again on demand.
import { useCallback, useEffect, useState } from 'preact/hooks';
import { attempt } from '../ui/toasts';

export function useReading<T>(read: () => Promise<T>, dependencies: unknown[]): { value: T | null; again: () => void } {
  const [value, setValue] = useState<T | null>(null);
  const again = useCallback(() => void attempt(async () => setValue(await read()), ''), dependencies);
  useEffect(again, [again]);
  return { value, again };
}
