# SPDX-License-Identifier: BSD-2-Clause
"""Every size of RAM boots, and every page of it is accounted for."""

import re

import pytest

import check
from image import symbol
from memory_map import RAM_BASE

KIB, MIB, GIB, TIB = 1 << 10, 1 << 20, 1 << 30, 1 << 40

# Pages of 4 KiB. fw_jump puts the tree at RAM's start + 34 MiB: less than 36M is never entered.
PAGES = {
    "36M": 9216,
    "37M": 9472,
    "40M": 10240,
    "64M": 16384,
    "128M": 32768,
    "1000M": 256000,
    "1G": 262144,
    "1025M": 262400,
    "2G": 524288,
    "3G": 786432,
    "64G": 16777216,
    "256G": 67108864,
    "1T": 268435456,
    "4T": 1073741824,
}


def init_pages(boot):
    """What only the boot needs of the image: self-tests."""
    return (symbol(boot.elf, "__init_end") - symbol(boot.elf, "__init_begin")) // 4096


def check_books(boot, run, pages):
    books = check.success(run)
    assert books.present == pages
    assert run.record("run").number("mem_kib") == pages * 4
    assert run.map.ram == [(RAM_BASE, RAM_BASE + pages * 4096)]
    assert run.map.claimed == {}
    # 0.14 bytes a page, plus at most 4 KiB a zone and 2 KiB a hart.
    assert books.meta_bytes <= 0.14 * pages + 6 * KIB
    assert books.causes["image"] + books.causes["fdt"] - init_pages(boot) < 64


@pytest.mark.parametrize("memory, pages", PAGES.items(), ids=PAGES)
def test_boot(boot, memory, pages):
    run = boot(memory=memory)
    check_books(boot, run, pages)
    assert run.record("run")["ins"] == "exact"


def test_20g_plain(boot):
    """Without a memfd: as much as a host may have."""
    run = boot(memory="20G")
    if re.search("cannot (set up|allocate)", run.console, re.IGNORECASE):
        pytest.skip("the host does not have so much")
    check_books(boot, run, 5242880)


@pytest.mark.parametrize("memory, arena", [
    ("36M", 4096), ("40M", 4096), ("64M", 8192), ("128M", 16384), ("1G", 131072), ("2G", 262144),
    ("64G", 262144), ("1T", 262144)])
def test_churn(boot, memory, arena):
    """After the churn, on the live allocator and in the largest block, every page is back."""
    run = boot(memory=memory, bootargs="bench=churn,exhaust records=all meta_poison=1")
    check.success(run)
    assert "verified: " in run.console
    places = {record["where"] for record in run.find("smp", bench="churn")}
    assert places == {"system", "arena"}
    for alloc in ("buddy", "list"):
        found = {record.number("arena") for record in run.find("smp", where="arena", alloc=alloc)}
        assert found == {arena}
    for record in run.find("frag"):
        assert record["had"] == record["ideal"], record
