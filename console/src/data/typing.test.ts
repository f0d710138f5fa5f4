import { describe, expect, it } from 'vitest';
import { Typing } from './typing';

const kTurn = () => new Promise((resolve) => setTimeout(resolve, 0));

describe('typing', () => {
  it('is sent in order, gathered while a call is under way', async () => {
    const sent: string[] = [];
    const finish: (() => void)[] = [];
    const typing = new Typing(
      (text) => {
        sent.push(text);
        return new Promise<void>((resolve) => finish.push(resolve));
      },
      () => {},
    );
    for (const key of 'abc') typing.type(key);
    expect(sent).toEqual(['a']);
    finish[0]?.();
    await kTurn();
    expect(sent).toEqual(['a', 'bc']);
    finish[1]?.();
    await kTurn();
    typing.type('d');
    expect(sent).toEqual(['a', 'bc', 'd']);
  });

  it('is dropped when it cannot be sent', async () => {
    const failures: unknown[] = [];
    const sent: string[] = [];
    const typing = new Typing(
      (text) => {
        sent.push(text);
        return Promise.reject(new Error('no'));
      },
      (error) => failures.push(error),
    );
    typing.type('rm -rf ');
    typing.type('/tmp/x\r');
    await kTurn();
    expect(sent).toEqual(['rm -rf ']);
    expect(failures).toHaveLength(1);
  });
});
