"""The AWS SDK for JavaScript does the whole round against a cloud whose hosts only pretend.

npm fetches the SDK once, in the versions of js/package-lock.json, into the build folder; without npm or a registry the test
is skipped.
"""

import os
import pathlib
import shutil
import subprocess
import unittest

from cloud import BUILD, REGION, Cloud

SOURCES = pathlib.Path(__file__).resolve().parent / "js"
FETCH_PATIENCE_S = 600
PATIENCE_S = 600


def fetch_sdk():
    """A folder with the SDK and the test beside it; None where it cannot be had."""
    folder = BUILD / "javascript-sdk"
    folder.mkdir(exist_ok=True)
    known = folder / "node_modules" / ".package-lock.json"
    lock = SOURCES / "package-lock.json"
    for name in ("package.json", "package-lock.json", "round.mjs"):
        shutil.copy(SOURCES / name, folder / name)
    if known.exists() and known.stat().st_mtime >= lock.stat().st_mtime:
        return folder
    if not shutil.which("npm"):
        return None
    done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder, capture_output=True,
                          text=True, timeout=FETCH_PATIENCE_S, check=False)
    if done.returncode != 0:
        print(done.stderr[-2000:])
        return None
    os.utime(known)
    return folder


class JavaScript(unittest.TestCase):
    def test_round(self):
        folder = fetch_sdk()
        if folder is None:
            self.skipTest("the SDK cannot be had: no npm, or no registry")
        with Cloud() as cloud:
            done = subprocess.run(
                ["node", "round.mjs"], cwd=folder,
                env=os.environ | {"ENDPOINT": cloud.endpoint, "IMAGE": cloud.image(), "REGION": REGION,
                                  "AWS_ACCESS_KEY_ID": cloud.access_key, "AWS_SECRET_ACCESS_KEY": cloud.secret_key},
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 0, done.stdout[-3000:] + done.stderr[-3000:])


if __name__ == "__main__":
    unittest.main()
