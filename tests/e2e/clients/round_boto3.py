"""The whole round by boto3 with a real machine at its end."""

import os
import pathlib
import subprocess
import time

import boto3
from botocore.config import Config

PATIENCE_S = 600
OFTEN = {"Delay": 1, "MaxAttempts": PATIENCE_S}


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(1)


def main():
    ec2 = boto3.client("ec2", endpoint_url=os.environ["ENDPOINT"], region_name=os.environ["REGION"],
                       config=Config(retries={"max_attempts": 1}))
    word = os.environ["WORD"]
    key_file = pathlib.Path(os.environ["FOLDER"]) / "boto3.pem"
    key_file.touch(mode=0o600)
    key_file.write_text(ec2.create_key_pair(KeyName="boto3")["KeyMaterial"])
    group = ec2.create_security_group(GroupName="boto3", Description="by boto3")["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0")
    run = ec2.run_instances(ImageId=os.environ["IMAGE"], InstanceType="t3.micro", MinCount=1, MaxCount=1, KeyName="boto3",
                            SecurityGroupIds=[group], UserData=f"#!/bin/sh\necho {word} > /run/user-data\n")
    ids = [run["Instances"][0]["InstanceId"]]

    def wait(state):
        ec2.get_waiter(f"instance_{state}").wait(InstanceIds=ids, WaiterConfig=OFTEN)

    wait("running")
    shown = ec2.describe_instances(InstanceIds=ids)["Reservations"][0]["Instances"][0]
    said = subprocess.run([os.environ["LOGIN"], key_file, shown["PublicIpAddress"], "grep . /run/user-data"], check=True,
                          capture_output=True, text=True)
    assert said.stdout.strip() == word, said
    ec2.create_tags(Resources=ids, Tags=[{"Key": "stage", "Value": "test"}])
    assert ec2.describe_instances(Filters=[{"Name": "tag:stage", "Values": ["test"]}])["Reservations"]
    ec2.stop_instances(InstanceIds=ids)
    wait("stopped")
    ec2.start_instances(InstanceIds=ids)
    wait("running")
    # A running instance is rebooted for its image.
    image = ec2.create_image(InstanceId=ids[0], Name="by boto3")["ImageId"]
    ec2.get_waiter("image_available").wait(ImageIds=[image], WaiterConfig=OFTEN)
    wait_until(lambda: "login:" in ec2.get_console_output(InstanceId=ids[0]).get("Output", ""), "its console asks who")
    ec2.terminate_instances(InstanceIds=ids)
    wait("terminated")
    ec2.deregister_image(ImageId=image)
    ec2.delete_security_group(GroupId=group)
    ec2.delete_key_pair(KeyName="boto3")


if __name__ == "__main__":
    main()
