"""Unit tests of tools/tidy: small trees, each with one fault that must be found, and a good one that must pass."""

import importlib.machinery
import importlib.util
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
TIDY = pathlib.Path(__file__).resolve().parents[2] / "tools" / "tidy"


def load_tidy():
    loader = importlib.machinery.SourceFileLoader("tidy", str(TIDY))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("tidy", loader))
    sys.modules["tidy"] = module
    loader.exec_module(module)
    return module


tidy = load_tidy()

ARCHITECTURE = """# A tree
## Modules that exist
| module | what it is | may use |
|---|---|---|
| base | words | - |
| disk | disks | base |
| cpu | processors | base |
## Strangers
| folders | why |
|---|---|
| `cpu/fast` `cpu/slow` | either can be thrown away |
"""

GOOD = {
    "docs/architecture.md": ARCHITECTURE,
    "README.md": "# Read\n## The parts, here\n[it](docs/architecture.md#modules-that-exist) [up](#the-parts-here) "
                 "[out](mailto:a@b) `[no](link)`\n```\n[no](link)\n```\n",
    "src/base/ints.h": "#include <cstdint>\n",
    "src/base/CMakeLists.txt": "pileus_module(base LINKS spdlog::spdlog)\n",
    "src/disk/CMakeLists.txt": "pileus_module(disk USES base LINKS z) # not cpu\ntarget_link_libraries(pileus_disk x)\n",
    "src/disk/disk.cc": '#include "base/ints.h"\n#include "disk/internal/index.h"\n',
    "src/disk/internal/index.h": "",
    "src/cpu/CMakeLists.txt": "pileus_module(cpu USES base)\n",
    "src/cpu/cpu.cc": '#include "cpu/fast/fast.h"\n#include "cpu/slow/slow.h"\n',
    "src/cpu/fast/fast.h": "",
    "src/cpu/slow/slow.h": "",
    "apps/prog/main.cc": '#include "options.h"\n#include "base/ints.h"\n#include "cpu/fast/fast.h"\n',
    "apps/prog/options.h": "",
}


def findings_of(changes):
    """The findings in GOOD with `changes`: path -> content, or None to leave the file out."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for path, content in (GOOD | changes).items():
            if content is not None:
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(content)
        return tidy.check(root)


class Tidy(unittest.TestCase):
    def expect(self, changes, *parts):
        """Exactly one finding, with all of `parts` in it."""
        found = findings_of(changes)
        self.assertEqual(len(found), 1, found)
        for part in parts:
            self.assertIn(part, found[0])

    def test_good_tree_passes(self):
        self.assertEqual(findings_of({}), [])

    def test_folder_without_a_row(self):
        self.expect({"src/net/net.h": ""}, "src/net", "no row")

    def test_row_without_a_folder(self):
        table = ARCHITECTURE.replace("| cpu |", "| net | nets | base |\n| cpu |")
        self.expect({"docs/architecture.md": table}, "row for net")

    def test_row_that_uses_a_later_one(self):
        table = ARCHITECTURE.replace("| disks | base |", "| disks | base cpu |")
        self.expect({"docs/architecture.md": table}, "disk uses cpu")

    def test_missing_architecture_fails(self):
        self.assertTrue(any("is missing" in line for line in findings_of({"docs/architecture.md": None})))

    def test_missing_table_fails(self):
        self.assertTrue(any("no table" in line for line in findings_of({"docs/architecture.md": "# Empty\n"})))

    def test_include_that_the_row_lacks(self):
        self.expect({"src/disk/disk.cc": '#include "cpu/cpu.h"\n', "src/cpu/cpu.h": ""}, "src/disk/disk.cc:1", "cpu")

    def test_include_in_a_header_and_with_spaces(self):
        self.expect({"src/base/ints.h": '\n #  include "disk/disk.h"\n', "src/disk/disk.h": ""},
                    "src/base/ints.h:2", "does not list disk")

    def test_include_that_climbs(self):
        self.expect({"src/disk/disk.cc": '#include "disk/../cpu/fast/fast.h"\n'}, "src/disk/disk.cc:1", "name it from")

    def test_include_in_assembly(self):
        self.expect({"src/base/start.S": '#include "cpu/fast/fast.h"\n'}, "src/base/start.S:1")

    def test_include_of_nothing(self):
        self.expect({"src/disk/disk.cc": '#include "base/gone.h"\n'}, "no file of src/")
        self.expect({"apps/prog/main.cc": '#include "base/gone.h"\n'}, "does not exist")

    def test_own_header_in_angles(self):
        self.expect({"src/disk/disk.cc": "#include <base/ints.h>\n"}, "in quotes")

    def test_internal_of_another_module(self):
        self.expect({"apps/prog/main.cc": '#include "disk/internal/index.h"\n'}, "private to disk")
        self.expect({"tests/x/x_test.cc": '#include "disk/internal/index.h"\n'}, "private to disk")

    def test_internal_of_an_allowed_module(self):
        self.expect({"src/cpu/cpu.cc": '#include "base/internal/x.h"\n', "src/base/internal/x.h": ""},
                    "private to base")

    def test_strangers(self):
        self.expect({"src/cpu/fast/fast.h": '#include "cpu/slow/slow.h"\n'}, "strangers")

    def test_cmake_uses(self):
        self.expect({"src/disk/CMakeLists.txt": "pileus_module(disk\n  USES base cpu\n  LINKS z)\n"}, "links cpu")

    def test_cmake_links_past_uses(self):
        text = "pileus_module(disk USES base)\ntarget_link_libraries(pileus_disk PUBLIC pileus_cpu)\n"
        self.expect({"src/disk/CMakeLists.txt": text}, "links cpu")

    def test_cmake_names_another_module(self):
        self.expect({"src/cpu/CMakeLists.txt": "pileus_module(cpux USES base)\n"}, "module cpux")

    def test_broken_link(self):
        self.expect({"docs/spec.md": "see\n[this](gone.md)\n"}, "docs/spec.md:2", "gone.md")

    def test_broken_anchor(self):
        self.expect({"docs/spec.md": "[this](architecture.md#nowhere)\n"}, "no such heading")

    def test_marks(self):
        for mark in ("TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK"):
            self.expect({"src/base/ints.h": f"int x;  // {mark}: later\n"}, "src/base/ints.h:1", mark)

    def test_words_that_hold_a_mark_pass(self):
        self.assertEqual(findings_of({"src/base/ints.h": "// mkstemp(\"a" + "X" * 6 + "\"), SHA" + "CKLE\n"}), [])

    def test_build_folder_is_not_looked_at(self):
        self.assertEqual(findings_of({"build/dev/x.txt": "TO" + "DO"}), [])


class CommandLine(unittest.TestCase):
    def run_tidy(self, folder):
        return subprocess.run([TIDY, folder], capture_output=True, text=True, check=False)

    def test_canary_fails(self):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "src" / "odd").mkdir(parents=True)
            done = self.run_tidy(folder)
            self.assertEqual(done.returncode, 1)
            self.assertIn("src/odd: has no row", done.stdout)

    def test_no_folder_is_an_error(self):
        self.assertEqual(self.run_tidy("/nonexistent").returncode, 2)


if __name__ == "__main__":
    unittest.main()
