#!/usr/bin/env python3
"""Two hosts, each in a network namespace: join, instances that meet through the tunnel, a host daemon that is killed, and an
instance that moves from one to the other."""

import contextlib
import json
import pathlib
import pwd
import subprocess

from harness import BOOT_PATIENCE_S, IMAGE, Failure, end, end_on_sigterm, pileus, say, step, wait_until
from one_cloud import STATE_PATIENCE_S
from two_hosts import SECOND, TwoHosts, in_namespace

PORT = 7000
CLOSED_PORT = 7001  # served, but not let in
SSH_PORT = 2222
DROPBEAR = pathlib.Path("/usr/sbin/dropbear")
BYTES = 20_000_000
# Serves a file of known content, and its own name.
SETUP = f"""#!/bin/sh
mkdir /srv/web && cd /srv/web
hostname > name
yes pileus | head -c {BYTES} > large
systemd-run --working-directory=/srv/web python3 -m http.server {PORT}
systemd-run --working-directory=/srv/web python3 -m http.server {CLOSED_PORT}
"""


def get(cloud, address, path):
    return cloud.ssh("a", f"curl -sf --max-time 60 http://{address}:{PORT}/{path} || true")


def check_tokens(both):
    """A host joins by no token that was revoked, and by one for one host only once."""
    cloud = both.cloud
    made = json.loads(cloud("host", "token", "create", "--once", "--expires", "2h", "--json"))
    cloud("host", "token", "revoke", made["id"])
    refused = both.join("--token", made["token"], check=False)
    if "was revoked" not in refused.stderr or "pileus host token create" not in refused.stderr:
        raise Failure(f"joining by a revoked token: {refused.stdout}{refused.stderr}")
    listed = {token["id"]: token for token in json.loads(cloud("host", "token", "list", "--json"))}
    if (listed[made["id"]]["state"], listed[made["id"]]["uses"]) != ("revoked", 0):
        raise Failure(f"not revoked: {listed}")
    if made["token"].split(".")[1] in cloud("host", "token", "ls", "--json"):
        raise Failure("the list tells the secret")


def check_uses(cloud):
    """Who joined by which token is in the list and in the token's events."""
    used = [token for token in json.loads(cloud("host", "token", "ls", "--json")) if token["uses"] == 1]
    makers = sorted(token["made_by"].split()[0] for token in used)
    if makers != ["cloud", "root"]:  # the cloud manager for its own machine, and `up` for the other
        raise Failure(f"not two tokens that were used once: {used}")
    token = next(token["id"] for token in used if token["made_by"] == "root")
    if "by second" not in [event["why"] for event in json.loads(cloud("events", token, "--json"))]:
        raise Failure(f"no event of the use of {token}")


def at_home(folder):
    """Words before a command that has `folder` for its user's home, where SSH keeps keys."""
    return ("unshare", "--mount", "sh", "-c", f'mount --bind "$0" {pwd.getpwuid(0).pw_dir} && exec "$@"', folder)


def check_jump(both, host_name):
    """`pileus ssh --jump` through a real SSH server on the other host."""
    refused = pileus("ssh", "b", "--", "true", home=both.cloud.home, check=False, inside=both.cloud.inside)
    if refused.returncode == 0 or "--jump" not in refused.stderr:
        raise Failure(f"an instance of another host, without a way to it: {refused.stdout}{refused.stderr}")
    if not DROPBEAR.exists():
        say("there is no dropbear to jump through")
        return
    home = both.folder / "home"
    (home / ".ssh").mkdir(parents=True, mode=0o700)
    home.chmod(0o700)
    run = lambda *words: subprocess.run(list(map(str, words)), check=True, capture_output=True)  # noqa: E731
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", home / ".ssh/id_ed25519")
    (home / ".ssh/id_ed25519.pub").rename(home / ".ssh/authorized_keys")
    (home / ".ssh/config").write_text("StrictHostKeyChecking accept-new\n")
    run("dropbearkey", "-t", "ed25519", "-f", both.folder / "host-key")
    server = subprocess.Popen([*at_home(home), *in_namespace(both.namespaces[1]), DROPBEAR, "-F", "-E", "-s", "-p",
                               f"{SECOND}:{SSH_PORT}", "-r", both.folder / "host-key", "-P", both.folder / "dropbear.pid"],
                              stdin=subprocess.DEVNULL)
    try:
        def through():
            done = pileus("ssh", "b", "--jump", f"root@{SECOND}:{SSH_PORT}", "--", "hostname", home=both.cloud.home,
                          check=False, inside=(*at_home(home), *both.cloud.inside))
            return done.stdout.strip() == host_name
        wait_until(through, "b answers through the other host", STATE_PATIENCE_S)
    finally:
        end(server)


def expect_on(both, instance, host, check=True):
    told = json.loads(both.cloud("explain", instance, "--json"))
    if check and told["host"] != host:
        raise Failure(f"it is not on {host}: {told}")
    return told["host"] == host and not told["target"]


def expect_nothing_left(host):
    """Of instances that have moved away; their volumes go a moment later."""
    folders = [host.folder / "host" / name for name in ("instances", "orphans", "volumes")]
    wait_until(lambda: not any(entry for folder in folders if folder.exists() for entry in folder.iterdir()),
               "nothing of it is left where it was", STATE_PATIENCE_S)


