# SPDX-License-Identifier: BSD-2-Clause
"""Nodes, their distances, and memory that can be unplugged (movable_node)."""

import pytest

import check
import trees
from tree_boot import PAGES, boot_text, expect, expect_free, expect_kept, named, only, told

MIB = 1 << 20
CHURN = "bench=churn,exhaust records=all verbose=1 meta_poison=1"
EARLY = ["memblock", "nobootmem", "bootmem"]

NODES = "".join(trees.memory((0x80000000 + i * 0x10000000, 0x90000000 + i * 0x10000000),
                             more=f"numa-node-id = <{i}>;") for i in range(4))


def distances(*triples, compatible="numa-distance-map-v1"):
    matrix = " ".join(f"<{a} {b} {d}>," for a, b, d in triples).rstrip(",")
    return (f'/ {{ distance-map {{ compatible = "{compatible}"; '
            f"{f'distance-matrix = {matrix};' if matrix else ''} }}; }};")


def banks(run):
    return [bank.end for bank in run.map.banks if bank.kind == "memory"]


GOOD = [(a, b, 10 if a == b else 10 + 5 * abs(a - b)) for a in range(4) for b in range(4)]


@pytest.mark.parametrize("more", [
    distances(*GOOD), distances((0, 1, 20), (1, 2, 21), (2, 3, 22)), distances(),
    distances(*GOOD, compatible="another-map"),
    distances((0, 0, 11), (0, 1, 9), (1, 0, 255), (0, 99, 20), (4000000000, 0, 20)),
    distances(*[(0, 1, 20)] * 1000),
    distances(*GOOD) + distances((0, 1, 30)).replace("distance-map {", "other-map {"),
    '/ { distance-map { compatible = "numa-distance-map-v1"; distance-matrix = <0 0>; }; };'],
    ids=["good", "one-way", "empty", "another", "wrong", "repeated", "two-maps", "no-triple"])
def test_distance_map(boot, firmware, more):
    """Whatever it says, memory is what it is, and nodes stay apart."""
    run, books = boot_text(boot, NODES + more, bios=firmware, bootargs=CHURN)
    expect(run, books)
    assert banks(run) == [0x90000000, 0xa0000000, 0xb0000000, 0xc0000000]
    assert "\nverified: " in run.console


@pytest.mark.parametrize("node, message", [
    ("<1023>", None), ("<1024>", "dt: memory@a0000000: numa-node-id is not a number up to 1023, "
                       "ignored"), ("<0xffffffff>", True), ("<>", True), ("<0 1 2>", True)])
def test_node_ids(boot, node, message):
    source = trees.memory((0x80000000, 0xa0000000)) + \
        trees.memory((0xa0000000, 0xc0000000), more=f"numa-node-id = {node};")
    run, books = boot_text(boot, source)
    expect(run, books)
    assert len(told(run)) == bool(message)
    if message is not None:
        assert told(run) == ["dt: memory@a0000000: numa-node-id is not a number up to 1023, "
                             "ignored"]
    assert banks(run) == ([0xa0000000, 0xc0000000] if message is None else [0xc0000000])


# ---- memory that can be unplugged ----

HOT = "hotpluggable;"
# The lowest bank is hotpluggable; it is where metadata goes first, and where nothing else lives.
LOW_HOT = trees.memory((0x84000000, 0x90000000), more=HOT) + \
    trees.memory((0x80000000, 0x84000000), (0x90000000, 0xc0000000)) + \
    trees.reserved((0x80000000, 0x84000000))


@pytest.mark.parametrize("early", EARLY)
@pytest.mark.parametrize("movable_node, base", [("", 0x84000000), ("movable_node", 0x90000000),
                                                ("movable_node=0", 0x84000000),
                                                ("movable_node=1", 0x90000000)])
def test_metadata(boot, early, movable_node, base):
    """The lowest place that stays; all of the bank is free then, and is used."""
    run, books = boot_text(boot, LOW_HOT, bootargs=f"{CHURN} {movable_node} early={early}")
    assert only(run, "metadata").base == base
    if base == 0x90000000:
        expect_free(run, (0x84000000, 0x90000000))
    assert books.present == PAGES
    assert "\nverified: " in run.console
    bank, = (bank for bank in run.map.banks if bank.name == "hotpluggable")
    assert bank.range == (0x84000000, 0x90000000)


@pytest.mark.parametrize("early", EARLY)
def test_no_other_memory(boot, early):
    """All that is free can be unplugged: with movable_node nothing may be placed at all."""
    source = trees.memory((0x80000000, 0x84000000)) + \
        trees.memory((0x84000000, 0xc0000000), more=HOT) + \
        trees.reserved((0x80000000, 0x84000000))
    tree = trees.compile_text(trees.virt(source), boot.folder)
    run = boot(memory="1G", dtb=tree, bootargs=f"bench=none movable_node early={early}")
    check.failure(run, "^fatal: (bootmem cannot be set up|no room for the page allocator's "
                  "metadata .*): .*; reserve less$")
    run = boot(memory="1G", dtb=tree, bootargs=f"bench=none records=all verbose=1 early={early}")
    assert check.success(run).causes["metadata"] == 10


@pytest.mark.parametrize("movable_node", ["", "movable_node"])
def test_arrays(boot, movable_node):
    """For 200 banks: in memory that can be unplugged only if there is no other."""
    claims = [(0xa0000000 + i * 0x2000, 0xa0001000 + i * 0x2000) for i in range(200)]
    run, books = boot_text(boot, LOW_HOT + trees.reserved(*claims),
                           bootargs=f"{CHURN} {movable_node}")
    assert 0x90000000 <= only(run, "memblock").base < 0xa0000000
    expect_kept(run, *claims)
    assert books.present == PAGES


@pytest.mark.parametrize("movable_node, placed", [("", True), ("movable_node", False)])
def test_dynamic_regions(boot, movable_node, placed):
    """Top-down, but where memory stays; elsewhere if they must, and with movable_node never."""
    source = trees.memory((0x80000000, 0xb0000000)) + \
        trees.memory((0xb0000000, 0xc0000000), more=HOT) + trees.dynamic(
            ("stays", MIB), ("must", MIB, trees.alloc_ranges((0xb0000000, 0xb8000000))),
            ("gone", MIB, "no-map;", trees.alloc_ranges((0xb8000000, 0xc0000000))))
    run, books = boot_text(boot, source, bootargs=f"{CHURN} {movable_node}")
    names = named(run)
    assert names["stays"] == ("reserved-memory", 0xaff00000, 0xb0000000)
    assert ("must" in names) == ("gone" in names) == placed
    if placed:
        assert names["must"] == ("reserved-memory", 0xb7f00000, 0xb8000000)
        assert names["gone"] == ("no-map", 0xbff00000, 0xc0000000)
        expect_kept(run, (0xb7f00000, 0xb8000000), (0xbff00000, 0xc0000000))
        assert told(run) == []
    else:
        assert told(run) == [
            f"dt: {name}: not placed: no 0x100000 bytes aligned to 0x1000 are free in "
            f"[{base:#x}-{base + 0x7ffffff:#x}]"
            for name, base in (("must", 0xb0000000), ("gone", 0xb8000000))]
        expect_free(run, (0xb0000000, 0xc0000000))
    assert books.present == PAGES
