"""The real GDB debugs Debian: from the first instruction, then in the running kernel; and the guest never notices."""

import re
import subprocess
import tempfile
import unittest

from harness import COMMAND_PATIENCE_S, PROGRAMS, Failure, Vm, end, end_on_sigterm, say, step

GDB_PATIENCE_S = 240
ENTRY = 0x1000000  # where the kernel is entered


def address_of(symbols, name):
    return next(int(line.split()[0], 16) for line in symbols.splitlines() if line.split()[2] == name)


class Gdb(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="pileus-gdb-")
        self.addCleanup(folder.cleanup)
        self.socket = folder.name + "/gdb.sock"

    def gdb(self, *commands, meanwhile=None):
        """What GDB prints for the commands, connected to the guest. `meanwhile` runs beside it."""
        words = ["gdb", "-nx", "-q", "-batch", "-ex", "set confirm off", "-ex", "set pagination off",
                 "-ex", f"set remotetimeout {GDB_PATIENCE_S}", "-ex", f"target remote {self.socket}"]
        for command in commands:
            words += ["-ex", command]
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   text=True)
        self.addCleanup(end, process)
        if meanwhile:
            meanwhile()
        try:
            output = process.communicate(timeout=GDB_PATIENCE_S)[0]
        except subprocess.TimeoutExpired as late:
            raise Failure(f"GDB did not end: {late.output}") from late
        say("".join(f"    {line}\n" for line in output.splitlines()))
        return output

    def test_gdb(self):
        # The second CPU is a thread that has not started yet.
        with Vm("e2e-gdb", "--cpus", 2, "--gdb", f"unix:{self.socket}", "--gdb-wait") as vm:
            running = vm.run()
            with step("before the first instruction"):
                self.before_the_first_instruction()
            with step("boot"):
                vm.wait()
            symbols = vm.ssh("sudo cat /proc/kallsyms")
            with step("in the running kernel"):
                self.in_the_kernel(vm, symbols)
            with step("watched memory"):
                self.watched_memory(symbols)
            with step("the guest is as before"):
                self.assertEqual(vm.ssh("cat /proc/sys/kernel/tainted; nproc"), "0\n2")
                vm.command("stop")
                self.assertEqual(running.wait(COMMAND_PATIENCE_S), 0)

    def before_the_first_instruction(self):
        output = self.gdb("info threads", "print/x $rip", "print $cr0", "print $efer", "x/1i $rip", "stepi",
                          "print/x $rip", "detach")
        self.assertIn("CPU 1 [not started]", output)
        values = re.findall(r"^\$\d+ = (.*)$", output, re.MULTILINE)
        self.assertEqual(values[0], hex(ENTRY))
        self.assertIn("PG", values[1])
        self.assertIn("LMA", values[2])
        self.assertGreater(int(values[3], 16), ENTRY)
        self.assertNotIn("cannot", output.lower())

    def in_the_kernel(self, vm, symbols):
        uname = address_of(symbols, "__x64_sys_newuname")
        banner = address_of(symbols, "linux_banner")

        def call_uname():  # again and again: GDB may take its time to get to its breakpoint
            calls = "while sleep 1 && uname -r; do :; done"
            callers.append(vm.start_process([PROGRAMS / "pileus", "vm", "ssh", vm.name, "--", calls]))

        callers = []

        output = self.gdb(f"x/s {banner:#x}", f"break *{uname:#x}", "continue", "print/x $rip", "print/x $cs",
                          "print $gs_base != 0", "stepi", f"print $rip > {uname:#x}", "delete", "detach",
                          meanwhile=call_uname)
        end(callers[0])
        self.assertIn("Linux version 6.1", output)
        self.assertIn("Breakpoint 1, ", output)
        values = re.findall(r"^\$\d+ = (.*)$", output, re.MULTILINE)
        self.assertEqual(values, [f"{uname:#x}", "0x10", "1", "1"])

    def watched_memory(self, symbols):
        jiffies = address_of(symbols, "jiffies_64")
        output = self.gdb(f"watch *(unsigned long *){jiffies:#x}", "continue", "continue", "print/x $rip", "detach")
        changes = re.findall(r"Old value = (\d+)\nNew value = (\d+)", output)
        self.assertEqual(len(changes), 2, output)
        for old, new in changes:
            self.assertGreater(int(new), int(old))


if __name__ == "__main__":
    end_on_sigterm()
    unittest.main()