def check_migrations(both, first, second, address):
    """b moves here while it runs, and there and back again while it is stopped, with a volume."""
    cloud, other = both.cloud, both.other
    refused = pileus("migrate", "b", "--to", first, home=cloud.home, check=False, inside=cloud.inside)
    if refused.returncode == 0 or "--reboot" not in refused.stderr:
        raise Failure(f"a running instance, without leave to shut it down: {refused.stdout}{refused.stderr}")
    wanted = f"yes pileus | head -c {BYTES} | sha256sum"
    cloud("migrate", "b", "--to", first, "--reboot", patience_s=BOOT_PATIENCE_S)
    expect_on(both, "b", first)
    expect_nothing_left(other)
    cloud.wait_for_ssh("b")
    if cloud.ssh("b", "sha256sum < /srv/web/large") != cloud.ssh("b", wanted):
        raise Failure("it lost what it had written")
    if cloud.show("b")["private_address"] != address:
        raise Failure("it has another address")
    volume = cloud("volume", "create", "data", "--size", "1").strip()
    cloud("volume", "attach", "data", "b")
    disk = f"/dev/disk/by-id/virtio-{volume.replace('-', '')}"
    wait_until(lambda: cloud.ssh("b", f"test -b {disk} && echo there || true") == "there", "it has the volume",
               STATE_PATIENCE_S)
    cloud.ssh("b", f"sudo mkfs.ext4 -q {disk} && sudo mount {disk} /mnt && sudo cp /srv/web/large /mnt && sudo umount /mnt")
    cloud("stop", "b")
    cloud("migrate", "b", "--to", second, "--no-wait")
    other.kill_daemons()
    both.join()
    wait_until(lambda: expect_on(both, "b", second, check=False), "it has moved there", STATE_PATIENCE_S)
    done = json.loads(cloud("migrate", "b", "--json"))
    if (done["from"], done["to"], done["arrived"]) != (second, first, True) or cloud.show("b")["state"] != "stopped":
        raise Failure(f"it has not moved back: {done}")
    expect_nothing_left(other)
    cloud("start", "b")
    cloud.wait_for_ssh("b")
    script = f"sudo mount -o ro {disk} /mnt && sha256sum < /mnt/large"
    wait_until(lambda: cloud.ssh("b", f"test -b {disk} && echo there || true") == "there", "it has the volume",
               STATE_PATIENCE_S)
    if cloud.ssh("b", script) != cloud.ssh("b", wanted):
        raise Failure("the volume lost what was written to it")
    cloud.ssh("b", "sudo umount /mnt")


def main():
    with contextlib.ExitStack() as stack:
        both = TwoHosts(stack)
        cloud, other = both.cloud, both.other
        with step("a cloud, and a second host that joins it"):
            token = both.up()
            check_tokens(both)
            first, second = both.start(token)
            if len(both.hosts()) != 2:
                raise Failure(f"not two hosts: {both.hosts()}")
            check_uses(cloud)
        with step("an instance on each"):
            cloud("host", "maintenance", second)
            cloud("run", IMAGE, "--name", "a", patience_s=BOOT_PATIENCE_S)
            cloud("host", "active", second)
            cloud("host", "maintenance", first)
            script = both.folder / "setup.sh"
            script.write_text(SETUP)
            cloud("run", IMAGE, "--name", "b", "--allow", f"{PORT}@172.31.0.0/16", "--user-data", script, "--no-wait")
            cloud.wait_for("b", "running")
            if len(cloud.vmms()) != 1 or len(other.vmms()) != 1:
                raise Failure(f"VMs: {cloud.vmms()} here, {other.vmms()} there")
        with step("they meet through the tunnel"):
            b = cloud.show("b")["private_address"]
            name = "ip-" + b.replace(".", "-")
            wait_until(lambda: get(cloud, b, "name") == name, "b answers a", BOOT_PATIENCE_S)
            wait_until(lambda: get(cloud, f"{name}.internal", "name") == name, "b has a name", STATE_PATIENCE_S)
            wanted = cloud.ssh("a", f"yes pileus | head -c {BYTES} | sha256sum")
            got = cloud.ssh("a", f"curl -s --max-time 200 http://{b}:{PORT}/large | sha256sum")
            if got != wanted:
                raise Failure(f"{BYTES} bytes arrive as {got}, not {wanted}")
        with step("a login through the other host"):
            check_jump(both, name)
        with step("what the rules do not let in stays out, between hosts too"):
            got = cloud.ssh("a", f"curl -s --max-time 4 http://{b}:{CLOSED_PORT}/name; echo $?")
            if got != "28":  # no answer at all, not a refusal
                raise Failure(f"b's groups do not let that port in: {got}")
        with step("kill -9 of the second host's daemons: the instance goes on, and is found again"):
            vmm = other.vmms()
            other.kill_daemons()
            both.join()
            wait_until(lambda: get(cloud, b, "name") == name, "b answers a", STATE_PATIENCE_S)
            found = other.vmms(), cloud.show("b")["state"]
            if found != (vmm, "running"):
                raise Failure(f"it is not the same VM any more: {found}, not {vmm}, running")
        with step("migrations: while it runs, and while it is stopped"):
            cloud("host", "active", first)
            check_migrations(both, first, second, b)
        with step("rm and down: nothing is left over"):
            cloud("rm", "a", "b")
            cloud("volume", "rm", "data")
            other("down")
            cloud("down")
            for host in (cloud, other):
                host.check_nothing_is_left()


if __name__ == "__main__":
    end_on_sigterm()
    main()
