"""stress-ng with two processors: computation, memory, fork and context switches at once, results verified."""

import argparse
import sys
import unittest

from harness import Vm, end_on_sigterm, pileus, say, step

IMAGE = "debian-12-programs"
BUILD_PATIENCE_S = 1500
STRESSORS = "--cpu 2 --vm 2 --fork 2 --switch 2 --verify"
TROUBLE = r"BUG:|Oops|general protection|segfault|rcu.*stall|soft lockup|Call Trace"


class Stress(unittest.TestCase):
    minutes = 10

    def test_stress(self):
        with step("image"):
            pileus("image", "build", IMAGE, patience_s=BUILD_PATIENCE_S)
        with Vm("soak-stress", "--cpus", 2, "--memory", "1G", source=IMAGE) as vm:
            with step("boot"):
                vm.run()
                vm.wait()
            seconds = round(self.minutes * 60)
            with step(f"stress-ng {STRESSORS} for {seconds} s"):
                # It exits with 0 only when every stressor ran to its end and verified what it had done.
                say(vm.ssh(f"stress-ng {STRESSORS} --vm-bytes 128M --metrics-brief --timeout {seconds}s 2>&1",
                           patience_s=seconds + 300))
            self.assertEqual(vm.ssh(f"sudo dmesg | grep -E '{TROUBLE}' || true"), "")
            self.assertEqual(vm.stats()["resets"], 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=Stress.minutes, help="how long (default: 10)")
    Stress.minutes = parser.parse_args().minutes
    end_on_sigterm()
    unittest.main(argv=sys.argv[:1])
