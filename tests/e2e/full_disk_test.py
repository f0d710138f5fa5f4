#!/usr/bin/env python3
"""A host whose disk is full: what its instance writes waits and nothing of it is lost, everybody is told, new instances do not
come; when there is room again, all goes on. For root: the disk is a small file system in a mount namespace of the test's own."""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from addresses_test import Aws
from harness import BOOT_PATIENCE_S, IMAGE, Failure, end_on_sigterm, step, wait_until
from one_cloud import STATE_PATIENCE_S, Cloud

SKIPPED = 77
ALONE = "PILEUS_OWN_MOUNTS"
SMALL, LARGE = "1g", "4g"  # sizes of the file system
KEPT_BYTES = 20_000_000
MANY_BYTES = 1_300_000_000
DIGEST = "openssl dgst -sha256 -r"
# The guest's /run is in its memory: there it can write what became of the writing.
WRITER = (f"openssl rand {MANY_BYTES} | tee many | {DIGEST} | cut -d' ' -f1 > /run/user-written; "
          "sync many && echo done > /run/user-done || echo failed > /run/user-done")


def alone():
    """Runs this program again with mounts of its own; returns there only."""
    if ALONE in os.environ:
        return
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode != 0:
        print("skipped: no file system can be mounted here")
        sys.exit(SKIPPED)
    os.environ[ALONE] = "1"
    os.execvp("unshare", ["unshare", "--mount", sys.executable, "-B", *sys.argv])


@contextlib.contextmanager
def small_disk(path):
    path.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", path], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        print(f"skipped: no file system can be mounted here: {done.stderr}")
        sys.exit(SKIPPED)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", path], check=True)


def expect(what, seen, wanted):
    if seen != wanted:
        raise Failure(f"{what}: {seen!r}, not {wanted!r}")


def events(cloud, name):
    return {event["what"]: event["why"] for event in json.loads(cloud("events", name, "--json"))}


def host(cloud):
    return json.loads(cloud("host", "ls", "--json"))[0]


def impaired(aws, instance):
    status = aws("describe-instance-status", "--instance-ids", instance)["InstanceStatuses"][0]
    return status["SystemStatus"]["Status"] == "impaired"


def check_told(cloud, aws):
    """Its owner and the administrator know why it waits, and until when."""
    wait_until(lambda: "disk is full" in cloud.show("web")["reason"], lambda: f"it waits: {cloud.show('web')}",
               BOOT_PATIENCE_S)
    shown = cloud.show("web")
    expect("its state", shown["state"], "running")
    if "disk is full" not in events(cloud, "web").get("waiting", ""):
        raise Failure(f"no word of it in {events(cloud, 'web')}")
    if not impaired(aws, shown["id"]):
        raise Failure("its status is ok")
    wait_until(lambda: host(cloud)["disk_full"], lambda: f"the host's disk is full: {host(cloud)}", STATE_PATIENCE_S)
    wait_until(lambda: "disk full" in events(cloud, host(cloud)["id"]), lambda: f"an event: {events(cloud, host(cloud)['id'])}",
               STATE_PATIENCE_S)


def check_refused(cloud):
    """Nothing new comes to the host, with the reason; and the cloud can still write down that it is so."""
    cloud("run", IMAGE, "--name", "late", "--no-wait")
    cloud.wait_for("late", "terminated")
    if "hardly any room left" not in cloud.show("late")["reason"]:
        raise Failure(f"not the reason: {cloud.show('late')}")


def check_import_refused(cloud, folder):
    """It would take of the room that running VMs need."""
    file = folder / "small.raw"
    file.write_bytes(os.urandom(1 << 20))
    done = cloud("image", "import", file, "--name", "small", "--format", "raw", check=False)
    tasks = cloud("image", "tasks")
    if "too full" not in tasks:
        raise Failure(f"not the reason: {done} {tasks}")


def check_goes_on(cloud, aws):
    wait_until(lambda: cloud.ssh("web", "cat /run/user-done 2>/dev/null || true"), "all is written", BOOT_PATIENCE_S)
    expect("the end of the writing", cloud.ssh("web", "cat /run/user-done"), "done")
    wait_until(lambda: not cloud.show("web")["reason"], lambda: f"it waits no more: {cloud.show('web')}", STATE_PATIENCE_S)
    if "goes on" not in events(cloud, "web") or impaired(aws, cloud.show("web")["id"]):
        raise Failure(f"no word of it in {events(cloud, 'web')}")
    wait_until(lambda: not host(cloud)["disk_full"], lambda: f"the host has room: {host(cloud)}", STATE_PATIENCE_S)


def check_nothing_is_lost(cloud, kept, boot):
    expect("the boot", cloud.ssh("web", "cat /proc/sys/kernel/random/boot_id"), boot)
    expect("the guest's complaints", cloud.ssh("web", "sudo dmesg | grep -iE 'I/O error|remounting|aborting journal' || true"), "")
    cloud.ssh("web", "sync && echo 3 | sudo tee /proc/sys/vm/drop_caches")
    expect("what was there before", cloud.ssh("web", f"{DIGEST} kept"), kept)
    expect("what was written meanwhile", cloud.ssh("web", f"{DIGEST} many | cut -d' ' -f1"),
           cloud.ssh("web", "cat /run/user-written"))
    cloud("stop", "web")
    cloud("start", "web")
    cloud.wait_for_ssh("web")
    expect("after a restart", cloud.ssh("web", f"{DIGEST} kept"), kept)


def test(cloud, disk):
    with step("an instance, and something that it has kept"):
        cloud("up", "--detach", "--port", "0")
        cloud("host", "set", host(cloud)["name"], "--disk", "10000")  # disks are sparse, and sold many times
        cloud("run", IMAGE, "--name", "web", patience_s=BOOT_PATIENCE_S)
        kept = cloud.ssh("web", f"openssl rand {KEPT_BYTES} > kept && sync && {DIGEST} kept")
        boot = cloud.ssh("web", "sudo install -o debian -m 644 /dev/null /run/user-written && "
                                "sudo install -o debian -m 644 /dev/null /run/user-done; cat /proc/sys/kernel/random/boot_id")
        aws = Aws(cloud)
    with step("it writes more than its host has: it waits, and that is told"):
        cloud.ssh("web", f"nohup sh -c \"{WRITER}\" > /dev/null 2>&1 < /dev/null &")
        check_told(cloud, aws)
    with step("new instances are refused with the reason"):
        check_refused(cloud)
    with step("an import leaves the room that is kept"):
        check_import_refused(cloud, disk.parent)
    with step("room is made: it goes on"):
        subprocess.run(["mount", "-o", f"remount,size={LARGE}", disk], check=True)
        check_goes_on(cloud, aws)
    with step("nothing is lost"):
        check_nothing_is_lost(cloud, kept, boot)
    with step("new instances come"):
        cloud("run", IMAGE, "--name", "later", "--no-wait")
        cloud.wait_for("later", "running")
    with step("down"):
        cloud("rm", "web", "later")
        cloud("down")
        cloud.check_nothing_is_left()


def main():
    alone()
    with tempfile.TemporaryDirectory(prefix="pileus-full-disk-test-") as folder:
        disk = pathlib.Path(folder) / "home"
        with small_disk(disk), Cloud(disk) as cloud:
            test(cloud, disk)


if __name__ == "__main__":
    end_on_sigterm()
    main()
