"""Which engine runs a VM, why, and that small guests do the same under kvm as under bt."""

import pathlib
import subprocess
import tempfile
import unittest

import hostile_kernel_test
from harness import Vm, end_on_sigterm, pileus

ENGINES = ("bt", "kvm")


def why_no_kvm():
    """What `--engine kvm` says on this host; empty where it works."""
    with tempfile.TemporaryDirectory(prefix="pileus-e2e-") as folder:
        folder = pathlib.Path(folder)
        (folder / "disk.raw").write_bytes(bytes(1 << 20))
        (folder / "kernel").write_bytes(b"no kernel")
        done = pileus("vm", "run", folder / "disk.raw", "--name", "x", "--engine", "kvm", "--kernel", folder / "kernel",
                      home=folder / "home", check=False)
        return done.stderr.strip() if "--engine bt" in done.stderr else ""


class SmallGuestsUnderKvm(hostile_kernel_test.HostileKernel):
    engine = "kvm"

    @classmethod
    def setUpClass(cls):
        if why := why_no_kvm():
            raise unittest.SkipTest(why)

    def expect_end(self, vm, running, status, phase):
        super().expect_end(vm, running, status, phase)
        self.assertEqual(vm.show()["engine_used"], "kvm")


class Choice(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="pileus-e2e-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "disk.raw").write_bytes(bytes(1 << 20))
        kernels = hostile_kernel_test.KERNELS
        subprocess.run(["nasm", "-f", "bin", "-i", f"{kernels}/", "-o", self.folder / "kernel", kernels / "spin.asm"],
                       check=True)

    def test_auto_says_what_it_chose_and_why(self):
        with Vm("auto", "--memory", "64M", "--engine", "auto", "--kernel", self.folder / "kernel",
                source=self.folder / "disk.raw", home=self.folder / "home") as vm:
            vm.run()
            shown = vm.show()
            self.assertEqual(shown["engine"], "auto")
            self.assertIn(shown["engine_used"], ENGINES)
            self.assertIn("KVM" if not why_no_kvm() else "/dev/kvm", shown["engine_reason"])
            text = vm.command("show").stdout
            self.assertIn(f"{shown['engine_used']}: {shown['engine_reason']}", text)
            self.assertIn(f"runs under {shown['engine_used']}: ", (vm.folder / "vmm.log").read_text())

    def test_bt_is_taken_when_asked_for(self):
        with Vm("bt", "--memory", "64M", "--engine", "bt", "--kernel", self.folder / "kernel",
                source=self.folder / "disk.raw", home=self.folder / "home") as vm:
            vm.run()
            self.assertEqual((vm.show()["engine_used"], vm.show()["engine_reason"]), ("bt", "asked for"))


if __name__ == "__main__":
    end_on_sigterm()
    unittest.main()
