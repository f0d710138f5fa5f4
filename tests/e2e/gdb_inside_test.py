"""The real GDB inside Debian: what a guest needs of its processor to debug its own programs. GDB itself throws exceptions."""

import pathlib
import shutil
import subprocess
import tempfile
import unittest

from harness import PROGRAMS, Vm, end_on_sigterm, environment, step

COPY_PATIENCE_S = 600
PROGRAM = """
#include <cstdio>
#include <stdexcept>
static volatile long counter, other;
static void thrower() { throw std::runtime_error("caught"); }
__attribute__((noinline)) static long add(long n) { counter = counter + n; return counter * 3; }
int main() {
  long sum = 0;
  for (long i = 1; i <= 5; ++i) {
    sum += add(i);
    other = sum;
  }
  try { thrower(); } catch (const std::exception& e) { std::printf("%s %ld\\n", e.what(), sum); }
}
"""


def libraries(program):
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    words = [line.split() for line in listed.splitlines()]
    return [line[2] for line in words if len(line) > 2 and line[1] == "=>"]


def put_together(folder):
    """A program and this machine's GDB, with all that they need."""
    (folder / "lib").mkdir()
    (folder / "program.cc").write_text(PROGRAM)
    subprocess.run(["g++", "-g", "-O1", "-static", "-o", folder / "program", folder / "program.cc"], check=True)
    gdb = shutil.which("gdb")
    shutil.copy(gdb, folder / "gdb")
    shutil.copytree("/usr/share/gdb", folder / "data")
    for library in libraries(gdb):
        shutil.copy(library, folder / "lib")


class GdbInside(unittest.TestCase):
    def copy_into(self, vm, folder):
        packed = subprocess.run(["tar", "-C", folder, "-c", "."], capture_output=True, check=True).stdout
        subprocess.run([PROGRAMS / "pileus", "vm", "ssh", vm.name, "--", "mkdir -p debug && tar -C debug -x"],
                       input=packed, env=environment(vm.home), timeout=COPY_PATIENCE_S, check=True)

    def gdb(self, vm, *commands):
        words = "".join(f" -ex '{command}'" for command in commands)
        return vm.ssh("cd debug && LD_LIBRARY_PATH=lib ./gdb -nx -q -batch --data-directory=data"
                      f" -ex 'set confirm off'{words} ./program 2>&1")

    def test_gdb(self):
        with tempfile.TemporaryDirectory(prefix="pileus-gdb-") as name, Vm("e2e-gdb-inside", "--cpus", 2) as vm:
            put_together(pathlib.Path(name))
            vm.run()
            with step("boot"):
                vm.wait()
            with step("copy GDB"):
                self.copy_into(vm, name)
            with step("an exception is caught"):
                self.assertEqual(vm.ssh("debug/program"), "caught 105")
            with step("breakpoints and steps"):
                output = self.gdb(vm, "break add", "run", "print n", "continue", "print n", "finish", "delete", "stepi 50",
                                  "continue")
                self.assertIn("$1 = 1\n", output)
                self.assertIn("$2 = 2\n", output)
                self.assertIn("Value returned is $3 = 9", output)
                self.assertIn("caught 105", output)
            with step("watchpoints and breakpoints of the processor"):
                output = self.gdb(vm, "break main", "run", "hbreak add", "watch other", "rwatch counter", "continue",
                                  "continue", "continue", "continue", "delete", "continue")
                self.assertIn("Breakpoint 2, add", output)
                self.assertIn("Hardware watchpoint 3: other\n\nOld value = 0\nNew value = 3", output)
                self.assertIn("Hardware read watchpoint 4: counter\n\nValue = 0", output)
                self.assertIn("caught 105", output)


if __name__ == "__main__":
    end_on_sigterm()
    unittest.main()
