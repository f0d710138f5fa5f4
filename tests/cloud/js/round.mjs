// The whole round by the AWS SDK for JavaScript, version 3: exit status 0 when everything came out as it should.
import assert from "node:assert/strict";
import {
  AuthorizeSecurityGroupIngressCommand, CreateKeyPairCommand, CreateSecurityGroupCommand, CreateTagsCommand,
  DeleteKeyPairCommand, DeleteSecurityGroupCommand, DescribeInstancesCommand, DescribeTagsCommand, EC2Client,
  GetConsoleOutputCommand, RunInstancesCommand, StartInstancesCommand, StopInstancesCommand,
  TerminateInstancesCommand, paginateDescribeInstances, waitUntilInstanceRunning, waitUntilInstanceStatusOk,
  waitUntilInstanceStopped, waitUntilInstanceTerminated,
} from "@aws-sdk/client-ec2";
import {GetCallerIdentityCommand, STSClient} from "@aws-sdk/client-sts";

const {ENDPOINT, IMAGE, REGION} = process.env;
const settings = {endpoint: ENDPOINT, region: REGION, maxAttempts: 2};
const ec2 = new EC2Client(settings);
const patience = {client: ec2, maxWaitTime: 240, minDelay: 1, maxDelay: 2};

const identity = await new STSClient(settings).send(new GetCallerIdentityCommand({}));
assert.match(identity.Account, /^\d{12}$/);

const key = await ec2.send(new CreateKeyPairCommand({KeyName: "sdk", KeyType: "ed25519"}));
assert.match(key.KeyMaterial, /PRIVATE KEY-----/);
const {GroupId} = await ec2.send(new CreateSecurityGroupCommand({GroupName: "sdk", Description: "by the SDK"}));
const rules = await ec2.send(new AuthorizeSecurityGroupIngressCommand({
  GroupId, IpPermissions: [{IpProtocol: "tcp", FromPort: 22, ToPort: 22, IpRanges: [{CidrIp: "0.0.0.0/0"}]}],
}));
assert.equal(rules.Return, true);

const run = await ec2.send(new RunInstancesCommand({
  ImageId: IMAGE, InstanceType: "t3.micro", MinCount: 2, MaxCount: 2, KeyName: "sdk", SecurityGroupIds: [GroupId],
  UserData: Buffer.from("#!/bin/sh\necho ran\n").toString("base64"),
  TagSpecifications: [{ResourceType: "instance", Tags: [{Key: "Name", Value: "äöü & <more>"}]}],
}));
const InstanceIds = run.Instances.map((each) => each.InstanceId);
assert.equal(InstanceIds.length, 2);
await waitUntilInstanceRunning(patience, {InstanceIds});
await waitUntilInstanceStatusOk(patience, {InstanceIds});

const instances = [];
for await (const page of paginateDescribeInstances({client: ec2, pageSize: 5}, {
  Filters: [{Name: "instance-state-name", Values: ["running"]}],
})) {
  instances.push(...page.Reservations.flatMap((each) => each.Instances));
}
assert.deepEqual(instances.map((each) => each.InstanceId).sort(), [...InstanceIds].sort());
assert.ok(instances[0].LaunchTime instanceof Date);
assert.equal(instances[0].Tags[0].Value, "äöü & <more>");
assert.equal(instances[0].SecurityGroups[0].GroupId, GroupId);

await ec2.send(new CreateTagsCommand({Resources: InstanceIds, Tags: [{Key: "stage", Value: "test"}]}));
const tags = await ec2.send(new DescribeTagsCommand({Filters: [{Name: "key", Values: ["stage"]}]}));
assert.equal(tags.Tags.length, 2);
const console_output = await ec2.send(new GetConsoleOutputCommand({InstanceId: InstanceIds[0]}));
assert.equal(console_output.InstanceId, InstanceIds[0]);

await ec2.send(new StopInstancesCommand({InstanceIds}));
await waitUntilInstanceStopped(patience, {InstanceIds});
await ec2.send(new StartInstancesCommand({InstanceIds}));
await waitUntilInstanceRunning(patience, {InstanceIds});

await assert.rejects(ec2.send(new DescribeInstancesCommand({InstanceIds: ["i-00000000000000001"]})),
                     {name: "InvalidInstanceID.NotFound"});
await assert.rejects(ec2.send(new TerminateInstancesCommand({InstanceIds, DryRun: true})), {name: "DryRunOperation"});

await ec2.send(new TerminateInstancesCommand({InstanceIds}));
await waitUntilInstanceTerminated(patience, {InstanceIds});
await ec2.send(new DeleteSecurityGroupCommand({GroupId}));
await ec2.send(new DeleteKeyPairCommand({KeyName: "sdk"}));
