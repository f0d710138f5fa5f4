#!/usr/bin/env python3
"""The Debian package in a Debian of its own (mmdebstrap): installed, started as its units say, upgraded under a running VM,
removed, purged. In namespaces of processes, mounts and network, so nothing of it outlives the test.

systemd itself does not run there: tests/e2e/package_test.py has it.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from debian_package import NEW, OLD, depends, make_package, run  # noqa: E402
from harness import BUILD, Failure, end_on_sigterm, step, wait_until  # noqa: E402
from tiny_image import make_tiny_image  # noqa: E402

SKIPPED = 77
PATIENCE_S = 240
UNITS = ("pileus-cloudd", "pileus-hostd")
NET_BIND_SERVICE = "+net_bind_service"
CAP_NET_BIND_SERVICE = 10


def debian(package):
    """A tarball of a small Debian with what the package depends on; kept in the build folder."""
    wanted = ",".join(depends(package))
    tar = BUILD / f"package-test-{hashlib.sha256(wanted.encode()).hexdigest()[:8]}.tar"
    if not tar.exists():
        part = tar.with_suffix(".part")
        run("mmdebstrap", "--variant=minbase", "--format=tar", f"--include={wanted}", "bookworm", part)
        part.rename(tar)
    return tar


class Unit:
    """A service, started the way its unit says."""

    def __init__(self, name, root):
        self.name, self.root, self.process = name, root, None
        self.setting = {}
        for line in (root / f"usr/lib/systemd/system/{name}.service").read_text().splitlines():
            key, equals, value = line.partition("=")
            if equals:
                self.setting.setdefault(key, value)

    def environment(self):
        name, _, value = self.setting["Environment"].partition("=")
        found = {"PATH": os.environ["PATH"], name: value, "NOTIFY_SOCKET": "/run/notify"}
        for line in (self.root / self.setting["EnvironmentFile"].lstrip("-/")).read_text().splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.partition("=")
                found[name] = value.strip('"')
        return found

    def start(self):
        environment = self.environment()
        words = shlex.split(re.sub(r"\$(\w+)", lambda match: environment.get(match[1], ""), self.setting["ExecStart"]))
        capabilities = NET_BIND_SERVICE if "AmbientCapabilities" in self.setting else "-all"
        user = self.setting["User"]
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready, open(self.root / f"run/{self.name}.log", "ab") as log:
            path = self.root / "run/notify"
            path.unlink(missing_ok=True)
            ready.bind(str(path))
            path.chmod(0o666)
            ready.settimeout(PATIENCE_S)
            self.process = subprocess.Popen(
                ["chroot", self.root, "setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--no-new-privs",
                 f"--inh-caps={capabilities}", f"--ambient-caps={capabilities}", *words],
                env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            wait_until(lambda: self.told_ready(ready), f"{self.name} is ready", PATIENCE_S)

    def told_ready(self, ready):
        if self.process.poll() is not None:
            raise Failure(f"{self.name} ended with {self.process.returncode}:\n" + self.log())
        ready.settimeout(0.1)
        try:
            return b"READY=1" in ready.recv(4096)
        except TimeoutError:
            return False

    def stop(self):
        """As KillMode=process does: the main process alone."""
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(PATIENCE_S) != 0:
            raise Failure(f"{self.name} ended with {self.process.returncode}:\n" + self.log())

    def log(self):
        return (self.root / f"run/{self.name}.log").read_text(errors="replace")[-4000:]


class System:
    def __init__(self, root):
        self.root = root
        self.units = {}

    def __call__(self, *words):
        return run("chroot", self.root, *words, env={"PATH": os.environ["PATH"], "DEBIAN_FRONTEND": "noninteractive"})

    def install(self, package):
        shutil.copy(package, self.root / "package.deb")
        self("dpkg", "-i", "/package.deb")

    def start(self):
        for name in UNITS:
            self.units[name] = Unit(name, self.root)
            self.units[name].start()

    def stop(self):
        for name in reversed(UNITS):
            self.units[name].stop()

    def run_instance(self, name):
        self("pileus", "run", "tiny", "--name", name, "--type", "t2.nano", "--no-wait")
        wait_until(lambda: '"state": "running"' in self("pileus", "show", name, "--json"), f"{name} runs", PATIENCE_S)

    def processes(self, program):
        """Ids of those that run usr/bin/PROGRAM, also where an upgrade has replaced that file."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else [b""]
            except OSError:
                continue
            if words[0] == f"/usr/bin/{program}".encode():
                found.append(int(entry.name))
        return found


