# SPDX-License-Identifier: BSD-2-Clause
"""The gate on the benchmark's figures, tools/bench-check: what it lets through, and what not.

test_bench.py has the build against its own baseline.
"""

import re

import pytest

import records
from gate import Gate

RUN = {"id": 0, "board": "virt", "isa": "rv64gc", "harts": 1, "mem_kib": 3145728, "page": 4096,
       "sbi_impl": 1, "sbi_ver": 65542, "build": "abc", "cc": "gcc-12.2.0", "opt": "O2",
       "hot": "zb", "ins": "exact"}
PAIR = {"bench": "pair", "alloc": "buddy", "setting": "default", "order": 0, "op": "pair",
        "unit": "ins", "net_x100": 4000}
AGE = {"bench": "age", "alloc": "buddy", "order": 9, "had": 100, "ideal": 384, "chk": "ab12"}
HIST = {"bench": "latency", "alloc": "buddy", "op": "alloc", "n": 1000, "min": 4, "p50": 20,
        "p99": 90, "max": 700, "buckets": "4:1,20:999"}
PHASE = {"name": "handover", "ins": 600, "cyc": 601, "tb": 6}
END = {"status": "ok", "pages_lost": 0}


def console(*content, run=None, end=None):
    """A whole run: each of @content is a type and its fields."""
    content = [("run", {**RUN, **(run or {})}), *content, ("end", {**END, **(end or {})})]
    lines = []
    for seq, (kind, fields) in enumerate(content):
        if kind == "end":
            fields = {**fields, "nrec": len(content)}
        body = " ".join(["@PB1", str(seq), kind, *(f"{k}={v}" for k, v in fields.items())])
        lines.append(f"{body} *{records.crc16(body):04x}")
    return "OpenSBI\r\n" + "\r\n".join(lines) + "\r\n"


GOOD = (("phase", PHASE), ("res", PAIR), ("hist", HIST), ("frag", AGE))


@pytest.fixture
def gate(tmp_path):
    """With a baseline of GOOD."""
    made = Gate(tmp_path)
    status, _ = made(console(*GOOD), args=["--update"])
    assert status == 0
    return made


def rows(output):
    """{figure: (verdict, change)} of what was listed."""
    found = re.findall(r"^(better|worse|WORSE|MISSING|new) +(?:(\S+) %)? +\S+ +\S+  (\S.*)$",
                       output, re.MULTILINE)
    return {name: (verdict, change) for verdict, change, name in found}


def test_the_same(gate):
    status, output = gate(console(*GOOD))
    assert (status, rows(output)) == (0, {})
    assert "6 figures: 0 better, 0 a little worse, 0 worse by more than 2 %, 0 missing, 0 new: " \
        "passed" in output


def test_baseline_is_readable(gate):
    """Sorted, a figure a line, its value before its name."""
    figures = gate.baseline.read_text().split("\n\n")[1]
    assert figures == """\
       100 frag bench=age alloc=buddy order=9
       700 hist bench=latency alloc=buddy op=alloc max
        20 hist bench=latency alloc=buddy op=alloc p50
        90 hist bench=latency alloc=buddy op=alloc p99
       600 phase mem_kib=3145728 name=handover
     40.00 res bench=pair alloc=buddy setting=default order=0 op=pair
"""


def test_sorted_by_number(gate):
    gate(console(*(("res", {**PAIR, "order": order}) for order in (10, 9, 2, 18, 0))),
         args=["--update"])
    assert re.findall(r"order=(\d+)", gate.baseline.read_text()) == ["0", "2", "9", "10", "18"]


