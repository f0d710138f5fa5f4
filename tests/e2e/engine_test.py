"""Which engine runs a VM, why, and that small guests do the same under kvm as under bt."""

import json
import pathlib
import subprocess
import tempfile
import unittest

import hostile_kernel_test
from harness import Vm, end_on_sigterm, pileus, wait_until

ENGINES = ("bt", "kvm")
LOAD_ADDRESS = 0x1000000
JUMP_TO_ITSELF = b"\xeb\xfe"
PATIENCE_S = 240


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


class SpinningGuest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="pileus-e2e-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "disk.raw").write_bytes(bytes(1 << 20))
        kernels = hostile_kernel_test.KERNELS
        subprocess.run(["nasm", "-f", "bin", "-i", f"{kernels}/", "-o", self.folder / "kernel", kernels / "spin.asm"],
                       check=True)

    def vm(self, name, *options):
        return Vm(name, "--memory", "64M", "--kernel", self.folder / "kernel", *options,
                  source=self.folder / "disk.raw", home=self.folder / "home")


class Choice(SpinningGuest):
    def test_auto_says_what_it_chose_and_why(self):
        with self.vm("auto", "--engine", "auto") as vm:
            vm.run()
            shown = vm.show()
            self.assertEqual(shown["engine"], "auto")
            self.assertIn(shown["engine_used"], ENGINES)
            self.assertIn("KVM" if not why_no_kvm() else "/dev/kvm", shown["engine_reason"])
            text = vm.command("show").stdout
            self.assertIn(f"{shown['engine_used']}: {shown['engine_reason']}", text)
            self.assertIn(f"runs under {shown['engine_used']}: ", (vm.folder / "vmm.log").read_text())

    def test_bt_is_taken_when_asked_for(self):
        with self.vm("bt", "--engine", "bt") as vm:
            vm.run()
            self.assertEqual((vm.show()["engine_used"], vm.show()["engine_reason"]), ("bt", "asked for"))


class LookedAt(SpinningGuest):
    """A guest under kvm is debugged and profiled as one under bt is."""

    def setUp(self):
        super().setUp()
        if why := why_no_kvm():
            self.skipTest(why)
        self.loop = LOAD_ADDRESS + (self.folder / "kernel").read_bytes().index(JUMP_TO_ITSELF)

    def test_gdb(self):
        socket = self.folder / "gdb.sock"
        with self.vm("kvm", "--engine", "kvm", "--gdb", f"unix:{socket}", "--gdb-wait") as vm:
            vm.run()
            output = gdb(socket, "print $rip", "stepi", "print $rip > $", f"break *{self.loop:#x}", "continue",
                         "print $rip", "delete", "stepi", "print $rip", "detach")
            values = [line.split(" = ")[1] for line in output.splitlines() if line.startswith("$")]
            self.assertEqual(len(values), 4, output)
            self.assertEqual(values[1], "1")
            for value in values[2:]:
                self.assertIn(f"{self.loop:#x}", value)

    def test_profile(self):
        with self.vm("kvm", "--engine", "kvm") as vm:
            vm.run()
            log = vm.folder / "console.log"
            wait_until(lambda: "spinning" in log.read_text(errors="replace"), "it spins", PATIENCE_S)
            done = vm.command("profile", "--seconds", "1", "--json", "--output", self.folder / "profile.svg")
            self.assertGreater(json.loads(done.stdout)["activities"]["guest code"], 0)


def gdb(socket, *commands):
    words = ["gdb", "-nx", "-q", "-batch", "-ex", f"set remotetimeout {PATIENCE_S}", "-ex", f"target remote {socket}"]
    for command in commands:
        words += ["-ex", command]
    return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_S,
                          check=True).stdout


if __name__ == "__main__":
    end_on_sigterm()
    unittest.main()
