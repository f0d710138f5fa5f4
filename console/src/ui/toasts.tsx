// Short messages at the edge of the page: what was done, and the cloud's own words when it was not.
import { Observable, useValue } from '../data/observable';
import { Icon } from './icon';

interface Toast {
  id: number;
  kind: 'done' | 'failed';
  text: string;
}

const kShown = 5000;
const kMost = 3; // of those that were done
const toasts = new Observable<Toast[]>([]);
let next = 1;

function dismiss(id: number): void {
  toasts.set(toasts.value.filter((each) => each.id !== id));
}

export function toast(kind: Toast['kind'], text: string): void {
  const id = next++;
  const old = toasts.value.filter((each) => each.kind === 'done').slice(0, 1 - kMost);
  toasts.set([...toasts.value.filter((each) => !old.includes(each)), { id, kind, text }]);
  // What failed stays until it was read.
  if (kind === 'done') window.setTimeout(() => dismiss(id), kShown);
}

// Does it, and says how it went. True: it was done.
export async function attempt(work: () => Promise<unknown>, done: string): Promise<boolean> {
  try {
    await work();
    if (done !== '') toast('done', done);
    return true;
  } catch (error) {
    toast('failed', error instanceof Error ? error.message : String(error));
    return false;
  }
}

export function Toasts() {
  const all = useValue(toasts);
  return (
    <div class="toasts" role="region" aria-label="Messages" aria-live="polite">
      {all.map((each) => (
        <div key={each.id} class={`toast ${each.kind}`} role={each.kind === 'failed' ? 'alert' : 'status'}>
          <Icon name={each.kind === 'done' ? 'check' : 'warning'} />
          <span>{each.text}</span>
          <button type="button" class="plain" aria-label="Dismiss this message" onClick={() => dismiss(each.id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
