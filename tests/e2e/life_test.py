"""A VM's life with one processor: boot, login, 200 MB that survive a reboot, and the power button."""

import pathlib
import socket
import subprocess
import unittest

from harness import COMMAND_PATIENCE_S, HOME, IMAGE, Vm, end_on_sigterm, output_of, step, wait_until

DATA_BYTES = 200_000_000
CHECKSUM = "openssl dgst -sha256 -r data"  # many times faster than sha256sum
STOPPED = 0
CONSOLE_PATIENCE_S = 120


class Life(unittest.TestCase):
    def test_life(self):
        disk = HOME / "images" / IMAGE / "disk.raw"
        before = disk.stat().st_mtime_ns
        with Vm("e2e-life", "--cpus", 1, "--memory", "512M") as vm:
            with step("boot"):
                running = vm.run()
                vm.wait()
            with step("login"):
                self.check_login(vm)
            with step("virtio console"):
                self.check_virtio_console(vm)
            with step("a long computation"):
                self.check_computation(vm)
            with step("200 MB to disk"):
                written = vm.ssh(f"openssl rand {DATA_BYTES} > data && sync && {CHECKSUM}")
            with step("reboot from inside"):
                self.reboot(vm)
            with step("200 MB from disk"):
                self.assertEqual(vm.ssh(CHECKSUM), written)
            with step("nothing is configured again"):
                self.check_no_cloud_init(vm)
            with step("power button"):
                self.shut_down(vm, running)
            with step("boot with kept translations"):
                vm.command("start")
                vm.wait()
                self.check_kept_translations(vm)
                self.assertEqual(vm.ssh(CHECKSUM), written)
                vm.command("stop")
            with step("power button while it boots"):
                vm.command("start")
                vm.command("stop")
                self.assertEqual(vm.show()["phase"], "stopped")
        self.assertEqual(disk.stat().st_mtime_ns, before, "the image was written to")

    def check_login(self, vm):
        facts = vm.ssh("hostname; id -un; nproc; uname -sm; . /etc/os-release; echo $ID $VERSION_ID")
        self.assertEqual(facts.split("\n"), ["e2e-life", "debian", "1", "Linux x86_64", "debian 12"])
        self.assertEqual(vm.ssh("sudo -n id -u"), "0")
        self.assertEqual(vm.command("ssh", "--", "exit 7", check=False).returncode, 7)
        console = vm.folder / "console.log"
        wait_until(lambda: "login:" in console.read_text(errors="replace"), "a login prompt", CONSOLE_PATIENCE_S)
        self.assertEqual(vm.show()["phase"], "running")

    def check_virtio_console(self, vm):
        with socket.socket(socket.AF_UNIX) as console:
            console.settimeout(CONSOLE_PATIENCE_S)
            console.connect(str(vm.folder / "virtio-console.sock"))
            for typed, answer in ((b"\n", b"e2e-life login:"), (b"nobody\n", b"Password:")):
                console.sendall(typed)
                printed = b""
                while answer not in printed:
                    printed += console.recv(4096) or self.fail(f"the console closed after {printed}")
        vm.ssh("echo from inside | sudo tee /dev/hvc0")
        log = vm.folder / "virtio-console.log"
        wait_until(lambda: "from inside" in log.read_text(errors="replace"), "what was printed is in the log", CONSOLE_PATIENCE_S)

    def check_computation(self, vm):
        """Long enough to run directly, where the host can."""
        program = "x = 0\nfor n in range(4000000): x = (x * 1103515245 + n) & 0xFFFFFFFF\nprint(x)"
        wanted = subprocess.run(["python3", "-c", program], check=True, capture_output=True, text=True).stdout.strip()
        before = vm.stats()["direct_runs"]
        self.assertEqual(vm.ssh(f"python3 -c '{program}'"), wanted)
        refused = "no direct execution" in (vm.folder / "vmm.log").read_text(errors="replace")  # by the host
        if " fsgsbase " in pathlib.Path("/proc/cpuinfo").read_text() and not refused:
            self.assertGreater(vm.stats()["direct_runs"], before + 10)

    def check_kept_translations(self, vm):
        kept = HOME / "cache" / "translations" / IMAGE / "host"
        self.assertEqual(kept.stat().st_mode & 0o777, 0o600)
        if vm.show()["engine_used"] == "bt":
            self.assertGreater(vm.stats()["blocks_loaded"], 4 * vm.stats()["blocks_translated"])
        self.assertNotIn("damaged", (vm.folder / "vmm.log").read_text(errors="replace"))

    def reboot(self, vm):
        before = vm.boot_id()
        vm.ssh("sudo systemctl reboot", check=False)  # the connection may end before the command
        vm.wait_for_reset(1)
        self.assertNotEqual(vm.boot_id(), before)

    def check_no_cloud_init(self, vm):
        """The units are not in this boot at all, and who waits for them does not wait."""
        self.assertEqual(vm.ssh("systemctl is-enabled cloud-init.service || true"), "masked-runtime")
        self.assertIn("status: done", vm.ssh("cloud-init status --wait"))

    def shut_down(self, vm, running):
        vm.command("stop")
        self.assertEqual(running.wait(COMMAND_PATIENCE_S), STOPPED, output_of(running))
        self.assertEqual((vm.show()["phase"], vm.show()["pid"]), ("stopped", 0))
        self.assertIn("Power down", (vm.folder / "console.log").read_text(errors="replace"))
        refused = vm.command("ssh", "--", "true", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("does not run", refused.stderr)


if __name__ == "__main__":
    end_on_sigterm()
    unittest.main()
