"""kill -9 of the VMM while the guest writes: the next boot finds what was synced, in a consistent file system.

It runs without the paravirtual interface, so that this way of running boots too.
"""

import os
import signal
import unittest

from harness import COMMAND_PATIENCE_S, PROGRAMS, Vm, end_on_sigterm, output_of, step, wait_until

DATA_BYTES = 30_000_000
CHECKSUM = "openssl dgst -sha256 -r kept"
KILLED_BY_SIGNAL = 12
# Data, names and sizes change without end; a number is printed for each round.
WRITER = """mkdir -p busy && cd busy && round=0
while :; do
  round=$((round + 1))
  dd if=/dev/urandom of=new bs=64k count=16 status=none
  mv new file$((round % 50)); ln -f file$((round % 50)) link$((round % 7)); rm -f file$(((round + 25) % 50))
  [ $((round % 10)) = 0 ] && sync -f .
  echo round $round
done"""
ROUNDS = 25
# A file system that is mounted read-only can be checked in place; SysRq u makes it so at once.
CHECK = """sudo sh -c 'sync; echo u > /proc/sysrq-trigger'
for i in $(seq 1200); do grep -q " / ext4 ro" /proc/mounts && break; sleep 0.1; done
sudo e2fsck -fn /dev/vda1"""


class PowerLoss(unittest.TestCase):
    def test_power_loss(self):
        with Vm("e2e-power", "--paravirt", "off", "--memory", "512M") as vm:
            with step("boot without paravirtualization"):
                running = vm.run()
                vm.wait()
                self.assertNotIn("kvm", vm.ssh("cat /sys/bus/clocksource/devices/clocksource0/available_clocksource"))
            with step("write and sync"):
                kept = vm.ssh(f"openssl rand {DATA_BYTES} > kept && sync && {CHECKSUM}")
            with step("kill -9 while it writes"):
                self.kill_while_writing(vm, running)
            with step("boot again"):
                vm.command("start")
                vm.wait()
            with step("check"):
                self.assertEqual(vm.ssh(CHECKSUM), kept)
                self.assertIn("file", vm.ssh("ls busy"))
                self.assertRegex(vm.ssh("sudo dmesg; sudo cat /run/initramfs/fsck.log"),
                                 "recovery complete|recovering journal")
                self.check_file_system(vm)

    def kill_while_writing(self, vm, running):
        writer = vm.start_process([PROGRAMS / "pileus", "vm", "ssh", vm.name, "--", WRITER])
        wait_until(lambda: f"round {ROUNDS}\n" in output_of(writer), f"{ROUNDS} rounds of the writer", COMMAND_PATIENCE_S)
        pid = vm.show()["pid"]
        self.assertTrue(vm.runs(pid))
        os.kill(pid, signal.SIGKILL)
        self.assertEqual(running.wait(COMMAND_PATIENCE_S), KILLED_BY_SIGNAL, output_of(running))
        self.assertEqual((vm.show()["phase"], vm.show()["pid"]), ("killed", 0))

    def check_file_system(self, vm):
        report = vm.ssh(CHECK)  # e2fsck's exit status says whether it found anything
        self.assertRegex(report, r": \d+/\d+ files .*, \d+/\d+ blocks$")
        self.assertNotIn("WARNING", report)


if __name__ == "__main__":
    end_on_sigterm()
    unittest.main()
