"""Debian's 32-bit kernels, with legacy and with PAE paging, boot to a shell: all of it is interpreted, which takes minutes."""

import gzip
import os
import pathlib
import subprocess
import tempfile
import unittest

from harness import Vm, end_on_sigterm, output_of, step, wait_until

KERNELS = ("linux-image-686", "linux-image-686-pae")
PATIENCE_S = 1200
CLEAN_SHUTDOWN = 0
INIT = """#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox echo "init runs on $(/bin/busybox uname -m), $(/bin/busybox grep -c ^processor /proc/cpuinfo) processors"
i=0
while [ $i -lt 100 ]; do /bin/busybox true; i=$((i + 1)); done
/bin/busybox echo "shell works: $i"
/bin/busybox poweroff -f
"""


class Packages:
    """Packages of i386, fetched with apt's own configuration but into a folder of ours."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("lists/partial", "cache/archives/partial"):
            (folder / name).mkdir(parents=True)
        (folder / "status").write_bytes(b"")
        self.options = ["-qq", "-o", f"Dir::State::lists={folder}/lists", "-o", f"Dir::Cache={folder}/cache",
                        "-o", f"Dir::State::status={folder}/status", "-o", "APT::Architecture=i386",
                        "-o", "APT::Architectures=i386", "-o", "APT::Sandbox::User=root"]
        self.run("apt-get", "update", check=False)  # sources without packages for i386 are no failure

    def run(self, *words, check=True):
        return subprocess.run([words[0], *self.options, *words[1:]], check=check, cwd=self.folder,
                              capture_output=True, text=True).stdout

    def unpack(self, name, into):
        """A package's files, in place of a metapackage those of what it depends on."""
        depends = [line.split()[1] for line in self.run("apt-cache", "depends", name).splitlines()
                   if line.strip().startswith("Depends: linux-image-")]
        name = depends[0] if depends else name
        self.run("apt-get", "download", name)
        package = next(self.folder.glob(f"{name.split(':')[0]}_*.deb"))
        subprocess.run(["dpkg-deb", "-x", package, into], check=True)


def cpio_entry(name, mode, data=b"", device=(0, 0)):
    """The "newc" format of Linux: Documentation/driver-api/early-userspace/buffer-format.rst."""
    fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
    return b"".join(part + bytes(-len(part) % 4) for part in (head, data))


def make_initrd(path, busybox):
    entries = [cpio_entry(name, 0o40755) for name in ("bin", "dev", "proc")]
    entries += [cpio_entry("dev/console", 0o20600, device=(5, 1)), cpio_entry("init", 0o100755, INIT.encode()),
                cpio_entry("bin/busybox", 0o100755, busybox), cpio_entry("TRAILER!!!", 0)]
    path.write_bytes(gzip.compress(b"".join(entries)))


class Kernels(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="pileus-e2e-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        with step("fetch busybox"):
            self.packages = Packages(self.folder / "apt")
            self.packages.unpack("busybox-static", self.folder / "busybox")
        make_initrd(self.folder / "initrd", (self.folder / "busybox/bin/busybox").read_bytes())
        (self.folder / "disk.raw").write_bytes(bytes(1 << 20))

    def test_kernels(self):
        for name in KERNELS:
            with self.subTest(name):
                self.check(name)

    def check(self, name):
        with step(f"fetch {name}"):
            self.packages.unpack(name, self.folder / name)
        kernel = next((self.folder / name / "boot").glob("vmlinuz-*"))
        with Vm("i386", "--memory", "512M", "--engine", "bt", "--kernel", kernel, "--initrd", self.folder / "initrd",
                "--append", "console=ttyS0 panic=-1", source=self.folder / "disk.raw",
                home=self.folder / "home") as vm:
            log = vm.folder / "console.log"
            running = vm.run()
            with step(f"{kernel.name} boots to a shell"):
                wait_until(lambda: log.exists() and "shell works: 100" in log.read_text(errors="replace"),
                           "its /init has run a hundred programs", PATIENCE_S)
            self.assertEqual(running.wait(PATIENCE_S), CLEAN_SHUTDOWN, output_of(running))
            self.assertIn("init runs on i686, 1 processors", log.read_text(errors="replace"))


if __name__ == "__main__":
    os.environ["LC_ALL"] = "C"
    end_on_sigterm()
    unittest.main()
