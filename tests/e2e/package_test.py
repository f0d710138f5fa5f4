"""The Debian package under systemd: a guest installs it, and its services start, do their work inside of what their units
allow, come back after kill -9, an upgrade and a boot, and go without a trace."""

import json
import pathlib
import tarfile
import tempfile
import unittest

from debian_package import NEW, OLD, make_package, needed_beside
from harness import Vm, end_on_sigterm, pileus, say, step, wait_until
from tiny_image import make_tiny_image

CLOUDD, HOSTD = UNITS = ("pileus-cloudd", "pileus-hostd")
STATE = "/var/lib/pileus"
INSTALL_PATIENCE_S = 900
STATE_PATIENCE_S = 240
SEED = "e2e-package-seed"  # also the disk's name in the guest
CAP_NET_BIND_SERVICE = 1 << 10
SECCOMP_FILTER = "2"


class Guest:
    """Questions to the Debian that has the package."""

    def __init__(self, vm):
        self.vm = vm

    def __call__(self, script, patience_s=STATE_PATIENCE_S, check=True):
        """A shell script, run by root."""
        quoted = script.replace("'", "'\\''")
        return self.vm.ssh(f"sudo -n sh -c '{quoted}'", patience_s, check)

    def install(self, *patterns):
        return self(f"DEBIAN_FRONTEND=noninteractive dpkg -i {' '.join(patterns)}", INSTALL_PATIENCE_S)

    def units(self, wanted):
        return self(f"systemctl {wanted} {' '.join(UNITS)}", check=False).split()

    def main_pids(self):
        return {unit: int(self(f"systemctl show -P MainPID {unit}")) for unit in UNITS}

    def pids(self, program):
        return self(f"pgrep -x {program}", check=False).split()

    def status_of(self, pid):
        return dict(line.split(":\t", 1) for line in self(f"cat /proc/{pid}/status").splitlines() if ":\t" in line)

    def as_seen_by(self, pid, script):
        """What the script prints as the user of the services in the file system that process `pid` sees; its errors too."""
        words = f"nsenter --target {pid} --mount setpriv --reuid=pileus --regid=pileus --init-groups"
        return self(f"{words} sh -c \"{script}\" 2>&1", check=False)

    def instance(self, name):
        return json.loads(self(f"pileus show {name} --json"))

    def wait_for_cloud(self):
        wait_until(lambda: "hosts ready    1" in self("pileus status", check=False), "the cloud has its host", STATE_PATIENCE_S)

    def leftovers(self):
        """All that speaks of the package, but for the image's own files, which are named after the project too, and people's."""
        return self(r"""find / -xdev \( -path /seed -o -path /home -o -path /usr/share/initramfs-tools \
                        -o -path /etc/initramfs-tools \) -prune -o -iname '*pileus*' -print""")


def make_seed(folder, packages, status):
    """The packages, what they need beside the guest's own, and an image, as a disk that is one tar archive."""
    make_tiny_image(folder / "images")
    seed = folder / f"{SEED}.raw"
    seed.write_bytes(needed_beside(packages[0], status).read_bytes())
    with tarfile.open(seed, "a") as tar:
        for package in packages:
            tar.add(package, package.name)
        tar.add(folder / "images/tiny", "tiny")
    return seed


