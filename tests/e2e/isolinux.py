"""CD images that ISOLINUX boots from, as Debian's installer and many rescue systems are."""

import pathlib
import subprocess

LOADER = pathlib.Path("/usr/lib/ISOLINUX/isolinux.bin")
HYBRID = pathlib.Path("/usr/lib/ISOLINUX/isohdpfx.bin")
MODULES = pathlib.Path("/usr/lib/syslinux/modules/bios")
CONFIG = """PROMPT 0
SAY ISOLINUX has started
DEFAULT kernel
LABEL kernel
  {entry}
"""


def multiboot_entry(words):
    """Starts /kernel by the Multiboot protocol, with the module /kernel.txt."""
    return f"COM32 mboot.c32\n  APPEND /kernel {words} --- /kernel.txt text"


def linux_entry(words):
    return f"LINUX /kernel\n  INITRD /initrd\n  APPEND {words}"


def make_iso(iso, tree, entry, hybrid):
    """`tree` becomes the CD's files. `hybrid`: bootable from a disk too; else a CD drive is needed."""
    folder = tree / "isolinux"
    folder.mkdir(parents=True)
    for file in (LOADER, *(MODULES / f"{name}.c32" for name in ("ldlinux", "libcom32", "mboot"))):
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "isolinux.cfg").write_text(CONFIG.format(entry=entry))
    subprocess.run(["xorriso", "-as", "mkisofs", "-quiet", "-o", iso, *(["-isohybrid-mbr", HYBRID] if hybrid else []),
                    "-c", "isolinux/boot.cat", "-b", "isolinux/isolinux.bin", "-no-emul-boot", "-boot-load-size", "4",
                    "-boot-info-table", tree], check=True, capture_output=True)
