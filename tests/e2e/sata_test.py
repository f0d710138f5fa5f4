"""A system without virtio drivers: SeaBIOS boots its CD from a SATA drive, and Linux' ahci driver has the disks: written, flushed,
kept over kill -9, trimmed, plugged and pulled."""

import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

import generic_kernel
import isolinux
from harness import Vm, end_on_sigterm, pileus, step, wait_until

PROGRAM = pathlib.Path(__file__).resolve().parent / "programs" / "sata_init.c"
MODULES = ("ahci", "sd_mod", "sr_mod")
PATIENCE_S = 240
DATA = "sata-data"


class Sata(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="pileus-e2e-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.initrd = self.folder / "initrd"
        self.disk = self.folder / "disk.raw"
        subprocess.run(["gcc", "-O2", "-static", "-Wall", "-Werror", "-o", self.folder / "init", PROGRAM], check=True)
        generic_kernel.make_initramfs(self.initrd, self.folder / "init", MODULES)
        with self.disk.open("wb") as disk:
            disk.truncate(256 << 20)

    def vm(self, *options):
        return Vm("sata", "--memory", "512M", "--disk-bus", "sata", *options, source=self.disk, home=self.folder / "home")

    def make_cd(self):
        tree = self.folder / "tree"
        tree.mkdir()
        (tree / "kernel").write_bytes(generic_kernel.kernel().read_bytes())
        (tree / "initrd").write_bytes(self.initrd.read_bytes())
        isolinux.make_iso(self.folder / "cd.iso", tree, isolinux.linux_entry("console=ttyS0 panic=-1"), hybrid=False)
        return self.folder / "cd.iso"

    def test_a_system_on_a_cd(self):
        with self.vm("--firmware", "bios", "--cdrom", self.make_cd()) as vm:
            with step("boot from the CD, write, flush"):
                running = vm.run()
                self.wait_for(vm, "flushed")
                self.assertIn("PCI-MSI", console(vm))
            with step("kill -9 while it writes"):
                os.kill(vm.show()["pid"], signal.SIGKILL)
                running.wait(PATIENCE_S)
            with step("boot again: what was flushed is there"):
                vm.command("start")
                self.wait_for(vm, "plug a disk")
                self.assertIn("sata: the pattern is there", console(vm))
                self.assertIn("sata: trimmed", console(vm))
                self.assertIn("sata: CD ISOIMAGE", console(vm))
            with step("a disk comes and goes"):
                told = pileus("vm", "disk", "attach", vm.name, DATA, "--size", "64M", home=vm.home).stdout
                self.assertIn(f"by-id/ata-Pileus_disk_{DATA}", told)
                self.wait_for(vm, "it came")
                asked = pileus("vm", "disk", "detach", vm.name, DATA, home=vm.home, check=False)
                self.assertIn("cannot be asked", asked.stderr)
                pileus("vm", "disk", "detach", vm.name, DATA, "--force", home=vm.home)
                self.wait_for(vm, "done")
                self.assertIn("sata: it went", console(vm))

    def test_interrupts_by_the_wire(self):
        words = ("--kernel", generic_kernel.kernel(), "--initrd", self.initrd, "--append", "console=ttyS0 pci=nomsi")
        with self.vm(*words) as vm:
            vm.run()
            self.wait_for(vm, "flushed")
            self.assertRegex(console(vm), r"IO-APIC +11-fasteoi +ahci")

    def wait_for(self, vm, words):
        wait_until(lambda: f"sata: {words}" in console(vm) or "sata: FAILED" in console(vm), f"it says: {words}", PATIENCE_S)
        self.assertNotIn("sata: FAILED", console(vm))


def console(vm):
    return (vm.folder / "console.log").read_text(errors="replace")


if __name__ == "__main__":
    end_on_sigterm()
    unittest.main()
