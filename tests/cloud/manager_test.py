"""The cloud manager as a program: first start, metrics, orderly stop, kill -9 at any moment, what is no request."""

import contextlib
import http.client
import json
import random
import re
import socket
import stat
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request

from botocore.exceptions import BotoCoreError, ClientError

from cloud import ANSWER_PATIENCE_S, PATIENCE_S, PROGRAM, REGION, ROOT, Cloud, wait_until

KILLS = 6
MOST_LAUNCHED = 95  # by each of three: more than 300 do not fit onto the hosts


class Manager(unittest.TestCase):
    def setUp(self):
        self.cloud = self.enterContext(Cloud())

    def get(self, path):
        with urllib.request.urlopen(self.cloud.endpoint + path, timeout=ANSWER_PATIENCE_S) as response:
            return response.read().decode()

    def test_first_start_and_later_ones(self):
        file = self.cloud.folder / "data" / "client.json"
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
        before = json.loads(file.read_text())
        self.assertEqual((before["region"], before["endpoint"]), (REGION, self.cloud.endpoint))
        image = self.cloud.image()
        self.assertEqual(self.cloud.stop(), 0)
        self.cloud.start()
        self.assertEqual(json.loads(file.read_text()), before)
        self.assertEqual(self.cloud.image(), image, "the same image has the same id")

    def test_join_tokens(self):
        file = self.cloud.folder / "data" / "join-token"
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
        made = self.cloud.call("PileusCreateJoinToken", LifetimeSeconds=120, Once="true")
        self.assertRegex(made["token"], r"^pileus1\.[0-9a-f]{32}\.[0-9a-f]{64}$")
        self.assertEqual(made["token"].split(".")[2], file.read_text().strip().split(".")[2], "the same cloud's")
        self.assertEqual((made["state"], made["once"], made["uses"]), ("good", "true", "0"))
        self.cloud.call("PileusRevokeJoinToken", JoinTokenId=made["joinTokenId"])
        listed = self.cloud.text_of("PileusDescribeJoinTokens")
        self.assertEqual(re.findall(r"<state>(\w+)</state>", listed).count("revoked"), 1, listed)
        self.assertNotIn(made["token"].split(".")[1], listed)
        for life in (0, 59, 366 * 24 * 3600, 1 << 62):
            with self.assertRaisesRegex(AssertionError, "InvalidParameterValue"):
                self.cloud.call("PileusCreateJoinToken", LifetimeSeconds=life)
        with self.assertRaisesRegex(AssertionError, "InvalidJoinTokenID.NotFound"):
            self.cloud.call("PileusRevokeJoinToken", JoinTokenId="jt-00000000000000001")
        other = self.cloud.call("PileusCreateAccount", Name="other")
        for action in ("PileusCreateJoinToken", "PileusDescribeJoinTokens"):
            with self.assertRaisesRegex(AssertionError, "UnauthorizedOperation"):
                self.cloud.call(action, other["accessKeyId"], other["secretAccessKey"])

    def test_the_token_of_the_managers_own_machine_is_renewed_when_it_is_gone(self):
        file = self.cloud.folder / "data" / "join-token"
        before = file.read_text()
        self.cloud.stop()
        self.cloud.start()
        self.assertEqual(file.read_text(), before, "still good")
        self.cloud.stop()
        file.unlink()
        self.cloud.start()
        self.assertNotEqual(file.read_text(), before)

    def test_health_and_metrics(self):
        self.assertEqual(self.get("/healthz").strip(), "ok")
        self.cloud.image()
        metrics = self.get("/metrics")
        self.assertRegex(metrics, r"(?m)^pileus_api_requests_total [1-9]")
        for line in metrics.splitlines():
            self.assertRegex(line, r"^(# (HELP|TYPE) \S+ .+|[a-z_]+(\{.*\})? [0-9.e+]+)$")

    def test_what_is_no_request(self):
        close = b"Host: a\r\nConnection: close\r\n"
        for text, status in ((b"GET /?a=b HTTP/1.1\r\n" + close, 403), (b"GET /?%zz HTTP/1.1\r\n" + close, 400),
                             (b"BREW / HTTP/1.1\r\n" + close, 405),
                             (b"GET /?" + b"a=b&" * 1000 + b" HTTP/1.1\r\n" + close, 403),
                             (b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n" + close, 414),
                             (b"POST / HTTP/1.1\r\n" + close + b"Content-Length: 99999999\r\n", 413)):
            with socket.create_connection(("127.0.0.1", self.cloud.port), timeout=ANSWER_PATIENCE_S) as connection:
                connection.sendall(text + b"\r\n")
                self.assertRegex(connection.recv(65536), b"^HTTP/1.1 %d " % status, text[:20])
        with socket.create_connection(("127.0.0.1", self.cloud.port), timeout=ANSWER_PATIENCE_S) as connection:
            connection.sendall(b"\0\1\2\3\r\n\r\n" * 100)  # the connection is closed on it
        connection = http.client.HTTPConnection("127.0.0.1", self.cloud.port, timeout=ANSWER_PATIENCE_S)
        with contextlib.closing(connection):
            connection.request("GET", "/nothing/here?Action=DescribeRegions")
            response = connection.getresponse()
            self.assertEqual((response.status, response.getheader("Content-Type")), (403, "text/xml;charset=UTF-8"))
            self.assertRegex(response.read().decode(), r"<Response><Errors><Error><Code>MissingAuthenticationToken<")
        self.assertEqual(self.get("/healthz").strip(), "ok")

    def test_killed_while_instances_are_launched(self):
        """Every request that was answered was done, every one that is repeated is done once, all end as wanted."""
        image = self.cloud.image()
        promised = {}  # token -> instance
        failed = []
        enough = threading.Event()

        account = self.cloud.call("PileusCreateAccount", Name="launcher", MaxInstances=5000, MaxVcpus=5000)
        keys = account["accessKeyId"], account["secretAccessKey"]

        def launch(worker):
            ec2 = self.cloud.client("ec2", *keys)
            count = 0
            in_doubt = False
            while in_doubt or (not enough.is_set() and count < MOST_LAUNCHED):
                token = f"{worker}-{count}"
                in_doubt = True
                try:
                    answer = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType="t2.nano",
                                               ClientToken=token)
                except (BotoCoreError, ClientError) as error:
                    failed.append(error)
                    time.sleep(0.05)
                    continue  # the same token again
                promised[token] = answer["Instances"][0]["InstanceId"]
                time.sleep(0.02)
                count += 1
                in_doubt = False

        workers = [threading.Thread(target=launch, args=(i,), daemon=True) for i in range(3)]
        for worker in workers:
            worker.start()
        chance = random.Random(4)
        kills = 0
        try:
            while kills < KILLS or (not failed and any(worker.is_alive() for worker in workers)):
                kills += 1
                time.sleep(chance.uniform(0.05, 0.4))
                self.cloud.kill()
                self.cloud.start()
        finally:
            enough.set()
        wait_until(lambda: not any(worker.is_alive() for worker in workers), "all requests are answered")
        self.assertGreater(len(failed), 0, "the kills came in between")
        ec2 = self.cloud.client("ec2", *keys)

        def instances():
            return {each["ClientToken"] + "/" + each["InstanceId"]: each["State"]["Name"]
                    for page in ec2.get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": 50})
                    for group in page["Reservations"] for each in group["Instances"]}

        self.assertEqual(set(instances()), {f"{token}/{instance}" for token, instance in promised.items()})
        wait_until(lambda: set(instances().values()) == {"running"}, lambda: f"all run: {instances()}")
        ids = sorted(promised.values())
        for begin in range(0, len(ids), 100):
            ec2.terminate_instances(InstanceIds=ids[begin:begin + 100])
        self.cloud.kill()
        self.cloud.start()
        wait_until(lambda: set(instances().values()) == {"terminated"}, lambda: f"all are terminated: {instances()}")
        wait_until(lambda: not ec2.describe_network_interfaces()["NetworkInterfaces"], "no interface is left")


