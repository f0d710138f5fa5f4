"""An image whose guest is a kernel of a few bytes: it runs within milliseconds, and sleeps."""

import json
import pathlib
import subprocess
import tempfile

KERNELS = pathlib.Path(__file__).resolve().parent / "kernels"
DISK_BYTES = 8 << 20


def make_tiny_image(images, name="tiny", kernel="idle"):
    """A folder `name` below `images`, as `pileus image build` makes one."""
    folder = pathlib.Path(images) / name
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as root:
        grub = pathlib.Path(root) / "boot/grub"
        grub.mkdir(parents=True)
        (grub / "grub.cfg").write_text("menuentry tiny {\n  linux /boot/vmlinuz-tiny root=/dev/vda\n}\n")
        subprocess.run(["nasm", "-f", "bin", "-o", grub.parent / "vmlinuz-tiny", f"{kernel}.asm"], cwd=KERNELS,
                       check=True)
        with open(folder / "disk.raw", "wb") as disk:
            disk.truncate(DISK_BYTES)
        subprocess.run(["/sbin/mke2fs", "-q", "-t", "ext4", "-d", root, folder / "disk.raw"], check=True)
    (folder / "image.json").write_text(json.dumps({
        "name": name, "description": "a kernel that sleeps", "login_user": "nobody", "created": "2026-01-02T03:04:05Z",
        "root_uuid": "", "disk_bytes": DISK_BYTES, "packages": []}))
