import { describe, expect, it } from 'vitest';
import { ago, bytes, mebibytes, percent } from './format';

describe('numbers for people', () => {
  it('have a unit that fits', () => {
    expect([0, 1023, 1536, 200 * 1024, 3 * 1024 ** 3].map(bytes)).toEqual(['0 B', '1023 B', '1.5 KiB', '200 KiB', '3.0 GiB']);
    expect(mebibytes(2048)).toBe('2.0 GiB');
    expect([0.25, 9.96, 42.4].map(percent)).toEqual(['0.3 %', '10.0 %', '42 %']);
  });

  it('tell how long ago', () => {
    const now = Date.UTC(2026, 0, 2);
    expect([5, 90, 7300, 180_000].map((s) => ago(new Date(now - s * 1000), now))).toEqual(
      ['just now', '1 min ago', '2 h ago', '2 d ago']);
    expect(ago(new Date(NaN))).toBe('');
  });
});