class Words(unittest.TestCase):
    def run_program(self, *words):
        return subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=PATIENCE_S, check=False)

    def test_documentation_is_current(self):
        printed = self.run_program("--print-api").stdout
        self.assertEqual((ROOT / "docs" / "api.md").read_text(), printed,
                         "docs/api.md is old: write it anew by `pileus-cloudd --print-api > docs/api.md`")

    def test_every_action_that_has_to_be_there_is(self):
        printed = self.run_program("--print-api").stdout
        offered = set(re.findall(r"(?m)^### (\w+)$", printed))
        self.assertLessEqual({
            "DescribeRegions", "DescribeAvailabilityZones", "DescribeInstanceTypes", "DescribeImages",
            "DescribeKeyPairs", "DescribeSecurityGroups", "DescribeVpcs", "DescribeSubnets", "DescribeInstances",
            "DescribeInstanceStatus", "DescribeTags", "DescribeVolumes", "DescribeAddresses",
            "DescribeAccountAttributes", "CreateKeyPair", "ImportKeyPair", "DeleteKeyPair", "RunInstances",
            "StartInstances", "StopInstances", "RebootInstances", "TerminateInstances", "CreateTags", "DeleteTags",
            "GetConsoleOutput", "DescribeInstanceAttribute", "ModifyInstanceAttribute", "GetCallerIdentity",
            "PileusDescribeHosts", "PileusSetHostMode", "PileusDescribeEvents", "PileusExplain",
            "PileusCreateAccount", "PileusDescribeAccounts"}, offered)

    def test_mistakes(self):
        for words, named in (((), "--data"), (("--data", "/proc/nothing"), "/proc/nothing"),
                             (("--data", "x", "--state", "ftp://a"), "ftp"), (("--data", "x", "--port", "y"), "--port")):
            with tempfile.TemporaryDirectory() as folder:
                done = subprocess.run([PROGRAM, *words], cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S,
                                      check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(named, done.stderr)


if __name__ == "__main__":
    unittest.main()
