"""What the benchmarks share: bars and results, the guests under Pileus and QEMU, and the disk that both boot.

    PILEUS_BENCH_PROGRAMS   the folder with pileus and pileus-vmm (default: build/release/apps)
    PILEUS_BENCH_HOME       the PILEUS_HOME of the benchmarks, which keeps image and disk (default: build/bench-home)
"""

import argparse
import contextlib
import datetime
import json
import math
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[1]
PROGRAMS = pathlib.Path(os.environ.get("PILEUS_BENCH_PROGRAMS") or ROOT / "build" / "release" / "apps")
HOME = pathlib.Path(os.environ.get("PILEUS_BENCH_HOME") or ROOT / "build" / "bench-home")
# Read by harness, which drives the programs for us as it does for the end-to-end tests.
os.environ["PILEUS_E2E_PROGRAMS"] = str(PROGRAMS)
os.environ["PILEUS_E2E_HOME"] = str(HOME)
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import harness  # noqa: E402
from harness import Failure, pileus, say, wait_until  # noqa: E402

QEMU = "qemu-system-x86_64"
MEMORY_MIB = 512
DISK_SIZE = 8 << 30
BOOT_PATIENCE_S = 300
COMMAND_PATIENCE_S = 600
POLL_S = 0.01
LOGIN_PROMPT = b" login: "
BUILD_PATIENCE_S = 1800


class Results:
    """Bars and figures of one benchmark; prints them, and writes them to the file of --json."""

    def __init__(self, name, arguments):
        self.path = arguments.json
        self.lines = []
        self.content = {"benchmark": name, "machine": machine(), "figures": {}, "bars": {}}

    def figure(self, name, value, unit):
        say(f"{name:42} {value:10.3f} {unit}")
        self.content["figures"][name] = {"value": value, "unit": unit}

    def bar(self, name, value, *, at_most=None, at_least=None):
        good = value <= at_most if at_least is None else value >= at_least
        limit = at_most if at_least is None else at_least
        word = "ok" if good else "short"
        self.content["bars"][name] = {"value": value, "at_most": at_most, "at_least": at_least, "result": word}
        self.lines.append(f"bar {name} {value:.3f} {limit:g} {word}")

    def finish(self):
        for line in self.lines:
            say(line)
        if self.path:
            pathlib.Path(self.path).write_text(json.dumps(self.content, indent=2) + "\n")


