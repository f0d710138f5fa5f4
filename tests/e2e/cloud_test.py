#!/usr/bin/env python3
"""A whole cloud on one machine: up, an instance with user data, its daemons killed, stop, start, guest's own shutdown,
terminate; and nothing is left over."""

import json
import os
import pathlib
import signal
import tempfile

from harness import BOOT_PATIENCE_S, HOME, IMAGE, Failure, end_on_sigterm, pileus, say, step, wait_until

STATE_PATIENCE_S = 120
USER_DATA = "#!/bin/sh\necho user data ran > /run/user-data\n"


class Cloud:
    """A PILEUS_HOME of its own that shares the images of the tests."""

    def __init__(self, folder):
        self.home = pathlib.Path(folder)
        (self.home / "images").symlink_to(HOME / "images")
        self.folder = self.home / "cloud"

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None:
            for log in self.folder.glob("*/daemon.log"):
                say(f"---- {log}\n" + log.read_text(errors="replace")[-4000:])
        for pid in self.daemons() + self.vmms():
            os.kill(pid, signal.SIGKILL)

    def __call__(self, *words, check=True, patience_s=STATE_PATIENCE_S):
        return pileus(*words, home=self.home, check=check, patience_s=patience_s).stdout

    def daemons(self):
        found = []
        for name, program in (("manager", "pileus-cloudd"), ("host", "pileus-hostd")):
            try:
                pid = int((self.folder / name / "daemon.lock").read_text())
            except (OSError, ValueError):
                continue
            found += [pid] if self.is_running(pid, program) else []
        return found

    def is_running(self, pid, program):
        try:
            command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False
        return program.encode() in command and str(self.home).encode() in command

    def vmms(self):
        pids = [int(entry.name) for entry in pathlib.Path("/proc").iterdir() if entry.name.isdigit()]
        return [pid for pid in pids if self.is_running(pid, "pileus-vmm")]

    def show(self, name):
        return json.loads(self("show", name, "--json"))

    def wait_for(self, name, state):
        wait_until(lambda: self.show(name)["state"] == state, f"{name} is {state}", STATE_PATIENCE_S)

    def ssh(self, name, script):
        return self("ssh", name, "--", script).strip()

    def wait_for_ssh(self, name):
        def answers():
            return pileus("ssh", name, "--", "true", home=self.home, check=False).returncode == 0
        wait_until(answers, f"{name} answers on SSH", BOOT_PATIENCE_S)


def main():
    with tempfile.TemporaryDirectory(prefix="pileus-cloud-test-") as folder, Cloud(folder) as cloud:
        script = pathlib.Path(folder) / "setup.sh"
        script.write_text(USER_DATA)
        with step("up"):
            cloud("up", "--detach", "--port", "0")
            cloud("status")
        with step("run, from the wish to the login"):
            out = cloud("run", IMAGE, "--name", "web", "--user-data", script, patience_s=BOOT_PATIENCE_S)
            if "pileus ssh web" not in out:
                raise Failure(f"no login in: {out}")
        with step("user data, host name, size"):
            wait_until(lambda: cloud.ssh("web", "cat /run/user-data 2>/dev/null || true") == "user data ran",
                       "user data has run", STATE_PATIENCE_S)
            private = cloud.show("web")["private_address"].replace(".", "-")
            if cloud.ssh("web", "hostname") != f"ip-{private}":
                raise Failure("the host name is not that of its address")
            if cloud.ssh("web", "nproc") != "2":
                raise Failure("a t3.micro has two processors")
        with step("kill -9 of both daemons: the VM goes on, and is found again"):
            boot = cloud.ssh("web", "cat /proc/sys/kernel/random/boot_id; echo kept > ~/kept; sync").splitlines()[0]
            vmm = cloud.vmms()
            for pid in cloud.daemons():
                os.kill(pid, signal.SIGKILL)
            wait_until(lambda: not cloud.daemons(), "both are gone", STATE_PATIENCE_S)
            cloud("up", "--detach", "--port", "0")
            if cloud.vmms() != vmm or cloud.ssh("web", "cat /proc/sys/kernel/random/boot_id") != boot:
                raise Failure("it is not the same VM any more")
        with step("the VMM is killed: the host starts it again"):
            os.kill(vmm[0], signal.SIGKILL)
            wait_until(lambda: cloud.vmms() not in ([], vmm), "another VMM runs", STATE_PATIENCE_S)
            cloud.wait_for_ssh("web")
            events = [event["what"] for event in json.loads(cloud("events", "web", "--json"))]
            if "started again" not in events:
                raise Failure(f"no word of it in {events}")
        with step("stop, and start with the same disk and the same private address"):
            cloud("stop", "web")
            if cloud.vmms():
                raise Failure("a stopped instance has a VMM")
            cloud("start", "web")
            cloud.wait_for_ssh("web")
            if cloud.ssh("web", "cat ~/kept") != "kept":
                raise Failure("the disk is another one")
            if cloud.show("web")["private_address"].replace(".", "-") != private:
                raise Failure("the private address changed")
        with step("a guest that shuts itself down is stopped, and stays so"):
            cloud("ssh", "web", "--", "sudo poweroff", check=False)
            cloud.wait_for("web", "stopped")
        with step("rm: nothing is left over"):
            cloud("rm", "web")
            left = list((cloud.folder / "host" / "instances").iterdir())
            if left or cloud.vmms():
                raise Failure(f"left over: {left}, {cloud.vmms()}")
        with step("what cannot be placed says why"):
            cloud("run", IMAGE, "--name", "big", "--type", "r5.4xlarge", "--no-wait")
            cloud.wait_for("big", "terminated")
            if "none of 1 hosts" not in cloud.show("big")["reason"]:
                raise Failure(f"no reason: {cloud.show('big')}")
        with step("down"):
            cloud("down")
            if cloud.daemons():
                raise Failure("daemons go on")


if __name__ == "__main__":
    end_on_sigterm()
    main()
