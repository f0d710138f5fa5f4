// The cloud's objects as the console shows them.
import type { Node } from './answer';
import { nameIn, readTags, type Tags } from './tags';

export interface Instance {
  id: string;
  name: string; // the tag Name; may be empty
  state: string;
  reason: string;
  image: string;
  type: string;
  vcpus: number;
  key: string;
  zone: string;
  host: string; // for administrators only
  privateAddress: string;
  publicAddress: string; // "127.0.0.1:40022" when a port of the host leads to it; may be empty
  subnet: string;
  network: string;
  volumes: { device: string; id: string }[];
  groups: { id: string; name: string }[];
  tags: Tags;
  launched: Date;
}

export interface Room {
  vcpus: number;
  memoryMib: number;
  diskGib: number;
}
export interface Host {
  id: string;
  name: string;
  mode: string;
  state: string;
  zone: string;
  rack: string;
  engines: string[];
  version: string;
  instances: number;
  sellable: Room;
  claimed: Room;
}

export interface Image {
  id: string;
  name: string;
  description: string;
  sizeGib: number;
  created: Date;
}
export interface InstanceType {
  name: string;
  vcpus: number;
  memoryMib: number;
}
export interface KeyPair {
  id: string;
  name: string;
  type: string;
  fingerprint: string;
  created: Date;
}
export interface Group {
  id: string;
  name: string;
  description: string;
  tags: Tags;
}
export interface Happening {
  at: Date;
  by: string;
  what: string;
  why: string;
}
export interface Sample {
  at: number; // Unix time, ms
  cpuPercent: number;
  memoryMib: number;
  diskRead: number;
  diskWritten: number;
  networkIn: number;
  networkOut: number;
}
export interface Metrics {
  vcpus: number;
  memoryMib: number;
  samples: Sample[];
}

export const labelOf = (instance: Instance): string => instance.name || instance.id;
export const isGone = (instance: Instance): boolean => instance.state === 'terminated';

export function readInstance(node: Node): Instance {
  const tags = readTags(node);
  return {
    id: node.text('instanceId'),
    name: nameIn(tags),
    state: node.text('instanceState/name'),
    reason: node.text('stateReason/message'),
    image: node.text('imageId'),
    type: node.text('instanceType'),
    vcpus: node.number('cpuOptions/coreCount'),
    key: node.text('keyName'),
    zone: node.text('placement/availabilityZone'),
    host: node.text('placement/hostId'),
    privateAddress: node.text('privateIpAddress'),
    publicAddress: node.text('ipAddress'),
    subnet: node.text('subnetId'),
    network: node.text('vpcId'),
    volumes: node
      .items('blockDeviceMapping')
      .map((disk) => ({ device: disk.text('deviceName'), id: disk.text('ebs/volumeId') })),
    groups: node.items('groupSet').map((group) => ({ id: group.text('groupId'), name: group.text('groupName') })),
    tags,
    launched: new Date(node.text('launchTime')),
  };
}

export const readInstances = (answer: Node): Instance[] =>
  answer.items('reservationSet').flatMap((each) => each.items('instancesSet').map(readInstance));

const readRoom = (node: Node): Room => ({
  vcpus: node.number('vcpus'),
  memoryMib: node.number('memoryMiB'),
  diskGib: node.number('diskGiB'),
});

export const readHost = (node: Node): Host => ({
  id: node.text('hostId'),
  name: node.text('name'),
  mode: node.text('mode'),
  state: node.text('state'),
  zone: node.text('availabilityZone'),
  rack: node.text('rack'),
  engines: node.items('engineSet').map((each) => each.text()),
  version: node.text('version'),
  instances: node.number('instances'),
  sellable: readRoom(node.at('sellable')),
  claimed: readRoom(node.at('claimed')),
});

export const readImage = (node: Node): Image => ({
  id: node.text('imageId'),
  name: node.text('name'),
  description: node.text('description'),
  sizeGib: node.items('blockDeviceMapping')[0]?.number('ebs/volumeSize') ?? 0,
  created: new Date(node.text('creationDate')),
});

export const readType = (node: Node): InstanceType => ({
  name: node.text('instanceType'),
  vcpus: node.number('vCpuInfo/defaultVCpus'),
  memoryMib: node.number('memoryInfo/sizeInMiB'),
});

export const readKeyPair = (node: Node): KeyPair => ({
  id: node.text('keyPairId'),
  name: node.text('keyName'),
  type: node.text('keyType'),
  fingerprint: node.text('keyFingerprint'),
  created: new Date(node.text('createTime')),
});

export const readGroup = (node: Node): Group => ({
  id: node.text('groupId'),
  name: node.text('groupName'),
  description: node.text('groupDescription'),
  tags: readTags(node),
});

export const readHappening = (node: Node): Happening => ({
  at: new Date(node.text('at')),
  by: node.text('by'),
  what: node.text('what'),
  why: node.text('why'),
});

export const readMetrics = (answer: Node): Metrics => ({
  vcpus: answer.number('vcpus'),
  memoryMib: answer.number('memoryMiB'),
  samples: answer.items('metricSet').map((node) => ({
    at: new Date(node.text('at')).getTime(),
    cpuPercent: node.number('cpuPercent'),
    memoryMib: node.number('memoryMiB'),
    diskRead: node.number('diskReadBytesPerSecond'),
    diskWritten: node.number('diskWrittenBytesPerSecond'),
    networkIn: node.number('networkInBytesPerSecond'),
    networkOut: node.number('networkOutBytesPerSecond'),
  })),
});
