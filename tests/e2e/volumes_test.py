#!/usr/bin/env python3
"""Volumes of the cloud: one comes to an instance that runs, is written and kept as a snapshot, goes and comes back; another
begins as the snapshot; a clone of the instance has all of its disks; an image of the instance is launched with all that was on its disk; and nothing is left over."""

import json
import tempfile

from harness import BOOT_PATIENCE_S, IMAGE, Failure, end_on_sigterm, step, wait_until
from one_cloud import STATE_PATIENCE_S, Cloud

BY_ID = "/dev/disk/by-id/virtio-"
COMPARE = "openssl dgst -sha256 -r /mnt/random | cmp - /mnt/sum"


def expect(what, seen, wanted):
    if seen != wanted:
        raise Failure(f"{what}: {seen!r}, not {wanted!r}")


def show(cloud, volume):
    return json.loads(cloud("volume", "show", volume, "--json"))


def device(cloud, volume):
    """What the guest calls it, by the serial number that EC2 gives a volume, too."""
    return BY_ID + show(cloud, volume)["id"].replace("-", "")


def appears(cloud, instance, disk):
    wait_until(lambda: cloud.ssh(instance, f"test -b {disk} && echo there || true") == "there",
               f"{instance} has {disk}", STATE_PATIENCE_S)


def attach_and_write(cloud):
    cloud("volume", "create", "data", "--size", "1")
    cloud("volume", "attach", "data", "web")
    disk = device(cloud, "data")
    appears(cloud, "web", disk)
    cloud.ssh("web", f"sudo mkfs.ext4 -q {disk} && sudo mount {disk} /mnt && sudo chown debian /mnt")
    cloud.ssh("web", "openssl rand 20000000 > /mnt/random && openssl dgst -sha256 -r /mnt/random > /mnt/sum"
                     " && echo before > /mnt/when && sync")
    seen = show(cloud, "data")
    expect("its attachment", (seen["state"], seen["attachment"], seen["device"]), ("in-use", "attached", "/dev/sdf"))


def snapshot(cloud):
    cloud("snapshot", "create", "data", "--name", "kept")
    cloud.ssh("web", "echo after > /mnt/when && sync")
    cloud("volume", "create", "again", "--from", "kept")
    cloud("volume", "attach", "again", "web")
    disk = device(cloud, "again")
    appears(cloud, "web", disk)
    script = f"sudo mkdir -p /again && sudo mount -o ro,noload {disk} /again && cat /again/when"
    expect("what the snapshot has", cloud.ssh("web", script), "before")
    cloud.ssh("web", "openssl dgst -sha256 -r /again/random | cut -d' ' -f1 | cmp -n 64 - /mnt/sum && sudo umount /again")


def grow(cloud):
    cloud("volume", "resize", "data", "2")
    disk = device(cloud, "data")
    wait_until(lambda: cloud.ssh("web", f"sudo blockdev --getsize64 {disk}") == str(2 << 30), "it has grown",
               STATE_PATIENCE_S)
    cloud.ssh("web", f"sudo resize2fs {disk}")


def detach_and_attach(cloud):
    disk = device(cloud, "data")
    cloud.ssh("web", "sudo umount /mnt")
    cloud("volume", "detach", "data")
    # The disk is gone; udev may take its time to remove the name.
    wait_until(lambda: cloud.ssh("web", f"ls {disk} 2>/dev/null || echo gone") == "gone", "the name is gone", STATE_PATIENCE_S)
    cloud("volume", "attach", "data", "web")
    appears(cloud, "web", disk)
    cloud.ssh("web", f"sudo mount {disk} /mnt && {COMPARE}")
    expect("what it has", cloud.ssh("web", "cat /mnt/when"), "after")


def stop_and_start(cloud):
    """The volumes stay, and one that comes while it is stopped is there at the next boot."""
    cloud("volume", "detach", "again")
    cloud("stop", "web")
    cloud("volume", "attach", "again", "web")
    cloud("start", "web")
    cloud.wait_for_ssh("web")
    for name in ("data", "again"):
        appears(cloud, "web", device(cloud, name))
    cloud.ssh("web", f"sudo mount {device(cloud, 'data')} /mnt && {COMPARE} && sudo umount /mnt")


def identity(cloud, name):
    """What a guest has for itself: its boot, its SSH host key, its id."""
    return [cloud.ssh(name, script) for script in (
        "cat /proc/sys/kernel/random/boot_id", "cat /etc/ssh/ssh_host_ed25519_key.pub",
        "cat /var/lib/cloud/data/instance-id")]


