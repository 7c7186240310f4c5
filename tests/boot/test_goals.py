# SPDX-License-Identifier: BSD-2-Clause
"""The goals of the boot that are met, exactly counted; test_bench.py has those that the report judges."""

import pytest

import check

READY = 250000
READY_NO_FDT = 20000
SIZES = ["36M", "64M", "128M", "1G", "3G", "64G", "256G", "1T"]


def instructions(run, phase):
    check.success(run)
    assert run.record("run")["ins"] == "exact"
    return run.record("phase", name=phase).number("ins")


@pytest.mark.parametrize("memory, goal", [("36M", 700), ("1G", 600), ("3G", 2000), ("1T", 2000)])
def test_handover(boot, memory, goal):
    """Metadata set-up included, with its memory full of garbage; from 3 GiB on of two zones."""
    assert instructions(boot(memory=memory), "handover") <= goal


@pytest.mark.parametrize("memory", SIZES)
def test_ready(boot, memory):
    """From the payload's first instruction to the first page, with the tree that QEMU makes."""
    assert instructions(boot(memory=memory), "ready") <= READY


@pytest.mark.parametrize("memory", SIZES)
def test_outside_the_walk(boot, memory):
    """All but the walk over the tree; what the arguments of this test cost is the test's own."""
    run = boot(memory=memory)
    ready, fdt, bootargs = (instructions(run, phase) for phase in ("ready", "fdt", "bootargs"))
    assert ready - fdt - bootargs <= READY_NO_FDT


def test_garbage_costs_nothing(boot):
    """Metadata is neither cleared beforehand nor read before it is written."""
    clean = boot(memory="1G", bootargs="bench=none records=all meta_poison=0")
    dirty = boot(memory="1G", bootargs="bench=none records=all meta_poison=1")
    assert instructions(clean, "handover") == instructions(dirty, "handover")
