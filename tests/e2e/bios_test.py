"""SeaBIOS boots disks and a CD image: 16-bit code, BIOS services, interrupts of the legacy devices; GRUB and what it boots."""

import pathlib
import subprocess
import tempfile
import unittest

import grub
from harness import Vm, end_on_sigterm, output_of

KERNELS = pathlib.Path(__file__).resolve().parent / "kernels"
PATIENCE_S = 90
CODE = 42


class Bios(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="pileus-e2e-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.disk = self.folder / "disk.raw"
        subprocess.run(["nasm", "-f", "bin", "-o", self.disk, KERNELS / "boot_sector.asm"], check=True)
        with self.disk.open("r+b") as disk:
            disk.truncate(1 << 20)

    def boots(self, *options):
        with Vm("bios", "--memory", "64M", "--exit-port", *options, source=self.disk, home=self.folder / "home") as vm:
            running = vm.run()
            self.assertEqual(running.wait(PATIENCE_S), CODE * 2 + 1, output_of(running))
            self.assertEqual(vm.show()["exit_code"], CODE)
            self.assertIn("boot sector runs", (vm.folder / "console.log").read_text(errors="replace"))

    def test_a_boot_sector_runs_with_bios_services(self):
        self.boots("--firmware", "bios")

    def test_with_more_processors(self):
        self.boots("--firmware", "bios", "--cpus", "2")

    def test_by_the_smaller_image(self):
        self.boots("--firmware", "/usr/share/seabios/bios.bin")


class Grub(unittest.TestCase):
    """A boot loader that switches between real and protected mode for each BIOS call, and a kernel that it loads."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="pileus-e2e-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.kernel = self.folder / "multiboot"
        subprocess.run(["nasm", "-f", "bin", "-o", self.kernel, KERNELS / "multiboot.asm"], check=True)

    def boots(self, disk, code):
        with Vm("grub", "--memory", "64M", "--exit-port", "--firmware", "bios", source=disk,
                home=self.folder / "home") as vm:
            running = vm.run()
            self.assertEqual(running.wait(PATIENCE_S), code * 2 + 1, output_of(running))
            console = (vm.folder / "console.log").read_text(errors="replace")
            self.assertIn("GRUB has started", console)
            self.assertIn("a module", console)

    def test_a_disk(self):
        grub.make_disk(self.folder / "disk.raw", self.folder, self.kernel, "from a disk 5")
        self.boots(self.folder / "disk.raw", 5)

    def test_a_cd_image(self):
        grub.make_iso(self.folder / "cd.iso", self.folder, self.kernel, "from a CD image 6")
        self.boots(self.folder / "cd.iso", 6)


if __name__ == "__main__":
    end_on_sigterm()
    unittest.main()
