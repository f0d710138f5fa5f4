// What a person types for a new rule of a security group, as the API wants it.
import type { Parameters } from '../api/cloud';

export interface RuleWish {
  outward: boolean;
  protocol: 'tcp' | 'udp' | 'icmp' | '-1';
  ports: string; // "22", "5000-5010"; nothing: all of them
  peer: string; // a range of addresses, IPv4 or IPv6, or the id of a group
}

const kAllPorts: [string, string] = ['0', '65535'];

export const hasPorts = (protocol: RuleWish['protocol']): boolean => protocol === 'tcp' || protocol === 'udp';

function portsOf(wish: RuleWish): [string | undefined, string | undefined] {
  if (wish.protocol === '-1') return [undefined, undefined];
  if (wish.protocol === 'icmp') return ['-1', '-1'];
  const [from = '', to = from] = wish.ports.split(/\s*[-–]\s*/).map((port) => port.trim());
  return from === '' ? kAllPorts : [from, to];
}

function peerOf(peer: string): [name: string, value: string] {
  if (peer.startsWith('sg-')) return ['Groups.1.GroupId', peer];
  return peer.includes(':') ? ['Ipv6Ranges.1.CidrIpv6', peer] : ['IpRanges.1.CidrIp', peer];
}

export function parametersOf(wish: RuleWish): Parameters {
  const [from, to] = portsOf(wish);
  const [peerName, peer] = peerOf(wish.peer.trim());
  const permission = { IpProtocol: wish.protocol, FromPort: from, ToPort: to, [peerName]: peer };
  return Object.fromEntries(Object.entries(permission).map(([name, value]) => [`IpPermissions.1.${name}`, value]));
}
