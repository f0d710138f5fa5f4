"""Builds the image that the other tests boot, unless the tests' home has it already."""

import unittest

from harness import HOME, IMAGE, end_on_sigterm, pileus, say, step

PATIENCE_S = 1500


class Image(unittest.TestCase):
    def test_build(self):
        say(f"images and VMs of these tests are in {HOME}")
        with step("image"):
            say(pileus("image", "build", IMAGE, patience_s=PATIENCE_S).stdout.strip())
        self.assertIn(IMAGE, pileus("image", "ls", "--quiet").stdout.split())


if __name__ == "__main__":
    end_on_sigterm()
    unittest.main()
