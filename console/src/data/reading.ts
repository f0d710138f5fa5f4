// Something read from the cloud when a page is come to, and again on demand.
import { useCallback, useEffect, useState } from 'preact/hooks';
import { attempt } from '../ui/toasts';

const kWhileItMoves = 1500;
const kNowAndThen = 20_000;

interface Reading<T> {
  value: T | null;
  again: () => void;
}

export function useReading<T>(read: () => Promise<T>, dependencies: unknown[]): Reading<T> {
  const [value, setValue] = useState<T | null>(null);
  const again = useCallback(() => void attempt(async () => setValue(await read()), ''), dependencies);
  useEffect(again, [again]);
  return { value, again };
}

// The same for what changes by itself: read again now and then, and often while it `moves`. When reading fails, that is said
// once, and not tried again.
export function useFollowed<T>(read: () => Promise<T>, dependencies: unknown[], moves: (value: T) => boolean): Reading<T> {
  const { value, again } = useReading(read, dependencies);
  useEffect(() => {
    if (value === null) return;
    const timer = window.setTimeout(again, moves(value) ? kWhileItMoves : kNowAndThen);
    return () => window.clearTimeout(timer);
  }, [value, again]);
  return { value, again };
}
