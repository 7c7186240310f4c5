# SPDX-License-Identifier: BSD-2-Clause
"""The whole benchmark as `make bench` runs it: every case is there, measured and verified."""

import re

import pytest

import check
from gate import BASELINE, Gate
from qemu import Booter

ARGS = "bench=all records=all meta_poison=1"
ARENA_PAGES = 262144
TOP_ORDER = 18
BULK_OPS = ["alloc", "free_ordered", "alloc2", "free_random"]
# Allocator, setting, build: QEMU's hart has all extensions, and the system's is the second build.
EXPECTED = {("buddy", "default", "rv64gc"), ("buddy", "default", "zb"), ("list", "default", None),
            ("buddy", "healing", "rv64gc"), ("buddy", "healing", "zb"),
            ("api", "default", "rv64gc"), ("api", "default", "zb")}
SYSTEM = ("api", "default", "zb")
STEPS = {"churn": 200000, "churn0": 200000, "age": 1000000, "burst": 2000 * 512, "frag": 500000,
         "mobility": 1000000, "latency": 200000}
API_ONLY = ["bulkapi", "mobility"]
LIVE = ARENA_PAGES // 4  # of age and burst
RESERVE = 1024  # the min watermark of 1 GiB, in pages

# Of the goals that the report judges (bench/goals.c), those that must be met.
MET = {"pair order 0", "pair order 9", "pair order 10", "bulk alloc", "free ordered", "free random", "churn",
       "age", "burst", "healing churn", "healing age", "healing burst", "slowest alloc", "slowest free",
       "metadata", "handover", "ready", "churn, whole API", "mobility, %"}


@pytest.fixture(scope="module")
def whole(build, tmp_path_factory):
    """One run for all tests of this file."""
    run = Booter(build, tmp_path_factory.mktemp("bench"))(memory="3G", bootargs=ARGS, timeout=300)
    check.success(run)
    return run


def test_verified(whole):
    verdict = re.search(r"^verified: (\d+) blocks, none overlapping, misaligned or outside; "
                        "all pages back, all merged$", whole.console, re.MULTILINE)
    assert int(verdict[1]) > 4000000
    assert "FAILED" not in whole.console
    assert whole.record("end", status="ok", pages_lost=0)
    assert whole.record("run", ins="exact", board="virt")


def test_phases(whole):
    names = [record["name"] for record in whole.find("phase")]
    assert names[-1] == "ready" and "handover" in names and "fdt" in names
    phases = {name: whole.record("phase", name=name).number("ins") for name in names}
    ready = phases.pop("ready")
    assert 0 < sum(phases.values()) <= ready < sum(phases.values()) + 2000


def entry_of(record):
    return record["alloc"], record["setting"], record.get("hot")


def here(entry):
    """What the records of an entry have."""
    fields = dict(zip(("alloc", "setting", "hot"), entry))
    return {key: value for key, value in fields.items() if value}


@pytest.fixture(scope="module")
def entries(whole):
    """All that was measured in the arena, in the order of the report."""
    found = list(dict.fromkeys(entry_of(r) for r in whole.find("res", where="arena")))
    assert EXPECTED <= set(found)
    return found


def is_capable(entry, bench, order=0):
    """The reserve leaves the API no block of all the arena, and nobody else has its calls."""
    return order < TOP_ORDER if entry[0] == "api" else bench not in API_ONLY


def cases(whole, kind, **fields):
    """(order, state, op) of an allocator's records."""
    return [(r.get("order"), r.get("state"), r.get("op")) for r in whole.find(kind, **fields)]


