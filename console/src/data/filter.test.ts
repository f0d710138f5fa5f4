import { describe, expect, it } from 'vitest';
import type { Instance } from '../api/records';
import { matches } from './filter';

const kInstance: Instance = {
  id: 'i-0123', name: 'web-1', state: 'running', reason: '', image: 'ami-1', type: 't3.micro', vcpus: 2, key: 'laptop',
  zone: 'pileus-1a', host: 'h-1', privateAddress: '172.31.0.4', publicAddress: '127.77.0.5', subnet: '', network: '',
  volumes: [], groups: [{ id: 'sg-1', name: 'open' }], tags: [['Name', 'web-1'], ['stage', 'Test']],
  launched: new Date(0),
};

describe('the filter', () => {
  it.each(['', '  ', 'web', 'WEB', 'state:running', 'running web', 'stage:test', 'group:open', '172.31', 'type:t3 key:lap', 'i-01', 'id:23'])(
    'finds by "%s"',
    (filter) => expect(matches(kInstance, filter)).toBe(true),
  );
  it.each(['db', '0123', 'state:stopped', 'web stopped', 'name:i-0123', 'stage:prod'])('does not find by "%s"', (filter) =>
    expect(matches(kInstance, filter)).toBe(false),
  );
});
