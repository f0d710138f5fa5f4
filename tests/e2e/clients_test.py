#!/usr/bin/env python3
"""The clients that people have do the whole round with real machines: key, security group, an instance with user data, the
login over SSH that shows that it ran, tags, stop, image, start, console, terminate; and leave nothing behind.

    clients_test.py [CLIENT...]    ansible, awscli, boto3, javascript, libcloud, packer; all of them without a name
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from harness import PROGRAMS, Failure, end_on_sigterm, say, step, wait_until
from one_cloud import STATE_PATIENCE_S, Cloud

TESTS = pathlib.Path(__file__).resolve().parents[1]
ROUNDS = TESTS / "e2e" / "clients"
PYTHON = "/usr/bin/python3"  # the clients are Debian's
ROUND_PATIENCE_S = 1800

sys.path.insert(0, str(TESTS / "cloud"))
os.environ.setdefault("PILEUS_CLOUD_BUILD", os.environ.get("PILEUS_E2E_BUILD") or str(TESTS.parent / "build" / "dev"))


def ansible(settings, folder):
    variables = {"endpoint": settings["ENDPOINT"], "region": settings["REGION"], "image": settings["IMAGE"],
                 "word": settings["WORD"], "access_key": settings["AWS_ACCESS_KEY_ID"],
                 "secret_key": settings["AWS_SECRET_ACCESS_KEY"], "key_file": f"{folder}/ansible"}
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "ansible"], check=True)
    words = [word for name, value in variables.items() for word in ("-e", f"{name}={value}")]
    return ["ansible-playbook", "-i", "localhost,", "-e", "ansible_python_interpreter=/usr/bin/python3", *words,
            ROUNDS / "round.yml"], folder


def javascript(_settings, folder):
    from javascript_test import fetch_sdk  # pylint: disable=import-outside-toplevel: it is of another folder
    sdk = fetch_sdk()
    if sdk is None:
        return None, folder
    # Node.js looks for modules beside the script.
    shutil.copy(ROUNDS / "round.mjs", sdk / "real_round.mjs")
    return ["node", "real_round.mjs"], sdk


CLIENTS = {
    "ansible": ansible,
    "awscli": lambda _settings, folder: ([ROUNDS / "round_awscli.sh"], folder),
    "boto3": lambda _settings, folder: ([PYTHON, ROUNDS / "round_boto3.py"], folder),
    "javascript": javascript,
    "libcloud": lambda _settings, folder: ([PYTHON, ROUNDS / "round_libcloud.py"], folder),
    "packer": lambda _settings, folder: ([ROUNDS / "round_packer.sh"], folder),
}


def settings_of(cloud, folder):
    known = json.loads((cloud.folder / "client.json").read_text())

    def images():
        return [each["id"] for each in json.loads(cloud("image", "ls", "--cloud", "--json"))]
    wait_until(images, "the image is there", STATE_PATIENCE_S)
    return {"ENDPOINT": known["endpoint"], "REGION": known["region"], "AWS_ACCESS_KEY_ID": known["access_key"],
            "AWS_SECRET_ACCESS_KEY": known["secret_key"], "IMAGE": images()[0], "FOLDER": str(folder),
            "LOGIN": str(ROUNDS / "login.sh"), "PILEUS": str(PROGRAMS / "pileus"), "HOME": str(folder), "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCALHOST_WARNING": "False", "ANSIBLE_DEPRECATION_WARNINGS": "False",
            "ANSIBLE_HOST_KEY_CHECKING": "False"}


def run_client(name, cloud, folder):
    settings = settings_of(cloud, folder) | {"WORD": f"written-by-{name}"}
    words, place = CLIENTS[name](settings, folder)
    if words is None:
        say("left out: the SDK cannot be had (no npm, or no registry)")
        return
    done = subprocess.run(words, cwd=place, env=os.environ | settings, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=ROUND_PATIENCE_S, check=False)
    if done.returncode != 0:
        raise Failure(f"{name} ended with {done.returncode}:\n{done.stdout[-5000:]}{done.stderr[-3000:]}")
    # Not every client waits for the end of what it terminates.
    folders = cloud.folder / "host" / "instances"
    wait_until(lambda: not list(folders.iterdir()) and not cloud.vmms(),
               lambda: f"nothing is left of {name}: {list(folders.iterdir())}, {cloud.vmms()}", STATE_PATIENCE_S)


def main():
    names = sys.argv[1:] or sorted(CLIENTS)
    with tempfile.TemporaryDirectory(prefix="pileus-clients-test-") as top, Cloud(pathlib.Path(top) / "home") as cloud:
        cloud("up", "--detach", "--port", "0")
        for name in names:
            with step(f"the whole round by {name}"):
                folder = pathlib.Path(top) / name
                folder.mkdir()
                run_client(name, cloud, folder)
        cloud("down")
        cloud.check_nothing_is_left()


if __name__ == "__main__":
    end_on_sigterm()
    main()
