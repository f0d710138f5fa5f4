import { describe, expect, it } from 'vitest';
import { freeDevice } from './devices';

describe('the next free device', () => {
  it('is the first that no volume has, by either of its names', () => {
    expect(freeDevice(['/dev/sda1'])).toBe('/dev/sdf');
    expect(freeDevice(['/dev/sda1', '/dev/sdf', '/dev/xvdg'])).toBe('/dev/sdh');
  });
  it('is left to the person when all are taken', () => {
    expect(freeDevice([...'fghijklmnop'].map((letter) => `/dev/sd${letter}`))).toBe('');
  });
});
