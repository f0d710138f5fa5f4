// A clone and a migration as the questions have them: as parameters of the API, and as the commands that do the same.
import type { Parameters } from '../api/cloud';
import { type Host, type Instance, labelOf } from '../api/records';
import { quote } from './launch';

export interface Clone {
  name: string;
  count: number;
}
export interface Migration {
  host: Host | null; // null: wherever it fits
  reboot: boolean; // it may be shut down for it
}

// "web" -> "web-2", or the first after it that nobody has.
export function copyName(source: Instance, all: Instance[]): string {
  const taken = new Set(all.filter((each) => each.state !== 'terminated').map((each) => each.name));
  for (let number = 2; ; ++number) {
    const name = `${labelOf(source)}-${number}`;
    if (!taken.has(name)) return name;
  }
}

export const cloneParameters = (source: Instance, { name, count }: Clone, token: string): Parameters => ({
  InstanceId: source.id,
  Count: count,
  'TagSpecification.1.ResourceType': 'instance',
  'TagSpecification.1.Tag.1.Key': 'Name',
  'TagSpecification.1.Tag.1.Value': name,
  ClientToken: token,
});

export const cloneCommand = (source: Instance, { name, count }: Clone): string =>
  ['pileus', 'clone', quote(labelOf(source)), '--name', quote(name), ...(count > 1 ? ['--count', String(count)] : [])].join(' ');

// Those that it may be told to go to: where else it may be, as far as can be said from here.
export const hostsFor = (instance: Instance, hosts: Host[]): Host[] =>
  hosts.filter(
    (each) => each.id !== instance.host && each.zone === instance.zone && each.state === 'ready' && each.mode === 'active',
  );

export const migrationParameters = (instance: Instance, { host, reboot }: Migration, token: string): Parameters => ({
  InstanceId: instance.id,
  HostId: host?.id,
  Reboot: reboot || undefined,
  ClientToken: token,
});

export function migrationCommand(instance: Instance, { host }: Migration): string {
  const words = ['pileus', 'migrate', quote(labelOf(instance))];
  if (host) words.push('--to', quote(host.name));
  if (instance.state === 'running') words.push('--reboot');
  return words.join(' ');
}
