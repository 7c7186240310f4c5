# SPDX-License-Identifier: BSD-2-Clause
"""Workloads on several harts, in real time: every case is there and verified. How fast it was is
for `make scale` to say: times are never tested."""

import pytest

import check
from qemu import Booter

STEPS = 4000
ARGS = f"bench=scale,remote,stress steps={STEPS} reps=2 records=all alloc=buddy-default,list,api"
# Allocator, build; QEMU's harts have all extensions.
ENTRIES = [("buddy", "rv64gc"), ("buddy", "zb"), ("api", "rv64gc"), ("api", "zb"), ("list", None)]
OPS = {"scale": ["churn0", "churn"], "remote": ["order0", "mix"]}


@pytest.fixture(scope="module", params=[2, 4])
def several(request, build, tmp_path_factory):
    harts = request.param
    run = Booter(build, tmp_path_factory.mktemp("scale"))(
        memory="1G", smp=harts, bootargs=ARGS, timeout=400)
    check.success(run)
    return harts, run


def counts(harts, bench):
    """1, 2, 4, … and all; pairs where two work together."""
    return [n for n in (1, 2, 4, 8) if n <= harts and (bench == "scale" or n > 1)]


def fields(alloc, hot):
    return {"alloc": alloc, **({"hot": hot} if hot else {})}


@pytest.mark.parametrize("bench", OPS)
def test_complete(several, bench):
    harts, run = several
    for op in OPS[bench]:
        for entry in ENTRIES:
            for nr in counts(harts, bench):
                here = {"bench": bench, "where": "arena", "op": op, "harts": nr, **fields(*entry)}
                samples = run.find("smp", **here)
                assert [s["rep"] for s in samples] == ["0", "1"]
                ops = STEPS * (nr if bench == "scale" else nr // 2)
                assert {s.number("ops") for s in samples} == {ops}
                assert all(s.number("tb") > 0 for s in samples)
                result = run.record("res", **here)
                assert result["unit"] == "kops" and result.number("net_x100") > 0
                if nr == counts(harts, bench)[0]:
                    assert result.number("ratio_x100") == 100
                own = run.find("own", **here)
                assert len(own) == 2
                assert all([part.split(":")[0] for part in o["tb"].split(",")] ==
                           [str(i) for i in range(nr)] for o in own)
    kinds = len(OPS[bench]) * len(ENTRIES) * len(counts(harts, bench))
    assert len(run.find("res", bench=bench)) == kinds


def test_nobody_was_short_of_memory(several):
    _, run = several
    for sample in run.find("smp", where="arena", op="churn0"):
        assert sample.number("fail") == 0


def test_table(several):
    harts, run = several
    assert "scale, churn0                    1 hart       2 harts" in run.console
    assert "remote, all orders               2 harts" in run.console
    assert "two harts" in run.console
    assert f"stress: {harts} harts, {2 * STEPS * harts} operations" in run.console


def test_stress(several):
    harts, run = several
    samples = run.find("smp", bench="stress", where="system", alloc="api", harts=harts)
    assert [s.number("ops") for s in samples] == [STEPS * harts] * 2
    assert run.record("end", status="ok", pages_lost=0)


def test_one_hart(boot):
    """That it cannot be done is said."""
    run = boot(memory="128M", bootargs=ARGS)
    check.success(run)
    for bench, ops in OPS.items():
        for op in ops:
            for entry in ENTRIES:
                record = run.record("res", bench=bench, op=op, **fields(*entry))
                assert record["net_x100"] == "na"
    assert run.record("res", bench="stress")["net_x100"] == "na"
    assert "n/a: there is one hart only" in run.console
    assert "stress: n/a: there is one hart only" in run.console
    assert not run.find("smp")


def test_counted(boot):
    """Harts in turns, by counted instructions: it works, and is no measure."""
    run = boot(memory="128M", smp=2, icount=True, bootargs=ARGS)
    check.success(run)
    assert "(counted time: " in run.console
    assert len(run.find("smp", bench="remote")) == 2 * 2 * len(ENTRIES)
    assert "not judged" in run.console


def test_bad_steps(boot):
    run = boot(memory="128M", bootargs="bench=scale steps=0 records=all")
    assert "steps=0 is not a number" in run.console
