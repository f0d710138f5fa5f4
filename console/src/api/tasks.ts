// Imports and exports, which a host carries out in the background.
import type { Node } from './answer';

export interface Task {
  id: string;
  what: string; // "import of an image"
  state: 'ongoing' | 'completed' | 'failed';
  percent: number;
  message: string;
  description: string;
  result: string; // id of what it makes, or of what it is an export of; may be empty
  place: string; // where the file comes from or goes to; may be empty
  cancel: 'CancelImportTask' | 'CancelExportTask';
}

interface Kind {
  action: string;
  set: string;
  id: string;
  what: string;
  cancel: Task['cancel'];
  progress: string; // where the progress is told
  result: string;
  place: (node: Node) => string;
}

const placeOf = (node: Node): string =>
  node.text('url') || [node.text('userBucket/s3Bucket'), node.text('userBucket/s3Key')].filter(Boolean).join('/');

export const kTaskKinds: Kind[] = [
  {
    action: 'DescribeImportImageTasks', set: 'importImageTaskSet', id: 'importTaskId', what: 'import of an image',
    cancel: 'CancelImportTask', progress: '', result: 'imageId',
    place: (node) => node.items('snapshotDetailSet').map(placeOf).filter(Boolean).join(', '),
  },
  {
    action: 'DescribeImportSnapshotTasks', set: 'importSnapshotTaskSet', id: 'importTaskId', what: 'import of a snapshot',
    cancel: 'CancelImportTask', progress: 'snapshotTaskDetail/', result: 'snapshotTaskDetail/snapshotId',
    place: (node) => placeOf(node.at('snapshotTaskDetail')),
  },
  {
    action: 'DescribeExportImageTasks', set: 'exportImageTaskSet', id: 'exportImageTaskId', what: 'export of an image',
    cancel: 'CancelExportTask', progress: '', result: 'imageId',
    place: (node) => [node.text('s3ExportLocation/s3Bucket'), node.text('s3Key')].filter(Boolean).join('/'),
  },
];

const kStates: Record<string, Task['state']> = { active: 'ongoing', completed: 'completed' };

export function readTask(kind: Kind, node: Node): Task {
  return {
    id: node.text(kind.id),
    what: kind.what,
    state: kStates[node.text(`${kind.progress}status`)] ?? 'failed', // EC2's words for that are deleted and error
    percent: node.number(`${kind.progress}progress`),
    message: node.text(`${kind.progress}statusMessage`),
    description: node.text('description'),
    result: node.text(kind.result),
    place: kind.place(node),
    cancel: kind.cancel,
  };
}
