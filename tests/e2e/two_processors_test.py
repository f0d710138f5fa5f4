"""A VM with two processors: both work at once, 50 MB go through the network each way, and a reset boots it again."""

import hashlib
import os
import unittest

from harness import COMMAND_PATIENCE_S, Vm, end_on_sigterm, output_of, step
from host_server import HostServer

DATA_BYTES = 50_000_000
ENDED_FROM_OUTSIDE = 12
# Python's own loops, one process bound to each processor; each prints its processor and a sum that is known.
WORK = """for cpu in 0 1; do taskset -c $cpu python3 -c '
import os
print(os.sched_getaffinity(0), sum(i * i for i in range(300000)))' & done; wait"""


class TwoProcessors(unittest.TestCase):
    def test_two_processors(self):
        with Vm("e2e-two", "--cpus", 2, "--memory", "512M") as vm:
            with step("boot"):
                running = vm.run()
                vm.wait()
            with step("login"):
                self.assertEqual(vm.ssh("nproc"), "2")
            with step("work on both"):
                self.check_both_work(vm)
            with step("50 MB from and to the host"):
                self.check_network(vm)
            with step("reset"):
                self.check_reset(vm)
            with step("kill"):
                vm.command("kill")
                self.assertEqual(running.wait(COMMAND_PATIENCE_S), ENDED_FROM_OUTSIDE, output_of(running))
                self.assertEqual((vm.show()["phase"], vm.show()["pid"]), ("killed", 0))

    def check_both_work(self, vm):
        total = sum(i * i for i in range(300000))
        self.assertEqual(sorted(vm.ssh(WORK).split("\n")), [f"{{0}} {total}", f"{{1}} {total}"])

    def check_network(self, vm):
        data = os.urandom(DATA_BYTES)
        with HostServer(data) as server:
            fetched = vm.ssh(f"curl -sSf {server.url} > fetched && openssl dgst -sha256 -r fetched")
            self.assertEqual(fetched.split()[0], hashlib.sha256(data).hexdigest())
            made = vm.ssh(f"openssl rand {DATA_BYTES} > made && openssl dgst -sha256 -r made && "
                          f"curl -sSf -T made {server.url}")
            self.assertEqual(server.received, [made.split()[0]])
        with HostServer(b"private", "127.0.0.1") as server:
            refused = vm.ssh(f"curl -s http://10.0.2.2:{server.port} || echo refused")
            self.assertEqual(refused, "refused", "the guest reached the host's 127.0.0.1")

    def check_reset(self, vm):
        vm.ssh("sync")
        before = vm.boot_id()
        vm.command("reset")
        vm.wait_for_reset(1)
        self.assertNotEqual(vm.boot_id(), before)
        self.assertEqual(vm.ssh("nproc"), "2")


if __name__ == "__main__":
    end_on_sigterm()
    unittest.main()
