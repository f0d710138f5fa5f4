// A launch as the form has it: as parameters of RunInstances, and as the commands that do the same.
import type { Parameters } from '../api/cloud';
import { list } from '../api/cloud';
import type { Group, Image } from '../api/records';

export interface Launch {
  name: string;
  image: Image | null;
  type: string;
  key: string; // empty: none
  groups: Group[];
  count: number;
  diskGib: number; // 0: the type's
  userData: string;
}

// Base64 of the text's UTF-8.
export function base64(text: string): string {
  return btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(''));
}

export const quote = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

export function launchParameters(launch: Launch, token: string): Parameters {
  return {
    ImageId: launch.image?.id,
    InstanceType: launch.type,
    MinCount: launch.count,
    MaxCount: launch.count,
    KeyName: launch.key,
    ...list('SecurityGroupId', launch.groups.map((group) => group.id)),
    UserData: launch.userData === '' ? undefined : base64(launch.userData),
    ...(launch.diskGib > 0 && {
      'BlockDeviceMapping.1.DeviceName': '/dev/xvda',
      'BlockDeviceMapping.1.Ebs.VolumeSize': launch.diskGib,
    }),
    ...(launch.name !== '' && {
      'TagSpecification.1.ResourceType': 'instance',
      'TagSpecification.1.Tag.1.Key': 'Name',
      'TagSpecification.1.Tag.1.Value': launch.name,
    }),
    ClientToken: token,
  };
}

export function pileusCommand(launch: Launch): string {
  const words = ['pileus', 'run', quote(launch.image?.name ?? 'IMAGE')];
  if (launch.name !== '') words.push('--name', quote(launch.name));
  words.push('--type', launch.type);
  if (launch.key !== '') words.push('--key', quote(launch.key));
  for (const group of launch.groups) words.push('--secgroup', quote(group.name));
  if (launch.diskGib > 0) words.push('--disk', String(launch.diskGib));
  if (launch.count > 1) words.push('--count', String(launch.count));
  if (launch.userData !== '') words.push('--user-data', 'FILE');
  return words.join(' ');
}

export function awsCommand(launch: Launch): string {
  const words = ['aws', 'ec2', 'run-instances', '--image-id', launch.image?.id ?? 'IMAGE', '--instance-type', launch.type];
  if (launch.count > 1) words.push('--count', String(launch.count));
  if (launch.key !== '') words.push('--key-name', quote(launch.key));
  if (launch.groups.length > 0) words.push('--security-group-ids', ...launch.groups.map((group) => group.id));
  if (launch.diskGib > 0) {
    words.push('--block-device-mappings', quote(`DeviceName=/dev/xvda,Ebs={VolumeSize=${launch.diskGib}}`));
  }
  if (launch.userData !== '') words.push('--user-data', 'file://FILE');
  if (launch.name !== '') {
    words.push('--tag-specifications', quote(`ResourceType=instance,Tags=[{Key=Name,Value=${launch.name}}]`));
  }
  return words.join(' ');
}
