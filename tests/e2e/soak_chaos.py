"""The test of a cloud whose hosts, managers and store are killed, for minutes, with a seed of its own each time."""

import argparse
import os
import pathlib
import secrets
import sys

from harness import BUILD

TEST = pathlib.Path(__file__).resolve().parents[1] / "cloud" / "chaos_test.py"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=secrets.randbits(31))
    arguments = parser.parse_args()
    words = [sys.executable, "-B", str(TEST), "--seconds", str(arguments.minutes * 60), "--seed", str(arguments.seed)]
    os.execve(words[0], words, os.environ | {"PILEUS_CLOUD_BUILD": str(BUILD)})


if __name__ == "__main__":
    main()
