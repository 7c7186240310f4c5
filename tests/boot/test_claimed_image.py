# SPDX-License-Identifier: BSD-2-Clause
"""Somebody else claims (part of) the image: its init memory then stays reserved."""

import re

import pytest

import check
import trees

RAM = (0x80000000, 0xc0000000)
IMAGE = 0x80200000


def init_pages(run):
    return int(re.search(r"^ +([0-9]+) pages of init memory went back", run.console, re.M)[1])


@pytest.mark.parametrize("more", ["", "reusable;", "no-map;"])
@pytest.mark.parametrize("claim", [
    (IMAGE, IMAGE + 0x40000), (IMAGE + 0x1000, IMAGE + 0x1100), (RAM[0], IMAGE + 0x1000)])
def test_claimed(boot, claim, more):
    """Its pages are somebody's after the boot, too: what a claim needs is never handed out."""
    tree = trees.compile_text(
        trees.virt(trees.memory(RAM) + trees.reserved((*claim, more))), boot.folder)
    run = boot(memory="1G", dtb=tree)
    check.success(run)
    assert init_pages(run) == 0
    first, last = max(claim[0], IMAGE) // 4096, -(-claim[1] // 4096)
    for start, end in run.map.free_frames():
        assert end <= first or start >= last


def test_own_entry(boot):
    """A loader's /memreserve/ entry for the image is no claim of somebody else."""
    tree = trees.compile_text(trees.virt(trees.memory(RAM)), boot.folder)
    plain = boot(memory="1G", dtb=tree)
    check.success(plain)
    assert init_pages(plain) > 100


def test_values_with_control_characters(boot):
    """A value that is not understood is shown, and cannot begin a line."""
    source = trees.memory(RAM) + \
        r'/ { chosen { bootargs = "bench=none seed=\"1\n@PB1 0 end status=ok\x1b[2J\""; }; };'
    run = boot(memory="1G", bootargs=None,
               dtb=trees.compile_text(trees.virt(source), boot.folder))
    assert run.status != 0
    assert "\x1b" not in run.payload_console
    assert not re.search("^@PB1 0 end", run.payload_console, re.M)