def machine():
    """Where and when this was measured."""
    text = pathlib.Path("/proc/cpuinfo").read_text()
    model = next((line.split(":")[1].strip() for line in text.splitlines() if line.startswith("model name")), "?")
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return {"processor": model, "processors": os.cpu_count(), "load": os.getloadavg()[0],
            "kernel": os.uname().release, "programs": str(PROGRAMS), "commit": commit.stdout.strip(),
            "time": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")}


def geometric_mean(values):
    return math.exp(statistics.fmean(math.log(value) for value in values))


def main(name, about, body, add_options=None, program=PROGRAMS / "pileus-vmm"):
    """Runs body(arguments, results), which measures `program`. The exit status says whether it could be measured; the
    bars say how it was."""
    parser = argparse.ArgumentParser(prog=f"bench/{name}", description=about)
    parser.add_argument("--json", metavar="FILE", help="write the results to a file, too")
    if add_options:
        add_options(parser)
    arguments = parser.parse_args()
    harness.end_on_sigterm()
    try:
        if not program.exists():
            raise Failure(f"{program} is missing: tools/dev build release")
        results = Results(name, arguments)
        if os.getloadavg()[0] > 0.5:
            say(f"note: the machine is not idle (load {os.getloadavg()[0]:.1f}); figures suffer")
        body(arguments, results)
        results.finish()
    except (Failure, subprocess.SubprocessError, OSError) as error:
        sys.exit(f"bench/{name}: not measured: {error}")


def need(program, package):
    if not shutil.which(program):
        raise Failure(f"{program} is missing: install {package} (tools/deps --extra does)")


def build_image(name=harness.IMAGE):
    """The image, built unless it is there; returns its disk."""
    pileus("image", "build", name, patience_s=BUILD_PATIENCE_S)
    return HOME / "images" / name / "disk.raw"


def copy_sparse(source, target):
    subprocess.run(["cp", "--sparse=always", "--reflink=auto", source, target], check=True)


def wait_for_prompt(console, alive):
    """Returns when the login prompt stands in the file `console`."""
    deadline = time.monotonic() + BOOT_PATIENCE_S
    while True:
        with contextlib.suppress(FileNotFoundError):
            if LOGIN_PROMPT in console.read_bytes():
                return
        if not alive():
            raise Failure(f"the guest ended before the login prompt: {console} holds what it printed")
        if time.monotonic() > deadline:
            raise Failure(f"no login prompt after {BOOT_PATIENCE_S} s: {console} holds what was printed")
        time.sleep(POLL_S)


def run_in_guest(command, script, data=None):
    """Runs a script over SSH, `data` being its standard input; returns its output."""
    done = subprocess.run([*map(str, command), script], input=data or b"", env=harness.environment(HOME),
                          capture_output=True, timeout=COMMAND_PATIENCE_S, check=False)
    if done.returncode != 0:
        raise Failure(f"`{script}` in the guest ended with {done.returncode}: {done.stderr.decode(errors='replace')}")
    return done.stdout.decode(errors="replace").strip()


class PreparedDisk:
    """What both hypervisors boot: one raw disk that has been through its first boot, and its kernel, initrd, command
    line and seed. Made once for an image; no run changes it: each writes into an overlay of its own."""

    def __init__(self, image_name=harness.IMAGE):
        for program, package in ((QEMU, "qemu-system-x86"), ("qemu-img", "qemu-utils"), ("debugfs", "e2fsprogs"),
                                 ("sfdisk", "fdisk"), ("ssh", "openssh-client")):
            need(program, package)
        image = build_image(image_name)
        suffix = "" if image_name == harness.IMAGE else f"-{image_name}"
        self.VM = f"bench{suffix}"
        self.folder = HOME / f"prepared{suffix}"
        self.disk = self.folder / "disk.raw"
        self.kernel = self.folder / "vmlinuz"
        self.initrd = self.folder / "initrd"
        self.seed = HOME / "vms" / self.VM / "seed.iso"
        self.overlay = self.folder / "empty.overlay"
        stamp = self.folder / "made-of"
        wanted = f"{image.stat().st_mtime_ns} 2"  # 2: the VM may keep translations
        if not stamp.exists() or stamp.read_text() != wanted or not self.seed.exists():
            self._make(image)
            stamp.write_text(wanted)

    @property
    def command_line(self):
        return (self.folder / "command-line").read_text()

    def _make(self, image):
        say("preparing the disk: its first boot, under QEMU (once for an image)")
        pileus("vm", "rm", "--force", self.VM, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self._extract(image)
        copy_sparse(image, self.disk)
        os.truncate(self.disk, DISK_SIZE)
        # Makes the VM's folder with seed and empty overlay; it is ended before its kernel has found the disk.
        pileus("vm", "run", self.disk, "--name", self.VM, "--cpus", 1, "--memory", f"{MEMORY_MIB}M", "--kernel",
               self.kernel, "--initrd", self.initrd, "--append", self.command_line, "--detach")
        pileus("vm", "kill", self.VM)
        copy_sparse(HOME / "vms" / self.VM / "disk.overlay", self.overlay)
        with QemuGuest(self, in_place=True) as guest:
            guest.start()
            guest.wait_for_prompt()
            wait_until(guest.answers, "QEMU's guest answers on SSH", BOOT_PATIENCE_S)
            guest.ssh("systemctl is-system-running --wait > /dev/null || true; sudo sync")
            guest.shut_down()

    def _extract(self, image):
        """Kernel, initrd and command line of the image's boot entry."""
        table = json.loads(subprocess.run(["sfdisk", "--json", image], check=True, capture_output=True).stdout)
        disk = table["partitiontable"]
        file_system = f"{image}?offset={disk['partitions'][0]['start'] * disk['sectorsize']}"

        def debugfs(command):
            done = subprocess.run(["debugfs", "-R", command, file_system], check=True, capture_output=True, text=True)
            return done.stdout

        lines = [line.split() for line in debugfs("cat /boot/grub/grub.cfg").splitlines()]
        linux = next(words for words in lines if words[:1] == ["linux"])
        initrd = next(words for words in lines if words[:1] == ["initrd"])
        debugfs(f"dump {linux[1]} {self.kernel}")
        debugfs(f"dump {initrd[1]} {self.initrd}")
        (self.folder / "command-line").write_text(" ".join(linux[2:]))


class PileusGuest:
    """The prepared disk under Pileus' binary translator."""

    label = "pileus"
    keeps_translations = False  # those of the boot before

    def __init__(self, prepared):
        self.prepared = prepared
        self.folder = HOME / "vms" / prepared.VM
        self.console = self.folder / "console.log"
        self.command = [PROGRAMS / "pileus", "vm", "ssh", prepared.VM, "--"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pileus("vm", "kill", self.prepared.VM)

    def start(self):
        """Power on, with a fresh overlay; returns when that was (time.monotonic())."""
        pileus("vm", "kill", self.prepared.VM)
        copy_sparse(self.prepared.overlay, self.folder / "disk.overlay")
        self.console.unlink(missing_ok=True)
        if not self.keeps_translations:
            (self.folder / "translations").unlink(missing_ok=True)
        started = time.monotonic()
        pileus("vm", "start", self.prepared.VM)
        return started

    def wait_for_prompt(self):
        # A program started for each look would take a processor from what is measured.
        process = pathlib.Path(f"/proc/{self.pid()}")
        wait_for_prompt(self.console, process.exists)

    def pid(self):
        return json.loads(pileus("vm", "show", self.prepared.VM, "--json").stdout)["pid"]

    def answers(self):
        return pileus("vm", "wait", self.prepared.VM, "--timeout", 1, check=False).returncode == 0

    def ssh(self, script, data=None):
        return run_in_guest(self.command, script, data)


class WarmPileusGuest(PileusGuest):
    """The same with the translations that the boot before has left."""

    label = "pileus-warm"
    keeps_translations = True


class QemuGuest:
    """The prepared disk under QEMU's TCG, with devices of the same kinds."""

    label = "tcg"

    def __init__(self, prepared, in_place=False, name=""):
        self.prepared = prepared
        self.in_place = in_place  # write to the prepared disk itself: its first boot
        self.name = f"-{name}" if name else ""  # of one among several
        self.extra = []  # further words for QEMU
        self.console = prepared.folder / f"qemu-console{self.name}.log"
        self.process = None
        self.port = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def _disk(self):
        if self.in_place:
            return f"file={self.prepared.disk},format=raw,if=virtio"
        overlay = self.prepared.folder / f"qemu-overlay{self.name}.qcow2"
        overlay.unlink(missing_ok=True)
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", self.prepared.disk, overlay],
                       check=True)
        return f"file={overlay},format=qcow2,if=virtio"

    def start(self):
        """Power on, with a fresh overlay; returns when that was (time.monotonic())."""
        self.__exit__()
        self.port = free_port()
        self.console.unlink(missing_ok=True)
        command = [QEMU, "-accel", "tcg", "-cpu", "max", "-m", str(MEMORY_MIB), "-smp", "1", "-display", "none",
                   "-monitor", "none", "-serial", f"file:{self.console}", "-kernel", self.prepared.kernel,
                   "-initrd", self.prepared.initrd, "-append", self.prepared.command_line, "-drive", self._disk(),
                   "-drive", f"file={self.prepared.seed},format=raw,if=virtio,readonly=on",
                   "-netdev", f"user,id=net0,hostfwd=tcp:127.0.0.1:{self.port}-:22",
                   "-device", "virtio-net-pci,netdev=net0,mac=52:54:00:12:34:56", "-device", "virtio-rng-pci",
                   *self.extra]
        started = time.monotonic()
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                        preexec_fn=harness.die_with_parent)
        return started

    def wait_for_prompt(self):
        wait_for_prompt(self.console, lambda: self.process.poll() is None)

    @property
    def command(self):
        return ["ssh", "-p", str(self.port), "-i", HOME / "keys" / "id_ed25519", "-o", "IdentitiesOnly=yes",
                "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "LogLevel=ERROR",
                "-o", "UserKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=no", "debian@127.0.0.1"]

    def answers(self):
        try:
            return self.ssh("echo yes") == "yes"
        except (Failure, subprocess.TimeoutExpired):
            return False

    def ssh(self, script, data=None):
        return run_in_guest(self.command, script, data)

    def shut_down(self):
        with contextlib.suppress(Failure):  # the connection may end before the command
            self.ssh("sudo systemctl poweroff")
        self.process.wait(BOOT_PATIENCE_S)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
