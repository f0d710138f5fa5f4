"""Machines of a cloud as network namespaces on one wire: each may have a member of an etcd cluster, a cloud manager and a host,
all real programs, that are killed and started one by one. For root; everything ends with the namespace of processes that
`alone()` makes.
"""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

from cloud import BUILD, REGION, ROOT, Failure, wait_until

sys.path.insert(0, str(ROOT / "tests" / "e2e"))
from tiny_image import make_tiny_image  # noqa: E402

PROGRAMS = BUILD / "apps"
SKIPPED = 77
API_PORT, HOST_PORT, ETCD_PORT, PEER_PORT, TUNNEL_PORT = 8773, 8774, 2379, 2380, 4789
START_PATIENCE_S = 240
IMAGE = "tiny"


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


def alone():
    """Runs this program again in namespaces of its own, where it is the first process; returns there only."""
    if os.getpid() == 1:
        ip("link", "set", "lo", "up")
        return
    if os.geteuid() != 0 or subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "true"],
                                           capture_output=True, check=False).returncode != 0:
        print("skipped: no namespaces can be made here")
        sys.exit(SKIPPED)
    words = ["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child", sys.executable, "-B",
             *sys.argv]
    os.execvp(words[0], words)


class Program:
    """A process of a machine that is killed and started again with the same words."""

    def __init__(self, machine, name, words, environment=None):
        self.machine, self.name, self.words = machine, name, [str(word) for word in words]
        self.environment = os.environ | (environment or {})
        self.process = None

    def start(self):
        with open(self.machine.folder / f"{self.name}.log", "ab") as log:
            self.process = subprocess.Popen(["ip", "netns", "exec", self.machine.name, *self.words], env=self.environment,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def kill(self):
        self.check()
        self.process.kill()
        self.process.wait()

    def check(self):
        """That it runs: nobody but the test ends it, so one that has ended by itself has crashed or given up."""
        if not self.runs():
            status = self.process.returncode if self.process else "no start"
            raise Failure(f"{self.name} of {self.machine.name} had ended by itself before, with {status}")

    def runs(self):
        return self.process is not None and self.process.poll() is None


class Machine:
    def __init__(self, folder, number):
        self.name = f"m{number}"
        self.address = f"10.90.0.{number}"
        self.folder = folder / self.name
        self.folder.mkdir()
        self.programs = {}
        ip("netns", "add", self.name)
        ip("link", "add", self.name, "type", "veth", "peer", "name", "wire", "netns", self.name)
        ip("link", "set", self.name, "master", "wires", "up")
        ip("-n", self.name, "link", "set", "lo", "up")
        ip("-n", self.name, "addr", "add", f"{self.address}/24", "dev", "wire")
        ip("-n", self.name, "link", "set", "wire", "up")

    def add(self, name, words, environment=None):
        self.programs[name] = Program(self, name, words, environment)

    # ---- the host

    @property
    def instances(self):
        return self.folder / "home/cloud/host/instances"

    def volumes(self):
        """Folders of disks, of instances and others."""
        return sorted(each.name for each in (self.folder / "home/cloud/host/volumes").glob("*"))

    def processes(self, program):
        """Ids of those that run PROGRAM for this machine's host."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            try:
                command = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
            except OSError:
                continue
            if program.encode() in command.split(b"\0")[0] and str(self.folder).encode() in command:
                found.append(int(entry.name))
        return found

    def lose_power(self):
        """All of the host at once: its daemon, its switch, its VMs."""
        self.programs["host"].kill()
        for program in ("pileus-switchd", "pileus-vmm"):
            for pid in self.processes(program):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def last_words(self):
        for log in sorted(self.folder.glob("*.log")):
            print(f"---- {self.name} {log.name}\n" + log.read_text(errors="replace")[-2500:], flush=True)


class Cloud:
    """`machines` machines, each with an etcd member and a host, and cloud managers on the first `managers` of them."""

    def __init__(self, folder, machines=3, managers=2):
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run/netns"], check=False, capture_output=True)
        pathlib.Path("/run/netns").mkdir(exist_ok=True)
        ip("link", "add", "wires", "type", "bridge")
        ip("addr", "add", "10.90.0.100/24", "dev", "wires")
        ip("link", "set", "wires", "up")
        make_tiny_image(folder / "images", IMAGE)
        self.machines = [Machine(folder, number) for number in range(1, machines + 1)]
        self.managers = self.machines[:managers]
        for machine in self.machines:
            home = machine.folder / "home"
            home.mkdir()
            (home / "images").symlink_to(folder / "images")
            self._add_etcd(machine)
        for machine in self.managers:
            self._add_manager(machine)

    def _add_etcd(self, machine):
        peers = ",".join(f"{each.name}=http://{each.address}:{PEER_PORT}" for each in self.machines)
        own, peer = f"http://{machine.address}:{ETCD_PORT}", f"http://{machine.address}:{PEER_PORT}"
        machine.add("etcd", ["etcd", "--name", machine.name, "--data-dir", machine.folder / "etcd",
                             "--listen-client-urls", own, "--advertise-client-urls", own, "--listen-peer-urls", peer,
                             "--initial-advertise-peer-urls", peer, "--initial-cluster", peers, "--log-level", "error",
                             "--unsafe-no-fsync"])

    def _add_manager(self, machine):
        state = "etcd://" + ",".join(f"{each.address}:{ETCD_PORT}" for each in self.machines)
        machine.add("manager", [PROGRAMS / "pileus-cloudd", "--data", machine.folder / "home/cloud/manager", "--state",
                                state, "--address", machine.address, "--region", REGION],
                    {"PILEUS_HOME": str(machine.folder / "home")})

    def _add_host(self, machine):
        urls = ",".join(f"https://{each.address}:{HOST_PORT}" for each in self.managers)
        token = (self.managers[0].folder / "home/cloud/manager/join-token").read_text().split()[0]
        machine.add("host", [PROGRAMS / "pileus-hostd", "--data", machine.folder / "home/cloud/host", "--cloud", urls,
                             "--token", token, "--name", machine.name, "--tunnel", f"{machine.address}:{TUNNEL_PORT}"],
                    {"PILEUS_HOME": str(machine.folder / "home")})

    def start(self):
        for machine in self.machines:
            machine.programs["etcd"].start()
        for machine in self.managers:
            machine.programs["manager"].start()
        for machine in self.managers:
            wait_until(lambda where=machine: self.answers(where), f"the manager of {machine.name} answers", START_PATIENCE_S)
        for machine in self.machines:
            self._add_host(machine)
            machine.programs["host"].start()
            wait_until((machine.folder / "home/cloud/host/joined").exists, f"{machine.name} joins", START_PATIENCE_S)

    def answers(self, machine):
        try:
            with socket.create_connection((machine.address, API_PORT), 1):
                return (machine.folder / "home/cloud/manager/client.json").exists()
        except OSError:
            return False

    def client(self, machine, access_key=None, secret_key=None):
        import boto3
        from botocore.config import Config
        settings = json.loads((machine.folder / "home/cloud/manager/client.json").read_text())
        session = boto3.session.Session(access_key or settings["access_key"], secret_key or settings["secret_key"],
                                        region_name=REGION)
        return session.client("ec2", endpoint_url=f"http://{machine.address}:{API_PORT}",
                              config=Config(retries={"total_max_attempts": 1}, read_timeout=15, connect_timeout=2))

    def hosts(self):
        """As administrators see them."""
        home = {"PILEUS_HOME": str(self.managers[0].folder / "home")}
        done = subprocess.run([PROGRAMS / "pileus", "host", "ls", "--json"], env=os.environ | home, check=False,
                              capture_output=True, text=True)
        return json.loads(done.stdout) if done.returncode == 0 else []

    def check(self):
        """That no program has ended by itself; for when all that the test has killed were started again."""
        for machine in self.machines:
            for program in machine.programs.values():
                program.check()

    def last_words(self):
        for machine in self.machines:
            machine.last_words()


