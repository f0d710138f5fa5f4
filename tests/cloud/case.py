"""What the tests by boto3 share: a cloud for the class, and the few things that all of them do."""

import unittest

from botocore.exceptions import ClientError

from cloud import PATIENCE_S, Cloud

FAST = {"Delay": 1, "MaxAttempts": PATIENCE_S}


class CloudTest(unittest.TestCase):
    HOSTS = 3

    @classmethod
    def setUpClass(cls):
        cls.cloud = cls.enterClassContext(Cloud(hosts=cls.HOSTS))
        cls.ec2 = cls.cloud.client()
        cls.image = cls.cloud.image()

    def refused(self, code, status, act, **arguments):
        with self.assertRaises(ClientError) as caught:
            act(**arguments)
        response = caught.exception.response
        self.assertEqual((response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]), (code, status))
        return response["Error"]["Message"]

    def run_one(self, **more):
        answer = self.ec2.run_instances(ImageId=self.image, MinCount=1, MaxCount=1, InstanceType="t3.micro", **more)
        return answer["Instances"][0]["InstanceId"]

    def wait(self, name, *ids):
        self.ec2.get_waiter(name).wait(InstanceIds=list(ids), WaiterConfig=FAST)

    def instance(self, instance):
        return self.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
