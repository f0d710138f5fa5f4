#!/usr/bin/env python3
"""Two hosts, each in a network namespace: a volume goes from an instance of one to an instance of the other and back, and an
image of an instance is launched where none of its layers are; so is one of the library that only the other has. The guests are kernels that only sleep: what is in volumes
is not looked at here but by what carries it, which is held against its hash."""

import contextlib
import itertools
import json
import os
import signal
import subprocess

from harness import Failure, end_on_sigterm, pileus, step, wait_until
from one_cloud import STATE_PATIENCE_S, Cloud
from tiny_image import make_tiny_image
from two_hosts import FIRST, TwoHosts

IMAGE = "tiny"
LONELY = "lonely"


class Host(Cloud):
    """One whose library has the small image only, in a copy of its own of the same image."""

    def __init__(self, folder, inside):
        super().__init__(folder, inside)
        images = folder.parent / "images"
        if not images.exists():
            make_tiny_image(images, IMAGE)
        (self.home / "images").unlink()
        subprocess.run(["cp", "-a", images, self.home / "images"], check=True)

    def layers(self):
        return {path.name for path in (self.folder / "host/layers").glob("*.manifest")}

    def has(self, volume):
        return (self.folder / "host/volumes" / volume).exists()


def run_on(both, host, image, name):
    """An instance that is placed on this host."""
    cloud = both.cloud
    others = [each["id"] for each in both.hosts().values() if each["id"] != host]
    for each in others:
        cloud("host", "maintenance", each)
    cloud("run", image, "--name", name, "--no-wait")
    cloud.wait_for(name, "running")
    for each in others:
        cloud("host", "active", each)


def attach(cloud, volume, instance):
    cloud("volume", "attach", volume, instance)
    seen = json.loads(cloud("volume", "show", volume, "--json"))
    if (seen["instance"], seen["attachment"]) != (cloud.show(instance)["id"], "attached"):
        raise Failure(f"{volume} is not attached to {instance}: {seen}")


def check_lonely_image(both, first, second):
    """An image that no host has; then one has it, and at last gives it to the other."""
    cloud = both.cloud
    for pid in cloud.daemon("host", "pileus-hostd"):
        os.kill(pid, signal.SIGKILL)
    make_tiny_image(cloud.home / "images", LONELY)
    refusals = []

    def is_refused():
        done = pileus("run", LONELY, "--no-wait", home=cloud.home, check=False, inside=cloud.inside)
        refusals.append(done.stderr)
        return done.returncode != 0 and f"no host has the image '{LONELY}'" in done.stderr
    wait_until(is_refused, lambda: f"it is published, and nobody has it; the last words: {refusals[-1:]}", STATE_PATIENCE_S)
    cloud("up", "--detach", "--hosts-at", FIRST)
    names = itertools.count()

    def runs_on(host):
        name = f"lonely-{next(names)}"
        if pileus("run", LONELY, "--name", name, "--no-wait", home=cloud.home, check=False,
                  inside=cloud.inside).returncode != 0:
            return None  # the host has not told of it yet
        wait_until(lambda: cloud.show(name)["state"] in ("running", "terminated"), f"{name} gets on", STATE_PATIENCE_S)
        return name if cloud("explain", name).splitlines()[0].endswith(f"is on {host}") else None
    near = wait_until(lambda: runs_on(first), "it runs where it is", STATE_PATIENCE_S)
    cloud("host", "maintenance", first)
    far = wait_until(lambda: runs_on(second), "it runs on the other host", STATE_PATIENCE_S)
    cloud("host", "active", first)
    why = cloud("explain", far)
    if "it lacks the image, and gets it from another host" not in why:
        raise Failure(f"no word of how it got its image: {why}")
    cloud("rm", near, far)


def main():
    with contextlib.ExitStack() as stack:
        both = TwoHosts(stack, Host)
        cloud, other = both.cloud, both.other
        with step("a cloud of two hosts, an instance on each"):
            first, second = both.start()
            run_on(both, first, IMAGE, "a")
            run_on(both, second, IMAGE, "b")
        with step("an image of one, launched on the other"):
            cloud("image", "create", "golden", "a", "--no-reboot")
            before = other.layers()
            run_on(both, second, "golden", "copy")
            if other.layers() <= before:
                raise Failure(f"it was made of nothing new: {before}, {other.layers()}")
        with step("an image that no host has, then one"):
            check_lonely_image(both, first, second)
        with step("a volume goes there and back"):
            volume = cloud("volume", "create", "data", "--size", "1").strip()
            attach(cloud, "data", "a")
            if not cloud.has(volume) or other.has(volume):
                raise Failure(f"it is not where its instance is: here {cloud.has(volume)}, there {other.has(volume)}")
            cloud("rm", "a")  # its guest does not let go of a volume by itself
            attach(cloud, "data", "b")
            wait_until(lambda: other.has(volume) and not cloud.has(volume), "it has moved", STATE_PATIENCE_S)
            cloud("rm", "b", "copy")
            run_on(both, first, IMAGE, "c")
            attach(cloud, "data", "c")
            wait_until(lambda: cloud.has(volume) and not other.has(volume), "it has moved back", STATE_PATIENCE_S)
        with step("down"):
            cloud("rm", "c")
            cloud("down")
            other("down")


if __name__ == "__main__":
    end_on_sigterm()
    main()
