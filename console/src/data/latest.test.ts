import { describe, expect, it } from 'vitest';
import { latestOf } from './latest';

const event = (second: number, what: string) => ({ at: new Date(second * 1000), by: 'h-1', what, why: '' });

describe('the log of several things', () => {
  it('has the latest first, of whichever thing, and no more than asked for', () => {
    const logs = [
      { subject: 'i-1', events: [event(1, 'asked for'), event(4, 'running')] },
      { subject: 'i-2', events: [event(3, 'asked for')] },
      { subject: 'i-3', events: [] },
    ];
    expect(latestOf(logs, 2).map((each) => `${each.subject} ${each.what}`)).toEqual(['i-1 running', 'i-2 asked for']);
  });
});
