#!/usr/bin/env python3
"""The network of a cloud's instances: addresses, names, access rules, metadata, the world; and a switch that is killed."""

import json
import os
import signal
import tempfile
import time

from harness import BOOT_PATIENCE_S, IMAGE, Failure, end_on_sigterm, step, wait_until
from one_cloud import STATE_PATIENCE_S, Cloud

PORT = 7000
MIB = 1 << 20
SENT_MIB = 24
# Sends what /dev/zero and a counter give, and prints its digest; the other end prints what has arrived.
SERVER = f"""
import hashlib, socket
listener = socket.create_server(("0.0.0.0", {PORT}))
while True:
    peer, _ = listener.accept()
    digest = hashlib.sha256()
    while data := peer.recv(1 << 16):
        digest.update(data)
    open("/tmp/digest", "w").write(digest.hexdigest())
"""
CLIENT = f"""
import hashlib, socket, sys
data = b"".join(i.to_bytes(8, "big") for i in range({SENT_MIB * MIB // 8}))
peer = socket.create_connection((sys.argv[1], {PORT}), 60)
peer.settimeout(120)
peer.sendall(data)
print(hashlib.sha256(data).hexdigest())
"""
METADATA = "http://169.254.169.254/latest"


def reaches(cloud, address, port):
    """Whether web gets a TCP connection with it."""
    script = f"timeout 4 bash -c 'exec 3<>/dev/tcp/{address}/{port}' 2>/dev/null && echo yes || echo no"
    return cloud.ssh("web", script) == "yes"


def put(cloud, name, path, text):
    cloud.ssh(name, f"cat > {path} <<'END'\n{text}\nEND")


def send_all(cloud, address):
    digest = cloud.ssh("web", f"python3 /tmp/client.py {address}")
    wait_until(lambda: cloud.ssh("db", "cat /tmp/digest 2>/dev/null || true") == digest, "all has arrived",
               STATE_PATIENCE_S)
    cloud.ssh("db", "rm /tmp/digest")


def expect(what, is_now, wanted):
    if is_now != wanted:
        raise Failure(f"{what}: {is_now!r}, not {wanted!r}")


def main():
    with tempfile.TemporaryDirectory(prefix="pileus-network-test-") as folder, Cloud(folder) as cloud:
        with step("two instances: web, and db with a group of its own"):
            cloud("up", "--detach", "--port", "0")
            cloud("secgroup", "create", "database", "--description", "the database")
            cloud("secgroup", "allow", "database", "22")
            cloud("run", IMAGE, "--name", "web", patience_s=BOOT_PATIENCE_S)
            cloud("run", IMAGE, "--name", "db", "--secgroup", "database", patience_s=BOOT_PATIENCE_S)
            db = cloud.show("db")["private_address"]
            web = cloud.show("web")["private_address"]
        with step("addresses and names are those that the API shows"):
            for name, address in (("web", web), ("db", db)):
                expect(f"address of {name}", cloud.ssh(name, "hostname -I"), address)
            host = "ip-" + db.replace(".", "-")
            expect("name of db", cloud.ssh("web", f"getent hosts {host}.internal | cut -d' ' -f1"), db)
            expect("a name nobody has", cloud.ssh("web", "getent hosts ip-172-31-255-254.internal || echo none"), "none")
        with step("the metadata service: version 1, version 2, wrong tokens"):
            expect("id", cloud.ssh("web", f"curl -s {METADATA}/meta-data/instance-id"), cloud.show("web")["id"])
            token = f"T=$(curl -s -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' {METADATA}/api/token)"
            header = "-H \"X-aws-ec2-metadata-token: $T\""
            expect("address, with a token", cloud.ssh("db", f"{token}; curl -s {header} {METADATA}/meta-data/local-ipv4"), db)
            status = "curl -s -o /dev/null -w '%{http_code}'"
            expect("a wrong token", cloud.ssh("db", f"{status} -H 'X-aws-ec2-metadata-token: x' {METADATA}/"), "401")
        with step("access rules: closed, open, closed again, without a restart"):
            put(cloud, "db", "/tmp/server.py", SERVER)
            cloud.ssh("db", "nohup python3 /tmp/server.py > /tmp/server.log 2>&1 < /dev/null &")
            put(cloud, "web", "/tmp/client.py", CLIENT)
            if reaches(cloud, db, PORT):
                raise Failure("db's group lets only port 22 in")
            cloud("secgroup", "allow", "database", f"{PORT}@{web}/32")
            wait_until(lambda: reaches(cloud, db, PORT), "web reaches db", STATE_PATIENCE_S)
            cloud.ssh("db", "rm -f /tmp/digest")
            send_all(cloud, db)
            cloud("secgroup", "deny", "database", f"{PORT}@{web}/32")
            wait_until(lambda: not reaches(cloud, db, PORT), "web reaches db no more", STATE_PATIENCE_S)
            cloud("secgroup", "allow", "database", f"{PORT}@{web}/32")
            wait_until(lambda: reaches(cloud, db, PORT), "web reaches db again", STATE_PATIENCE_S)
        with step("nobody takes another's address"):
            spoof = f"timeout 90 python3 -c 'import socket; socket.create_connection((\"{db}\", 22), 5, (\"172.31.77.77\", 0))'"
            cloud.ssh("web", "sudo ip addr add 172.31.77.77/32 dev lo")
            expect("a made-up source", cloud.ssh("web", f"{spoof} 2>/dev/null && echo yes || echo no"), "no")

            def spoofed():
                return [port["spoofed"] for port in json.loads(cloud.switch_stats())["ports"].values()]
            wait_until(lambda: any(spoofed()), lambda: f"it is noticed: {cloud.switch_stats()}", STATE_PATIENCE_S)
        with step("kill -9 of the switch: the host brings it back, and VMs find it"):
            boots = cloud.vmms()
            killed = cloud.daemon("host/switch", "pileus-switchd")
            for pid in killed:
                os.kill(pid, signal.SIGKILL)
            started = time.monotonic()
            wait_until(lambda: cloud.daemon("host/switch", "pileus-switchd") not in ([], killed), "another switch runs",
                       STATE_PATIENCE_S)
            cloud.wait_for_ssh("web")
            print(f"  after {time.monotonic() - started:.1f} s", flush=True)
            cloud.wait_for_ssh("db")  # each finds the switch by itself
            send_all(cloud, db)
            if cloud.vmms() != boots:
                raise Failure(f"VMs were started anew: {cloud.vmms()}, not {boots}")
        with step("rm: no port is left, and the switch ends with the host"):
            cloud("rm", "web", "db")
            wait_until(lambda: not list((cloud.folder / "host/switch/ports").iterdir()), "no port is left", STATE_PATIENCE_S)
            cloud("down")
            cloud.check_nothing_is_left()


if __name__ == "__main__":
    end_on_sigterm()
    main()
