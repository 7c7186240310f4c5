# SPDX-License-Identifier: BSD-2-Clause
"""The goals of the boot that are met, exactly counted; test_bench.py has those that the report judges."""

import pytest

import check

READY = 250000
SIZES = ["36M", "64M", "128M", "1G", "3G", "64G", "256G", "1T"]


def instructions(run, phase):
    check.success(run)
    assert run.record("run")["ins"] == "exact"
    return run.record("phase", name=phase).number("ins")


@pytest.mark.parametrize("memory, goal", [("1G", 600), ("1T", 2000)])
def test_handover(boot, memory, goal):
    """Metadata set-up included, with its memory full of garbage."""
    assert instructions(boot(memory=memory), "handover") <= goal


@pytest.mark.parametrize("memory", SIZES)
def test_ready(boot, memory):
    """From the payload's first instruction to the first page, with the tree that QEMU makes."""
    assert instructions(boot(memory=memory), "ready") <= READY


def test_garbage_costs_nothing(boot):
    """Metadata is neither cleared beforehand nor read before it is written."""
    clean = boot(memory="1G", bootargs="bench=none records=all meta_poison=0")
    dirty = boot(memory="1G", bootargs="bench=none records=all meta_poison=1")
    assert instructions(clean, "handover") == instructions(dirty, "handover")
