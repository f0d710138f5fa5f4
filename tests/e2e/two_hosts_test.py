#!/usr/bin/env python3
"""Two hosts, each in a network namespace: join, instances that meet through the tunnel, a host daemon that is killed."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

from harness import BOOT_PATIENCE_S, IMAGE, Failure, end_on_sigterm, step, wait_until
from one_cloud import STATE_PATIENCE_S, Cloud

SKIPPED = 77
PORT = 7000
CLOSED_PORT = 7001  # served, but not let in
FIRST, SECOND = "10.90.0.1", "10.90.0.2"
BYTES = 20_000_000
# Serves a file of known content, and its own name.
SETUP = f"""#!/bin/sh
mkdir /srv/web && cd /srv/web
hostname > name
yes pileus | head -c {BYTES} > large
systemd-run --working-directory=/srv/web python3 -m http.server {PORT}
systemd-run --working-directory=/srv/web python3 -m http.server {CLOSED_PORT}
"""


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


def hosts(cloud):
    return {host["name"]: host for host in json.loads(cloud("host", "ls", "--json"))}


def join(host, cloud, *words):
    url = (cloud.folder / "manager/hosts-url").read_text().strip().removeprefix("https://")
    host("join", url, "--detach", *words)


def get(cloud, address, path):
    return cloud.ssh("a", f"curl -sf --max-time 60 http://{address}:{PORT}/{path} || true")


def main():
    with contextlib.ExitStack() as stack:
        try:
            namespaces = stack.enter_context(two_namespaces())
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"skipped: no network namespaces can be made here: {error}")
            sys.exit(SKIPPED)
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pileus-hosts-test-")))
        cloud = stack.enter_context(Cloud(folder / "first", in_namespace(namespaces[0])))
        other = stack.enter_context(Cloud(folder / "second", in_namespace(namespaces[1])))
        with step("a cloud, and a second host that joins it"):
            out = cloud("up", "--detach", "--port", "0", "--hosts-at", FIRST)
            token = (cloud.folder / "manager/join-token").read_text().split()[0]
            if f"--token {token}" not in out:
                raise Failure(f"`up` does not say how to join: {out}")
            join(other, cloud, "--token", token, "--name", "second")
            wait_until(lambda: hosts(cloud).get("second", {}).get("state") == "ready", "it is ready", STATE_PATIENCE_S)
            if len(hosts(cloud)) != 2:
                raise Failure(f"not two hosts: {hosts(cloud)}")
        with step("an instance on each"):
            first = next(host["id"] for name, host in hosts(cloud).items() if name != "second")
            second = hosts(cloud)["second"]["id"]
            cloud("host", "maintenance", second)
            cloud("run", IMAGE, "--name", "a", patience_s=BOOT_PATIENCE_S)
            cloud("host", "active", second)
            cloud("host", "maintenance", first)
            script = folder / "setup.sh"
            script.write_text(SETUP)
            cloud("run", IMAGE, "--name", "b", "--allow", f"{PORT}@172.31.0.0/16", "--user-data", script, "--no-wait")
            cloud.wait_for("b", "running")
            if len(cloud.vmms()) != 1 or len(other.vmms()) != 1:
                raise Failure(f"VMs: {cloud.vmms()} here, {other.vmms()} there")
        with step("they meet through the tunnel"):
            b = cloud.show("b")["private_address"]
            name = "ip-" + b.replace(".", "-")
            wait_until(lambda: get(cloud, b, "name") == name, "b answers a", BOOT_PATIENCE_S)
            wait_until(lambda: get(cloud, f"{name}.internal", "name") == name, "b has a name", STATE_PATIENCE_S)
            wanted = cloud.ssh("a", f"yes pileus | head -c {BYTES} | sha256sum")
            got = cloud.ssh("a", f"curl -s --max-time 60 http://{b}:{PORT}/large | sha256sum")
            if got != wanted:
                raise Failure(f"{BYTES} bytes arrive as {got}, not {wanted}")
        with step("what the rules do not let in stays out, between hosts too"):
            got = cloud.ssh("a", f"curl -s --max-time 4 http://{b}:{CLOSED_PORT}/name; echo $?")
            if got != "28":  # no answer at all, not a refusal
                raise Failure(f"b's groups do not let that port in: {got}")
        with step("kill -9 of the second host's daemons: the instance goes on, and is found again"):
            vmm = other.vmms()
            for pid in other.daemons():
                os.kill(pid, signal.SIGKILL)
            join(other, cloud)
            wait_until(lambda: get(cloud, b, "name") == name, "b answers a", STATE_PATIENCE_S)
            if other.vmms() != vmm or cloud.show("b")["state"] != "running":
                raise Failure("it is not the same VM any more")
        with step("rm and down: nothing is left over"):
            cloud("rm", "a", "b")
            other("down")
            cloud("down")
            left = [list((host.folder / "host/instances").iterdir()) for host in (cloud, other)]
            if left != [[], []] or cloud.daemons() + other.daemons() + cloud.vmms() + other.vmms():
                raise Failure(f"left over: {left}, {cloud.daemons()}, {other.daemons()}")


if __name__ == "__main__":
    end_on_sigterm()
    main()
