"""Guest kernels that mean no good harm nobody: the VMM says what happened and can always be ended."""

import pathlib
import subprocess
import tempfile
import unittest

from harness import Vm, end_on_sigterm, output_of, wait_until

KERNELS = pathlib.Path(__file__).resolve().parent / "kernels"
CRASHED = 10  # exit statuses of `pileus vm run`
ENDED_FROM_OUTSIDE = 12
PATIENCE_S = 240  # an emulating KVM on a busy machine takes its time
MAX_LOG_BYTES = 64 * 1024


class HostileKernel(unittest.TestCase):
    engine = "bt"

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="pileus-e2e-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "disk.raw").write_bytes(bytes(1 << 20))

    def vm(self, kernel, *options):
        """A VM that boots kernels/KERNEL.asm."""
        built = self.folder / f"{kernel}.elf"
        subprocess.run(["nasm", "-f", "bin", "-i", f"{KERNELS}/", "-o", built, KERNELS / f"{kernel}.asm"], check=True)
        return Vm(kernel.replace("_", "-"), "--memory", "64M", "--engine", self.engine, "--kernel", built, *options,
                  source=self.folder / "disk.raw", home=self.folder / "home")

    def expect_console(self, vm, text):
        wait_until(lambda: text in (vm.folder / "console.log").read_text(errors="replace"),
                   f"{text!r} on the console", PATIENCE_S)

    def expect_end(self, vm, running, status, phase):
        self.assertEqual(running.wait(PATIENCE_S), status, output_of(running))
        self.assertEqual((vm.show()["phase"], vm.show()["pid"]), (phase, 0))
        self.assertLess((vm.folder / "vmm.log").stat().st_size, MAX_LOG_BYTES)

    def test_triple_fault_ends_the_vm_and_says_so(self):
        with self.vm("triple_fault") as vm:
            running = vm.run()
            self.expect_end(vm, running, CRASHED, "crashed")
            self.assertIn("triple", output_of(running))
            self.assertIn("triple", vm.show()["message"])

    def test_spinning_guest_can_be_killed(self):
        with self.vm("spin") as vm:
            running = vm.run()
            self.expect_console(vm, "spinning")
            stop = vm.command("stop", "--timeout", 2, check=False)
            self.assertEqual(stop.returncode, 1)
            self.assertIn("pileus vm kill", stop.stderr)
            self.assertEqual(vm.show()["phase"], "stopping")
            vm.command("kill")
            self.expect_end(vm, running, ENDED_FROM_OUTSIDE, "killed")

    def test_spinning_guest_can_be_reset(self):
        with self.vm("spin", "--cpus", 2) as vm:
            running = vm.run()
            self.expect_console(vm, "spinning")
            vm.command("reset")
            wait_until(lambda: vm.stats().get("resets") == 1, "the reset is counted", PATIENCE_S)
            self.expect_console(vm, "spinning\nspinning")
            vm.command("kill")
            self.expect_end(vm, running, ENDED_FROM_OUTSIDE, "killed")

    def test_accesses_to_nothing_read_as_ones_and_fill_no_log(self):
        with self.vm("hammer") as vm:
            running = vm.run()
            self.expect_console(vm, "H....")
            self.assertNotIn("W", (vm.folder / "console.log").read_text(errors="replace"))
            self.assertIn("exits", vm.stats())
            vm.command("kill")
            self.expect_end(vm, running, ENDED_FROM_OUTSIDE, "killed")


if __name__ == "__main__":
    end_on_sigterm()
    unittest.main()
