"""Debian of other ages, each from its own image: boots with two processors, logs in, reboots, powers off."""

import argparse
import sys
import unittest

from harness import Vm, end_on_sigterm, pileus, say, step

IMAGES = ("debian-11", "debian-13", "debian-sid")
BUILD_PATIENCE_S = 1500
CLEAN_SHUTDOWN = 0
TROUBLE = r"BUG:|Oops|general protection|rcu.*stall|soft lockup|Call Trace"


class Releases(unittest.TestCase):
    images = IMAGES

    def test_releases(self):
        for image in self.images:
            with self.subTest(image):
                self.check(image)

    def check(self, image):
        with step(f"{image}: image"):
            pileus("image", "build", image, patience_s=BUILD_PATIENCE_S)
        with Vm(f"soak-{image}", "--cpus", 2, "--memory", "768M", source=image) as vm:
            with step(f"{image}: boot"):
                running = vm.run()
                vm.wait()
            say(f"          {vm.ssh('uname -sr')}, {vm.ssh('. /etc/os-release; echo $PRETTY_NAME')}")
            with step(f"{image}: it is all up"):
                self.assertEqual(vm.ssh("nproc"), "2")
                state = vm.ssh("systemctl is-system-running --wait || true")
                self.assertEqual(state, "running", vm.ssh("systemctl --failed --no-legend"))
                vm.ssh("cloud-init status --wait")
                self.assertEqual(vm.ssh(f"sudo dmesg | grep -E '{TROUBLE}' || true"), "")
            with step(f"{image}: reboot"):
                before = vm.boot_id()
                vm.ssh("echo kept > kept; sync; sudo systemctl reboot", check=False)
                vm.wait_for_reset(1)
                self.assertNotEqual(vm.boot_id(), before)
                self.assertEqual(vm.ssh("cat kept"), "kept")
            with step(f"{image}: power off"):
                vm.command("stop")
                self.assertEqual(running.wait(60), CLEAN_SHUTDOWN)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", nargs="*", default=IMAGES, help=f"recipes (default: {' '.join(IMAGES)})")
    Releases.images = parser.parse_args().images
    end_on_sigterm()
    unittest.main(argv=sys.argv[:1])
