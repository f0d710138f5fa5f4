// Volumes and snapshots as the console shows them.
import type { Node } from './answer';
import { nameIn, readTags, type Tags } from './tags';

export interface Volume {
  id: string;
  name: string; // the tag Name; may be empty
  state: string;
  sizeGib: number;
  type: string;
  zone: string;
  snapshot: string; // that it was made of; may be empty
  created: Date;
  attachment: Attachment | null;
  tags: Tags;
}
export interface Attachment {
  instance: string;
  device: string;
  state: string;
  endsWithInstance: boolean;
}
export interface Snapshot {
  id: string;
  name: string;
  state: string;
  reason: string;
  progress: string; // "40%"
  volume: string; // empty: it was imported
  sizeGib: number;
  description: string;
  started: Date;
  tags: Tags;
}

const kNoVolume = 'vol-ffffffff'; // what EC2 says of a snapshot that was not made of one
const kResting = ['available', 'in-use', 'attached', 'completed', 'error'];

function readAttachment(node: Node): Attachment {
  return {
    instance: node.text('instanceId'),
    device: node.text('device'),
    state: node.text('status'),
    endsWithInstance: node.text('deleteOnTermination') === 'true',
  };
}

export function readVolume(node: Node): Volume {
  const tags = readTags(node);
  return {
    id: node.text('volumeId'),
    name: nameIn(tags),
    state: node.text('status'),
    sizeGib: node.number('size'),
    type: node.text('volumeType'),
    zone: node.text('availabilityZone'),
    snapshot: node.text('snapshotId'),
    created: new Date(node.text('createTime')),
    attachment: node.items('attachmentSet').map(readAttachment)[0] ?? null,
    tags,
  };
}

export function readSnapshot(node: Node): Snapshot {
  const tags = readTags(node);
  const volume = node.text('volumeId');
  return {
    id: node.text('snapshotId'),
    name: nameIn(tags),
    state: node.text('status'),
    reason: node.text('statusMessage'),
    progress: node.text('progress'),
    volume: volume === kNoVolume ? '' : volume,
    sizeGib: node.number('volumeSize'),
    description: node.text('description'),
    started: new Date(node.text('startTime')),
    tags,
  };
}

// Whether its state is about to change by itself.
export const volumeMoves = (volume: Volume): boolean =>
  !kResting.includes(volume.state) || (volume.attachment !== null && !kResting.includes(volume.attachment.state));
export const snapshotMoves = (snapshot: Snapshot): boolean => !kResting.includes(snapshot.state);

export const diskLabel = (disk: Volume | Snapshot): string => disk.name || disk.id;
