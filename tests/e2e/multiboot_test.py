"""Kernels that begin with a Multiboot header, the port by which a guest ends its VM, and the NMI button."""

import pathlib
import subprocess
import tempfile
import unittest

from harness import Vm, end_on_sigterm, output_of, wait_until

KERNELS = pathlib.Path(__file__).resolve().parent / "kernels"
PATIENCE_S = 240


class Multiboot(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="pileus-e2e-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "disk.raw").write_bytes(bytes(1 << 20))
        (self.folder / "first").write_bytes(b"contents of one")
        (self.folder / "second").write_bytes(b"and of two")
        self.kernel = self.folder / "kernel"
        subprocess.run(["nasm", "-f", "bin", "-o", self.kernel, KERNELS / "multiboot.asm"], check=True)

    def vm(self, *options):
        return Vm("multiboot", "--memory", "64M", "--kernel", self.kernel, *options,
                  "--module", f"{self.folder}/first a=b", "--module", f"{self.folder}/second",
                  source=self.folder / "disk.raw", home=self.folder / "home")

    def console(self, vm):
        return (vm.folder / "console.log").read_text(errors="replace")

    def test_it_gets_command_line_and_modules_and_ends_the_vm(self):
        with self.vm("--exit-port", "--append", "some words 7") as vm:
            running = vm.run()
            self.assertEqual(running.wait(PATIENCE_S), 7 * 2 + 1, output_of(running))
            self.assertEqual((vm.show()["phase"], vm.show()["exit_code"]), ("stopped", 7))
            self.assertIn("code 7", vm.show()["message"])
            self.assertEqual(self.console(vm).replace("\r", ""),
                             f"some words 7\n{self.folder}/first a=b:contents of one\n"
                             f"{self.folder}/second:and of two\n")

    def test_code_zero_is_no_success_of_the_process(self):
        with self.vm("--exit-port", "--append", "0") as vm:
            running = vm.run()
            self.assertEqual(running.wait(PATIENCE_S), 1, output_of(running))
            self.assertEqual(vm.show()["exit_code"], 0)

    def test_without_the_option_there_is_no_such_port(self):
        with self.vm("--append", "7") as vm:
            running = vm.run()
            wait_until(lambda: "exit port missing" in self.console(vm), "the guest goes on", PATIENCE_S)
            vm.command("kill")
            running.wait(PATIENCE_S)
            self.assertNotIn("exit_code", vm.show())

    def test_the_nmi_button(self):
        kernel = self.folder / "nmi"
        subprocess.run(["nasm", "-f", "bin", "-I", f"{KERNELS}/", "-o", kernel, KERNELS / "nmi.asm"], check=True)
        with Vm("nmi", "--memory", "64M", "--kernel", kernel, "--exit-port",
                source=self.folder / "disk.raw", home=self.folder / "home") as vm:
            running = vm.run()
            wait_until(lambda: "waiting" in self.console(vm), "the guest halts", PATIENCE_S)
            vm.command("nmi")
            self.assertEqual(running.wait(PATIENCE_S), 9 * 2 + 1, output_of(running))


if __name__ == "__main__":
    end_on_sigterm()
    unittest.main()
