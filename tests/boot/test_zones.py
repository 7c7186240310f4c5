# SPDX-License-Identifier: BSD-2-Clause
"""Zones and nodes: which there are, where their metadata lies, and that each one's books balance."""

import re

import pytest

import check
import trees
from memory_map import PAGE
from tree_boot import boot_file, boot_text, expect_free, expect_kept

GIB = 1 << 30
MIB = 1 << 20
KINDS = ["memblock", "nobootmem", "bootmem"]
BOOT = "bench=none records=all verbose=1 meta_poison=1"
CHURN = "bench=churn,exhaust records=all verbose=1 meta_poison=1"
FOUR_GIB = 0x100000000


def zones_of(books):
    """(node, name, first address, bytes that are there) of each."""
    return [(z.node, z.name, z.start * PAGE, z.present * PAGE) for z in books.zones]


def boot_zones(boot, memory, args=""):
    run = boot(memory=memory, bootargs=f"{BOOT} {args}")
    return run, check.success(run)


def phases(run):
    return [record["name"] for record in run.find("phase")]


# ---- borders ----

@pytest.mark.parametrize("memory, zones", [
    ("36M", [(0, "DMA32", 0x80000000, 36 * MIB)]),
    ("2G", [(0, "DMA32", 0x80000000, 2 * GIB)]),
    ("3G", [(0, "DMA32", 0x80000000, 2 * GIB), (0, "Normal", FOUR_GIB, GIB)]),
    ("6G", [(0, "DMA32", 0x80000000, 2 * GIB), (0, "Normal", FOUR_GIB, 4 * GIB)]),
    ("1T", [(0, "DMA32", 0x80000000, 2 * GIB), (0, "Normal", FOUR_GIB, 1022 * GIB)])])
def test_sizes(boot, memory, zones):
    run, books = boot_zones(boot, memory)
    assert zones_of(books) == zones
    assert "zones" in phases(run) and "highmem" not in phases(run)
    # All metadata is low, where it borders on what is reserved already.
    metadata, = (r for r in run.map.reserved if r.kind == "metadata")
    assert metadata.end < 0x84000000


@pytest.mark.parametrize("memory, highmem, zones", [
    ("6G", "5G", [(0, "DMA32", 0x80000000, 2 * GIB), (0, "Normal", FOUR_GIB, GIB),
                  (0, "HighMem", 5 * GIB, 3 * GIB)]),
    ("6G", "4G", [(0, "DMA32", 0x80000000, 2 * GIB), (0, "HighMem", FOUR_GIB, 4 * GIB)]),
    ("6G", "3G", [(0, "DMA32", 0x80000000, GIB), (0, "HighMem", 3 * GIB, 5 * GIB)]),
    ("6G", "0x9abcdfff", [(0, "DMA32", 0x80000000, 0x1abcd000),
                          (0, "HighMem", 0x9abcd000, 6 * GIB - 0x1abcd000)]),
    ("1G", "64G", [(0, "DMA32", 0x80000000, GIB)])])
def test_highmem(boot, memory, highmem, zones):
    run, books = boot_zones(boot, memory, f"highmem={highmem}")
    assert zones_of(books) == zones
    assert ("highmem" in phases(run)) == (len(zones) > 1)
    for zone in books.zones:
        if zone.name == "HighMem":
            assert not zone.reserved, "nothing early is placed in high memory"


@pytest.mark.parametrize("kind, args", [
    ("memblock", ""), ("nobootmem", "highmem=4G"), ("bootmem", "highmem=5G"),
    ("memblock", "highmem=0x9abcd000")])
def test_churn(boot, kind, args):
    """All of it is used, from all zones, whoever the early allocator was."""
    run = boot(memory="6G", bootargs=f"{CHURN} early={kind} {args}", timeout=120)
    books = check.success(run)
    assert "\nverified: " in run.console
    assert len(books.zones) == (3 if args == "highmem=5G" else 2)
    assert run.record("early", kind=kind)


def test_no_low_memory(boot):
    run = boot(memory="1G", bootargs=f"{BOOT} highmem=1G")
    check.failure(run, "^fatal: highmem=0x40000000 leaves no memory below it$")


@pytest.mark.parametrize("mem, zones", [("1G", 1), ("2G", 1), ("2560M", 2)])
def test_mem(boot, mem, zones):
    _, books = boot_zones(boot, "3G", f"mem={mem}")
    assert len(books.zones) == zones


