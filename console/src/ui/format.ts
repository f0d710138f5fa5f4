// Numbers and times for people.
const kUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

export function bytes(value: number): string {
  let unit = 0;
  let rest = value;
  for (; rest >= 1024 && unit < kUnits.length - 1; ++unit) rest /= 1024;
  return `${rest >= 100 || unit === 0 ? Math.round(rest) : rest.toFixed(1)} ${kUnits[unit]}`;
}

export const mebibytes = (value: number): string => bytes(value * 1024 * 1024);
export const percent = (value: number): string => `${value >= 10 || value === 0 ? Math.round(value) : value.toFixed(1)} %`;

export const clock = (date: Date | number): string =>
  new Date(date).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' });
export const clockWithSeconds = (date: Date | number): string =>
  new Date(date).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
export const moment = (date: Date): string =>
  Number.isNaN(date.getTime()) ? '' : date.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

// "3 min ago"
export function ago(date: Date, now = Date.now()): string {
  const seconds = Math.max(0, Math.round((now - date.getTime()) / 1000));
  if (Number.isNaN(seconds)) return '';
  if (seconds < 60) return 'just now';
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}
