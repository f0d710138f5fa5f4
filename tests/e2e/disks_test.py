"""Disks that come and go while Debian runs: attached, written, kept as a snapshot while it is written, grown, detached,
and read in another VM; the disk that a VM boots from, copied while it runs; and a CD."""

import json
import pathlib
import subprocess
import tempfile
import unittest

from harness import Vm, end_on_sigterm, pileus, step, wait_until

DATA, COPY, ROOT_COPY = "e2e-data", "e2e-copy", "e2e-root"
BY_ID = "/dev/disk/by-id/virtio-"
PATIENCE_S = 240
MIB = 1 << 20
# Each line is a number that follows the one before it, and is on the disk before the next one is written.
WRITER = """
set -e
i=0
while [ ! -e /tmp/stop ]; do i=$((i + 1)); echo $i >> /mnt/log; sync /mnt/log; done
echo $i > /tmp/last
"""


def disk(*words, check=True):
    return pileus("vm", "disk", *words, check=check)


def disks():
    return {entry["id"]: entry for entry in json.loads(disk("ls", "--json").stdout)}


def remove_disks():
    for name in (DATA, COPY, ROOT_COPY):
        disk("rm", name, check=False)


class Disks(unittest.TestCase):
    def setUp(self):
        remove_disks()
        self.addCleanup(remove_disks)

    def test_disks(self):
        with Vm("e2e-disks", "--memory", "512M", "--cdrom", self.make_cd()) as vm:
            with step("boot"):
                vm.run()
                vm.wait()
            with step("read a CD"):
                self.wait_for(vm, "/dev/sr0")
                self.assertEqual(vm.ssh("sudo mount -r /dev/sr0 /media && cat /media/hello"), "from a CD")
                self.assertEqual(vm.ssh("cat /sys/block/sr0/device/model"), "CD drive")
            with step("attach, make a file system, write"):
                self.attach(vm)
            with step("snapshots while it is written"):
                logged = self.snapshot(vm)
            with step("grow"):
                self.grow(vm)
            with step("the disk that it boots from, copied"):
                self.copy_root(vm)
            with step("detach"):
                vm.ssh("sudo umount /mnt")
                disk("detach", vm.name, DATA)
                # The disk is gone; udev may take its time to remove the name.
                wait_until(lambda: vm.ssh(f"ls {BY_ID}{DATA} 2>/dev/null || echo gone") == "gone", "the name is gone", PATIENCE_S)
                self.assertEqual(disks()[DATA]["vm"], "")
            with step("another VM boots with them"):
                self.read_in_another(vm, logged)

    def make_cd(self):
        folder = tempfile.TemporaryDirectory(prefix="pileus-e2e-")
        self.addCleanup(folder.cleanup)
        tree = pathlib.Path(folder.name) / "tree"
        tree.mkdir()
        (tree / "hello").write_text("from a CD")
        iso = pathlib.Path(folder.name) / "cd.iso"
        subprocess.run(["xorriso", "-as", "mkisofs", "-quiet", "-o", iso, tree], check=True, capture_output=True)
        return iso

    def attach(self, vm):
        told = disk("attach", vm.name, DATA, "--size", "256M").stdout
        self.assertIn(BY_ID + DATA, told)
        self.wait_for(vm, BY_ID + DATA)
        vm.ssh(f"sudo mkfs.ext4 -q {BY_ID}{DATA} && sudo mount {BY_ID}{DATA} /mnt && sudo chown debian /mnt")
        vm.ssh("openssl rand 20000000 > /mnt/random && openssl dgst -sha256 -r /mnt/random > /mnt/sum && sync")
        self.assertEqual(disks()[DATA]["vm"], vm.name)
        again = disk("attach", vm.name, "root", check=False)
        self.assertNotEqual(again.returncode, 0)

    def wait_for(self, vm, device):
        wait_until(lambda: vm.ssh(f"test -b {device} && echo there", check=False) == "there", f"the guest has {device}",
                   PATIENCE_S)

    def snapshot(self, vm):
        """Takes some while the guest writes; gives how many lines were on the disk before the first one."""
        vm.ssh(f"rm -f /tmp/stop; nohup sh -c '{WRITER}' >/tmp/writer 2>&1 & until [ -s /mnt/log ]; do sleep 0.1; done; sleep 2")
        before = int(vm.ssh("tail -n 1 /mnt/log")) - 1  # the last one may be on its way
        disk("snapshot", vm.name, DATA, COPY)
        # More of them leave the guest in peace, too.
        for _ in range(3):
            disk("snapshot", vm.name, DATA, "e2e-more")
            disk("rm", "e2e-more")
        vm.ssh("sleep 1; touch /tmp/stop; until [ -s /tmp/last ]; do sleep 0.1; done")
        return before

    def grow(self, vm):
        disk("resize", vm.name, DATA, "512M")
        wait_until(lambda: int(vm.ssh(f"sudo blockdev --getsize64 {BY_ID}{DATA}")) == 512 * MIB, "it has grown", PATIENCE_S)
        vm.ssh(f"sudo resize2fs {BY_ID}{DATA} && openssl dgst -sha256 -r /mnt/random | cmp - /mnt/sum")
        smaller = disk("resize", vm.name, DATA, "64M", check=False)
        self.assertIn("cannot become smaller", smaller.stderr)

    def copy_root(self, vm):
        vm.ssh("echo once upon a time > tale && sync")
        disk("snapshot", vm.name, "root", ROOT_COPY)
        vm.ssh("rm tale && sync")

    def read_in_another(self, first, logged):
        with Vm("e2e-disks-2", "--memory", "512M") as vm:
            vm.run()
            vm.wait()
            for name in (COPY, DATA, ROOT_COPY):
                disk("attach", vm.name, name)
                self.wait_for(vm, BY_ID + name)
            self.wait_for(vm, f"{BY_ID}{ROOT_COPY}-part1")
            vm.ssh(f"sudo mount {BY_ID}{DATA} /mnt && openssl dgst -sha256 -r /mnt/random | cmp - /mnt/sum")
            vm.ssh(f"sudo umount /mnt && sudo e2fsck -fy {BY_ID}{COPY} >/tmp/fsck; sudo mount {BY_ID}{COPY} /mnt")
            lines = [int(line) for line in vm.ssh("cat /mnt/log").split()]
            self.assertEqual(lines, list(range(1, len(lines) + 1)))
            self.assertGreaterEqual(len(lines), logged, "what was synced before the snapshot is not in it")
            vm.ssh("openssl dgst -sha256 -r /mnt/random | cmp - /mnt/sum; sudo umount /mnt")
            vm.ssh(f"sudo mount {BY_ID}{ROOT_COPY}-part1 /mnt")
            self.assertEqual(vm.ssh("cat /mnt/home/debian/tale"), "once upon a time")
            vm.ssh("sudo umount /mnt")
            busy = disk("rm", DATA, check=False)
            self.assertIn("is attached to VM", busy.stderr)
            in_use = disk("attach", first.name, DATA, check=False)
            self.assertIn("in use", in_use.stderr)
            for name in (COPY, ROOT_COPY):
                disk("detach", vm.name, name)
            disk("detach", vm.name, DATA, "--force")


if __name__ == "__main__":
    end_on_sigterm()
    unittest.main()