@pytest.mark.parametrize("args", ["", "highmem=4G"])
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_free(boot, kind, args):
    """A zone that is reserved as a whole; nobody can have any of it."""
    source = trees.memory((0x80000000, 0x140000000)) + trees.reserved((FOUR_GIB, 0x140000000))
    run, books = boot_text(boot, source, memory="3G", bootargs=f"{CHURN} early={kind} {args}")
    assert books.zone("HighMem" if args else "Normal").managed == 0
    assert "\nverified: " in run.console
    assert "bootmem" not in books.causes


@pytest.mark.parametrize("kind", KINDS)
def test_nomap_only(boot, kind):
    """Memory that is not to be touched is no zone, and is in the books all the same."""
    source = trees.memory((0x80000000, 0x140000000)) + \
        trees.reserved((FOUR_GIB, 0x140000000, "no-map;"))
    run, books = boot_text(boot, source, memory="3G", bootargs=f"{BOOT} early={kind}")
    assert [zone.name for zone in books.zones] == ["DMA32", "none"]
    assert books.zone("none").causes == {"no-map": 262144}
    assert books.present == 786432
    assert "bootmem" not in books.causes


@pytest.mark.parametrize("kind", KINDS)
def test_both_ends_of_a_hole(boot, kind):
    source = trees.memory((0x80000000, 0x90000000)) + trees.memory((0x130000000, 0x140000000))
    run, books = boot_text(boot, source, memory="3G", bootargs=f"{CHURN} early={kind}")
    assert zones_of(books) == [(0, "DMA32", 0x80000000, 256 * MIB),
                               (0, "Normal", 0x130000000, 256 * MIB)]
    expect_free(run, (0x130000000, 0x140000000))


def test_high_memory_only(boot):
    """No memory below 4 GiB, not even that of the image, as far as the tree goes."""
    run, books = boot_text(boot, trees.memory((FOUR_GIB, 0x140000000)), memory="3G",
                           bootargs=CHURN)
    assert zones_of(books) == [(0, "Normal", FOUR_GIB, GIB)]
    assert books.zones[0].causes["metadata"] == books.reserved
    assert "\nverified: " in run.console


# ---- nodes ----

def nodes(*ids, more="", step=0x10000000):
    return "".join(trees.memory((0x80000000 + i * step, 0x80000000 + (i + 1) * step),
                                more=f"numa-node-id = <{nid}>; {more}")
                   for i, nid in enumerate(ids))


def hart_on(nid):
    return f"/ {{ cpus {{ cpu@0 {{ numa-node-id = <{nid}>; }}; }}; }};"


def distances(*triples):
    matrix = ", ".join(f"<{a} {b} {d}>" for a, b, d in triples)
    return ('/ { distance-map { compatible = "numa-distance-map-v1"; '
            f"distance-matrix = {matrix}; }}; }};")


def first_node(run):
    found = re.findall(r"^  the boot hart allocates from node ([0-9]+) first$", run.console, re.M)
    assert len(found) <= 1
    return int(found[0]) if found else None