@pytest.mark.parametrize("kind", ["smp", "res"])
def test_all_cases(whole, entries, kind):
    pairs = [(str(order), state, "pair") for state, top in (("empty", TOP_ORDER),
             ("held", TOP_ORDER - 1)) for order in range(top + 1)]
    bulk = [(None, None, op) for op in BULK_OPS]
    nr_cases = 0
    for entry in entries:
        for bench, expected in (("pair", pairs), ("bulk", bulk), ("bulkapi", bulk),
                                *((bench, [(None, None, "step")]) for bench in STEPS)):
            expected = [case for case in expected
                        if kind == "res" or is_capable(entry, bench, int(case[0] or 0))]
            assert cases(whole, kind, **here(entry), bench=bench, where="arena") == expected
            nr_cases += len(expected)
        live = cases(whole, kind, **here(entry), where="system")
        assert live == ([(None, None, "step")] if entry == SYSTEM else [])
    assert len(whole.find(kind)) == nr_cases + 1


def test_counts(whole):
    """What the workloads are said to be."""
    for record in whole.find("smp"):
        ops = {"pair": 100000, "bulk": 16384, "bulkapi": 16384, **STEPS}[record["bench"]]
        assert record.number("ops") == ops, record
        assert record.number("fail") == 0, record
        assert record["rep"] == "0", record
        if record["where"] == "arena":
            assert record.number("arena") == ARENA_PAGES, record
        if record["bench"] in ("churn", "churn0", "latency"):
            assert record.number("slots") == 4096, record
        if record["bench"] in ("age", "burst"):
            assert record.number("live") == LIVE, record


def test_exhaust(whole, entries):
    """Every page of the arena in every order, and in a mix."""
    for entry in entries:
        kept = RESERVE if entry[0] == "api" else 0
        expected = {str(order): ARENA_PAGES - kept >> order for order in range(TOP_ORDER + 1)}
        expected["mix"] = ARENA_PAGES - kept
        if kept:
            expected[str(TOP_ORDER)] = "na"
        found = {r["order"]: (r["had"], r["ideal"])
                 for r in whole.find("frag", bench="exhaust", **here(entry))}
        assert found == {order: (str(n), str(n)) for order, n in expected.items()}


def test_scores(whole, entries):
    """Blocks of both orders, beside what is live; all of them once nothing is."""
    for entry in entries:
        for order in (9, 3):
            freed = whole.record("frag", bench="frag", order=order, state="freed", **here(entry))
            assert freed.number("had") == freed.number("ideal") == ARENA_PAGES >> order
            live = whole.record("frag", bench="frag", order=order, state="live", **here(entry))
            # Half of 65536 slots.
            assert abs(live.number("ideal") - (ARENA_PAGES - 32768 >> order)) << order < 1024
            assert 0 < live.number("had") <= live.number("ideal")
            for bench in ("age", "burst"):
                found = whole.record("frag", bench=bench, order=order, state="live", **here(entry))
                assert found.number("ideal") == ARENA_PAGES - LIVE >> order
                assert 0 <= found.number("had") <= found.number("ideal")


def test_mobility(whole, entries):
    """Ten pages in a hundred stay; what large blocks they leave is had by who has movable pages."""
    for entry in entries:
        for order in (9, 3):
            found = whole.record("frag", bench="mobility", order=order, state="live", **here(entry))
            if not is_capable(entry, "mobility"):
                assert found["had"] == found["ideal"] == "na"
                continue
            stay = ARENA_PAGES - (found.number("ideal") << order)
            assert abs(stay - ARENA_PAGES / 10) < 1024
            assert 0 < found.number("had") <= found.number("ideal")


def histogram(whole, entry, op):
    """The first record, and {value: count} of all of them."""
    found = whole.find("hist", bench="latency", op=op, **here(entry))
    assert [record.get("part") for record in found] == \
        [None, *(str(part) for part in range(1, len(found)))]
    pairs = [tuple(map(int, bucket.split(":"))) for record in found if "buckets" in record
             for bucket in record["buckets"].split(",")]
    assert [value for value, _ in pairs] == sorted({value for value, _ in pairs})
    return found[0], dict(pairs)


