# SPDX-License-Identifier: BSD-2-Clause
"""memblock=discard: the grown arrays go to the page allocator, the map is gone, the books stay."""

import re

import pytest

import check
import trees
from memory_map import PAGE
from tree_boot import RAM, only

MIB = 1 << 20
ARGS = "records=all verbose=1 meta_poison=1 memblock=discard"
EARLY = ["memblock", "nobootmem", "bootmem"]

# 996 banks with gaps, and 1200 reservations in them.
BANKS = [(0x80000000, 0x82400000)] + [
    (0x82400000 + i * 0x60000, 0x82400000 + i * 0x60000 + 0x50000) for i in range(996)] + \
    [(0xa0000000, 0xc0000000)]
CLAIMS = [(base + 0x8000, base + 0x9000) for base, _ in BANKS[1:-1]] + \
    [(0xa0000000 + i * 0x20000, 0xa0001000 + i * 0x20000) for i in range(204)]


def before(run):
    """The books on the console, from before: numbers, and pages by cause."""
    found, = re.finditer(r"^audit: ([0-9]+) pages present = ([0-9]+) managed \+ ([0-9]+) reserved "
                         r"\((.*)\)$", run.console, re.MULTILINE)
    causes = {}
    for entry in found[4].split(", "):
        cause, pages = entry.rsplit(" ", 1)
        causes[cause] = int(pages)
    return int(found[1]), int(found[2]), int(found[3]), causes


def expect_discarded(run, pages=None):
    """The arrays' pages, and nothing else, have changed sides. Returns how many they are."""
    assert run.status == 0
    assert not check.FATAL.search(run.payload_console)
    run.record("end", status="ok", pages_lost=0)
    present, managed, reserved, causes = before(run)
    after = check.Books(run)
    moved = causes.pop("memblock", 0)
    if pages is not None:
        assert moved == pages
    assert after.present == present == managed + reserved
    assert (after.managed, after.reserved) == (managed + moved, reserved - moved)
    assert after.causes == causes
    check.says(run, f"memblock discarded: {moved} pages more are managed, {managed + moved} in all")
    return moved


def array_pages(run):
    return sum(r.frames[1] - r.frames[0] for r in run.map.reserved if r.kind == "memblock")


@pytest.mark.parametrize("early", EARLY)
@pytest.mark.parametrize("bench", ["none", "churn,exhaust"])
def test_banks_and_reservations(boot, early, bench):
    """Both arrays are grown, and side by side."""
    source = trees.memory(*BANKS) + trees.reserved(*CLAIMS)
    run = boot(memory="1G", dtb=trees.compile_text(trees.virt(source), boot.folder),
               bootargs=f"bench={bench} {ARGS} early={early}")
    moved = expect_discarded(run)
    assert moved == array_pages(run) >= (len(BANKS) + len(CLAIMS)) * 24 // PAGE
    assert check.Books(run).causes["reserved-memory"] >= len(CLAIMS)
    assert ("\nverified: " in run.console) == (bench != "none")


@pytest.mark.parametrize("kind, count", [("reserved", 1000), ("reserved", 129), ("nomap", 300),
                                         ("banks", 400), ("memreserve", 1000)])
def test_one_array(boot, kind, count):
    run = boot(memory="1G", dtb=trees.generate(boot.folder, kind, count, "--order", "random"),
               bootargs=f"bench=churn,exhaust {ARGS}")
    assert expect_discarded(run) == array_pages(run) >= 1
    assert "\nverified: " in run.console


@pytest.mark.parametrize("early", EARLY)
@pytest.mark.parametrize("memory", ["64M", "1G"])
def test_nothing_grown(boot, early, memory):
    """The arrays in the struct are nobody's to have."""
    run = boot(memory=memory, bootargs=f"bench=churn,exhaust {ARGS} early={early}")
    expect_discarded(run, 0)
    assert "\nverified: " in run.console


def test_without(boot):
    """The map stays, and the arrays stay with it."""
    tree = trees.generate(boot.folder, "reserved", 1000)
    run = boot(memory="1G", dtb=tree, bootargs="bench=none records=all verbose=1")
    books = check.success(run)
    assert books.causes["memblock"] == array_pages(run) > 0
    assert "discarded" not in run.console


def test_array_that_grew_in_a_memory_test(boot):
    """Discarding, after all that can happen to memblock."""
    tree = trees.generate(boot.folder, "reserved", 300)
    run = boot(memory="1G", dtb=tree,
               bootargs=f"bench=churn {ARGS} memtest=1 mem=512M movable_node early=bootmem")
    assert expect_discarded(run) == array_pages(run) > 0
    assert "\nverified: " in run.console


def test_several_zones(boot):
    claims = [(0xa0000000 + i * 0x2000, 0xa0001000 + i * 0x2000) for i in range(200)]
    source = trees.memory((0x80000000, 0x140000000)) + trees.reserved(*claims)
    run = boot(memory="3G", dtb=trees.compile_text(trees.virt(source), boot.folder),
               bootargs=f"bench=churn,exhaust {ARGS}")
    assert expect_discarded(run) == array_pages(run) >= 1
    assert [zone.name for zone in check.Books(run).zones] == ["DMA32", "Normal"]
    assert "\nverified: " in run.console
