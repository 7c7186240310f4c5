#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Copies of mm/buddy*.c for the explorer, and the mutants among them.

  mutants.py copy FOLDER [MUTANT]   copies the source into FOLDER, with SETTINGS and the mutant's
                                    changes made, and writes all.c, which includes it all
  mutants.py run BUILD              runs every mutant's programs, there and on the real code; TAP

A mutant (tests/model/mutants/<name>) says what rule it breaks and what catches it, then what it
changes. A text that is to be changed must be there exactly once: else the mutant is stale.

  rule: 4
  why: one line
  caught-by: r2l2 carry-twice             a shape and one of its programs; any number of these
  @@ buddy_tree.c
  text to find
  ==>
  text to put in its place
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

MUTANTS = Path("tests/model/mutants")
TIMEOUT_S = 60

# Bounds of what waits or tries again: the code is the same with any, the states are more.
SETTINGS = {
    "SETTLE_TURNS": 2,
    "DRAIN_TURNS": 2,
    "EXTEND_TURNS": 1,
    "CLAIM_TURNS": 2,
    # A program says whether harts share a tree.
    "SHARE_FROM": "model_share_from",
}


def parse(path):
    """Header fields (lists, by name) and changes (file, find, replace)."""
    header, *sections = re.split(r"^@@ ", path.read_text(), flags=re.M)
    fields = {}
    for line in header.splitlines():
        if line.strip():
            key, value = line.split(":", 1)
            fields.setdefault(key, []).append(value.strip())
    changes = []
    for section in sections:
        name, text = section.split("\n", 1)
        find, replace = text.split("==>\n", 1)
        changes.append((name.strip(), find, replace))
    return fields, changes


def change(folder, name, find, replace):
    path = folder / name
    text = path.read_text()
    count = text.count(find)
    if count != 1:
        sys.exit(f"{name}: the text to change is there {count} times:\n{find}")
    path.write_text(text.replace(find, replace))


def set_bound(folder, name, value):
    count = 0
    for path in folder.glob("buddy*.[ch]"):
        text, n = re.subn(rf"^#define {name}\s.*$", f"#define {name} {value}", path.read_text(), flags=re.M)
        count += n
        path.write_text(text)
    if count != 1:
        sys.exit(f"SETTINGS: #define {name} is there {count} times")


def copy(folder, mutant):
    for path in sorted(Path("mm").glob("*.[ch]")):
        if re.match(r"(buddy|bitops|atomic)", path.name):
            shutil.copyfile(path, folder / path.name)
    for name, find, replace in parse(mutant)[1] if mutant else []:
        change(folder, name, find, replace)
    for name, value in SETTINGS.items():
        set_bound(folder, name, value)
    sources = sorted(path.name for path in folder.glob("*.c") if path.name != "all.c")
    (folder / "all.c").write_text("".join(f'#include "{name}"\n' for name in sources))


def run_one(path, program, expected):
    """None if the program ends with the expected status, 1 for a bug; else what happened."""
    try:
        done = subprocess.run([path, program], capture_output=True, text=True, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return f"no answer within {TIMEOUT_S} s"
    bug = re.search(r"^#   bug(?: in the set-up)?: ", done.stdout, flags=re.M)
    if done.returncode == expected and bool(bug) == bool(expected):
        return None
    return f"status {done.returncode}, not {expected}:\n{done.stdout[-2000:]}{done.stderr[-500:]}"


class Report:
    """TAP."""

    def __init__(self):
        self.number = self.failed = 0

    def test(self, name, complaint):
        self.number += 1
        self.failed += complaint is not None
        print(f"{'ok' if complaint is None else 'not ok'} {self.number} - {name}")
        print("".join(f"# {line}\n" for line in (complaint or "").splitlines()), end="")


def run(build):
    report = Report()
    # model_atomic.h takes it that loads do not overtake an SC, as they do without its .aq.
    weak = re.findall(r"\bsc\.d(?!\.aqrl).*", Path("mm/atomic.h").read_text())
    report.test("every SC of mm/atomic.h is an sc.d.aqrl", "\n".join(weak) if weak else None)
    catchers = []
    for path in sorted(MUTANTS.iterdir()):
        fields, _ = parse(path)
        for catcher in fields["caught-by"]:
            shape, program = catcher.split(" ", 1)
            catchers.append((shape, program))
            verdict = run_one(build / "mutants" / path.name / shape, program, 1)
            report.test(f"rule {fields['rule'][0]}: {path.name}, {catcher}", verdict)
    # What catches a mutant has nothing against the code as it is. Programs with names run anyway.
    for shape, program in sorted(set(catchers)):
        if "|" in program:
            verdict = run_one(build / "tests" / f"model_{shape}", program, 0)
            report.test(f"no mutant: {shape} {program}", verdict)
    print(f"1..{report.number}")
    return report.failed != 0


def main():
    if sys.argv[1] == "copy":
        copy(Path(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else None)
        return 0
    return run(Path(sys.argv[2]))


if __name__ == "__main__":
    sys.exit(main())
