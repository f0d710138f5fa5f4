import { describe, expect, it } from 'vitest';
import { awsCommand, base64, type Launch, launchParameters, pileusCommand } from './launch';

const kLaunch: Launch = {
  name: "bob's web",
  image: { id: 'ami-1', name: 'debian-12', description: '', sizeGib: 2, created: new Date(0) },
  type: 't3.micro',
  key: 'laptop',
  groups: [{ id: 'sg-1', name: 'open', description: '', tags: [] }],
  count: 2,
  diskGib: 20,
  userData: '#!/bin/sh\necho grüß',
};

describe('a launch', () => {
  it('is asked of the API', () => {
    expect(launchParameters(kLaunch, 'token')).toMatchObject({
      ImageId: 'ami-1', MinCount: 2, MaxCount: 2, 'SecurityGroupId.1': 'sg-1', UserData: base64(kLaunch.userData),
      'BlockDeviceMapping.1.Ebs.VolumeSize': 20, 'TagSpecification.1.Tag.1.Value': "bob's web", ClientToken: 'token',
    });
    const plain = launchParameters({ ...kLaunch, name: '', diskGib: 0, userData: '', groups: [] }, 'token');
    expect(plain['UserData']).toBeUndefined();
    expect(Object.keys(plain).some((name) => /Tag|Block|Group/.test(name))).toBe(false);
  });

  it('is shown as commands', () => {
    expect(pileusCommand(kLaunch)).toBe(
      "pileus run debian-12 --name 'bob'\\''s web' --type t3.micro --key laptop --secgroup open --disk 20 --count 2 --user-data FILE",
    );
    expect(awsCommand({ ...kLaunch, count: 1, diskGib: 0, userData: '' })).toBe(
      "aws ec2 run-instances --image-id ami-1 --instance-type t3.micro --key-name laptop --security-group-ids sg-1 " +
        "--tag-specifications 'ResourceType=instance,Tags=[{Key=Name,Value=bob'\\''s web}]'",
    );
  });

  it('has user data in base64 of UTF-8', () => {
    expect(base64('grüß')).toBe('Z3LDvMOf');
  });
});
