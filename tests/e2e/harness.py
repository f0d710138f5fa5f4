"""What the end-to-end tests share: the programs, a folder for images and VMs, and VMs that do not outlive their test.

    PILEUS_E2E_BUILD      the build folder whose programs are tested; ctest sets it (default: build/dev)
    PILEUS_E2E_PROGRAMS   another folder with pileus and pileus-vmm
    PILEUS_E2E_HOME       the PILEUS_HOME of the tests, which keeps the image (default: e2e-home in the build folder)
"""

import contextlib
import ctypes
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("PILEUS_E2E_BUILD") or ROOT / "build" / "dev")
PROGRAMS = pathlib.Path(os.environ.get("PILEUS_E2E_PROGRAMS") or BUILD / "apps")
HOME = pathlib.Path(os.environ.get("PILEUS_E2E_HOME") or BUILD / "e2e-home")
IMAGE = "debian-12"

COMMAND_PATIENCE_S = 240
BOOT_PATIENCE_S = 600
TAIL_LINES = 40
MAX_OUTPUT = 1 << 20
POLL_S = 0.2
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class Failure(AssertionError):
    """Something did not come out as the test wants it."""


def die_with_parent():
    """A child that the test starts gets SIGTERM when the test is killed before it could clean up."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def say(text):
    print(text, flush=True)


@contextlib.contextmanager
def step(what):
    """Tells what is being done, and afterwards how long it took."""
    started = time.monotonic()
    say(f"  .. {what}")
    yield
    say(f"{time.monotonic() - started:6.1f} s  {what}")


def wait_until(condition, what, patience_s):
    """Polls until `condition` returns something true, and returns it. `what`: a text, or a function that gives it at the end."""
    deadline = time.monotonic() + patience_s
    while True:
        if found := condition():
            return found
        if time.monotonic() >= deadline:
            raise Failure(f"after {patience_s} s still not: {what() if callable(what) else what}")
        time.sleep(POLL_S)


def environment(home):
    return os.environ | {"PILEUS_HOME": str(home)}


def pileus(*words, home=HOME, check=True, patience_s=COMMAND_PATIENCE_S, inside=(), **options):
    """Runs one command to its end; what it printed is in .stdout and .stderr of the result. `inside`: words before it."""
    command = [*inside, str(PROGRAMS / "pileus"), *map(str, words)]
    done = subprocess.run(command, env=environment(home), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors="replace", timeout=patience_s, preexec_fn=die_with_parent, check=False, **options)
    if check and done.returncode != 0:
        raise Failure(f"`pileus {' '.join(map(str, words))}` ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done


def end(process):
    """Ends a process that the test started."""
    if process.poll() is None:
        process.kill()
    process.wait()


def output_of(process):
    return os.pread(process.output.fileno(), MAX_OUTPUT, 0).decode(errors="replace")


class Vm:
    """A VM for the length of a `with` block. When the block fails, the ends of the VM's logs are printed."""

    def __init__(self, name, *options, source=IMAGE, home=HOME):
        self.name = name
        self.options = options
        self.source = source
        self.home = home
        self.folder = home / "vms" / name
        self.processes = []

    def __enter__(self):
        self._remove()  # what an earlier test that was killed has left
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None:
            self.print_logs()
        self._remove()
        for process in self.processes:
            end(process)
            process.output.close()

    def _remove(self):
        pid = self.show().get("pid") if self.folder.exists() else None
        with contextlib.suppress(subprocess.TimeoutExpired):
            pileus("vm", "rm", "--force", self.name, home=self.home, check=False)
        if pid and self.runs(pid):
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: not self.runs(pid), f"the VMM {pid} is gone", COMMAND_PATIENCE_S)
            pileus("vm", "rm", "--force", self.name, home=self.home)

    def runs(self, pid):
        """Whether `pid` is a pileus-vmm of this VM."""
        try:
            words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return str(self.folder).encode() in words

    def print_logs(self):
        for name in ("console.log", "vmm.log", "state.json"):
            try:
                lines = (self.folder / name).read_text(errors="replace").splitlines()[-TAIL_LINES:]
            except OSError as missing:
                lines = [str(missing)]
            say(f"\n---- the end of {name} of {self.name}")
            for line in lines:
                say("  " + "".join(c for c in line if c.isprintable()))
        say("----")

    # ---- life

    def command(self, *words, check=True, patience_s=COMMAND_PATIENCE_S):
        """pileus vm WORD NAME WORDS..."""
        return pileus("vm", words[0], self.name, *words[1:], home=self.home, check=check, patience_s=patience_s)

    def run(self):
        """Starts it in the foreground: the process returned ends with the VM, with an exit status that tells how."""
        command = [PROGRAMS / "pileus", "vm", "run", self.source, "--name", self.name, *self.options]
        process = self.start_process(command)
        wait_until(lambda: process.poll() is not None or self.folder.exists() and self.show().get("phase") == "running",
                   f"{self.name} runs", COMMAND_PATIENCE_S)
        if not self.folder.exists():
            raise Failure(f"{self.name} was not made: {output_of(process)}")
        return process

    def start_process(self, command):
        """A process that ends with the block; output_of() tells what it printed so far."""
        output = tempfile.TemporaryFile()
        process = subprocess.Popen([str(word) for word in command], env=environment(self.home),
                                   stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                                   preexec_fn=die_with_parent)
        process.output = output
        self.processes.append(process)
        return process

    def wait(self, patience_s=BOOT_PATIENCE_S):
        """Waits until it answers on SSH."""
        self.command("wait", "--timeout", patience_s, patience_s=patience_s + 10)

    def wait_for_reset(self, count):
        """Waits until the guest was reset `count` times since the VMM started, and answers on SSH again."""
        wait_until(lambda: self.stats().get("resets") == count, f"reset number {count}", BOOT_PATIENCE_S)
        self.wait()

    def show(self):
        done = self.command("show", "--json", check=False)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def stats(self):
        done = self.command("stats", "--json", check=False)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    # ---- inside the guest

    def ssh(self, script, patience_s=COMMAND_PATIENCE_S, check=True):
        """Runs a shell script in the guest and returns what it printed to its standard output."""
        done = self.command("ssh", "--", script, check=False, patience_s=patience_s)
        if check and done.returncode != 0:
            raise Failure(f"in {self.name}, `{script}` ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout.strip()

    def boot_id(self):
        """Another one after each boot."""
        return self.ssh("cat /proc/sys/kernel/random/boot_id")


def end_on_sigterm():
    """ctest and people end tests by signals: clean up then, too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
