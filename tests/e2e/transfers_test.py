#!/usr/bin/env python3
"""An image of the library goes out as a file and comes in again, by way of qcow2, and boots; small and bad disks come in as they
should; nothing is left over."""

import json
import pathlib
import subprocess
import tempfile

from harness import BOOT_PATIENCE_S, IMAGE, Failure, end_on_sigterm, step, wait_until
from one_cloud import STATE_PATIENCE_S, Cloud

TRANSFER_PATIENCE_S = 600


def refused(cloud, *words):
    """What is said of an import that fails."""
    try:
        cloud("image", "import", *words)
    except Failure as failure:
        return str(failure)
    raise Failure(f"{words} was taken")


def check_reason(said, reason):
    if reason not in said:
        raise Failure(f"not the reason '{reason}': {said}")


def qemu_img(*words):
    subprocess.run(["qemu-img", *words], check=True, stdout=subprocess.DEVNULL)


def main():
    with tempfile.TemporaryDirectory(prefix="pileus-transfers-test-") as top:
        folder = pathlib.Path(top)
        with Cloud(folder / "home") as cloud:
            cloud("up", "--detach", "--port", "0")
            with step("a small raw disk becomes an image"):
                small = folder / "small.raw"
                small.write_bytes(b"x" * 4096 + bytes(2 << 20))
                image = cloud("image", "import", small, "--name", "small").strip()
                shown = json.loads(cloud("image", "show", image, "--json"))
                if (shown["state"], shown["name"]) != ("available", "small"):
                    raise Failure(f"the image is {shown}")
            with step("its name is taken, and what is no disk is refused with the reason"):
                check_reason(refused(cloud, small, "--name", "small"), "already in use")
                bad = folder / "page.html"
                bad.write_text("<html>")
                check_reason(refused(cloud, bad, "--name", "bad"), "this is no disk")
                check_reason(refused(cloud, small, "--name", "bad", "--format", "qcow2"), "no qcow2")
            with step("a disk that names a file of the host is refused"):
                thief = folder / "thief.qcow2"
                qemu_img("create", "-u", "-f", "qcow2", "-b", "/etc/passwd", "-F", "raw", thief, "1M")
                check_reason(refused(cloud, thief, "--name", "bad"), "lies on a backing file")
            with step("an image of the library goes out as VMDK"):
                out = folder / "out.vmdk"
                cloud("image", "export", IMAGE, out, patience_s=TRANSFER_PATIENCE_S)
            with step("and comes in again, by way of qcow2"):
                again = folder / "again.qcow2"
                qemu_img("convert", "-O", "qcow2", out, again)
                cloud("image", "import", again, "--name", "again", patience_s=TRANSFER_PATIENCE_S)
            with step("an instance of it boots"):
                cloud("run", "again", "--name", "web", patience_s=BOOT_PATIENCE_S)
                if cloud.ssh("web", "uname -s") != "Linux":
                    raise Failure("it is no Linux")
                cloud("rm", "web")
            with step("nothing is left of the transfers"):
                def left():
                    transfers = list((cloud.folder / "host" / "transfers").iterdir())
                    return transfers + [each for each in (cloud.folder / "host" / "buckets").glob("**/*") if each.is_file()]
                # The host removes its part when it hears that the task is over.
                wait_until(lambda: not left(), lambda: f"nothing is left over: {left()}", STATE_PATIENCE_S)
            cloud("down")


if __name__ == "__main__":
    end_on_sigterm()
    main()
