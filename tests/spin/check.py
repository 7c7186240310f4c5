#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Checks the model of the buddy's protocol with Spin, and prints TAP.

check.py GROUP: "rules" undoes one rule at a time, "orders" one memory order at a time, and each
time Spin must find what goes wrong, and what is expected; "holds" runs the protocol as it is, in
each of these settings and in larger ones. With STRESS=1 in the environment "holds" takes the
largest. A run that is not complete counts as failed.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent

ONE, PAIR, FREE, DRAIN, CLAIM, LATE, WRONG, STEAL = (1 << i for i in range(8))
ALL = ONE | PAIR | FREE | DRAIN | CLAIM

# What goes wrong, by the assertion that fails.
TWICE = r"assertion violated .*page\[.*\]==[01]\)|assertion violated *!\(\(v&"
LOST = r"assertion violated .*page\[.*==\(\(?\(?W\["
HIDDEN = r"assertion violated .*SUM&&"
STUCK = r"assertion violated .*W\[\d\]!=3"
FALSE_NO = r"assertion violated .*none\[me\]"


def setting(start, *may, ops=1, weak=False, asks=False, spans=False):
    """Where the harts start, what each may do, how many operations it makes."""
    harts = max(2, len(may))
    text = [f"-DSTART={start}", f"-DNH={harts}", f"-DOPS={ops}"]
    text += [f"-DMAY{i}={what}" for i, what in enumerate(may)]
    text += ["-DWEAK"] * weak + ["-DASKS=1"] * asks + ["-DSPANS"] * spans
    return tuple(text)


# Rule, what is undone, the setting, what must go wrong.
RULES = [
    ("1 bits taken by a load and a store", "NO_OWNER", setting(0, PAIR), TWICE),
    ("2 words found by scanning", "NO_PATH", setting(2, ONE), TWICE),
    ("2 a claim looks without a hint", "NO_CLAIM_PATH", setting(2, CLAIM), TWICE),
    ("3 a child's word is not written", "NO_INIT", setting(0, ONE | FREE, ops=2), LOST),
    ("3 it is written when a page has left", "NO_INIT_FIRST", setting(4, ONE, FREE), LOST),
    ("3 its hint is set before it", "NO_INIT_BEFORE", setting(7, CLAIM, ONE), TWICE),
    ("4 put without the carry", "NO_CARRY", setting(1, FREE), STUCK),
    ("5 hint set before the word", "NO_HINT_AFTER", setting(5, ONE, FREE), HIDDEN),
    ("5 hint cleared after the claim", "NO_CLEAR_FIRST", setting(1, ONE, FREE), HIDDEN),
    ("5 no look at the word after clearing", "NO_LOOK", setting(4, ONE | FREE, ops=2), HIDDEN),
    ("5 summary not read again", "NO_REREAD", setting(4, ONE | FREE, ops=2), HIDDEN),
    ("5 a claim leaves bits without a hint", "NO_CLAIM_HINT", setting(6, DRAIN, CLAIM, ONE), HIDDEN),
    ("6 none, without the numbers", "NO_SEQ", setting(1, ONE, FREE), FALSE_NO),
    ("6 busy, without the numbers", "NO_SEQ", setting(1, CLAIM, FREE, ops=2), FALSE_NO),
    ("6 taken without a number", "NO_SEQ_TAKE", setting(8, ONE, FREE, CLAIM), FALSE_NO),
    ("6 none, after a look at its span", "NO_STEAL", setting(0, ONE | PAIR, ONE, ops=2, spans=True), FALSE_NO),
    ("7 another hart drains", "NO_PRIVATE", setting(0, ONE | STEAL, ops=2), TWICE),
    ("8 a part is freed without a split", "NO_PARTS", setting(2, FREE), TWICE),
    ("9 a double free into a merged word", "NO_CHECK", setting(4, WRONG, PAIR, ONE), TWICE),
]

ORDERS = [
    ("the word after a split by a store", ("W_INIT_STORE",), setting(4, CLAIM, ONE, weak=True), HIDDEN),
    (
        "the same, and its hint without .rl",
        ("W_INIT_STORE", "W_HINT_NO_RL"),
        setting(7, CLAIM, ONE, weak=True),
        TWICE,
    ),
    ("put without .rl: before the number", ("W_PUT_NO_RL",), setting(2, FREE, ONE, weak=True), FALSE_NO),
    ("put without .aq: after the hint", ("W_PUT_NO_AQ",), setting(5, FREE, ONE, weak=True), HIDDEN),
    ("hint cleared without .aq", ("W_CLEAR_NO_AQ",), setting(5, FREE, ONE, weak=True), HIDDEN),
    ("no fence before the second numbers", ("W_NO_FENCE",), setting(1, FREE, ONE, weak=True), FALSE_NO),
]

