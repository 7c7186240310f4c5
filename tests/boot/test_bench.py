# SPDX-License-Identifier: BSD-2-Clause
"""The whole benchmark as `make bench` runs it: every case is there, measured and verified."""

import re

import pytest

import check
from qemu import Booter

ARGS = "bench=all records=all meta_poison=1"
ARENA_PAGES = 262144
TOP_ORDER = 18
BULK_OPS = ["alloc", "free_ordered", "alloc2", "free_random"]
ALLOCATORS = ["buddy", "list"]
# Rows, allocators and builds: QEMU's hart has all extensions, and the system's is the second build.
ENTRIES = {"buddy": ("buddy", "rv64gc"), "buddy, zb": ("buddy", "zb"), "list": ("list", None)}
SYSTEM_HOT = "zb"


@pytest.fixture(scope="module")
def whole(build, tmp_path_factory):
    """One run for all tests of this file."""
    run = Booter(build, tmp_path_factory.mktemp("bench"))(memory="3G", bootargs=ARGS, timeout=120)
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


def cases(whole, kind, **fields):
    """(order, state, op) of an allocator's records."""
    return [(r.get("order"), r.get("state"), r.get("op")) for r in whole.find(kind, **fields)]


@pytest.mark.parametrize("alloc, hot", ENTRIES.values())
@pytest.mark.parametrize("kind", ["smp", "res"])
def test_all_cases(whole, kind, alloc, hot):
    pairs = [(str(order), state, "pair") for state, top in (("empty", TOP_ORDER),
             ("held", TOP_ORDER - 1)) for order in range(top + 1)]
    bulk = [(None, None, op) for op in BULK_OPS]
    churns = [("churn", "arena"), ("churn0", "arena")]
    if hot == SYSTEM_HOT:
        churns.append(("churn", "system"))
    here = {"alloc": alloc, **({"hot": hot} if hot else {})}
    assert cases(whole, kind, **here, bench="pair", where="arena") == pairs
    assert cases(whole, kind, **here, bench="bulk", where="arena") == bulk
    for bench, where in churns:
        assert cases(whole, kind, **here, bench=bench, where=where) == [(None, None, "step")]
    assert len(whole.find(kind, **here)) == len(pairs) + len(bulk) + len(churns)


def test_counts(whole):
    """What the workloads are said to be."""
    for record in whole.find("smp"):
        ops = {"pair": 100000, "bulk": 16384, "churn": 200000, "churn0": 200000}[record["bench"]]
        assert record.number("ops") == ops, record
        assert record.number("fail") == 0, record
        assert record["rep"] == "0", record
        if record["where"] == "arena":
            assert record.number("arena") == ARENA_PAGES, record
        if record["bench"].startswith("churn"):
            assert record.number("slots") == 4096, record


@pytest.mark.parametrize("alloc", ALLOCATORS)
def test_exhaust(whole, alloc):
    """Every page of the arena in every order, and in a mix."""
    found = {r["order"]: (r["had"], r["ideal"])
             for r in whole.find("frag", bench="exhaust", alloc=alloc)}
    expected = {str(order): ARENA_PAGES >> order for order in range(TOP_ORDER + 1)}
    expected["mix"] = ARENA_PAGES
    assert found == {order: (str(n), str(n)) for order, n in expected.items()}


def test_figures_are_net(whole):
    """A res record is the smp record less the null allocator's, per operation."""
    for res in whole.find("res"):
        keys = {key: res[key] for key in ("bench", "where", "op")}
        case = {key: res[key] for key in ("alloc", "hot", "order", "state") if key in res}
        smp = whole.record("smp", **keys, **case)
        cal = whole.record("cal", **keys)
        net = (smp.number("ins") - cal.number("ins")) * 100 / smp.number("ops")
        assert abs(res.number("net_x100") - net) <= 1, res
        assert res["unit"] == "ins" and res["net_x100"] != "na"


@pytest.mark.parametrize("name, entry", ENTRIES.items())
def test_table(whole, name, entry):
    """People see the same figures."""
    here = {"alloc": entry[0], **({"hot": entry[1]} if entry[1] else {})}
    churn = whole.record("res", bench="churn", where="arena", **here).number("net_x100") / 100
    row = re.search(rf"^{name} +(.*)$", whole.console, re.MULTILINE)[1].split()
    assert len(row) == 9
    assert abs(float(row[5]) - churn) < 0.1
    handover = whole.record("phase", name="handover")
    assert row[7] == (handover["ins"] if name == "buddy" else "-")


def test_brief_by_default(boot):
    """One screen, and the two records that say what it was and how it ended."""
    run = boot(memory="1G", bootargs="bench=all")
    check.success(run)
    assert [record.type for record in run.records] == ["run", "end"]
    lines = run.payload_console.splitlines()
    assert len(lines) < 50
    table = run.payload_console.split("\npage churn, ")[1].split("\n@PB1 ")[0].splitlines()
    assert max(map(len, table)) <= 100


@pytest.mark.parametrize("bench", ["pair", "bulk", "churn", "churn0", "exhaust"])
def test_one_alone(boot, bench):
    run = boot(memory="128M", bootargs=f"bench={bench} records=all meta_poison=1")
    check.success(run)
    found = {record["bench"] for kind in ("cal", "smp", "res", "frag") for record in run.find(kind)}
    assert found == {bench}
