// A stream of server-sent events that is opened by an action of the API, and again whenever it breaks.
import { Refusal } from './answer';
import type { Cloud, Parameters } from './cloud';

export interface Listener {
  onEvent(name: string, data: string): void;
  // It is open: what happened before may have been missed.
  onOpen(): void;
  // It broke or could not be opened; it is tried again. `again` false: it is not, the API refuses.
  onBroken(why: string, again: boolean): void;
}

const kFirstPause = 500;
const kLongestPause = 10_000;
// Codes for which trying again is of no use.
const kFinal = ['AuthFailure', 'UnauthorizedOperation', 'UnsupportedOperation', 'IncorrectInstanceState'];

export class LiveStream {
  private source: EventSource | null = null;
  private timer: number | undefined;
  private pause = kFirstPause;
  private closed = false;

  constructor(
    private readonly cloud: Cloud,
    private readonly action: string,
    private readonly parameters: Parameters,
    private readonly names: string[],
    private readonly listener: Listener,
  ) {
    void this.open();
  }

  close(): void {
    this.closed = true;
    window.clearTimeout(this.timer);
    this.source?.close();
  }

  private async open(): Promise<void> {
    try {
      const path = (await this.cloud.call(this.action, this.parameters)).text('path');
      if (!this.closed) this.listen(path);
    } catch (error) {
      const final = error instanceof Refusal && (kFinal.includes(error.code) || error.code.endsWith('NotFound'));
      this.broken(error instanceof Error ? error.message : String(error), !final);
    }
  }

  private listen(path: string): void {
    const source = new EventSource(path);
    this.source = source;
    source.addEventListener('hello', () => {
      this.pause = kFirstPause;
      this.listener.onOpen();
    });
    for (const name of this.names) {
      source.addEventListener(name, (event) => this.listener.onEvent(name, (event as MessageEvent<string>).data));
    }
    // The browser would ask for the same path again, whose ticket is used.
    source.onerror = () => {
      source.close();
      this.broken('The connection to the cloud broke', true);
    };
  }

  private broken(why: string, again: boolean): void {
    if (this.closed) return;
    this.listener.onBroken(why, again);
    if (!again) return;
    this.timer = window.setTimeout(() => void this.open(), this.pause);
    this.pause = Math.min(2 * this.pause, kLongestPause);
  }
}
