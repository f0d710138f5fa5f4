"""Ansible's amazon.aws modules do the whole round against a cloud whose hosts only pretend."""

import os
import pathlib
import subprocess
import unittest

from cloud import REGION, Cloud

PLAYBOOK = pathlib.Path(__file__).resolve().parent / "ansible" / "round.yml"
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS me@here"
PATIENCE_S = 800


class Ansible(unittest.TestCase):
    def test_round(self):
        with Cloud() as cloud:
            variables = {"endpoint": cloud.endpoint, "region": REGION, "access_key": cloud.access_key,
                         "secret_key": cloud.secret_key, "image": cloud.image(), "public_key": f"'{PUBLIC_KEY}'"}
            words = [word for name, value in variables.items() for word in ("-e", f"{name}={value}")]
            done = subprocess.run(
                ["ansible-playbook", "-i", "localhost,", "-e", "ansible_python_interpreter=/usr/bin/python3", *words,
                 PLAYBOOK],
                env=os.environ | {"HOME": str(cloud.folder), "ANSIBLE_LOCALHOST_WARNING": "False",
                                  "ANSIBLE_DEPRECATION_WARNINGS": "False", "ANSIBLE_NOCOLOR": "1"},
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 0, done.stdout[-6000:] + done.stderr[-3000:])


if __name__ == "__main__":
    unittest.main()
