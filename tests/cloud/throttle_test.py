"""An account that sends too many requests is told so, others are not disturbed, and the clients that people have try again."""

import concurrent.futures
import json
import os
import subprocess
import time
import unittest
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from cloud import ANSWER_PATIENCE_S, BUILD, PATIENCE_S, REGION, Cloud, wait_until

RATE, BURST = 2, 20
TOO_MANY = ("RequestLimitExceeded", 503)


class Throttle(unittest.TestCase):
    def setUp(self):
        self.cloud = self.enterContext(Cloud("--request-rate", str(RATE), "--request-burst", str(BURST)))

    def client(self, **retries):
        session = boto3.session.Session(self.cloud.access_key, self.cloud.secret_key, region_name=REGION)
        config = Config(retries=retries, read_timeout=ANSWER_PATIENCE_S, max_pool_connections=BURST)
        return session.client("ec2", endpoint_url=self.cloud.endpoint, config=config)

    def throttled(self):
        with urllib.request.urlopen(self.cloud.endpoint + "/metrics", timeout=ANSWER_PATIENCE_S) as response:
            lines = dict(line.split() for line in response.read().decode().splitlines() if not line.startswith("#"))
        return int(lines["pileus_api_throttled_total"])

    def ask(self, ec2):
        """None, or how it was refused."""
        try:
            ec2.describe_regions()
        except ClientError as error:
            return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
        return None

    def exhaust(self):
        """Asks by many connections at once, faster than is let pass, until some are refused."""
        ec2 = self.client(total_max_attempts=1)
        begun = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(BURST) as pool:
            answers = []
            while TOO_MANY not in answers:
                answers += pool.map(lambda _: self.ask(ec2), range(2 * BURST))
        self.assertLessEqual(set(answers), {None, TOO_MANY})
        # One more for the clock's own step.
        self.assertLessEqual(answers.count(None), BURST + RATE * (time.monotonic() - begun) + 1)

    def test_too_many_are_refused_and_a_rest_helps(self):
        other = self.cloud.call("PileusCreateAccount", Name="other")
        self.exhaust()
        refused = self.throttled()
        self.assertGreater(refused, 0)
        theirs = self.cloud.client("ec2", other["accessKeyId"], other["secretAccessKey"])
        self.assertIsNone(self.ask(theirs), "another account is not disturbed")
        wait_until(lambda: self.ask(self.client(total_max_attempts=1)) is None, "a rest helps")

    def test_a_refused_change_was_not_done(self):
        ec2 = self.client(total_max_attempts=1)
        made = []
        refused = None
        while refused is None:
            name = f"group-{len(made)}"
            try:
                ec2.create_security_group(GroupName=name, Description="one of many")
                made.append(name)
            except ClientError as error:
                self.assertEqual(error.response["Error"]["Code"], TOO_MANY[0])
                refused = name
            self.exhaust()
        patient = self.client(mode="standard", total_max_attempts=20)
        names = {each["GroupName"] for each in patient.describe_security_groups()["SecurityGroups"]}
        self.assertEqual(names, {"default", *made})

    def test_boto3_tries_again(self):
        for mode in ("legacy", "standard", "adaptive"):
            with self.subTest(mode):
                self.exhaust()
                before = self.throttled()
                ec2 = self.client(mode=mode, total_max_attempts=20)
                while self.throttled() == before:  # until it was refused, and went on all the same
                    with concurrent.futures.ThreadPoolExecutor(4) as pool:
                        answers = list(pool.map(lambda _: ec2.describe_regions(), range(4)))
                    self.assertTrue(all(each["Regions"] for each in answers))

    def test_pileus_tries_again(self):
        settings = {"PILEUS_HOME": str(self.cloud.folder / "home"), "PILEUS_ENDPOINT": self.cloud.endpoint,
                    "AWS_REGION": REGION, "AWS_ACCESS_KEY_ID": self.cloud.access_key,
                    "AWS_SECRET_ACCESS_KEY": self.cloud.secret_key}
        self.exhaust()
        before = self.throttled()
        while self.throttled() == before:
            done = subprocess.run([BUILD / "apps" / "pileus", "type", "ls", "--json"], env=os.environ | settings,
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertTrue(json.loads(done.stdout))


if __name__ == "__main__":
    unittest.main()
