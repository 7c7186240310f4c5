# SPDX-License-Identifier: BSD-2-Clause
"""The reader of KTAP: what it takes, and that it takes nothing else."""

import pytest

import ktap

GOOD = """\
earlymm something
KTAP version 1
1..3
# a note
  KTAP version 1
  # Subtest: one
  1..2
    KTAP version 1
    # Subtest: deep
    1..3
    ok 1 a
    # file.c:1: 2 != 3
    not ok 2 b
    ok 3 c # SKIP why not
  # deep: pass:1
  not ok 1 deep
  ok 2 flat
# one: pass:1
not ok 1 one
memory map (address, pages, size)

ok 2 two # SKIP
  KTAP version 1
  1..1
  ok 1 x
ok 3 three
what comes after
"""


def test_good():
    one, two, three = ktap.read(GOOD)
    assert [(r.name, r.verdict, r.reason) for r in (one, two, three)] == [
        ("one", "fail", ""), ("two", "skip", ""), ("three", "pass", "")]
    assert one.notes == ["a note", "one: pass:1"]
    assert [(path, test.verdict) for path, test in ktap.tests([one, two, three])] == [
        (("one", "deep", "a"), "pass"), (("one", "deep", "b"), "fail"),
        (("one", "deep", "c"), "skip"), (("one", "flat"), "pass"), (("two",), "skip"),
        (("three", "x"), "pass")]
    b = one.tests[0].tests[1]
    assert b.notes == ["file.c:1: 2 != 3"]
    assert one.tests[0].tests[2].reason == "why not"


def test_nothing_planned():
    assert ktap.read("KTAP version 1\n1..0\n") == []


@pytest.mark.parametrize("was, now", [
    ("1..3\n# a", "1..4\n# a"),
    ("1..3\n# a", "1..2\n# a"),
    ("1..3\n# a", "1..03\n# a"),
    ("1..3\n# a", "# a"),
    ("    1..3", "    1..2"),
    ("    1..3", "    1..4"),
    ("    1..3\n", ""),
    ("earlymm something", "KTAP version 1"),
    ("earlymm something", "ok 1 stray"),
    ("what comes after", "not ok 4 stray"),
    ("what comes after", "  ok 1 stray"),
    ("KTAP version 1\n1..3", "TAP version 13\n1..3"),
    ("KTAP version 1\n1..3", "KTAP version 2\n1..3"),
    ("  KTAP version 1\n  # Subtest: one", "  # Subtest: one"),
    ("    ok 1 a\n", ""),
    ("    ok 1 a", "    ok 2 a"),
    ("    ok 1 a", "   ok 1 a"),
    ("    ok 1 a", "  ok 1 a"),
    ("    ok 1 a", "      ok 1 a"),
    ("    ok 1 a", "\tok 1 a"),
    ("    ok 1 a", "    ok 1"),
    ("    ok 1 a", "    ok 1 a b"),
    ("    ok 1 a", "    ok 01 a"),
    ("    ok 1 a", "    OK 1 a"),
    ("    ok 1 a", "    ok 1 - a"),
    ("    ok 1 a", "    ok 1 a # TODO"),
    ("    ok 1 a", "    ok 1 a\n    ok 1 a"),
    ("    ok 1 a", "    boot log\n    ok 1 a"),
    ("    ok 1 a", "boot log\n    ok 1 a"),
    ("    ok 3 c # SKIP why not", "    not ok 3 c # SKIP why not"),
    ("  not ok 1 deep", "  ok 1 deep"),
    ("  not ok 1 deep", "  not ok 1 shallow"),
    ("  not ok 1 deep\n", ""),
    ("not ok 1 one", "ok 1 one"),
    ("ok 3 three", "not ok 3 three"),
    ("ok 3 three", "ok 3 three # SKIP"),
    ("ok 3 three\n", ""),
    ("memory map (address", "ok 2 memory map (address"),
    ("  1..1\n  ok 1 x\n", ""),
])
def test_bad(was, now):
    assert GOOD.count(was) >= 1
    with pytest.raises(ktap.Malformed):
        ktap.read(GOOD.replace(was, now, 1))


@pytest.mark.parametrize("line", range(1, GOOD.count("\n") - 1))
def test_cut_off(line):
    """A run that ends early, at whatever line."""
    text = "".join(GOOD.splitlines(keepends=True)[:line])
    if "ok 3 three" not in text:
        with pytest.raises(ktap.Malformed):
            ktap.read(text)