# The protocol as it is, beside the settings above.
HOLDS = [
    setting(3, ONE | LATE, ONE | FREE, ops=2),
    setting(0, ONE | PAIR, ONE | FREE, ops=2, asks=True),
    setting(1, ONE, FREE, PAIR),
    setting(0, ONE | PAIR | DRAIN, ONE | FREE, ops=2, spans=True),
    setting(0, ONE, ONE | FREE, ONE, spans=True),
    setting(5, FREE, FREE, ONE),
    setting(1, ALL, weak=True),
    setting(4, ALL, weak=True),
]
HOLDS_LONG = [
    *(setting(start, ALL, ops=2) for start in (0, 1, 2, 4, 5)),
    setting(3, ALL | LATE, ops=2),
    setting(1, ONE | FREE | DRAIN, ops=2),
    setting(0, ONE | FREE | DRAIN, ops=3),
    setting(1, ONE | FREE, ops=3),
    setting(0, ONE | PAIR | FREE | DRAIN, ops=2, asks=True),
    setting(0, ALL, ops=2, spans=True),
    setting(0, ONE | PAIR | FREE, ops=2, asks=True, spans=True),
    *(setting(start, ONE | FREE, CLAIM, FREE | DRAIN) for start in (0, 1, 5, 6)),
    setting(1, ONE | FREE | CLAIM, FREE | DRAIN, ONE | PAIR),
    setting(4, ONE | FREE, FREE | CLAIM, ops=2, weak=True),
    setting(1, ONE | FREE, FREE | CLAIM, ops=2, weak=True),
    setting(5, ONE, FREE, FREE | CLAIM, weak=True),
]


def check(folder, defines, fast):
    """What pan says: (complete, errors, states, text)."""
    folder.mkdir(parents=True, exist_ok=True)
    compiler = ["gcc", "-O2" if fast else "-O0", "-w", "-DSAFETY", "-o", "pan", "pan.c"]
    compiler += ["-DCOLLAPSE"] * fast
    (folder / "pan.c").unlink(missing_ok=True)
    text = ""
    for command in (
        ["spin", "-a", *defines, str(HERE.resolve() / "buddy.pml")],
        compiler,
        ["./pan", "-m100000", "-w24" if fast else "-w18"],
    ):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        text = done.stdout + done.stderr
        if done.returncode and command[0] != "./pan":
            return False, 0, 0, text
    errors = re.search(r"errors: (\d+)", text)
    states = re.search(r"(\d+) states, stored", text)
    partial = "max search depth too small" in text or "out of memory" in text
    if not errors or not states or partial:
        return False, 0, 0, text
    return True, int(errors[1]), int(states[1]), text


class Tap:
    def __init__(self, planned):
        self.nr = self.failed = 0
        print(f"1..{planned}")

    def result(self, passed, name, text):
        self.nr += 1
        if not passed:
            self.failed += 1
            print("".join(f"# {line}\n" for line in text.splitlines()[:30]), end="")
        print(f"{'ok' if passed else 'not ok'} {self.nr} - {name}", flush=True)


def undone(out, cases):
    tap = Tap(len(cases))
    for name, macros, where, wrong in cases:
        macros = (macros,) if isinstance(macros, str) else macros
        complete, errors, states, text = check(out, [*where, *(f"-D{m}" for m in macros)], False)
        seen = complete and errors > 0 and re.search(wrong, text) is not None
        tap.result(seen, f"{name}: fails, after {states} states", text)
    return tap.failed


def holds(out, long):
    cases = list(dict.fromkeys([case[2] for case in (*RULES, *ORDERS)] + HOLDS))
    cases += HOLDS_LONG if long else []
    tap = Tap(len(cases))
    for where in cases:
        complete, errors, states, text = check(out, where, where in HOLDS_LONG)
        name = " ".join(d.removeprefix("-D") for d in where)
        tap.result(complete and not errors and states > 50, f"{name}: {states} states", text)
    return tap.failed


def main():
    out, group = Path(sys.argv[1]), sys.argv[2]
    long = os.environ.get("STRESS", "") not in ("", "0")
    if group == "holds":
        return 1 if holds(out / "pan-holds", long) else 0
    cases = {"rules": RULES, "orders": ORDERS}[group]
    return 1 if undone(out / f"pan-{group}", cases) else 0


if __name__ == "__main__":
    sys.exit(main())
