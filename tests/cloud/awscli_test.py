"""Debian's awscli does the whole round against a cloud whose hosts only pretend."""

import json
import os
import subprocess
import unittest

from cloud import REGION, Cloud, Failure, wait_until

PATIENCE_S = 240


class Awscli(unittest.TestCase):
    def setUp(self):
        self.cloud = self.enterContext(Cloud())

    def aws(self, *words, service="ec2", check=True):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        environment |= {"AWS_ACCESS_KEY_ID": self.cloud.access_key, "AWS_SECRET_ACCESS_KEY": self.cloud.secret_key,
                        "AWS_DEFAULT_REGION": REGION, "AWS_PAGER": "", "AWS_CONFIG_FILE": "/dev/null",
                        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true",
                        "AWS_MAX_ATTEMPTS": "1"}
        done = subprocess.run(["/usr/bin/aws", "--endpoint-url", self.cloud.endpoint, "--output", "json", service,
                               *words], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=PATIENCE_S, check=False)
        if check and done.returncode != 0:
            raise Failure(f"aws {' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return (json.loads(done.stdout) if done.stdout.strip() else None) if check else done

    def state(self, instance):
        return self.aws("describe-instances", "--instance-ids", instance, "--query",
                        "Reservations[0].Instances[0].State.Name")

    def test_round(self):
        aws = self.aws
        image = wait_until(lambda: aws("describe-images", "--filters", "Name=name,Values=debian-*")["Images"],
                           "the image is there")[0]["ImageId"]
        key = aws("create-key-pair", "--key-name", "mine")
        self.assertIn("BEGIN RSA PRIVATE KEY", key["KeyMaterial"])
        group = aws("create-security-group", "--group-name", "web", "--description", "ports 22 and 80")["GroupId"]
        for port in ("22", "80"):
            aws("authorize-security-group-ingress", "--group-name", "web", "--protocol", "tcp", "--port", port,
                "--cidr", "0.0.0.0/0")
        shown = aws("describe-security-groups", "--group-ids", group)["SecurityGroups"][0]
        self.assertEqual(sorted(each["FromPort"] for each in shown["IpPermissions"]), [22, 80])
        run = aws("run-instances", "--image-id", image, "--count", "1", "--instance-type", "t3.micro", "--key-name",
                  "mine", "--security-groups", "web", "--user-data", "#!/bin/sh\ntrue",
                  "--tag-specifications", "ResourceType=instance,Tags=[{Key=Name,Value=first}]")
        instance = run["Instances"][0]["InstanceId"]
        self.assertEqual(run["Instances"][0]["State"]["Name"], "pending")
        wait_until(lambda: self.state(instance) == "running", "it runs")  # before: the waiter would sleep for 15 s
        aws("wait", "instance-running", "--instance-ids", instance)
        aws("wait", "instance-status-ok", "--instance-ids", instance)
        aws("create-tags", "--resources", instance, "--tags", "Key=stage,Value=test")
        found = aws("describe-instances", "--filters", "Name=tag:stage,Values=test", "--query",
                    "Reservations[].Instances[].InstanceId")
        self.assertEqual(found, [instance])
        console = aws("get-console-output", "--instance-id", instance)
        self.assertEqual(console["InstanceId"], instance)
        stopping = aws("stop-instances", "--instance-ids", instance)["StoppingInstances"][0]
        self.assertEqual(stopping["PreviousState"]["Name"], "running")
        wait_until(lambda: self.state(instance) == "stopped", "it is stopped")
        aws("wait", "instance-stopped", "--instance-ids", instance)
        aws("start-instances", "--instance-ids", instance)
        wait_until(lambda: self.state(instance) == "running", "it runs again")
        aws("terminate-instances", "--instance-ids", instance)
        wait_until(lambda: self.state(instance) == "terminated", "it is terminated")
        aws("wait", "instance-terminated", "--instance-ids", instance)
        aws("delete-security-group", "--group-id", group)
        aws("delete-key-pair", "--key-name", "mine")
        self.assertEqual(aws("describe-key-pairs")["KeyPairs"], [])

    def test_what_it_says_of_errors(self):
        done = self.aws("describe-instances", "--instance-ids", "i-0123456789abcdef0", check=False)
        self.assertEqual(done.returncode, 254)
        self.assertIn("(InvalidInstanceID.NotFound)", done.stderr)
        done = self.aws("describe-instances", "--dry-run", check=False)
        self.assertIn("(DryRunOperation)", done.stderr)
        identity = self.aws("get-caller-identity", service="sts")
        self.assertRegex(identity["Account"], r"^\d{12}$")


if __name__ == "__main__":
    unittest.main()
