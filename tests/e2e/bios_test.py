"""SeaBIOS boots a disk: 16-bit code, BIOS services, interrupts of the legacy devices."""

import pathlib
import subprocess
import tempfile
import unittest

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


if __name__ == "__main__":
    end_on_sigterm()
    unittest.main()