def clone(cloud):
    """Of the running instance with its volumes: its disks at one moment, and an identity of its own."""
    disk = device(cloud, "data")
    cloud.ssh("web", f"sudo mount {disk} /mnt && echo both > /mnt/marker && echo both > marker && sync")
    before = identity(cloud, "web")
    snapshots = cloud("snapshot", "ls", "--quiet")
    made = json.loads(cloud("clone", "web", "--name", "twin", "--json", patience_s=2 * BOOT_PATIENCE_S))
    expect("the clones", [each["name"] for each in made], ["twin"])
    expect("the source", identity(cloud, "web"), before)
    cloud.ssh("web", "echo source > /mnt/marker && echo source > marker && sync && sudo umount /mnt")
    cloud.wait_for_ssh("twin")
    # Its sshd, which has all that it needs on its disk, may be there before cloud-init is, and has no host key while it gets
    # one of its own.
    cloud.wait_for_answer("twin", "cat /var/lib/cloud/data/instance-id", made[0]["id"])
    cloud.wait_for_answer("twin", "hostname", "ip-" + cloud.show("twin")["private_address"].replace(".", "-"))
    cloud.wait_for_answer("twin", "cloud-init status --wait > /dev/null; echo configured", "configured")
    twin = identity(cloud, "twin")
    if set(twin) & set(before) or twin[2] != made[0]["id"]:
        raise Failure(f"the clone is not itself: {twin}, and {before}")
    copies = [each for each in json.loads(cloud("volume", "ls", "--json")) if each["instance"] == made[0]["id"]]
    copy = next(each for each in copies if each["device"] == "/dev/sdf")
    cloud.ssh("twin", f"sudo mount {BY_ID}{copy['id'].replace('-', '')} /mnt && {COMPARE}")
    expect("what it has", cloud.ssh("twin", "cat marker /mnt/marker"), "both\nboth")
    expect("snapshots", cloud("snapshot", "ls", "--quiet"), snapshots)
    cloud("rm", "twin")
    wait_until(lambda: not any(each["id"] == copy["id"] for each in json.loads(cloud("volume", "ls", "--json"))),
               "its volumes have gone with it", STATE_PATIENCE_S)


def launch_image(cloud):
    for name in ("data", "again"):
        cloud("volume", "detach", name)
    cloud.ssh("web", "echo once upon a time > tale && sync")
    image = cloud("image", "create", "golden", "web", patience_s=BOOT_PATIENCE_S).strip()
    cloud.wait_for_ssh("web")  # it was rebooted for that
    cloud("run", "golden", "--name", "copy", patience_s=BOOT_PATIENCE_S)
    cloud.wait_for_answer("copy", "cat tale", "once upon a time")
    # Its sshd, which has all that it needs on its disk, may be there before cloud-init is.
    cloud.wait_for_answer("copy", "hostname", "ip-" + cloud.show("copy")["private_address"].replace(".", "-"))
    return image


def remove_all(cloud, image):
    cloud("rm", "web", "copy")
    cloud("image", "rm", image)
    for id_ in cloud("snapshot", "ls", "--quiet").split():
        cloud("snapshot", "rm", id_)
    cloud("volume", "rm", "data", "again")
    host = cloud.folder / "host"

    def left():
        return [entry for name in ("instances", "volumes", "snapshots") for entry in (host / name).iterdir()]

    wait_until(lambda: not left() and not cloud.vmms(), lambda: f"nothing is left over: {left()}, {cloud.vmms()}",
               STATE_PATIENCE_S)
    # A volume's record goes after the host has told that it is deleted.
    listed = lambda: json.loads(cloud("volume", "ls", "--json"))  # noqa: E731
    wait_until(lambda: not listed(), lambda: f"no volume is listed: {listed()}", STATE_PATIENCE_S)


def main():
    with tempfile.TemporaryDirectory(prefix="pileus-volumes-test-") as folder, Cloud(folder) as cloud:
        with step("up, and an instance"):
            cloud("up", "--detach", "--port", "0")
            cloud("run", IMAGE, "--name", "web", patience_s=BOOT_PATIENCE_S)
            cloud.wait_for_ssh("web")
        with step("a volume: attached, made a file system, written"):
            attach_and_write(cloud)
        with step("a snapshot, and a volume that begins as it"):
            snapshot(cloud)
        with step("grow"):
            grow(cloud)
        with step("detach, attach again, read"):
            detach_and_attach(cloud)
        with step("stop, start"):
            stop_and_start(cloud)
        with step("a clone while it runs"):
            clone(cloud)
        with step("an image of the instance, launched"):
            image = launch_image(cloud)
        with step("rm: nothing is left over"):
            remove_all(cloud, image)
        with step("down"):
            cloud("down")


if __name__ == "__main__":
    end_on_sigterm()
    main()
