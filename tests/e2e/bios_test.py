"""SeaBIOS boots disks and CD images: 16-bit code, BIOS services, interrupts of the legacy devices; GRUB, ISOLINUX and what they
boot."""

import pathlib
import re
import subprocess
import tempfile
import unittest

import grub
import isolinux
from harness import HOME, IMAGE, Vm, end_on_sigterm, output_of, wait_until

KERNELS = pathlib.Path(__file__).resolve().parent / "kernels"
PATIENCE_S = 240
CODE = 42
IPXE = pathlib.Path("/usr/lib/ipxe/ipxe.iso")
PARTITION = 1 << 20  # where the image's file system begins
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def console_of(vm):
    """What stands on its console. SeaBIOS moves the cursor as well, at any tick of its clock: in the middle of a word."""
    return ESCAPE.sub("", (vm.folder / "console.log").read_text(errors="replace"))


class Bios(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="pileus-e2e-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.disk = self.folder / "disk.raw"
        self.make_disk("boot_sector")

    def make_disk(self, sector):
        subprocess.run(["nasm", "-f", "bin", "-o", self.disk, KERNELS / f"{sector}.asm"], check=True)
        with self.disk.open("r+b") as disk:
            disk.truncate(1 << 20)

    def boots(self, *options):
        with Vm("bios", "--memory", "64M", "--exit-port", *options, source=self.disk, home=self.folder / "home") as vm:
            running = vm.run()
            self.assertEqual(running.wait(PATIENCE_S), CODE * 2 + 1, output_of(running))
            self.assertEqual(vm.show()["exit_code"], CODE)
            self.assertIn("boot sector runs", console_of(vm))

    def test_a_boot_sector_runs_with_bios_services(self):
        self.boots("--firmware", "bios")

    def test_with_more_processors(self):
        self.boots("--firmware", "bios", "--cpus", "2")

    def test_from_a_sata_disk(self):
        self.boots("--firmware", "bios", "--disk-bus", "sata")

    def test_by_the_smaller_image(self):
        self.boots("--firmware", "/usr/share/seabios/bios.bin")

    def test_a_jump_to_the_bios_reboots(self):
        self.make_disk("reboot_sector")
        with Vm("bios", "--memory", "64M", "--firmware", "bios", source=self.disk, home=self.folder / "home") as vm:
            vm.run()
            wait_until(lambda: vm.stats().get("resets", 0) >= 2, "it has rebooted twice", PATIENCE_S)
            wait_until(lambda: console_of(vm).count("Booting from Hard Disk") >= 2, "it was said twice", PATIENCE_S)


class Loaders(unittest.TestCase):
    """Boot loaders that switch between real and protected mode for each BIOS call, and what they load."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="pileus-e2e-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.kernel = self.folder / "multiboot"
        subprocess.run(["nasm", "-f", "bin", "-o", self.kernel, KERNELS / "multiboot.asm"], check=True)

    def boots(self, disk, code, loader, *options):
        with Vm("loader", "--memory", "64M", "--exit-port", "--firmware", "bios", *options, source=disk,
                home=self.folder / "home") as vm:
            running = vm.run()
            self.assertEqual(running.wait(PATIENCE_S), code * 2 + 1, output_of(running))
            console = console_of(vm)
            self.assertIn(f"{loader} has started", console)
            self.assertIn("a module", console)

    def test_grub_on_a_disk(self):
        grub.make_disk(self.folder / "disk.raw", self.folder, self.kernel, "from a disk 5")
        self.boots(self.folder / "disk.raw", 5, "GRUB")

    def test_grub_on_a_sata_disk(self):
        grub.make_disk(self.folder / "disk.raw", self.folder, self.kernel, "from a SATA disk 9")
        self.boots(self.folder / "disk.raw", 9, "GRUB", "--disk-bus", "sata")

    def test_isolinux_on_a_sata_cd(self):
        tree = grub.make_tree(self.folder / "tree", self.kernel)
        isolinux.make_iso(self.folder / "cd.iso", tree, isolinux.multiboot_entry("from a SATA CD 4"), hybrid=False)
        self.boots(self.folder / "cd.iso", 4, "ISOLINUX", "--disk-bus", "sata")

    def test_grub_on_a_cd_image(self):
        grub.make_iso(self.folder / "cd.iso", self.folder, self.kernel, "from a CD image 6")
        self.boots(self.folder / "cd.iso", 6, "GRUB")

    def test_isolinux_on_a_cd_image(self):
        tree = grub.make_tree(self.folder / "tree", self.kernel)
        isolinux.make_iso(self.folder / "cd.iso", tree, isolinux.multiboot_entry("from a CD image 7"), hybrid=True)
        self.boots(self.folder / "cd.iso", 7, "ISOLINUX")

    def test_isolinux_on_a_cd(self):
        tree = grub.make_tree(self.folder / "tree", self.kernel)
        isolinux.make_iso(self.folder / "cd.iso", tree, isolinux.multiboot_entry("from a CD 8"), hybrid=False)
        self.boots(self.folder / "cd.iso", 8, "ISOLINUX")

    def test_ipxe_on_a_cd_gets_an_address(self):
        """It has drivers of its own, and gathers entropy by the clock's interrupts."""
        (self.folder / "disk.raw").write_bytes(bytes(1 << 20))
        with Vm("loader", "--memory", "64M", "--firmware", "bios", "--cdrom", IPXE, source=self.folder / "disk.raw",
                home=self.folder / "home") as vm:
            vm.run()
            wait_until(lambda: "net0: 10.0.2.15/" in console_of(vm), "it has an address", PATIENCE_S)

    def test_isolinux_starts_debians_kernel(self):
        tree = self.folder / "tree"
        tree.mkdir()
        take_from_image("vmlinuz", tree / "kernel")
        take_from_image("initrd.img", tree / "initrd")
        entry = isolinux.linux_entry("console=ttyS0 panic=-1 break=top")
        isolinux.make_iso(self.folder / "cd.iso", tree, entry, hybrid=True)
        with Vm("loader", "--memory", "512M", "--firmware", "bios", source=self.folder / "cd.iso",
                home=self.folder / "home") as vm:
            vm.run()
            wait_until(lambda: "Spawning shell within the initramfs" in console_of(vm),
                       "its initramfs has a shell", PATIENCE_S)


def take_from_image(kind, path):
    """The kernel or initramfs of the tests' image."""
    disk = f"{HOME / 'images' / IMAGE / 'disk.raw'}?offset={PARTITION}"
    listing = subprocess.run(["debugfs", "-R", "ls -p /boot", disk], check=True, capture_output=True, text=True).stdout
    name = next(field for field in listing.split("/") if field.startswith(f"{kind}-"))
    subprocess.run(["debugfs", "-R", f"dump /boot/{name} {path}", disk], check=True, capture_output=True)


if __name__ == "__main__":
    end_on_sigterm()
    unittest.main()
