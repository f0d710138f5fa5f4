"""A profile of a booting guest: a well-formed flame graph with functions that the guest's kernel really has."""

import json
import pathlib
import re
import tempfile
import unittest
import xml.etree.ElementTree

from harness import COMMAND_PATIENCE_S, Vm, end_on_sigterm, say, step, wait_until

SVG = "{http://www.w3.org/2000/svg}"
NO_FUNCTIONS = {"user", "[module]", "[unknown]"}
BOOT_SECONDS = 10
HOT = {"do_syscall_64", "entry_SYSCALL_64_after_hwframe", "user"}


class Profile(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="pileus-profile-")
        self.addCleanup(folder.cleanup)
        self.svg = pathlib.Path(folder.name) / "graph.svg"

    def titles(self):
        """Name and samples of each box; the file has to be XML."""
        root = xml.etree.ElementTree.parse(self.svg).getroot()
        self.assertEqual(root.tag, f"{SVG}svg")
        boxes = [re.fullmatch(r"(.*) \((\d+) samples, ([\d.]+)%\)", title.text) for title in root.iter(f"{SVG}title")]
        self.assertNotIn(None, boxes)
        return [(box[1], int(box[2])) for box in boxes]

    def profile(self, vm, seconds):
        table = json.loads(vm.command("profile", "--seconds", seconds, "-o", self.svg, "--json").stdout)
        say("    " + ", ".join(f"{name} {count}" for name, count in sorted(
            table["activities"].items(), key=lambda item: -item[1])))
        return table

    def is_idle(self, vm):
        idle = self.profile(vm, 3)
        return idle["activities"].get("halted", 0) > idle["samples"] / 2

    def answers(self, vm):
        return vm.command("wait", "--timeout", 1, check=False).returncode == 0

    def test_profile(self):
        with Vm("e2e-profile", "--cpus", 1, "--memory", "512M") as vm:
            vm.run()
            with step("profile of a boot"):
                boot = self.profile(vm, BOOT_SECONDS)
                boxes = self.titles()
                names = {name for name, _ in boxes}
                # Which functions are hot differs; these are on the way to nearly all that a boot does, once it is there.
                while not HOT <= names and not self.answers(vm):
                    self.profile(vm, BOOT_SECONDS)
                    names |= {name for name, _ in self.titles()}
            # A thousand a second are meant; a busy machine lets the sampler sleep longer.
            self.assertGreater(boot["samples"], BOOT_SECONDS * 100)
            for activity in ("guest code", "interpreting", "translating", "TLB misses"):
                self.assertGreater(boot["activities"].get(activity, 0), 0, activity)
            self.assertGreater(boot["per_second"]["blocks_translated"], 0)
            self.assertLessEqual(HOT, names)
            self.assertEqual(boxes[0], ("all", boot["samples"]))
            vm.wait()
            with step("are these the kernel's own names?"):
                kernel = set(vm.ssh("awk '{print $3}' /proc/kallsyms").split())
            self.assertEqual(set(boot["functions"]) - kernel - NO_FUNCTIONS, set())
            vm.ssh("systemctl is-system-running --wait > /dev/null || true")
            with step("profile of an idle guest"):
                wait_until(lambda: self.is_idle(vm), "it halts most of the time", COMMAND_PATIENCE_S)
            refused = vm.command("profile", "--seconds", 4000, check=False)
            self.assertIn("--seconds", refused.stderr)


if __name__ == "__main__":
    end_on_sigterm()
    unittest.main()