@pytest.mark.parametrize("kind, fields, key, was, now, status", [
    ("res", PAIR, "net_x100", 4000, 4076, 0),  # +1.9 %
    ("res", PAIR, "net_x100", 4000, 4080, 0),  # +2.0 %
    ("res", PAIR, "net_x100", 4000, 4084, 1),  # +2.1 %
    ("res", PAIR, "net_x100", 4000, 100, 0),
    ("res", PAIR, "net_x100", 4000, "na", 1),
    ("res", PAIR, "net_x100", "na", 4000, 0),
    ("res", PAIR, "net_x100", 0, 2, 0),  # 2 % of one instruction
    ("res", PAIR, "net_x100", 0, 3, 1),
    ("res", PAIR, "net_x100", -50, 50, 1),
    ("phase", PHASE, "ins", 600, 612, 0),
    ("phase", PHASE, "ins", 600, 613, 1),
    ("hist", HIST, "max", 700, 714, 0),
    ("hist", HIST, "max", 700, 715, 1),
    ("hist", HIST, "p50", 20, 21, 1),
    ("frag", AGE, "had", 100, 98, 0),  # fewer is worse
    ("frag", AGE, "had", 100, 97, 1),
    ("frag", AGE, "had", 100, 384, 0),
    ("frag", AGE, "had", 100, 0, 1),
])
def test_limit(gate, kind, fields, key, was, now, status):
    gate(console((kind, {**fields, key: was})), args=["--update"])
    assert gate(console((kind, {**fields, key: was})))[0] == 0
    got, output = gate(console((kind, {**fields, key: now})))
    assert got == status
    (verdict, _), = rows(output).values()
    assert verdict in (("WORSE", "MISSING") if status else ("better", "worse", "new"))
    assert output.rstrip().endswith("FAILED" if status else "passed")


@pytest.mark.parametrize("now, row", [
    (400000, None), (400400, None), (399600, None),
    (400401, ("worse", "+0.10")), (399599, ("better", "-0.10")), (408001, ("WORSE", "+2.00")),
    (200000, ("better", "-50.00"))])
def test_what_is_listed(gate, now, row):
    """More than 0.1 %, in both directions."""
    name = "res bench=pair alloc=buddy setting=default order=0 op=pair"
    gate(console(("res", {**PAIR, "net_x100": 400000})), args=["--update"])
    _, output = gate(console(("res", {**PAIR, "net_x100": now})))
    assert rows(output) == ({name: row} if row else {})


def test_all_that_moved(gate):
    """Each is listed; a single one that fails is enough; the columns are straight."""
    status, output = gate(console(("phase", {**PHASE, "ins": 700}),
                                  ("res", {**PAIR, "net_x100": 4010}),
                                  ("hist", {**HIST, "p99": 80}), ("frag", {**AGE, "had": 384})))
    assert status == 1
    assert {name.split()[0]: verdict for name, (verdict, _) in rows(output).items()} == {
        "frag": "better", "hist": "better", "phase": "WORSE", "res": "worse"}
    assert len({line.index("  " + line.split("  ")[-1]) for line in output.splitlines()[1:-1]}) == 1


def test_live_system(gate):
    """Depends on the image's size, too: it is listed, but only its absence fails."""
    live = {**PAIR, "where": "system"}
    name = "res bench=pair alloc=buddy where=system setting=default order=0 op=pair"
    gate(console(("res", live)), args=["--update"])
    status, output = gate(console(("res", {**live, "net_x100": 6000})))
    assert (status, rows(output)) == (0, {name: ("worse", "+50.00")})
    status, output = gate(console(("res", {**live, "where": "arena"})))
    assert status == 1 and rows(output)[name] == ("MISSING", "")


def test_missing_figure(gate):
    status, output = gate(console(*GOOD[:-1]))
    assert status == 1
    assert rows(output) == {"frag bench=age alloc=buddy order=9": ("MISSING", "")}


def test_new_figure(gate):
    """It is named, and does not fail."""
    status, output = gate(console(*GOOD, ("res", {**PAIR, "order": 1})))
    assert status == 0
    assert rows(output) == {
        "res bench=pair alloc=buddy setting=default order=1 op=pair": ("new", "")}


def test_new_key(gate):
    """What a record has more is another figure: nothing is compared with what it was not."""
    status, output = gate(console(*GOOD[:-1], ("frag", {**AGE, "live": "quarter"})))
    assert status == 1
    assert {verdict for verdict, _ in rows(output).values()} == {"MISSING", "new"}


def test_other_records_do_not_matter(gate):
    more = (("cal", {"bench": "pair", "ins": 5}), ("mem", {"node": 0}), ("unheard", {"of": 1}),
            ("smp", {"bench": "pair", "ins": 7}))
    assert gate(console(*GOOD, *more))[0] == 0
    other_build = {"build": "another", "id": 9}
    assert gate(console(*GOOD, run=other_build))[0] == 0


