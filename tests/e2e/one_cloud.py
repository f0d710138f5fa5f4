"""A cloud of a test's own: its folder, its processes, and calls of the command line."""

import contextlib
import fcntl
import json
import os
import pathlib
import signal
import socket

from harness import BOOT_PATIENCE_S, HOME, Failure, pileus, say, wait_until

STATE_PATIENCE_S = 240
DAEMONS = (("manager", "pileus-cloudd"), ("host", "pileus-hostd"), ("host/switch", "pileus-switchd"))


def is_locked(file):
    with contextlib.suppress(FileNotFoundError), open(file, encoding="utf-8") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


class Cloud:
    """A PILEUS_HOME of its own that shares the images of the tests."""

    def __init__(self, folder, inside=()):
        self.home = pathlib.Path(folder)
        self.home.mkdir(exist_ok=True)
        self.inside = inside  # words before each command, e.g. those that lead into a network namespace
        (self.home / "images").symlink_to(HOME / "images")
        self.folder = self.home / "cloud"

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None:
            for log in self.folder.glob("**/daemon.log"):
                say(f"---- {log}\n" + log.read_text(errors="replace")[-4000:])
        for pid in self.daemons() + self.vmms():
            with contextlib.suppress(ProcessLookupError):  # it ends just now
                os.kill(pid, signal.SIGKILL)

    def __call__(self, *words, check=True, patience_s=STATE_PATIENCE_S):
        return pileus(*words, home=self.home, check=check, patience_s=patience_s, inside=self.inside).stdout

    def daemons(self):
        return [pid for name, program in DAEMONS for pid in self.daemon(name, program)]

    def daemon(self, name, program):
        """Its process id in a list, which is empty when it does not run."""
        try:
            pid = int((self.folder / name / "daemon.lock").read_text())
        except (OSError, ValueError):
            return []
        return [pid] if self.is_running(pid, program) else []

    def kill_daemons(self):
        """kill -9 of all; returns when whoever is started next finds their locks free, which a killed process gives up last."""
        for pid in self.daemons():
            os.kill(pid, signal.SIGKILL)
        locks = [self.folder / name / "daemon.lock" for name, _ in DAEMONS]
        wait_until(lambda: not any(is_locked(lock) for lock in locks), f"the daemons of {self.home} are gone",
                   STATE_PATIENCE_S)

    def is_running(self, pid, program):
        try:
            command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False
        return program.encode() in command and str(self.home).encode() in command

    def vmms(self):
        pids = [int(entry.name) for entry in pathlib.Path("/proc").iterdir() if entry.name.isdigit()]
        return [pid for pid in pids if self.is_running(pid, "pileus-vmm")]

    def leftovers(self):
        """Folders of instances and processes of this cloud: empty lists after `rm` of all instances and `down`."""
        folder = self.folder / "host/instances"
        return {"folders": sorted(path.name for path in folder.iterdir()) if folder.exists() else [],
                "VMMs": self.vmms(), "daemons": self.daemons()}

    def check_nothing_is_left(self):
        left = self.leftovers()
        if any(left.values()):
            raise Failure(f"left over in {self.home}: {left}")

    def show(self, name):
        return json.loads(self("show", name, "--json"))

    def wait_for(self, name, state):
        wait_until(lambda: self.show(name)["state"] == state, lambda: f"{name} is {state}: {self.show(name)}", STATE_PATIENCE_S)

    def ssh(self, name, script):
        return self("ssh", name, "--", script).strip()

    def wait_for_ssh(self, name):
        self.wait_for_answer(name, "echo here", "here")

    def wait_for_answer(self, name, script, wanted):
        """Until the script prints that in the guest, whose SSH server may come and go, or be another's for a moment."""
        done = None

        def answers():
            nonlocal done
            done = pileus("ssh", name, "--", script, home=self.home, check=False, inside=self.inside)
            return done.returncode == 0 and done.stdout.strip() == wanted
        wait_until(answers, lambda: f"`{script}` in {name} prints {wanted!r}; the last words: {done}", BOOT_PATIENCE_S)

    def switch_stats(self):
        """The switch's answer to that question, a line of JSON."""
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(STATE_PATIENCE_S)
            control.connect(str(self.folder / "host/switch/control.sock"))
            control.sendall(b'{"command": "stats"}\n')
            return control.makefile().readline()
