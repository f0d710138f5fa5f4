import { DOMParser } from '@xmldom/xmldom';
import { describe, expect, it, vi } from 'vitest';
import { parseAnswer } from './answer';
import { kTaskKinds, readTask } from './tasks';

vi.stubGlobal('DOMParser', DOMParser);

const answers = [
  `<DescribeImportImageTasksResponse><importImageTaskSet><item><importTaskId>import-ami-1</importTaskId>
   <description>a web server</description><progress>40</progress><status>active</status><snapshotDetailSet><item>
   <url>http://10.0.0.1/disk.vmdk</url></item></snapshotDetailSet></item></importImageTaskSet></DescribeImportImageTasksResponse>`,
  `<DescribeImportSnapshotTasksResponse><importSnapshotTaskSet><item><importTaskId>import-snap-1</importTaskId>
   <snapshotTaskDetail><userBucket><s3Bucket>in</s3Bucket><s3Key>a/disk.raw</s3Key></userBucket><progress>3</progress>
   <status>error</status><statusMessage>the disk is full</statusMessage></snapshotTaskDetail></item></importSnapshotTaskSet>
   </DescribeImportSnapshotTasksResponse>`,
  `<DescribeExportImageTasksResponse><exportImageTaskSet><item><exportImageTaskId>export-ami-1</exportImageTaskId>
   <imageId>ami-7</imageId><progress>100</progress><status>completed</status><s3ExportLocation><s3Bucket>out</s3Bucket>
   </s3ExportLocation><s3Key>export-ami-1.qcow2</s3Key></item></exportImageTaskSet></DescribeExportImageTasksResponse>`,
];

describe('tasks', () => {
  const tasks = kTaskKinds.flatMap((kind, i) => parseAnswer(200, answers[i] ?? '').items(kind.set).map((node) => readTask(kind, node)));
  it('say how they are in the same words, whatever their kind', () => {
    expect(tasks.map(({ id, state, percent }) => [id, state, percent])).toEqual([
      ['import-ami-1', 'ongoing', 40], ['import-snap-1', 'failed', 3], ['export-ami-1', 'completed', 100],
    ]);
    expect(tasks[1]?.message).toBe('the disk is full');
  });
  it('say where their file is', () => {
    expect(tasks.map((task) => task.place)).toEqual(['http://10.0.0.1/disk.vmdk', 'in/a/disk.raw', 'out/export-ami-1.qcow2']);
  });
});
