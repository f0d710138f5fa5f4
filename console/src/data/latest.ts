// The events of several things as one log.
import type { Happening } from '../api/records';

export interface Entry extends Happening {
  subject: string;
}

// The latest first. Each log has its latest last.
export function latestOf(logs: { subject: string; events: Happening[] }[], most: number): Entry[] {
  return logs
    .flatMap(({ subject, events }) => [...events].reverse().map((event) => ({ ...event, subject })))
    .sort((a, b) => b.at.getTime() - a.at.getTime())
    .slice(0, most);
}
