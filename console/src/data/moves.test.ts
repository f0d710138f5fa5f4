import { describe, expect, it } from 'vitest';
import { formOf } from '../api/cloud';
import { endOfMove, type Whereabouts } from '../api/moves';
import type { Host, Instance } from '../api/records';
import { cloneCommand, cloneParameters, copyName, hostsFor, migrationCommand, migrationParameters } from './moves';

const instance = (part: Partial<Instance>): Instance => ({
  id: 'i-1', name: 'web', state: 'running', reason: '', image: '', type: '', vcpus: 1, key: '', zone: 'a', host: 'h-1',
  privateAddress: '', publicAddress: '', subnet: '', network: '', volumes: [], groups: [], tags: [], launched: new Date(0), ...part,
});
const room = { vcpus: 1, memoryMib: 1, diskGib: 1 };
const host = (part: Partial<Host>): Host => ({
  id: 'h-2', name: 'node2', mode: 'active', state: 'ready', zone: 'a', rack: '', engines: [], version: '', instances: 0,
  sellable: room, claimed: room, ...part,
});

describe('a clone', () => {
  it('is asked of the API', () => {
    expect(cloneParameters(instance({}), { name: 'copy', count: 2 }, 'token')).toMatchObject({
      InstanceId: 'i-1', Count: 2, 'TagSpecification.1.Tag.1.Value': 'copy', ClientToken: 'token',
    });
  });
  it('is shown as a command', () => {
    expect(cloneCommand(instance({}), { name: "bob's", count: 1 })).toBe("pileus clone web --name 'bob'\\''s'");
    expect(cloneCommand(instance({ name: '' }), { name: 'copy', count: 3 })).toBe('pileus clone i-1 --name copy --count 3');
  });
  it('has a name that nobody has', () => {
    const others = [instance({ name: 'web-2' }), instance({ name: 'web-3', state: 'terminated' })];
    expect(copyName(instance({}), others)).toBe('web-3');
    expect(copyName(instance({ name: '' }), [])).toBe('i-1-2');
  });
});

describe('a migration', () => {
  it('is asked of the API', () => {
    const form = (wish: Parameters<typeof migrationParameters>[1]) => formOf(migrationParameters(instance({}), wish, 'token'));
    expect(form({ host: host({}), reboot: true })).toBe('InstanceId=i-1&HostId=h-2&Reboot=true&ClientToken=token');
    expect(form({ host: null, reboot: false })).toBe('InstanceId=i-1&ClientToken=token');
  });
  it('is shown as a command', () => {
    expect(migrationCommand(instance({}), { host: host({}), reboot: true })).toBe('pileus migrate web --to node2 --reboot');
    expect(migrationCommand(instance({ state: 'stopped' }), { host: null, reboot: false })).toBe('pileus migrate web');
  });
  it('goes to other hosts of the zone that take instances', () => {
    const hosts = [
      host({}), host({ id: 'h-1' }), host({ id: 'h-3', zone: 'b' }), host({ id: 'h-4', state: 'lost' }),
      host({ id: 'h-5', mode: 'maintenance' }),
    ];
    expect(hostsFor(instance({}), hosts).map((each) => each.id)).toEqual(['h-2']);
  });
  it('ends where it went, or where it was', () => {
    const at = (where: string, target: string): Whereabouts => ({ host: where, target, latest: null });
    expect(endOfMove(null, at('h-1', ''))).toBeNull();
    expect(endOfMove(at('h-1', 'h-2'), at('h-1', 'h-2'))).toBeNull();
    expect(endOfMove(at('h-1', ''), at('h-1', ''))).toBeNull();
    expect(endOfMove(at('', ''), at('h-1', ''))).toBeNull();
    expect(endOfMove(at('h-1', 'h-2'), at('h-2', ''))).toBe('arrived');
    expect(endOfMove(at('h-1', ''), at('h-2', ''))).toBe('arrived');
    expect(endOfMove(at('h-1', 'h-2'), at('h-1', ''))).toBe('stays');
  });
});
