import { describe, expect, it } from 'vitest';
import { hrefOf, parseRoute } from './address';

describe('addresses within the console', () => {
  it('are read', () => {
    const { parts, query } = parseRoute('#/instances/i-1/console?filter=state%3Arunning+web');
    expect(parts).toEqual(['instances', 'i-1', 'console']);
    expect(query.get('filter')).toBe('state:running web');
    expect(parseRoute('').parts).toEqual([]);
  });

  it('come back as they were made', () => {
    const { parts, query } = parseRoute(hrefOf(['a/b', 'ü?'], { filter: 'x&y=z', none: '' }));
    expect(parts).toEqual(['a/b', 'ü?']);
    expect(query.get('filter')).toBe('x&y=z');
    expect(query.has('none')).toBe(false);
  });
});
