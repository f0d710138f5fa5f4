"""What administrators do by the command line: how much of hosts is given away, the table of types, accounts and their keys."""

import json
import os
import subprocess
import unittest

from case import CloudTest
from cloud import BUILD, PATIENCE_S, REGION, Cloud, wait_until


class Administration(CloudTest):
    HOSTS = 2

    def pileus(self, *words, fails=False):
        settings = {"PILEUS_HOME": str(self.cloud.folder / "home"), "PILEUS_ENDPOINT": self.cloud.endpoint,
                    "AWS_REGION": REGION, "AWS_ACCESS_KEY_ID": self.cloud.access_key,
                    "AWS_SECRET_ACCESS_KEY": self.cloud.secret_key}
        done = subprocess.run([BUILD / "apps" / "pileus", *words], env=os.environ | settings, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode != 0, fails, done.stdout + done.stderr)
        return done.stderr if fails else done.stdout

    def listed(self, *words):
        return {each["name"]: each for each in json.loads(self.pileus(*words, "ls", "--json"))}

    def test_a_host_gives_away_what_it_is_told(self):
        name = "simulated-1"
        before = self.listed("host")[name]
        self.pileus("host", "set", name, "--vcpus", "250", "--memory", "50", "--reserve", "2G", "--disk", "200", "--rack",
                    "r7")
        after = self.listed("host")[name]
        capacity = {what: int(amount) for what, amount in before["capacity"].items()}
        self.assertEqual({what: int(amount) for what, amount in after["sellable"].items()},
                         {"vcpus": capacity["vcpus"] * 5 // 2, "memory_mib": (capacity["memory_mib"] - 2048) // 2,
                          "disk_gib": capacity["disk_gib"] * 2})
        self.pileus("host", "set", after["id"], "--vcpus", "100")  # the rest stays
        self.assertEqual(self.listed("host")[name]["sellable"], after["sellable"] | {"vcpus": str(capacity["vcpus"])})
        events = json.loads(self.pileus("events", after["id"], "--json"))
        self.assertIn("250 % of its processors", [each["why"] for each in events if each["what"] == "settings changed"][0])
        self.assertIn("VcpuPercent is 1 to", self.pileus("host", "set", name, "--vcpus", "0", fails=True))
        self.assertIn("there is no host", self.pileus("host", "set", "nobody", "--vcpus", "200", fails=True))

    def test_what_was_launched_is_json_where_that_is_wanted(self):
        self.ec2.create_key_pair(KeyName="own")
        made = json.loads(self.pileus("run", "debian-12", "--name", "pair", "--key", "own", "--count", "2", "--no-wait", "--json"))
        self.assertEqual([(each["name"], each["type"]) for each in made], [("pair", "t3.micro")] * 2)
        ids = [each["id"] for each in made]
        self.wait("instance_running", *ids)
        self.pileus("rm", *ids)

    def test_help_has_examples_of_its_own(self):
        self.assertIn("pileus image build debian-12", self.pileus("--help"))
        self.assertNotIn("pileus vm run", self.pileus("account", "--help"))
        self.assertIn("pileus events vol-", self.pileus("events", "--help"))

    def test_an_overcommitted_host_takes_more(self):
        hosts = self.listed("host")
        whole = int(hosts["simulated-2"]["capacity"]["vcpus"])
        self.pileus("host", "maintenance", "simulated-1")
        self.pileus("type", "set", "wide.one", "--vcpus", str(whole), "--memory", "64M", "--disk", "1")
        run = {"ImageId": self.image, "InstanceType": "wide.one", "MinCount": 1, "MaxCount": 1}
        first = self.ec2.run_instances(**run)["Instances"][0]["InstanceId"]
        self.wait("instance_running", first)
        refused = self.ec2.run_instances(**run)["Instances"][0]["InstanceId"]
        wait_until(lambda: self.instance(refused)["State"]["Name"] == "terminated", "there is no room")
        self.pileus("host", "set", "simulated-2", "--vcpus", "200")
        second = self.ec2.run_instances(**run)["Instances"][0]["InstanceId"]
        self.wait("instance_running", second)
        self.ec2.terminate_instances(InstanceIds=[first, second])
        self.pileus("host", "active", "simulated-1")

    def test_types(self):
        self.pileus("type", "set", "tiny.one", "--vcpus", "1", "--memory", "256M")
        self.assertEqual(self.listed("type")["tiny.one"], {"name": "tiny.one", "vcpus": "1", "memory_mib": "256"})
        run = {"ImageId": self.image, "InstanceType": "tiny.one", "MinCount": 1, "MaxCount": 1}
        instance = self.ec2.run_instances(**run)["Instances"][0]["InstanceId"]
        self.pileus("type", "set", "tiny.one", "--memory", "512M")
        self.assertEqual(self.listed("type")["tiny.one"]["memory_mib"], "512")
        self.pileus("type", "rm", "tiny.one")
        self.assertNotIn("tiny.one", self.listed("type"))
        self.refused("InvalidParameterValue", 400, self.ec2.run_instances, **run)
        self.wait("instance_running", instance)  # it stays
        self.ec2.terminate_instances(InstanceIds=[instance])
        self.assertIn("memory", self.pileus("type", "set", "no.memory", "--vcpus", "1", fails=True))
        self.assertIn("lower-case", self.pileus("type", "set", "No", "--vcpus", "1", "--memory", "1G", fails=True))
        self.assertIn("no instance type", self.pileus("type", "rm", "nothing", fails=True))

    def test_accounts_have_keys_and_limits(self):
        made = json.loads(self.pileus("account", "create", "alice", "--access-key", "ALICE1", "--secret-key",
                                      "0123456789abcdef", "--max-instances", "1", "--json"))
        self.assertEqual((made["access_key"], made["secret_key"]), ("ALICE1", "0123456789abcdef"))
        alice = self.cloud.client(access_key="ALICE1", secret_key="0123456789abcdef")
        run = {"ImageId": self.image, "InstanceType": "t2.nano", "MinCount": 2, "MaxCount": 2}
        self.refused("InstanceLimitExceeded", 400, alice.run_instances, **run)
        self.pileus("account", "set", "alice", "--max-instances", "2")
        self.assertEqual(self.listed("account")["alice"]["max_instances"], "2")
        alice.run_instances(**run)
        second = json.loads(self.pileus("account", "key", "create", "alice", "--json"))
        self.assertEqual(self.listed("account")["alice"]["access_keys"], ["ALICE1", second["access_key"]])
        self.pileus("account", "key", "rm", "alice", "ALICE1")
        self.refused("AuthFailure", 401, alice.describe_instances)
        again = self.cloud.client(access_key=second["access_key"], secret_key=second["secret_key"])
        instances = [each["InstanceId"] for group in again.describe_instances()["Reservations"] for each in group["Instances"]]
        self.assertEqual(len(instances), 2)
        again.terminate_instances(InstanceIds=instances)
        self.assertIn("no access key", self.pileus("account", "key", "rm", "alice", "ALICE1", fails=True))
        self.assertIn("is not deleted by it",
                      self.pileus("account", "key", "rm", "root", self.cloud.access_key, fails=True))
        self.assertIn("no account", self.pileus("account", "set", "nobody", "--max-vcpus", "1", fails=True))
        self.assertIn("belong together", self.pileus("account", "key", "create", "alice", "--access-key", "X", fails=True))
        self.assertIn("taken", self.pileus("account", "key", "create", "alice", "--access-key", self.cloud.access_key,
                                           "--secret-key", "0123456789abcdef", fails=True))

    def test_others_may_not(self):
        secret = "0123456789abcdef0123"
        self.pileus("account", "create", "mallory", "--access-key", "MALLORY", "--secret-key", secret)
        for action, more in (("PileusModifyHost", {"HostId": "h-05100000000000001", "VcpuPercent": 1}),
                             ("PileusSetInstanceType", {"InstanceType": "t3.micro", "Vcpus": 1}),
                             ("PileusWithdrawInstanceType", {"InstanceType": "t3.micro"}),
                             ("PileusModifyAccount", {"Name": "mallory", "MaxInstances": 1000}),
                             ("PileusCreateAccessKey", {"Name": "root"})):
            with self.subTest(action), self.assertRaisesRegex(AssertionError, "UnauthorizedOperation"):
                self.cloud.text_of(action, access_key="MALLORY", secret_key=secret, **more)


class Placement(unittest.TestCase):
    def test_spread_takes_the_emptiest(self):
        with Cloud("--placement", "spread", hosts=4) as cloud:
            image, ec2 = cloud.image(), cloud.client()
            ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=4, MaxCount=4)

            def used():
                answer = cloud.text_of("PileusDescribeHosts")
                return [part.split("<")[0] for part in answer.split("<instances>")[1:]]
            wait_until(lambda: used() == ["1"] * 4, "one is on each host")


if __name__ == "__main__":
    unittest.main()
