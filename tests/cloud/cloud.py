"""A cloud manager with hosts that only pretend, for the length of a `with` block: what the tests by real clients share.

    PILEUS_CLOUD_BUILD    the build folder whose pileus-cloudd is tested; ctest sets it (default: build/dev)
"""

import contextlib
import ctypes
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import urllib.parse
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("PILEUS_CLOUD_BUILD") or ROOT / "build" / "dev")
PROGRAM = BUILD / "apps" / "pileus-cloudd"
REGION = "us-east-1"  # libcloud knows Amazon's names only
IMAGE = "debian-12"
GIB = 1 << 30

PATIENCE_S = 120  # machines are busy
START_PATIENCE_S = 120
STOP_PATIENCE_S = 120
ANSWER_PATIENCE_S = 60
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class Failure(AssertionError):
    """Something did not come out as the test wants it."""


def wait_until(condition, what, patience_s=PATIENCE_S):
    """Polls until `condition` returns something true, and returns it. `what`: a text, or a function that gives it at the end."""
    deadline = time.monotonic() + patience_s
    while True:
        if found := condition():
            return found
        if time.monotonic() >= deadline:
            raise Failure(f"after {patience_s} s still not: {what() if callable(what) else what}")
        time.sleep(0.05)


class Cloud:
    """The program with a folder of its own. start() and kill() may be called again and again in between."""

    def __init__(self, *options, hosts=3):
        self.options = ["--simulate", str(hosts), *options]
        self.process = None

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="pileus-cloud-")
        self.folder = pathlib.Path(self._folder.name)
        self._make_image(IMAGE)
        self.port = 0
        try:
            self.start()
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(self, kind, error, trace):
        status = self._end()
        failed = kind is not None or status != 0
        if failed:
            print((self.folder / "log").read_text(errors="replace")[-4000:], flush=True)
        self._folder.cleanup()
        if failed and kind is None:
            raise Failure(f"pileus-cloudd ended with {status}")  # a sanitizer's word too, on what it finds at the end

    def _end(self):
        """The exit status; 0 when it never ran or the test has killed it."""
        if self.process is None or self.process.poll() == -signal.SIGKILL:
            return 0
        try:
            return self.stop()
        except subprocess.TimeoutExpired:
            self.kill()
            return self.process.returncode

    def _make_image(self, name):
        folder = self.folder / "home" / "images" / name
        folder.mkdir(parents=True)
        (folder / "disk.raw").touch()
        (folder / "image.json").write_text(json.dumps({
            "name": name, "description": "Debian 12, nothing in it", "login_user": "debian",
            "created": "2026-01-02T03:04:05Z", "root_uuid": "", "disk_bytes": 2 * GIB, "packages": []}))

    def start(self):
        """The first start takes a port that the kernel chooses, later ones the same."""
        # A file, not a pipe: what a pipe holds that nobody reads would stop the cloud manager.
        path = self.folder / "log"
        with open(path, "ab") as log:
            start = log.tell()
            self.process = subprocess.Popen(
                [PROGRAM, "--data", self.folder / "data", "--port", str(self.port), "--host-port", "0",
                 "--region", REGION, *self.options],
                env=os.environ | {"PILEUS_HOME": str(self.folder / "home")}, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log,
                preexec_fn=lambda: _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL))

        def address():
            if self.process.poll() is not None:
                raise Failure(f"pileus-cloudd ended with {self.process.returncode}")
            printed = path.read_bytes()[start:].decode(errors="replace")
            return re.search(r"the API is at (http://[^\s;]+:(\d+));", printed)

        found = wait_until(address, "pileus-cloudd tells its address", START_PATIENCE_S)
        self.endpoint, self.port = found[1], int(found[2])
        settings = json.loads((self.folder / "data" / "client.json").read_text())
        self.access_key, self.secret_key = settings["access_key"], settings["secret_key"]

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """In order; its exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(STOP_PATIENCE_S)

    def client(self, service="ec2", access_key=None, secret_key=None, region=REGION, **options):
        """A client of boto3's; by default the root account's. `options`: of botocore's Config."""
        import boto3  # the other clients are tested without it
        from botocore.config import Config
        session = boto3.session.Session(access_key or self.access_key, secret_key or self.secret_key,
                                        region_name=region)
        return session.client(service, endpoint_url=self.endpoint,
                              config=Config(retries={"total_max_attempts": 1}, read_timeout=ANSWER_PATIENCE_S,
                                            connect_timeout=ANSWER_PATIENCE_S, **options))

    def send(self, request):
        """A prepared request of botocore's (AWSRequest), as it is: status and body."""
        prepared = request.prepare()
        headers = {name: value.decode() if isinstance(value, bytes) else value
                   for name, value in prepared.headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_PATIENCE_S)
        with contextlib.closing(connection):
            path = prepared.url[len(self.endpoint):]
            connection.request(prepared.method, path or "/", body=prepared.body, headers=headers)
            response = connection.getresponse()
            return response.status, response.read().decode()

    def text_of(self, action, access_key=None, secret_key=None, **parameters):
        """What an action that botocore has no model of answers, as root."""
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials
        body = urllib.parse.urlencode({"Action": action, "Version": "2016-11-15", **parameters})
        request = AWSRequest("POST", self.endpoint + "/", data=body,
                             headers={"Content-Type": "application/x-www-form-urlencoded"})
        SigV4Auth(Credentials(access_key or self.access_key, secret_key or self.secret_key), "ec2",
                  REGION).add_auth(request)
        status, text = self.send(request)
        if status != 200:
            raise Failure(f"{action} ended with {status}: {text}")
        return text

    def call(self, *words, **parameters):
        """The same: the answer's elements by their names, the last wins."""
        text = self.text_of(*words, **parameters)
        return {each.tag.rpartition("}")[2]: each.text for each in xml.etree.ElementTree.fromstring(text).iter()}

    def image(self):
        """The image's id; it appears soon after the start."""
        found = wait_until(lambda: self.client().describe_images(Filters=[{"Name": "name", "Values": [IMAGE]}])["Images"],
                           "the image is there")
        return found[0]["ImageId"]
