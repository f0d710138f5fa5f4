"""A cloud whose state store is lost, or full: clients are told so and when to come back, what was accepted is there again, and
what was refused was not done."""

import contextlib
import os
import pathlib
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

from botocore.exceptions import ClientError

from cloud import Cloud, wait_until

PATIENCE_S = 120
ROOM = 64 << 20  # of the file system that is to be full
NO_ROOM = ("InsufficientCapacity", 503)


def quiet_port():
    """One that the kernel gives to nobody who connects, so that etcd finds it free when it comes back: even who connects to a
    port where nobody listens may be given that port for its own end."""
    while True:
        port = random.randrange(20000, 30000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Etcd:
    """A cluster of one member that is killed and started again."""

    def __init__(self, folder):
        self.folder, self.port, self.peer = folder, quiet_port(), quiet_port()
        self.start()

    def start(self):
        own, peer = f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.peer}"
        self.process = subprocess.Popen(
            ["etcd", "--data-dir", self.folder / "etcd", "--listen-client-urls", own, "--advertise-client-urls", own,
             "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}",
             "--log-level", "error"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(self):
        self.process.kill()
        self.process.wait()


def refusal(error):
    return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]


def launch(cloud, token):
    """Its id and 200, or the refusal: (code, status)."""
    try:
        answer = cloud.client().run_instances(ImageId=cloud.known_image, InstanceType="t2.nano", MinCount=1, MaxCount=1,
                                              ClientToken=token)
    except ClientError as error:
        return refusal(error)
    return answer["Instances"][0]["InstanceId"], 200


def terminate(cloud, instance):
    """200, or the refusal."""
    try:
        cloud.client().terminate_instances(InstanceIds=[instance])
    except ClientError as error:
        return refusal(error)
    return instance, 200


def tokens(cloud):
    return sorted(each["ClientToken"] for group in cloud.client().describe_instances()["Reservations"]
                  for each in group["Instances"])


class LostStore(unittest.TestCase):
    def test_etcd_goes_and_comes_back(self):
        with tempfile.TemporaryDirectory(prefix="pileus-lost-store-") as folder:
            etcd = Etcd(pathlib.Path(folder))
            try:
                with Cloud("--state", f"etcd://127.0.0.1:{etcd.port}") as cloud:
                    self.lose(cloud, etcd)
            finally:
                etcd.kill()

    def told(self, cloud):
        """The tokens; None when it is not known whether the change before was made, so that what could be shown may be old."""
        try:
            return tokens(cloud)
        except ClientError as error:
            self.assertEqual(error.response["Error"]["Code"], "Unavailable")
            return None

    def lose(self, cloud, etcd):
        cloud.known_image = cloud.image()
        accepted, _ = launch(cloud, "before")
        self.assertTrue(accepted.startswith("i-"))
        etcd.kill()
        # The first one may find a change under way, for which the store is waited for; none takes longer than clients wait.
        wait_until(lambda: launch(cloud, "while") == ("Unavailable", 503), "clients are told", PATIENCE_S)
        wait_until(lambda: self.told(cloud) is None, "readers are told", PATIENCE_S)
        etcd.start()
        # The same request, as clients repeat it, is done once.
        wait_until(lambda: launch(cloud, "while")[1] == 200, "it is taken", PATIENCE_S)
        self.assertEqual(wait_until(lambda: self.told(cloud), "it is told", PATIENCE_S), ["before", "while"])
        cloud.kill()
        cloud.start()
        wait_until(lambda: launch(cloud, "before")[1] == 200, "it answers again", PATIENCE_S)
        self.assertEqual(launch(cloud, "before")[0], accepted)
        self.assertEqual(wait_until(lambda: self.told(cloud), "it is told", PATIENCE_S), ["before", "while"])


class FullDisk(unittest.TestCase):
    """For root: a small file system of its own."""

    def test_a_full_disk_refuses_and_loses_nothing(self):
        if os.geteuid() != 0 or "PILEUS_OWN_MOUNTS" not in os.environ:
            self.skipTest("no file system can be mounted here")
        with Cloud() as cloud:
            cloud.known_image = cloud.image()
            cloud.stop()
            self.move_to_small_disk(cloud)
            cloud.start()
            try:
                self.fill(cloud)
            finally:
                cloud.stop()
                subprocess.run(["umount", cloud.folder / "data"], check=True)

    def move_to_small_disk(self, cloud):
        data, copy = cloud.folder / "data", cloud.folder / "copy"
        data.rename(copy)
        data.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", data], check=True)
        shutil.copytree(copy, data, dirs_exist_ok=True)

    def fill(self, cloud):
        accepted = [launch(cloud, "first")[0]]
        ballast = cloud.folder / "data" / "ballast"
        with open(ballast, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * (1 << 16))
            except OSError:
                pass
        refusals, count = [], 0
        while not refusals:  # what the store has of its own is used up first
            self.assertLess(count, 20000, "it is never full")
            said, status = launch(cloud, f"more-{count}")
            if status == 200:
                accepted.append(said)
                # It may be the one that finds no room; then the next launch does not, either.
                if count > 50:
                    self.assertIn(terminate(cloud, said), ((said, 200), NO_ROOM))
            else:
                refusals.append((said, status))
            count += 1
        self.assertEqual(refusals, [NO_ROOM])
        self.assertTrue(cloud.client().describe_instances()["Reservations"], "what is there is shown on")
        self.assertIsNone(cloud.process.poll(), "the cloud manager goes on")
        ballast.unlink()
        wait_until(lambda: launch(cloud, "last")[1] == 200, "there is room again", PATIENCE_S)
        known = set(tokens(cloud))
        self.assertLessEqual({"first", "last"}, known)
        self.assertNotIn(f"more-{count - 1}", known, "a refused request was not done")
        cloud.kill()
        cloud.start()
        self.assertLessEqual(known, set(tokens(cloud)))
        self.assertEqual(launch(cloud, "first")[0], accepted[0])


if __name__ == "__main__":
    # Mounts are this program's own, and go with it.
    if os.geteuid() == 0 and "PILEUS_OWN_MOUNTS" not in os.environ and subprocess.run(
            ["unshare", "--mount", "true"], check=False, capture_output=True).returncode == 0:
        os.environ["PILEUS_OWN_MOUNTS"] = "1"
        words = ["unshare", "--mount", sys.executable, "-B", "-W", "ignore::ResourceWarning", *sys.argv]
        os.execvp(words[0], words)
    unittest.main()
