#!/usr/bin/env python3
"""Two hosts, each in a network namespace: a volume goes from an instance of one to an instance of the other and back, and an
image of an instance is launched where none of its layers are. The guests are kernels that only sleep: what is in volumes
is not looked at here but by what carries it, which is held against its hash."""

import contextlib
import json
import pathlib
import subprocess
import sys
import tempfile

from harness import Failure, end_on_sigterm, step, wait_until
from one_cloud import STATE_PATIENCE_S, Cloud
from tiny_image import make_tiny_image
from two_hosts_test import FIRST, SKIPPED, hosts, in_namespace, join, two_namespaces

IMAGE = "tiny"


class Host(Cloud):
    """One whose library has the small image only, in a copy of its own."""

    def __init__(self, folder, inside, images):
        super().__init__(folder, inside)
        (self.home / "images").unlink()
        subprocess.run(["cp", "-a", images, self.home / "images"], check=True)

    def layers(self):
        return {path.name for path in (self.folder / "host/layers").glob("*.manifest")}

    def has(self, volume):
        return (self.folder / "host/volumes" / volume).exists()


def run_on(cloud, host, image, name):
    """An instance that is placed on this host."""
    others = [each["id"] for each in hosts(cloud).values() if each["id"] != host]
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


def main():
    with contextlib.ExitStack() as stack:
        try:
            namespaces = stack.enter_context(two_namespaces())
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"skipped: no network namespaces can be made here: {error}")
            sys.exit(SKIPPED)
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pileus-moves-test-")))
        make_tiny_image(folder / "images", IMAGE)
        cloud = stack.enter_context(Host(folder / "first", in_namespace(namespaces[0]), folder / "images"))
        other = stack.enter_context(Host(folder / "second", in_namespace(namespaces[1]), folder / "images"))
        with step("a cloud of two hosts, an instance on each"):
            cloud("up", "--detach", "--port", "0", "--hosts-at", FIRST)
            token = (cloud.folder / "manager/join-token").read_text().split()[0]
            join(other, cloud, "--token", token, "--name", "second")
            wait_until(lambda: hosts(cloud).get("second", {}).get("state") == "ready", "it is ready", STATE_PATIENCE_S)
            first = next(host["id"] for name, host in hosts(cloud).items() if name != "second")
            second = hosts(cloud)["second"]["id"]
            run_on(cloud, first, IMAGE, "a")
            run_on(cloud, second, IMAGE, "b")
        with step("an image of one, launched on the other"):
            cloud("image", "create", "golden", "a", "--no-reboot")
            before = other.layers()
            run_on(cloud, second, "golden", "copy")
            if other.layers() <= before:
                raise Failure(f"it was made of nothing new: {before}")
        with step("a volume goes there and back"):
            volume = cloud("volume", "create", "data", "--size", "1").strip()
            attach(cloud, "data", "a")
            if not cloud.has(volume):
                raise Failure("it is not where its instance is")
            cloud("rm", "a")  # its guest does not let go of a volume by itself
            attach(cloud, "data", "b")
            wait_until(lambda: other.has(volume) and not cloud.has(volume), "it has moved", STATE_PATIENCE_S)
            cloud("rm", "b", "copy")
            run_on(cloud, first, IMAGE, "c")
            attach(cloud, "data", "c")
            wait_until(lambda: cloud.has(volume) and not other.has(volume), "it has moved back", STATE_PATIENCE_S)
        with step("down"):
            cloud("rm", "c")
            cloud("down")
            other("down")


if __name__ == "__main__":
    end_on_sigterm()
    main()