@pytest.mark.parametrize("kind", KINDS)
def test_zone_per_node(boot, kind):
    run, books = boot_text(boot, nodes(0, 1, 2, 3), bootargs=f"{CHURN} early={kind}")
    assert zones_of(books) == [(nid, "DMA32", 0x80000000 + nid * 0x10000000, 0x10000000)
                               for nid in range(4)]
    # Each zone's metadata is on its own node.
    for zone in books.zones:
        assert zone.causes["metadata"] == -(-zone.meta_bytes // PAGE)
    assert first_node(run) == 0
    assert "\nverified: " in run.console


def test_interleaved_nodes(boot):
    """Two zones of one node and type are two all the same, as another lies between them."""
    _, books = boot_text(boot, nodes(0, 1, 0, 1))
    assert [zone[:3] for zone in zones_of(books)] == [
        (i % 2, "DMA32", 0x80000000 + i * 0x10000000) for i in range(4)]


def test_nodes_across_4g(boot):
    _, books = boot_text(boot, nodes(1, 0, step=0x60000000), memory="3G")
    assert zones_of(books) == [(1, "DMA32", 0x80000000, 0x60000000),
                               (0, "DMA32", 0xe0000000, 0x20000000),
                               (0, "Normal", FOUR_GIB, GIB)]


def test_numa_off(boot):
    run, books = boot_text(boot, nodes(0, 1, 2, 3) + hart_on(2), bootargs=f"{BOOT} numa=off")
    assert zones_of(books) == [(0, "DMA32", 0x80000000, GIB)]
    assert first_node(run) is None


def test_too_many_nodes(boot):
    """An id from 16 on: nodes are not told apart, which is said."""
    run, books = boot_text(boot, nodes(0, 16))
    assert zones_of(books) == [(0, "DMA32", 0x80000000, 0x20000000)]
    check.says(run, "the tree has more nodes than there can be: they are not told apart")


@pytest.mark.parametrize("hart, first", [(0, 0), (1, 1), (3, 3)])
def test_hart_on_node(boot, hart, first):
    run, _ = boot_text(boot, nodes(0, 1, 2, 3) + hart_on(hart))
    assert first_node(run) == first


@pytest.mark.parametrize("near", [0, 1, 3])
def test_hart_without_memory(boot, near):
    """A hart on a node without memory allocates from the nearest; by default the lowest."""
    source = nodes(0, 1, 2, 3) + hart_on(5)
    if near:
        source += distances((5, near, 12), (5, 2, 15))
    run, _ = boot_text(boot, source)
    assert first_node(run) == near


def test_bad_hart_node(boot):
    run, _ = boot_text(boot, nodes(0, 1) + hart_on(1024))
    check.says(run, "dt: cpu@0: numa-node-id is not a number up to 1023, ignored")
    assert first_node(run) == 0


# ---- areas that are lent ----

LENT = [(0x90000000, 16 * MIB), (0x92100000, 2 * MIB), (0xbdc00000, 4 * MIB),
        (0xbe000000, 32 * MIB)]
LENT_PAGES = sum(size for _, size in LENT) // PAGE


def lent(books):
    return [(zone.start * PAGE, zone.managed * PAGE) for zone in books.zones if zone.name == "CMA"]


@pytest.mark.parametrize("kind", KINDS)
def test_cma(boot, kind):
    """What is reusable is used, and in the books once; what is shared with others is not."""
    run, books = boot_file(boot, "cma", bootargs=f"{CHURN} early={kind}")
    assert lent(books) == LENT
    assert books.present == 262144
    # The map has it as reserved.
    expect_kept(run, *((base, base + size) for base, size in LENT))
    assert "\nverified: " in run.console


def test_cma_off(boot):
    run, books = boot_file(boot, "cma", bootargs=f"{CHURN} cma=off")
    assert not lent(books)
    other_run, other = boot_file(boot, "cma", bootargs=f"{CHURN} cma=on ")
    assert other.causes["reserved-memory"] == books.causes["reserved-memory"] - LENT_PAGES
    # Each area has a page or two of metadata; the zone around it has less.
    assert 0 <= books.managed + LENT_PAGES - other.managed < 16
    assert "\nverified: " in run.console and "\nverified: " in other_run.console


def areas(nr, more=""):
    claims = [(0x90000000 + i * 0x1000000, 0x90200000 + i * 0x1000000, f"reusable; {more}")
              for i in range(nr)]
    return trees.memory((0x80000000, 0xc0000000)) + trees.reserved(*claims)


def test_too_many_areas(boot):
    run, books = boot_text(boot, areas(11))
    assert lent(books) == [(0x90000000 + i * 0x1000000, 0x200000) for i in range(8)]
    check.says(run, "cma: 8 areas are lent, 3 more are not")


def test_areas_on_nodes_and_borders(boot):
    """On two nodes; one across the border of nodes, one across 4 GiB; two that touch."""
    source = trees.memory((0x80000000, 0xa0000000), more="numa-node-id = <0>;") + \
        trees.memory((0xa0000000, 0x140000000), more="numa-node-id = <1>;") + \
        trees.reserved((0x90000000, 0x90200000, "reusable;"),
                       (0x90200000, 0x90400000, "reusable;"),
                       (0x9ff00000, 0xa0100000, "reusable;"),
                       (0xb0000000, 0xb0200000, "reusable;"),
                       (0xffe00000, 0x100200000, "reusable;"),
                       (0x110000000, 0x110200000, "reusable;"),
                       (0x120000000, 0x120200000, "reusable; no-map;"))
    run, books = boot_text(boot, source, memory="3G", bootargs=CHURN)
    assert [(zone.node, zone.start * PAGE, zone.managed) for zone in books.zones
            if zone.name == "CMA"] == [(0, 0x90000000, 512), (0, 0x90200000, 512),
                                       (1, 0xb0000000, 512), (1, 0x110000000, 512)]
    check.says(run, "cma: the area [0xffe00000-0x1001fffff] is not lent: it crosses the border of "
               "a zone")
    assert "\nverified: " in run.console


def test_area_in_highmem(boot):
    source = trees.memory((0x80000000, 0x140000000)) + \
        trees.reserved((0x110000000, 0x112000000, "reusable;"))
    run, books = boot_text(boot, source, memory="3G", bootargs=f"{CHURN} highmem=4G")
    assert lent(books) == [(0x110000000, 0x2000000)]
    assert "\nverified: " in run.console