def test_latency(whole, entries):
    """Every call is in the histogram, and what they cost together is what the churn costs."""
    for entry in entries:
        total = 0
        for op, calls in (("alloc", 101027), ("free", 98973)):
            first, counts = histogram(whole, entry, op)
            assert first.number("n") == sum(counts.values()) == calls
            assert first.number("min") == min(counts) > 0
            assert first.number("max") == max(counts)
            for key, share in (("p50", 500), ("p90", 900), ("p99", 990), ("p999", 999)):
                limit = first.number(key)
                assert sum(n for value, n in counts.items() if value <= limit) * 1000 >= \
                    calls * share
                assert sum(n for value, n in counts.items() if value < limit) * 1000 < \
                    calls * share
            total += sum(value * n for value, n in counts.items())
        churn = whole.record("res", bench="churn", where="arena", **here(entry))
        assert abs(total / 2000 - churn.number("net_x100")) <= 1


def test_figures_are_net(whole):
    """A res record is the smp record less the null allocator's, per operation."""
    for res in whole.find("res"):
        order = int(res.get("order", 0))
        if not is_capable(entry_of(res), res["bench"], order):
            assert res["net_x100"] == "na"
            continue
        keys = {key: res[key] for key in ("bench", "where", "op")}
        case = {key: res[key] for key in ("alloc", "setting", "hot", "order", "state") if key in res}
        smp = whole.record("smp", **keys, **case)
        cal = whole.record("cal", **keys)
        net = (smp.number("ins") - cal.number("ins")) * 100 / smp.number("ops")
        assert abs(res.number("net_x100") - net) <= 1, res
        assert res["unit"] == "ins" and res["net_x100"] != "na"


def row_name(entry, entries):
    alloc, setting, hot = entry
    several = len({other[1] for other in entries if other[0] == alloc}) > 1
    return ", ".join([alloc] + [setting] * several + [hot] * (hot == "zb"))


def test_tables(whole, entries):
    """People see the same figures, on one screen."""
    table = whole.payload_console.split("\npage churn, ")[1].split("\n@PB1 ")[0].splitlines()
    assert max(map(len, table)) <= 100
    assert len(table) <= 48
    for entry in entries:
        rows = [line.split() for line in whole.payload_console.splitlines()
                if line.startswith(row_name(entry, entries) + "  ")]
        first, second = [row[len(row_name(entry, entries).split()):] for row in rows]
        churn = whole.record("res", bench="churn", where="arena", **here(entry))
        assert len(first) == 9 and len(second) == 12
        assert abs(float(first[5]) - churn.number("net_x100") / 100) < 0.1
        age, burst = [whole.record("frag", bench=bench, order=9, **here(entry))["had"]
                      for bench in ("age", "burst")]
        assert first[8] == f"{age}/{burst}"
        for column, op in ((8, "alloc"), (11, "free")):
            assert second[column] == histogram(whole, entry, op)[0]["max"]
    live = re.search(r"^  the live system's, zb +(.*)$", whole.console, re.MULTILINE)[1].split()
    assert live[6] == whole.record("phase", name="handover")["ins"]


def test_goals(whole):
    """Each one is met or missed, with the distance that its figure has."""
    text = re.search(r"^goals (?:missed|met), .*?(?=^verified)", whole.console,
                     re.MULTILINE | re.DOTALL)[0]
    counts = re.findall(r"goals (missed|met), (\d+) of (\d+):", text)
    found = re.findall(r"(-?[0-9.]+) of ([0-9.]+) \(([-+]?[0-9.]+)\)", text)
    assert sum(int(n) for _, n, _ in counts) == len(found) == int(counts[0][2])
    for value, limit, distance in found:
        assert abs(float(value) - float(limit) - float(distance)) < 0.11, (value, limit)
    handover = whole.record("phase", name="handover")["ins"]
    assert f"handover {handover} of 2000 (" in text
    met = re.search(r"^goals met, [0-9]+ of [0-9]+: (.*)", text, re.MULTILINE | re.DOTALL)[1]
    names = {re.match(r"(.*?) -?[0-9.]+M? of ", goal)[1] for goal in " ".join(met.split()).split("; ")}
    assert MET <= names, f"missed: {MET - names}"