def check_files(system):
    listed = system("dpkg", "-L", "pileus").split()
    for path in ("/usr/bin/pileus-vmm", "/usr/share/man/man8/pileus-hostd.8.gz", "/usr/share/doc/pileus/copyright",
                 "/usr/share/bash-completion/completions/pileus", "/usr/share/zsh/vendor-completions/_pileus",
                 "/usr/share/fish/vendor_completions.d/pileus.fish"):
        if path not in listed:
            raise Failure(f"{path} is missing")
    system("bash", "-c", ". /usr/share/bash-completion/completions/pileus && complete -p pileus")
    system("dpkg", "--verify", "pileus")
    system("systemd-analyze", "verify", "--man=no", *(f"/usr/lib/systemd/system/{unit}.service" for unit in UNITS))
    for unit in UNITS:
        if not (system.root / f"etc/systemd/system/multi-user.target.wants/{unit}.service").is_symlink():
            raise Failure(f"{unit} is not enabled")
    if "pileus pileus" not in system("stat", "-c", "%U %G", "/var/lib/pileus"):
        raise Failure("the folder of state is not the user's")
    return [path for path in listed if (system.root / path.lstrip("/")).is_file()]


def remove_with_a_vm(system):
    """Removal asks VMs to shut down and waits for them. The guest here never does: a second signal pulls the plug at once,
    for which removal waits a minute and a half."""
    [vmm] = system.processes("pileus-vmm")
    [state] = (system.root / "var/lib/pileus/cloud/host/instances").glob("i-*/state.json")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        removal = pool.submit(system, "dpkg", "--remove", "pileus")
        wait_until(lambda: json.loads(state.read_text())["phase"] == "stopping", "the VM is asked to shut down", PATIENCE_S)
        os.kill(vmm, signal.SIGTERM)
        removal.result()


def test(system, old, new):
    with step("install"):
        system.install(old)
        files = check_files(system)
    with step("start as the units say, and an instance"):
        make_tiny_image(system.root / "var/lib/pileus/images")
        system("chown", "-R", "pileus:", "/var/lib/pileus/images")
        system.start()
        system.run_instance("one")
        vmm = system.processes("pileus-vmm")
        if len(vmm) != 1 or "pileus" not in system("stat", "-c", "%U", f"/proc/{vmm[0]}"):
            raise Failure(f"not one VMM of the user pileus: {vmm}")
        rights = {program: re.search(r"CapEff:\s*(\w+)", pathlib.Path(f"/proc/{system.processes(program)[0]}/status").read_text())
                  for program in ("pileus-vmm", "pileus-switchd")}
        if int(rights["pileus-vmm"][1], 16) != 0 or int(rights["pileus-switchd"][1], 16) != 1 << CAP_NET_BIND_SERVICE:
            raise Failure(f"the switch may open low ports, a VMM nothing: {rights}")
    with step("upgrade: the VM goes on, settings are kept"):
        settings = system.root / "etc/default/pileus-cloudd"
        settings.write_text(settings.read_text() + "# mine\n")
        system.install(new)
        system.stop()
        system.start()
        if not settings.read_text().endswith("# mine\n"):
            raise Failure("the settings were overwritten")
        if system.processes("pileus-vmm") != vmm:
            raise Failure("it is not the same VM any more")
        system("pileus", "rm", "one")
        wait_until(lambda: not system.processes("pileus-vmm"), "the old VM is ended by the new host", PATIENCE_S)
        system.run_instance("two")
    with step("remove: nothing runs, state and settings stay"):
        system.stop()
        remove_with_a_vm(system)
        left = {name: system.processes(name) for name in ("pileus-vmm", "pileus-switchd", *UNITS)}
        if any(left.values()):
            raise Failure(f"processes go on: {left}")
        kept = [path for path in files if (system.root / path.lstrip("/")).exists()]
        if any(not path.startswith("/etc/default/") for path in kept):
            raise Failure(f"left over: {kept}")
        if not (system.root / "var/lib/pileus/cloud").exists():
            raise Failure("the state is gone")
    with step("purge: nothing is left"):
        system("dpkg", "--purge", "pileus")
        left = [path for path in [*files, "/var/lib/pileus", "/etc/systemd/system/pileus-hostd.service",
                                  "/etc/systemd/system/multi-user.target.wants/pileus-hostd.service"]
                if os.path.lexists(system.root / path.lstrip("/"))]
        if left:
            raise Failure(f"left over: {left}")


def main():
    if os.geteuid() != 0 or not shutil.which("mmdebstrap"):
        print("skipped: needs root and mmdebstrap")
        sys.exit(SKIPPED)
    with tempfile.TemporaryDirectory(prefix="pileus-package-test-") as folder:
        with step("packages, and a Debian to install them in"):
            packages = [make_package(version, pathlib.Path(folder)) for version in (OLD, NEW)]
            root = pathlib.Path(folder) / "root"
            root.mkdir()
            run("tar", "-C", root, "-xf", debian(packages[0]))
        subprocess.run(["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--net", sys.executable,
                        "-B", __file__, root, *packages], check=True)


def inside(root, old, new):
    """In namespaces that end with this process, and all others in them."""
    run("ip", "link", "set", "lo", "up")
    run("mount", "-t", "proc", "proc", root / "proc")
    run("mount", "--rbind", "/dev", root / "dev")
    system = System(root)
    try:
        test(system, old, new)
    except BaseException:
        for unit in system.units.values():
            print(f"---- {unit.name}\n{unit.log()}", flush=True)
        raise


if __name__ == "__main__":
    end_on_sigterm()
    inside(*map(pathlib.Path, sys.argv[1:])) if sys.argv[1:] else main()