# ---- runs that are not to be relied on ----

def failed(gate, text):
    status, output = gate(text)
    assert status == 1 and "bench-check: FAILED: " in output and not rows(output)
    return output


def test_bad_crc(gate):
    good = console(*GOOD)
    assert good.count("net_x100=4000") == 1
    assert "CRC is" in failed(gate, good.replace("net_x100=4000", "net_x100=3000"))


@pytest.mark.parametrize("line", range(1, 7))
def test_lost_record(gate, line):
    lines = console(*GOOD).splitlines(keepends=True)
    failed(gate, "".join(lines[:line] + lines[line + 1:]))


@pytest.mark.parametrize("end", [{"status": "fail"}, {"pages_lost": 1}])
def test_failed_run(gate, end):
    failed(gate, console(*GOOD, end=end))


def test_nothing(gate):
    failed(gate, "")
    assert gate.run(gate.baseline, gate.folder / "is-not-there")[0] == 1


def test_not_a_number(gate):
    failed(gate, console(("res", {**PAIR, "net_x100": "many"})))


def test_the_same_figure_twice(gate):
    failed(gate, console(*GOOD, GOOD[1]))
    status, output = gate(console(*GOOD), console(GOOD[1]))
    assert status == 1 and "as another run has" in output


@pytest.mark.parametrize("update", [[], ["--update"], ["--force"]])
def test_noisy(gate, update):
    """Neither compared nor made a baseline of."""
    before = gate.baseline.read_text()
    status, output = gate(console(*GOOD, run={"ins": "noisy"}), args=update)
    assert status == 2 and "not exact" in output
    assert gate.baseline.read_text() == before


def test_update_refuses_incomplete_runs(gate):
    before = gate.baseline.read_text()
    assert gate(console(*GOOD, end={"status": "fail"}), args=["--update"])[0] == 1
    assert gate.baseline.read_text() == before


# ---- other conditions ----

@pytest.mark.parametrize("key, value", [
    ("cc", "gcc-13.2.0"), ("sbi_ver", 65543), ("opt", "Os"), ("isa", "rv64gc_zba"),
    ("hot", "rv64gc"), ("mem_kib", 1048576), ("board", "spike"), ("harts", 2)])
def test_other_conditions(gate, key, value):
    status, output = gate(console(*GOOD, run={key: value}))
    assert status == 2 and not rows(output)
    assert f"bench-check: {key}: {RUN[key]} in the baseline, {value} now" in output
    status, output = gate(console(*GOOD, run={key: value}), args=["--force"])
    assert status == (1 if key == "mem_kib" else 0)
    assert f"bench-check: {key}: {RUN[key]} in the baseline, {value} now" in output


def test_other_boots(gate):
    """Of several runs, and by what they were asked for."""
    two = (console(*GOOD), console(("phase", PHASE), run={"mem_kib": 1 << 30}))
    boots = ["--boot", "3G bench=all", "--boot", "1T bench=none"]
    assert gate(*two, args=["--update", *boots])[0] == 0
    assert gate(*two, args=boots)[0] == 0
    assert gate(*two)[0] == 2
    assert gate(*two, args=["--boot", "3G bench=all", "--boot", "1T bench=pair"])[0] == 2
    assert gate(two[0], args=boots)[0] == 2
    worse = console(("phase", {**PHASE, "ins": 700}), run={"mem_kib": 1 << 30})
    assert gate(two[0], worse, args=boots)[0] == 1


@pytest.mark.parametrize("was, now", [
    ("     40.00 res", "     40.0 res"), ("     40.00 res", "     many res"),
    ("     40.00 res", "res"), ("cc: gcc-12.2.0\n", "cc: a\ncc: a\n"),
    ("       700 hist", "       600 hist bench=latency alloc=buddy op=alloc max\n       700 hist")])
def test_bad_baseline(gate, was, now):
    gate.change(was, now)
    status, output = gate(console(*GOOD))
    assert status == 2 and re.search(r"baseline.txt:\d+: not a figure", output)


def test_no_baseline(gate):
    gate.baseline.write_text("# nothing\n")
    assert gate(console(*GOOD))[0] == 2
    gate.baseline.unlink()
    status, output = gate(console(*GOOD))
    assert status == 2 and "make bench-baseline" in output
