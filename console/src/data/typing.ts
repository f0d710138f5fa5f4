// What is typed on a console, sent in order: while one call is under way, keys gather for the next.
export class Typing {
  private waiting = '';
  private busy = false;

  constructor(
    private readonly send: (text: string) => Promise<unknown>,
    private readonly onFailed: (error: unknown) => void,
  ) {}

  type(text: string): void {
    this.waiting += text;
    if (!this.busy) void this.flush();
  }

  private async flush(): Promise<void> {
    this.busy = true;
    while (this.waiting !== '') {
      const text = this.waiting;
      this.waiting = '';
      try {
        await this.send(text);
      } catch (error) {
        this.waiting = ''; // half a command must not be carried out later
        this.onFailed(error);
      }
    }
    this.busy = false;
  }
}
