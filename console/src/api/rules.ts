// Single rules of security groups: what one of them lets in or out.
import type { Node } from './answer';

export interface Rule {
  id: string;
  group: string;
  outward: boolean;
  protocol: string; // "-1": any
  fromPort: number; // of ICMP the type, -1: any
  toPort: number;
  peer: string; // a range of addresses, or the id of a group
}

export const readRule = (node: Node): Rule => ({
  id: node.text('securityGroupRuleId'),
  group: node.text('groupId'),
  outward: node.text('isEgress') === 'true',
  protocol: node.text('ipProtocol'),
  fromPort: node.number('fromPort'),
  toPort: node.number('toPort'),
  peer: node.text('cidrIpv4') || node.text('cidrIpv6') || node.text('referencedGroupInfo/groupId'),
});

// "TCP 22", "UDP 5000–5010", "everything"
export function trafficOf(rule: Pick<Rule, 'protocol' | 'fromPort' | 'toPort'>): string {
  if (rule.protocol === '-1') return 'everything';
  const name = rule.protocol.toUpperCase();
  if (rule.protocol === 'icmp' || rule.protocol === 'icmpv6') return rule.fromPort < 0 ? name : `${name} type ${rule.fromPort}`;
  if (rule.fromPort === rule.toPort) return `${name} ${rule.fromPort}`;
  return rule.fromPort <= 0 && rule.toPort >= 65535 ? `${name}, all ports` : `${name} ${rule.fromPort}–${rule.toPort}`;
}

export const byTraffic = (a: Rule, b: Rule): number =>
  a.protocol.localeCompare(b.protocol) || a.fromPort - b.fromPort || a.peer.localeCompare(b.peer);
