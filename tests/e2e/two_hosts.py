"""A cloud of two hosts, each in a network namespace, with a wire between them. For root."""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from harness import Failure, pileus, wait_until
from one_cloud import STATE_PATIENCE_S, Cloud

SKIPPED = 77
FIRST, SECOND = "10.90.0.1", "10.90.0.2"


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


@contextlib.contextmanager
def two_namespaces():
    """Names of two network namespaces with a wire between them."""
    names = [f"pileus-test-{os.getpid()}-{i}" for i in (1, 2)]
    try:
        for name in names:
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        ip("link", "add", "wire", "netns", names[0], "type", "veth", "peer", "name", "wire", "netns", names[1])
        for name, address in zip(names, (FIRST, SECOND)):
            ip("-n", name, "addr", "add", f"{address}/24", "dev", "wire")
            ip("-n", name, "link", "set", "wire", "up")
        yield names
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def in_namespace(name):
    return ("ip", "netns", "exec", name)


class TwoHosts:
    """The first one's cloud and the host that joins it, in `folder`. Ends the test as skipped where there are no namespaces."""

    def __init__(self, stack, make=Cloud):
        try:
            self.namespaces = stack.enter_context(two_namespaces())
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"skipped: no network namespaces can be made here: {error}")
            sys.exit(SKIPPED)
        self.folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pileus-hosts-test-")))
        self.cloud = stack.enter_context(make(self.folder / "first", in_namespace(self.namespaces[0])))
        self.other = stack.enter_context(make(self.folder / "second", in_namespace(self.namespaces[1])))

    def up(self):
        """The cloud with its first host; the token by which the second one may join."""
        out = self.cloud("up", "--detach", "--port", "0", "--hosts-at", FIRST)
        command = re.search(r"pileus join (\S+) --token (\S+)", out)
        if not command:
            raise Failure(f"`up` does not say how to join: {out}")
        return command[2]

    def start(self, token=None):
        """The ids of both hosts; the second one has joined as `up` says. `token`: what up() gave, if it was called."""
        self.join("--token", token or self.up(), "--name", "second")
        wait_until(lambda: self.hosts().get("second", {}).get("state") == "ready", "it is ready", STATE_PATIENCE_S)
        first = next(host["id"] for name, host in self.hosts().items() if name != "second")
        return first, self.hosts()["second"]["id"]

    def join(self, *words, check=True):
        """What came of it, as harness.pileus() gives it."""
        url = (self.cloud.folder / "manager/hosts-url").read_text().strip().removeprefix("https://")
        return pileus("join", url, "--detach", *words, home=self.other.home, inside=self.other.inside, check=check)

    def hosts(self):
        return {host["name"]: host for host in json.loads(self.cloud("host", "ls", "--json"))}
