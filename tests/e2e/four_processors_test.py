"""More processors than the host has to have: four work at once, and start and end many processes."""

import unittest

from harness import COMMAND_PATIENCE_S, Vm, end_on_sigterm, output_of, step

# Four times the same sum of the same data, each bound to a processor of its own.
WORK = """head -c 20000000 /dev/urandom > data
for cpu in 0 1 2 3; do taskset -c $cpu sha256sum data & done | sort -u | wc -l; wait"""
# Processes that come and go on all processors at once.
STORM = """for worker in 1 2 3 4; do (for i in $(seq 100); do /bin/true || echo failed; done) & done; wait; echo done"""


class FourProcessors(unittest.TestCase):
    def test_four_processors(self):
        with Vm("e2e-four", "--cpus", 4, "--memory", "768M") as vm:
            with step("boot"):
                running = vm.run()
                vm.wait()
            self.assertEqual(vm.ssh("nproc"), "4")
            with step("work on all four"):
                self.assertEqual(vm.ssh(WORK), "1")
            with step("400 processes"):
                self.assertEqual(vm.ssh(STORM), "done")
            with step("power button"):
                vm.command("stop")
                self.assertEqual(running.wait(COMMAND_PATIENCE_S), 0, output_of(running))


if __name__ == "__main__":
    end_on_sigterm()
    unittest.main()
