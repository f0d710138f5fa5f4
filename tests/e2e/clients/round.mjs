// The whole round by the AWS SDK for JavaScript with a real machine at its end.
import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import {writeFileSync} from "node:fs";
import {
  AuthorizeSecurityGroupIngressCommand, CreateImageCommand, CreateKeyPairCommand, CreateSecurityGroupCommand,
  CreateTagsCommand, DeleteKeyPairCommand, DeleteSecurityGroupCommand, DeregisterImageCommand, DescribeInstancesCommand,
  EC2Client, GetConsoleOutputCommand, RunInstancesCommand, StartInstancesCommand, StopInstancesCommand,
  TerminateInstancesCommand, waitUntilImageAvailable, waitUntilInstanceRunning, waitUntilInstanceStopped,
  waitUntilInstanceTerminated,
} from "@aws-sdk/client-ec2";

const {ENDPOINT, IMAGE, REGION, WORD, LOGIN, FOLDER} = process.env;
const ec2 = new EC2Client({endpoint: ENDPOINT, region: REGION, maxAttempts: 2});
const patience = {client: ec2, maxWaitTime: 600, minDelay: 1, maxDelay: 2};
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const key = await ec2.send(new CreateKeyPairCommand({KeyName: "sdk", KeyType: "ed25519"}));
const keyFile = `${FOLDER}/sdk.pem`;
writeFileSync(keyFile, key.KeyMaterial, {mode: 0o600});
const {GroupId} = await ec2.send(new CreateSecurityGroupCommand({GroupName: "sdk", Description: "by the SDK"}));
await ec2.send(new AuthorizeSecurityGroupIngressCommand({
  GroupId, IpPermissions: [{IpProtocol: "tcp", FromPort: 22, ToPort: 22, IpRanges: [{CidrIp: "0.0.0.0/0"}]}],
}));
const run = await ec2.send(new RunInstancesCommand({
  ImageId: IMAGE, InstanceType: "t3.micro", MinCount: 1, MaxCount: 1, KeyName: "sdk", SecurityGroupIds: [GroupId],
  UserData: Buffer.from(`#!/bin/sh\necho ${WORD} > /run/user-data\n`).toString("base64"),
}));
const InstanceIds = [run.Instances[0].InstanceId];
await waitUntilInstanceRunning(patience, {InstanceIds});
const shown = await ec2.send(new DescribeInstancesCommand({InstanceIds}));
const address = shown.Reservations[0].Instances[0].PublicIpAddress;
assert.equal(execFileSync(LOGIN, [keyFile, address, "grep . /run/user-data"]).toString().trim(), WORD);

await ec2.send(new CreateTagsCommand({Resources: InstanceIds, Tags: [{Key: "stage", Value: "test"}]}));
const found = await ec2.send(new DescribeInstancesCommand({
  Filters: [{Name: "tag:stage", Values: ["test"]}, {Name: "instance-state-name", Values: ["running"]}],
}));
assert.equal(found.Reservations[0].Instances[0].InstanceId, InstanceIds[0]);
await ec2.send(new StopInstancesCommand({InstanceIds}));
await waitUntilInstanceStopped(patience, {InstanceIds});
const {ImageId} = await ec2.send(new CreateImageCommand({InstanceId: InstanceIds[0], Name: "by the SDK"}));
await waitUntilImageAvailable(patience, {ImageIds: [ImageId]});
await ec2.send(new StartInstancesCommand({InstanceIds}));
await waitUntilInstanceRunning(patience, {InstanceIds});
let output = "";
for (let i = 0; i < 200 && !output.includes("login:"); ++i) {
  await pause(3000);
  const answer = await ec2.send(new GetConsoleOutputCommand({InstanceId: InstanceIds[0]}));
  output = Buffer.from(answer.Output ?? "", "base64").toString();
}
assert.ok(output.includes("login:"), output.slice(-500));
await ec2.send(new TerminateInstancesCommand({InstanceIds}));
await waitUntilInstanceTerminated(patience, {InstanceIds});
await ec2.send(new DeregisterImageCommand({ImageId}));
await ec2.send(new DeleteSecurityGroupCommand({GroupId}));
await ec2.send(new DeleteKeyPairCommand({KeyName: "sdk"}));
