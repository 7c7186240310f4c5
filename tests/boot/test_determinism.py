# SPDX-License-Identifier: BSD-2-Clause
"""Counting runs are the same, instruction by instruction; the seed is what makes a difference."""

import pytest

import check

ARGS = "bench=bulk,churn,churn0,frag,latency,exhaust records=all meta_poison=1"


def boot_counting(boot, args=ARGS, memory="256M", **kwargs):
    run = boot(memory=memory, bootargs=args, **kwargs)
    check.success(run)
    assert run.record("run")["ins"] == "exact"
    return run


def results(run, kind, *keys):
    """Records of a kind, or only these keys of them."""
    return [tuple(record[key] for key in keys) if keys else dict(record)
            for record in run.find(kind)]


def test_same_seed(boot):
    """Down to the last record. A small arena has fewer pairs, which take longest."""
    first, second = (boot_counting(boot, ARGS.replace("bulk", "pair,bulk"), "16M", bios="default",
                                   kernel=boot.image) for _ in range(2))
    assert len(first.find("res")) > 20
    assert results(first, "res") == results(second, "res")
    assert results(first, "smp", "chk", "ins") == results(second, "smp", "chk", "ins")
    assert results(first, "cal", "ins") == results(second, "cal", "ins")
    assert results(first, "frag") == results(second, "frag")
    assert results(first, "hist") == results(second, "hist")
    assert results(first, "phase", "name", "ins") == results(second, "phase", "name", "ins")


def test_seed_given(boot):
    """42 is what is meant without."""
    default, given = boot_counting(boot), boot_counting(boot, ARGS + " seed=42")
    assert results(default, "res") == results(given, "res")
    assert results(default, "smp", "chk") == results(given, "smp", "chk")


@pytest.mark.parametrize("seed", [1, 7, 18446744073709551615])
def test_other_seed(boot, seed):
    """Other blocks in another order; what takes no random numbers stays."""
    default, other = boot_counting(boot), boot_counting(boot, f"{ARGS} seed={seed}")
    for bench in ("churn", "churn0", "frag", "latency"):
        places = [run.find("smp", bench=bench, where="arena")[0] for run in (default, other)]
        assert places[0]["chk"] != places[1]["chk"], bench
        assert places[0]["ins"] != places[1]["ins"], bench
    assert [r["chk"] for r in default.find("smp", bench="bulk")] == \
        [r["chk"] for r in other.find("smp", bench="bulk")]


def test_repetitions(boot):
    """Set up afresh for each: no repetition sees another's traces, except on the live system."""
    run = boot_counting(boot, "bench=bulk,churn,churn0 reps=3 records=all meta_poison=1")
    samples = {}
    for record in run.find("smp", where="arena"):
        case = tuple(record.get(key) for key in ("bench", "alloc", "setting", "hot", "order",
                                                 "state", "op"))
        samples.setdefault(case, []).append((record["rep"], record["ins"], record["chk"]))
    for case, found in samples.items():
        assert [rep for rep, _, _ in found] == ["0", "1", "2"], case
        assert len({(ins, chk) for _, ins, chk in found}) == 1, case


def test_noisy_elsewhere(boot):
    """Any other way of counting is called noisy, and no figure claims to be instructions."""
    for kwargs in (dict(icount=False), dict(icount=False, extra=["-icount", "shift=1,sleep=off"])):
        run = boot(memory="256M", bootargs="bench=churn0 reps=1 records=all", **kwargs)
        check.success(run)
        assert run.record("run")["ins"] == "noisy"
        assert {record["unit"] for record in run.find("res")} == {"ns"}
