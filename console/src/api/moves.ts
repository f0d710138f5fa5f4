// Where an instance is, and where it is on its way to.
import type { Node } from './answer';
import { type Happening, readHappening } from './records';

export interface Whereabouts {
  host: string;
  target: string; // empty: it stays
  latest: Happening | null; // what happened to it last
}

// Of the answers to PileusExplain and PileusDescribeEvents.
export const readWhereabouts = (why: Node, log: Node): Whereabouts => ({
  host: why.text('hostId'),
  target: why.text('targetHostId'),
  latest: log.items('eventSet').map(readHappening).at(-1) ?? null,
});

// How a move has ended between two readings, which may have seen nothing else of it; null: it has not, or there was none.
export function endOfMove(before: Whereabouts | null, now: Whereabouts): 'arrived' | 'stays' | null {
  if (!before || now.target) return null;
  if (before.host && now.host !== before.host) return 'arrived';
  return before.target ? 'stays' : null;
}