# ---- the gate ----

@pytest.fixture(scope="module")
def build_gate(build, whole, tmp_path_factory):
    """The logs of the boots that the baseline names, and the arguments for the tool."""
    made = Gate(tmp_path_factory.mktemp("gate"))
    booter = Booter(build, made.folder)
    args = ["--qemu", " ".join(booter.qemu)]
    logs = []
    boots = re.findall(r"^boot: (\S+) (.*)$", BASELINE.read_text(encoding="ascii"), re.MULTILINE)
    assert ("3G", ARGS) in boots
    for i, (memory, bootargs) in enumerate(boots):
        is_whole = (memory, bootargs) == ("3G", ARGS)
        run = whole if is_whole else booter(memory=memory, bootargs=bootargs)
        assert run.status == 0
        args += ["--boot", f"{memory} {bootargs}"]
        logs.append(made.folder / f"log{i}")
        logs[-1].write_text(run.console)
    return made, args, logs


def test_build(build_gate):
    """No figure is more than 2 % worse than in the tree's own baseline."""
    gate, args, logs = build_gate
    status, output = gate.run(*args, BASELINE, *logs)
    if status == 2:
        pytest.skip(output.splitlines()[0])
    assert status == 0


def test_build_is_seen(build_gate):
    """A baseline in which one figure is 2.1 % better is not reached."""
    gate, args, logs = build_gate
    assert gate.run("--update", *args, gate.baseline, *logs)[0] == 0
    assert gate.run(*args, gate.baseline, *logs)[0] == 0
    text = gate.baseline.read_text()
    for was in re.findall(r"^ *(\d+\.\d\d) res ", text, re.MULTILINE)[::10]:
        better = f"{float(was) / 1.021 - 0.01:.2f}"
        gate.baseline.write_text(text.replace(f" {was} ", f" {better} ", 1))
        assert gate.run(*args, gate.baseline, *logs)[0] == 1


# ---- other choices ----

def test_brief_by_default(boot):
    """One screen, and the two records that say what it was and how it ended."""
    run = boot(memory="1G", bootargs="bench=bulk,churn,churn0,frag,latency", timeout=120)
    check.success(run)
    assert [record.type for record in run.records] == ["run", "end"]
    assert len(run.payload_console.splitlines()) < 72


@pytest.mark.parametrize("alloc", ["list", "list,buddy", "api,buddy"])
def test_chosen_allocators(boot, alloc):
    run = boot(memory="128M", bootargs=f"bench=churn0 records=all alloc={alloc}")
    check.success(run)
    assert {record["alloc"] for record in run.find("res")} == set(alloc.split(","))


def test_settings_on_request(boot):
    """With all that can be recorded of a page, each churned and verified."""
    names = ["api-compound", "api-owner", "api-poison", "api-unmovable", "buddy-healing"]
    run = boot(memory="128M", bootargs=f"bench=churn0,bulkapi records=all alloc={','.join(names)}",
               timeout=120)
    check.success(run)
    found = {f"{record['alloc']}-{record['setting']}" for record in run.find("res", where="arena")}
    assert found == set(names)


def test_unknown_allocator(boot):
    run = boot(memory="128M", bootargs="bench=churn0 alloc=buddy,lists")
    check.failure(run, 'bench: there is no allocator "lists"')
    assert re.search(r"^bench: known are all, buddy.*, list$", run.console, re.MULTILINE)


@pytest.mark.parametrize("bench", ["pair", "bulk", "bulkapi", "exhaust", *STEPS])
def test_one_alone(boot, bench):
    # The pairs of all allocators take longest, and are in the whole run.
    alloc = "alloc=list" if bench == "pair" else "alloc=all"
    run = boot(memory="128M", bootargs=f"bench={bench} {alloc} records=all meta_poison=1")
    check.success(run)
    found = {record["bench"] for kind in ("cal", "smp", "res", "frag", "hist") for record in run.find(kind)}
    assert found == {bench}
