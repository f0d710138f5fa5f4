#!/usr/bin/env python3
"""An image of the library goes out as a file and comes in again, by way of qcow2, and boots; small and bad disks come in as they
should; nothing is left over."""

import json
import pathlib
import subprocess
import tempfile

from harness import BOOT_PATIENCE_S, IMAGE, Failure, end_on_sigterm, step
from one_cloud import Cloud

TRANSFER_PATIENCE_S = 600


def refused(cloud, *words):
    """What is said of an import that fails."""
    try:
        cloud("image", "import", *words)
    except Failure as failure:
        return str(failure)
    raise Failure(f"{words} was taken")


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
                if "already in use" not in refused(cloud, small, "--name", "small"):
                    raise Failure("two images have one name")
                bad = folder / "page.html"
                bad.write_text("<html>")
                if "this is no disk" not in refused(cloud, bad, "--name", "bad"):
                    raise Failure("not the reason")
                if "no qcow2" not in refused(cloud, small, "--name", "bad", "--format", "qcow2"):
                    raise Failure("not the reason")
            with step("a disk that names a file of the host is refused"):
                thief = folder / "thief.qcow2"
                qemu_img("create", "-u", "-f", "qcow2", "-b", "/etc/passwd", "-F", "raw", thief, "1M")
                if "lies on a backing file" not in refused(cloud, thief, "--name", "bad"):
                    raise Failure("not the reason")
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
                left = list((cloud.folder / "host" / "transfers").iterdir())
                left += [each for each in (cloud.folder / "host" / "buckets").glob("**/*") if each.is_file()]
                if left:
                    raise Failure(f"left over: {left}")
            cloud("down")


if __name__ == "__main__":
    end_on_sigterm()
    main()
