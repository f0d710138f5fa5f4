"""Debian's kernel for any hardware, whose modules have drivers that the cloud's kernel lacks, with an initramfs of one program."""

import pathlib
import re
import subprocess
import tempfile

from harness import HOME

FOLDER = HOME / "generic-kernel"
S_IFREG, S_IFDIR, S_IFCHR = 0o100000, 0o040000, 0o020000


def fetch():
    """The package's files, downloaded once."""
    if not FOLDER.exists():
        with tempfile.TemporaryDirectory(prefix="pileus-kernel-", dir=HOME) as folder:
            depends = subprocess.run(["apt-cache", "depends", "linux-image-amd64"], check=True, capture_output=True, text=True)
            package = re.search(r"Depends: (linux-image-\S+)", depends.stdout)[1]
            subprocess.run(["apt-get", "download", package], check=True, capture_output=True, cwd=folder)
            files = pathlib.Path(folder) / "files"
            subprocess.run(["dpkg-deb", "-x", next(pathlib.Path(folder).glob("*.deb")), files], check=True)
            files.rename(FOLDER)
    return FOLDER


def kernel():
    return next((fetch() / "boot").glob("vmlinuz-*"))


def modules(*names):
    """Files of these modules and of what they need, in the order in which they can be loaded."""
    files = {path.stem.replace("-", "_"): path for path in fetch().glob("lib/modules/**/*.ko")}
    ordered = []

    def add(name):
        path = files[name.replace("-", "_")]
        if path in ordered:
            return
        for needed in re.search(rb"\0depends=([^\0]*)\0", path.read_bytes())[1].decode().split(","):
            if needed:
                add(needed)
        ordered.append(path)

    for name in names:
        add(name)
    return ordered


def make_initramfs(path, program, names):
    """`program` becomes /init; it finds the modules as /modules/00.ko, 01.ko, ..."""
    members = [(folder, S_IFDIR | 0o755, b"", 0, 0) for folder in ("dev", "proc", "sys", "modules")]
    members += [("dev/console", S_IFCHR | 0o600, b"", 5, 1), ("init", S_IFREG | 0o755, program.read_bytes(), 0, 0)]
    members += [(f"modules/{number:02}.ko", S_IFREG | 0o644, file.read_bytes(), 0, 0)
                for number, file in enumerate(modules(*names))]
    members.append(("TRAILER!!!", 0, b"", 0, 0))
    path.write_bytes(b"".join(encode(number, *member) for number, member in enumerate(members)))


def encode(number, name, mode, data, major, minor):
    """One member of an archive in cpio's "newc" format."""
    fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, major, minor, len(name) + 1, 0]
    return padded(b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0") + padded(data)


def padded(data):
    return data + bytes(-len(data) % 4)
