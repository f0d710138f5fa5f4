"""The Debian package, made of the programs that are tested, and what a Debian without a network needs to install it."""

import hashlib
import pathlib
import re
import shlex
import subprocess
import sys
import tarfile
import tempfile

from harness import BUILD, ROOT, Failure

OLD, NEW = "0.1.0", "0.1.1"  # the same programs, one as an upgrade of the other


def run(*words, **options):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, errors="replace", check=False,
                          **options)
    if done.returncode != 0:
        raise Failure(f"`{shlex.join(map(str, words))}` ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def make_package(version, folder):
    return pathlib.Path(run(sys.executable, "-B", ROOT / "tools/package/package.py", BUILD / "apps", "--output", folder,
                            "--version", version, "--quick").strip())


def depends(package):
    """Names of packages; of alternatives the first."""
    field = run("dpkg-deb", "--field", package, "Depends")
    return [re.split(r"[ (|]", each.strip())[0] for each in field.split(",")]


def needed_beside(package, installed):
    """A tarball of the packages, below debs/, that a Debian lacks to install `package`. `installed`: its dpkg's status. Kept
    in the build folder."""
    key = hashlib.sha256(" ".join([*depends(package), installed]).encode()).hexdigest()[:8]
    tar = BUILD / f"package-test-needed-{key}.tar"
    if tar.exists():
        return tar
    with tempfile.TemporaryDirectory(prefix="pileus-package-test-") as folder:
        apt = pathlib.Path(folder)
        (apt / "status").write_text(installed)
        for name in ("state/lists/partial", "cache/archives/partial"):
            (apt / name).mkdir(parents=True)
        command = ["apt-get", "-qq", "--yes", "-o", f"Dir::State={apt}/state", "-o", f"Dir::State::status={apt}/status",
                   "-o", f"Dir::Cache={apt}/cache", "-o", "APT::Sandbox::User="]
        run(*command, "update")
        run(*command, "--no-install-recommends", "--download-only", "install", package)
        part = tar.with_suffix(".part")
        with tarfile.open(part, "w") as out:
            for found in sorted((apt / "cache/archives").glob("*.deb")):
                out.add(found, f"debs/{found.name}")
        part.rename(tar)
    return tar
