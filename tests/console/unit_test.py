#!/usr/bin/env python3
"""The console's own unit tests (console/src/**/*.test.ts)."""

import pathlib
import subprocess
import sys

CONSOLE = pathlib.Path(__file__).resolve().parents[2] / "console"
SKIPPED = 77


def main():
    vitest = CONSOLE / "node_modules" / "vitest" / "vitest.mjs"
    if not vitest.exists():
        print("npm's packages are not there: the console was left out of the build")
        return SKIPPED
    return subprocess.run(["node", vitest, "run"], cwd=CONSOLE, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
