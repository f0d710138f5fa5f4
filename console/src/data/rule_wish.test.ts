import { describe, expect, it } from 'vitest';
import { trafficOf } from '../api/rules';
import { formOf } from '../api/cloud';
import { parametersOf, type RuleWish } from './rule_wish';

const formed = (wish: Partial<RuleWish>): string =>
  formOf(parametersOf({ outward: false, protocol: 'tcp', ports: '', peer: '10.0.0.0/8', ...wish })).replaceAll('IpPermissions.1.', '');

describe('a wish for a rule', () => {
  it('has one port, some, or all', () => {
    expect(formed({ ports: '22' })).toBe('IpProtocol=tcp&FromPort=22&ToPort=22&IpRanges.1.CidrIp=10.0.0.0%2F8');
    expect(formed({ ports: '5000 - 5010', protocol: 'udp' })).toContain('IpProtocol=udp&FromPort=5000&ToPort=5010');
    expect(formed({})).toContain('FromPort=0&ToPort=65535');
  });
  it('has none for other protocols', () => {
    expect(formed({ protocol: 'icmp' })).toContain('IpProtocol=icmp&FromPort=-1&ToPort=-1');
    expect(formed({ protocol: '-1' })).toBe('IpProtocol=-1&IpRanges.1.CidrIp=10.0.0.0%2F8');
  });
  it('names addresses of both kinds, and groups', () => {
    expect(formed({ peer: ' ::/0 ' })).toContain('Ipv6Ranges.1.CidrIpv6=%3A%3A%2F0');
    expect(formed({ peer: 'sg-0123' })).toContain('Groups.1.GroupId=sg-0123');
  });
  it('leaves nonsense to the cloud, which says what is wrong', () => {
    expect(formed({ ports: 'ssh', peer: 'home' })).toBe('IpProtocol=tcp&FromPort=ssh&ToPort=ssh&IpRanges.1.CidrIp=home');
  });
});

describe('what a rule lets through', () => {
  it('is said in words', () => {
    const said = (protocol: string, fromPort: number, toPort: number) => trafficOf({ protocol, fromPort, toPort });
    expect(said('tcp', 22, 22)).toBe('TCP 22');
    expect(said('udp', 1, 9)).toBe('UDP 1–9');
    expect(said('tcp', 0, 65535)).toBe('TCP, all ports');
    expect(said('icmp', -1, -1)).toBe('ICMP');
    expect(said('icmp', 8, 0)).toBe('ICMP type 8');
    expect(said('-1', 0, 0)).toBe('everything');
  });
});
