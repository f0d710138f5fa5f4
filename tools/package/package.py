#!/usr/bin/env python3
"""Makes pileus_VERSION_amd64.deb out of built programs and what lies beside this file. `tools/dev package` calls it."""

import argparse
import gzip
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
COMMANDS = {"pileus": 1, "pileus-vmm": 1, "pileus-cloudd": 8, "pileus-hostd": 8, "pileus-switchd": 8}  # sections of man
SHELLS = {"bash": "usr/share/bash-completion/completions/pileus",
          "zsh": "usr/share/zsh/vendor-completions/_pileus",
          "fish": "usr/share/fish/vendor_completions.d/pileus.fish"}
CONTROL = """Package: pileus
Version: {version}
Section: admin
Priority: optional
Architecture: amd64
Maintainer: The Pileus project <pileus@localhost>
Installed-Size: {kib}
Depends: {libraries}, openssh-client, bubblewrap, qemu-utils, systemd | systemd-standalone-sysusers, init-system-helpers (>= 1.54)
Recommends: mmdebstrap, debian-archive-keyring, fakeroot, uidmap, e2fsprogs, fdisk, xorriso
Suggests: seabios, etcd-server, awscli
Description: private cloud in a box with its own hypervisor
 Pileus gives out virtual machines through an API that is compatible with EC2's, on one machine or on many. Its
 hypervisor runs guests by binary translation or by KVM, so it works with and without hardware virtualization.
 .
 This package has the cloud manager, the virtualization manager, the virtual switch, the hypervisor and the command
 line, and starts a cloud of this machine alone. Further machines become hosts of it.
"""


def version_of(root):
    return re.search(r"project\(pileus VERSION ([0-9.]+)", (root / "CMakeLists.txt").read_text())[1]


def write(path, data, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    path.chmod(mode)


def output(*command):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout


def compressed(text):
    return gzip.compress(text.encode(), mtime=0)


def man_page(name, section, help_text):
    """What --help prints, as a page."""
    def escape(text):
        return "\n".join("\\&" + line.replace("\\", "\\e").replace("-", "\\-") for line in text.splitlines())
    about = escape(help_text.strip().splitlines()[0]).removeprefix("\\&")
    others = "\n".join(f".BR {other} ({number})" for other, number in COMMANDS.items() if other != name)
    return (f'.TH {name.upper()} {section} "" "Pileus" "Pileus"\n.SH NAME\n{name} \\- {about}\n'
            f".SH DESCRIPTION\n.nf\n{escape(help_text)}\n.fi\n.SH SEE ALSO\n{others}\n")


def add_programs(root, programs):
    for name in COMMANDS:
        target = root / "usr/bin" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["strip", "--strip-unneeded", "-o", target, programs / name], check=True)
        target.chmod(0o755)


def add_documents(root, programs, version):
    for name, section in COMMANDS.items():
        page = man_page(name, section, output(programs / name, "--help"))
        write(root / f"usr/share/man/man{section}/{name}.{section}.gz", compressed(page))
    for shell, path in SHELLS.items():
        write(root / path, output(programs / "pileus", "completion", shell))
    folder = root / "usr/share/doc/pileus"
    write(folder / "copyright", (ROOT / "LICENSE").read_text())
    write(folder / "README.md", (ROOT / "README.md").read_text())
    write(folder / "changelog.gz", compressed(f"pileus ({version})\n\n  * See the history of the source.\n"))


def add_settings(root):
    for unit in sorted((HERE / "systemd").iterdir()):
        write(root / "usr/lib/systemd/system" / unit.name, unit.read_text())
    write(root / "usr/lib/sysusers.d/pileus.conf", (HERE / "sysusers.conf").read_text())
    for file in sorted((HERE / "default").iterdir()):
        write(root / "etc/default" / file.name, file.read_text())


def add_console(root, programs):
    """The web console, if it was built."""
    if (programs.parent / "console" / "index.html").exists():
        shutil.copytree(programs.parent / "console", root / "usr/share/pileus/console")


def libraries(root):
    """The packages whose shared libraries the programs need, in the versions that they need."""
    with tempfile.TemporaryDirectory() as folder:
        write(pathlib.Path(folder) / "debian/control", "Source: pileus\n\nPackage: pileus\nArchitecture: amd64\n")
        found = subprocess.run(["dpkg-shlibdeps", "-O", *(f"-e{root}/usr/bin/{name}" for name in COMMANDS)], cwd=folder,
                               check=True, capture_output=True, text=True).stdout
    return found.strip().removeprefix("shlibs:Depends=")


def add_control(root, version):
    kib = sum(path.stat().st_size for path in root.rglob("*") if path.is_file()) // 1024 + 1
    control = CONTROL.format(version=version, kib=kib, libraries=libraries(root))
    write(root / "DEBIAN/control", control)
    conffiles = [path.relative_to(root) for path in sorted((root / "etc").rglob("*")) if path.is_file()]
    write(root / "DEBIAN/conffiles", "".join(f"/{path}\n" for path in conffiles))
    for script in sorted((HERE / "maintainer").iterdir()):
        write(root / "DEBIAN" / script.name, script.read_text(), 0o755)


def make(programs, version, folder, compression):
    """The package's path. `compression`: options of dpkg-deb."""
    target = folder / f"pileus_{version}_amd64.deb"
    with tempfile.TemporaryDirectory() as work:
        root = pathlib.Path(work) / "root"
        root.mkdir(mode=0o755)
        add_programs(root, programs)
        add_documents(root, programs, version)
        add_settings(root)
        add_console(root, programs)
        add_control(root, version)
        for path in root.rglob("*"):
            if path.is_dir():
                path.chmod(0o755)
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["dpkg-deb", *compression, "--root-owner-group", "--build", root, target], check=True,
                       stdout=subprocess.DEVNULL)
    return target


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("programs", type=pathlib.Path, help="folder with the built programs")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "build" / "package", help="folder for the package")
    parser.add_argument("--version", default=version_of(ROOT), help="another than that of CMakeLists.txt")
    parser.add_argument("--quick", action="store_true", help="a larger package in less time, for tests")
    arguments = parser.parse_args()
    if not shutil.which("dpkg-shlibdeps"):
        raise SystemExit("dpkg-shlibdeps is missing: tools/deps installs it, with build-essential")
    os.umask(0o022)
    compression = ["-Zgzip", "-z1"] if arguments.quick else []
    print(make(arguments.programs, arguments.version, arguments.output, compression))


if __name__ == "__main__":
    main()