class Package(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="pileus-e2e-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_package(self):
        with Vm("e2e-package", "--memory", "2G", "--disk-size", "12G", "--restrict-network") as vm:
            guest = Guest(vm)
            with step("boot, and make the packages meanwhile"):
                vm.run()
                packages = [make_package(version, self.folder) for version in (OLD, NEW)]
                vm.wait()
            with step("a disk with them"):
                self.give(vm, guest, make_seed(self.folder, packages, guest("cat /var/lib/dpkg/status")))
            try:
                self.live(vm, guest)
            except BaseException:
                say(guest("journalctl --no-pager --lines 60 --unit 'pileus*'", check=False))
                raise

    def live(self, vm, guest):
        with step("install: the services start"):
            self.install(guest)
        with step("an instance, within what the units allow"):
            self.run_instance(guest)
            self.check_confinement(guest)
        with step("kill -9: they are started again, the VM goes on"):
            self.kill(guest)
        with step("upgrade: they are the new ones, the VM goes on"):
            self.upgrade(guest)
        with step("stop and start"):
            self.stop(guest)
        with step("reboot: they start by themselves"):
            self.reboot(vm, guest)
        with step("remove and purge: nothing is left"):
            self.remove(guest)

    def give(self, vm, guest, seed):
        pileus("vm", "disk", "attach", vm.name, seed, "--read-only")
        device = f"/dev/disk/by-id/virtio-{SEED}"
        wait_until(lambda: guest(f"test -b {device} && echo there", check=False), "the disk is there", STATE_PATIENCE_S)
        guest(f"mkdir /seed && tar --no-same-owner -C /seed -xf {device}")

    def install(self, guest):
        guest.install("/seed/debs/*.deb", f"/seed/pileus_{OLD}_amd64.deb")
        self.assertEqual(guest.units("is-active"), ["active"] * 2)
        self.assertEqual(guest.units("is-enabled"), ["enabled"] * 2)
        guest.wait_for_cloud()
        self.assertEqual(guest("curl -sS http://127.0.0.1:8773/healthz"), "ok")
        self.assertIn("MissingAuthenticationToken", guest("curl -sS 'http://127.0.0.1:8773/?Action=DescribeInstances&Version=2016-11-15'"))
        self.assertEqual(guest("pileus ps --json"), "[]")  # signed, with the key that only root and the service may read
        self.assertIn("Permission denied", guest(f"setpriv --reuid=nobody --clear-groups cat {STATE}/cloud/manager/client.json"
                                                 " 2>&1", check=False))
        self.assertIn("`sudo pileus", guest.vm.ssh("pileus ps 2>&1", check=False))
        refused = guest("pileus up --detach 2>&1", check=False)
        self.assertIn("is run by services", refused)

    def run_instance(self, guest):
        guest(f"cp -a --no-preserve=ownership /seed/tiny {STATE}/images/ && chown -R pileus: {STATE}/images/tiny")
        wait_until(lambda: "tiny" in guest("pileus image ls --cloud --json"), "the cloud has the image", STATE_PATIENCE_S)
        guest("pileus run tiny --name one --type t2.nano --no-wait")
        wait_until(lambda: guest.instance("one")["state"] != "pending", "an instance is running, or refused", STATE_PATIENCE_S)
        self.assertEqual(guest.instance("one")["state"], "running", guest("pileus events one"))
        self.vmm = guest.pids("pileus-vmm")
        self.assertEqual(len(self.vmm), 1)

    def check_confinement(self, guest):
        pids = guest.main_pids() | {"pileus-vmm": self.vmm[0], "pileus-switchd": guest.pids("pileus-switchd")[0]}
        status = {name: guest.status_of(pid) for name, pid in pids.items()}
        user = guest("id -u pileus")
        self.assertEqual({each["Uid"] for each in status.values()}, {"\t".join([user] * 4)})
        self.assertEqual({each["NoNewPrivs"] for each in status.values()}, {"1"})
        rights = {name: int(each["CapEff"], 16) for name, each in status.items()}
        self.assertEqual(rights, {CLOUDD: 0, HOSTD: CAP_NET_BIND_SERVICE, "pileus-vmm": 0,
                                  "pileus-switchd": CAP_NET_BIND_SERVICE})
        self.assertEqual(status[CLOUDD]["Seccomp"], SECCOMP_FILTER)
        guest("touch /home/debian/secret && chmod -R a+rX /home/debian && install -m 0777 -d /srv/open")
        for unit in UNITS:
            pid = pids[unit]
            self.assertEqual(guest.as_seen_by(pid, f"touch {STATE}/written && rm {STATE}/written"), "")
            self.assertIn("Read-only file system", guest.as_seen_by(pid, "touch /srv/open/file"))
            self.assertIn("Permission denied", guest.as_seen_by(pid, "ls /home"))
        self.assertIn("No such file", guest.as_seen_by(pids[CLOUDD], "ls /dev/vda"))

    def kill(self, guest):
        before = guest.main_pids()
        guest(f"systemctl kill --signal=KILL --kill-whom=main {' '.join(UNITS)}")
        wait_until(lambda: guest.units("is-active") == ["active"] * 2 and set(guest.main_pids().values()).isdisjoint(before.values()),
                   "both are started again", STATE_PATIENCE_S)
        self.assertEqual([guest(f"systemctl show -P NRestarts {unit}") for unit in UNITS], ["1", "1"])
        guest.wait_for_cloud()
        self.check_same_vm(guest)

    def check_same_vm(self, guest):
        self.assertEqual(guest.pids("pileus-vmm"), self.vmm)
        self.assertEqual(guest.instance("one")["state"], "running")

    def upgrade(self, guest):
        before = guest.main_pids()
        key = guest(f"cat {STATE}/cloud/manager/client.json")
        guest.install(f"/seed/pileus_{NEW}_amd64.deb")
        self.assertEqual(guest("dpkg-query --show --showformat '${Status} ${Version}' pileus"), f"install ok installed {NEW}")
        self.assertEqual(guest.units("is-active"), ["active"] * 2)
        self.assertTrue(set(guest.main_pids().values()).isdisjoint(before.values()), "they were not restarted")
        self.assertEqual(guest(f"cat {STATE}/cloud/manager/client.json"), key)
        guest.wait_for_cloud()
        self.check_same_vm(guest)

    def stop(self, guest):
        guest(f"systemctl stop {' '.join(UNITS)}")
        self.assertEqual(guest.units("is-active"), ["inactive"] * 2)
        self.assertEqual(guest("systemctl list-units --failed --no-legend 'pileus*'"), "")
        self.assertEqual(guest.pids("pileus-vmm"), self.vmm)
        self.assertIn("systemctl start pileus-cloudd", guest("pileus status", check=False))
        guest(f"systemctl start {' '.join(UNITS)}")
        guest.wait_for_cloud()
        self.check_same_vm(guest)

    def reboot(self, vm, guest):
        guest("pileus rm one")
        wait_until(lambda: not guest.pids("pileus-vmm"), "the VM is gone", STATE_PATIENCE_S)
        vm.ssh("sudo systemctl reboot", check=False)
        vm.wait_for_reset(1)
        wait_until(lambda: guest.units("is-active") == ["active"] * 2, "both have started", STATE_PATIENCE_S)
        guest.wait_for_cloud()
        self.assertIn("terminated", guest("pileus ps --all --json"))

    def remove(self, guest):
        guest("dpkg --remove pileus", INSTALL_PATIENCE_S)
        self.assertEqual(guest("pgrep -a pileus", check=False), "")
        self.assertEqual(guest.units("is-active"), ["inactive"] * 2)
        self.assertEqual(guest(f"ls /etc/default | grep pileus; test -e {STATE}/cloud/manager/client.json && echo kept").split(),
                         [*UNITS, "kept"])
        guest("dpkg --purge pileus")
        self.assertEqual(guest.leftovers(), "")
        self.assertEqual(guest("systemctl list-unit-files --no-legend 'pileus*'", check=False), "")


if __name__ == "__main__":
    end_on_sigterm()
    unittest.main()
