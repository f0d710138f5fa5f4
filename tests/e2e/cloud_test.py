#!/usr/bin/env python3
"""A whole cloud on one machine: up, an instance with user data, its daemons killed, stop, start, guest's own shutdown,
terminate; and nothing is left over."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile
import urllib.parse

from harness import (BOOT_PATIENCE_S, BUILD, IMAGE, PROGRAMS, Failure, die_with_parent, end, end_on_sigterm, environment,
                     say, step, wait_until)
from one_cloud import STATE_PATIENCE_S, Cloud

USER_DATA = "#!/bin/sh\necho user data ran > /run/user-data\n"
CONSOLE = pathlib.Path(__file__).resolve().parents[2] / "console"


def check_console(cloud, folder):
    """`pileus console` where the VM is not: through the cloud manager to the host, and back."""
    settings = json.loads((cloud.folder / "client.json").read_text())
    elsewhere = os.environ | {"PILEUS_HOME": str(pathlib.Path(folder) / "elsewhere"),
                              "PILEUS_ENDPOINT": settings["endpoint"], "AWS_ACCESS_KEY_ID": settings["access_key"],
                              "AWS_SECRET_ACCESS_KEY": settings["secret_key"]}
    with subprocess.Popen([PROGRAMS / "pileus", "console", "web"], env=elsewhere, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as console:
        os.set_blocking(console.stdout.fileno(), False)
        seen = b""

        def asks_who():
            nonlocal seen
            console.stdin.write(b"\r")  # getty asks again
            console.stdin.flush()
            seen += console.stdout.read() or b""
            return seen.count(b"login:") > 1

        try:
            wait_until(asks_who, "getty answers what is typed", STATE_PATIENCE_S)
        finally:
            console.kill()


class Follower:
    """`pileus logs web -f`, and what it has printed so far."""

    def __init__(self, cloud):
        self.process = subprocess.Popen([PROGRAMS / "pileus", "logs", "web", "-f"], env=environment(cloud.home),
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        preexec_fn=die_with_parent)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.seen = b""

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        end(self.process)

    def wait_for(self, text):
        def is_there():
            self.seen += self.process.stdout.read() or b""
            return text in self.seen
        wait_until(is_there, lambda: f"logs -f prints {text}; its end: {self.seen[-200:]}", STATE_PATIENCE_S)

    def ended(self):
        """Its last words; it has ended well."""
        said = self.process.communicate(timeout=STATE_PATIENCE_S)[1]
        if self.process.returncode != 0:
            raise Failure(f"logs -f ended with {self.process.returncode}: {said}")
        return said


def restart_manager(cloud):
    """Killed and started again at the ports where the host looks for it."""
    pid = cloud.daemon("manager", "pileus-cloudd")[0]
    words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode().rstrip("\0").split("\0")
    folder = cloud.folder / "manager"
    endpoint = json.loads((folder / "client.json").read_text())["endpoint"]
    for option, url in (("--port", endpoint), ("--host-port", (folder / "hosts-url").read_text().split()[0])):
        words[words.index(option) + 1] = str(urllib.parse.urlsplit(url).port)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not cloud.is_running(pid, "pileus-cloudd"), "it is gone", STATE_PATIENCE_S)
    with open(folder / "daemon.log", "ab") as log:
        subprocess.Popen(words, env=environment(cloud.home), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                         preexec_fn=die_with_parent)


def check_logs(cloud):
    with Follower(cloud) as logs:
        logs.wait_for(b"login:")
        for number in (1, 2):
            cloud.ssh("web", f"echo line-{number}-of-the-test | sudo tee /dev/ttyS0")
            logs.wait_for(f"line-{number}-of-the-test".encode())
        logs.process.send_signal(signal.SIGINT)
        logs.ended()
        if logs.seen.count(b"line-1-of-the-test") != 1:
            raise Failure(f"printed more than once: {logs.seen}")


def check_in_browser(cloud):
    if not (BUILD / "console" / "index.html").exists():
        say("the console was left out of the build")
        return
    link = cloud("web").strip()
    pictures = os.environ.get("PILEUS_SCREENSHOTS", "")
    subprocess.run(["node", CONSOLE / "e2e" / "real_vm.mjs", link, "web", pictures], check=True, timeout=STATE_PATIENCE_S)


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
        with step("cloud-init took the metadata service for its source, by what the firmware says"):
            said = cloud.ssh("web", "cloud-id; cat /sys/class/dmi/id/product_name /sys/class/dmi/id/board_asset_tag").split()
            if said != ["aws", "t3.micro", cloud.show("web")["id"]]:
                raise Failure(f"not what an instance of EC2 is told: {said}")
            if cloud.ssh("web", "ls /dev/vd?") != "/dev/vda":
                raise Failure("there is a seed disk")
            if cloud.ssh("web", "sudo grep -c WARNING /var/log/cloud-init.log || true") != "0":
                raise Failure(cloud.ssh("web", "sudo grep WARNING /var/log/cloud-init.log"))
        with step("its serial console, from elsewhere"):
            check_console(cloud, folder)
        with step("its log, as it goes on"):
            check_logs(cloud)
        with step("its console and figures in a browser"):
            check_in_browser(cloud)
        with step("kill -9 of all daemons: the VM goes on, and is found again"):
            boot = cloud.ssh("web", "cat /proc/sys/kernel/random/boot_id; echo kept > ~/kept; sync").splitlines()[0]
            vmm = cloud.vmms()
            for pid in cloud.daemons():
                os.kill(pid, signal.SIGKILL)
            wait_until(lambda: not cloud.daemons(), "all are gone", STATE_PATIENCE_S)
            cloud("up", "--detach", "--port", "0")
            cloud.wait_for_ssh("web")  # when the host has started the switch again
            found = cloud.vmms(), cloud.ssh("web", "cat /proc/sys/kernel/random/boot_id")
            if found != (vmm, boot):
                raise Failure(f"it is not the same VM any more: {found}, not {(vmm, boot)}")
        with step("the VMM is killed: the host starts it again"):
            os.kill(vmm[0], signal.SIGKILL)
            wait_until(lambda: cloud.vmms() not in ([], vmm), "another VMM runs", STATE_PATIENCE_S)
            cloud.wait_for_ssh("web")

            def events():
                return [event["what"] for event in json.loads(cloud("events", "web", "--json"))]
            wait_until(lambda: "started again" in events(), lambda: f"there is word of it: {events()}", STATE_PATIENCE_S)
        with step("stop: no VMM is left"):
            cloud("stop", "web")
            if cloud.vmms():
                raise Failure(f"a stopped instance has a VMM: {cloud.vmms()}")
        with step("its log is there, too, when the cloud manager alone was killed and is another one"):
            restart_manager(cloud)
            wait_until(lambda: "login:" in cloud("logs", "web", check=False), "the log of before", STATE_PATIENCE_S)
        with step("start, with the same disk and the same private address"):
            cloud("start", "web")
            cloud.wait_for_ssh("web")
            if cloud.ssh("web", "cat ~/kept") != "kept":
                raise Failure("the disk is another one")
            if cloud.show("web")["private_address"].replace(".", "-") != private:
                raise Failure("the private address changed")
        with step("a guest that shuts itself down is stopped, and stays so"):
            cloud("ssh", "web", "--", "sudo poweroff", check=False)
            cloud.wait_for("web", "stopped")
        with step("rm: its log ends, and nothing is left over"), Follower(cloud) as logs:
            logs.wait_for(b"Power down")  # a guest that goes down soon after SSH answers has never asked for a login
            cloud("rm", "web")
            if b"terminated" not in logs.ended():
                raise Failure("logs -f does not say why it ends")
            left = cloud.leftovers()
            if left["folders"] or left["VMMs"]:
                raise Failure(f"left over: {left}")
        with step("what cannot be placed says why"):
            cloud("run", IMAGE, "--name", "big", "--type", "r5.4xlarge", "--no-wait")
            cloud.wait_for("big", "terminated")
            if "none of 1 hosts" not in cloud.show("big")["reason"]:
                raise Failure(f"no reason: {cloud.show('big')}")
        with step("down"):
            cloud("down")
            cloud.check_nothing_is_left()


if __name__ == "__main__":
    end_on_sigterm()
    main()
