"""Disks and CD images that GRUB 2 boots from under a PC's BIOS."""

import pathlib
import subprocess
import tarfile

PLATFORM = pathlib.Path("/usr/lib/grub/i386-pc")
SECTOR = 512
TABLE = 446  # of partitions, in the first sector
CONFIG = """serial --unit=0 --speed=115200
terminal_input serial
terminal_output serial
echo GRUB has started
multiboot {root}/kernel {words}
module {root}/kernel.txt text
boot
"""


def make_tree(folder, kernel):
    """What GRUB is to load: a Multiboot kernel and a module of a few words."""
    folder.mkdir()
    (folder / "kernel").write_bytes(kernel.read_bytes())
    (folder / "kernel.txt").write_text("a module")
    return folder


def make_disk(disk, folder, kernel, words):
    """A disk with GRUB in the sectors behind its first one, and all that it boots inside of GRUB."""
    tree = make_tree(folder / "tree", kernel)
    with tarfile.open(folder / "memdisk.tar", "w") as tar:
        for name in ("kernel", "kernel.txt"):
            tar.add(tree / name, name)
    (folder / "early.cfg").write_text(CONFIG.format(root="(memdisk)", words=words))
    core = folder / "core.img"
    subprocess.run(["grub-mkimage", "-O", "i386-pc", "-p", "/boot/grub", "-c", folder / "early.cfg",
                    "-m", folder / "memdisk.tar", "-o", core, "biosdisk", "part_msdos", "memdisk", "tar", "serial",
                    "terminal", "echo", "multiboot", "boot"], check=True)
    image = bytearray(2 << 20)
    image[:TABLE] = (PLATFORM / "boot.img").read_bytes()[:TABLE]
    start, length = 2048, 2048
    image[TABLE:TABLE + 16] = (bytes([0x80, 0, 0, 0, 0x83, 0, 0, 0]) + start.to_bytes(4, "little")
                               + length.to_bytes(4, "little"))
    image[SECTOR - 2:SECTOR] = b"\x55\xaa"
    embedded = core.read_bytes()
    assert len(embedded) <= (start - 1) * SECTOR
    image[SECTOR:SECTOR + len(embedded)] = embedded
    disk.write_bytes(image)


def make_iso(iso, folder, kernel, words):
    """A hybrid CD image, as distributions' installers are: bootable from a disk too."""
    tree = make_tree(folder / "tree", kernel)
    (tree / "boot" / "grub").mkdir(parents=True)
    (tree / "boot" / "grub" / "grub.cfg").write_text(CONFIG.format(root="", words=words))
    subprocess.run(["grub-mkrescue", "-d", PLATFORM, "-o", iso, tree], check=True, capture_output=True)
