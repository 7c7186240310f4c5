# SPDX-License-Identifier: BSD-2-Clause
"""Runs tools/bench-check."""

import subprocess
import sys

from conftest import ROOT

TOOL = ROOT / "tools" / "bench-check"
BASELINE = ROOT / "bench" / "baseline.txt"


class Gate:
    def __init__(self, folder):
        self.folder = folder
        self.baseline = folder / "baseline.txt"

    def __call__(self, *logs, args=()):
        """(status, output) of the tool with these consoles."""
        paths = []
        for i, text in enumerate(logs):
            paths.append(self.folder / f"log{i}")
            paths[-1].write_text(text, newline="")
        return self.run(*args, self.baseline, *paths)

    def run(self, *args):
        done = subprocess.run([sys.executable, TOOL, *map(str, args)], timeout=60, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        print(done.stdout)
        return done.returncode, done.stdout

    def change(self, was, now):
        """The baseline with one line, or a part of it, exchanged."""
        text = self.baseline.read_text()
        assert text.count(was) == 1
        self.baseline.write_text(text.replace(was, now))
