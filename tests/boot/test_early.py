# SPDX-License-Identifier: BSD-2-Clause
"""early=memblock|nobootmem|bootmem: three early allocators, one outcome, page by page."""

import re

import pytest

import check
import trees
from memory_map import PAGE
from tree_boot import RAM, boot_text, expect_kept, told

MIB = 1 << 20
KINDS = ["memblock", "nobootmem", "bootmem"]
BOOT = "bench=none records=all verbose=1 meta_poison=1"
CHURN = "bench=churn,exhaust records=all verbose=1 meta_poison=1"
# 128 entries of 24 bytes, twice.
ARRAYS_BYTES = 6144


def size_text(size):
    """As the console has it."""
    units = ["B", "KiB", "MiB", "GiB", "TiB"]
    tenths, unit = 0, 0
    while size >= 1024:
        tenths, size = size % 1024 * 10 // 1024, size // 1024
        unit += 1
    return f"{size}.{tenths} {units[unit]}" if tenths else f"{size} {units[unit]}"


def early(args, kind):
    """Of one length, since they are part of the tree."""
    return f"{args} early={kind:9}"


def boot_each(boot, args=BOOT, kinds=KINDS, **kwargs):
    """The runs by kind; each says which it was, and what it took."""
    runs = {}
    for kind in kinds:
        run = boot(bootargs=early(args, kind), **kwargs)
        books = check.success(run)
        record = run.record("early", kind=kind)
        phases = {name: run.record("phase", name=name)["ins"] for name in ("early", "handover")}
        check.says(run, f"early allocator: {kind}; set-up {phases['early']}, handover "
                   f"{phases['handover']} instructions; {size_text(record.number('meta_bytes'))} "
                   "of its own")
        # Bitmaps are gone after the handover.
        assert "bootmem" not in books.causes
        runs[kind] = run
    return runs


def outcome(run):
    """All that must not depend on the kind."""
    books = check.Books(run)
    return {
        "books": [vars(zone) for zone in books.zones],
        "map": run.map.regions,
        "told": told(run),
        "back": re.findall(r"^ +[0-9]+ pages of init memory went back", run.console, re.M),
        "exhaust": [dict(record) for record in run.find("frag")],
        "arena": [(r["bench"], r["op"], r["arena"], r["chk"], r["fail"])
                  for r in run.find("smp", where="arena")],
        "system": [(r["bench"], r["op"], r["arena"], r["fail"])
                   for r in run.find("smp", where="system")],
    }


def expect_same(runs):
    first = outcome(runs["memblock"])
    for kind, run in runs.items():
        other = outcome(run)
        for what, value in first.items():
            assert other[what] == value, f"{kind}: {what}"
    return check.Books(runs["memblock"])


def own_bytes(runs):
    return {kind: run.record("early").number("meta_bytes") for kind, run in runs.items()}


def early_instructions(runs, phase):
    return {kind: run.record("phase", name=phase).number("ins") for kind, run in runs.items()}


# ---- sizes of RAM ----

# A bit a page; a page more for what describes the nodes.
@pytest.mark.parametrize("args, memory, pages, bitmap", [
    (CHURN, "36M", 9216, PAGE), (CHURN, "64M", 16384, PAGE), (BOOT, "1G", 262144, 9 * PAGE),
    (BOOT, "64G", 16777216, 513 * PAGE)])
def test_sizes(boot, args, memory, pages, bitmap):
    runs = boot_each(boot, args, memory=memory)
    books = expect_same(runs)
    assert books.present == pages
    assert own_bytes(runs) == {"memblock": ARRAYS_BYTES, "nobootmem": ARRAYS_BYTES,
                               "bootmem": bitmap}
    for run in runs.values():
        assert ("\nverified: " in run.console) == (args == CHURN)


def test_4t(boot):
    """A bitmap of 128 MiB; the arrays are what they always are."""
    runs = boot_each(boot, kinds=["memblock", "bootmem"], memory="4T")
    expect_same(runs)
    assert own_bytes(runs) == {"memblock": ARRAYS_BYTES, "bootmem": 128 * MIB + PAGE}
    cost = early_instructions(runs, "early")
    assert cost["memblock"] < 1000 and cost["bootmem"] > 10 ** 8


def test_both_firmwares(boot, firmware):
    expect_same(boot_each(boot, memory="1G", bios=firmware))


def test_kernel_route(boot):
    """The tree at the end of RAM, in its first place, and an initrd."""
    initrd = boot.file("initrd", bytes(5 * PAGE + 1))
    books = expect_same(boot_each(boot, CHURN, memory="16M", bios="default", kernel=boot.image,
                                  initrd=initrd))
    assert books.causes["initrd"] == 6


def test_default(boot):
    run = boot(memory="1G")
    check.success(run)
    assert run.record("early")["kind"] == "memblock"


def test_cost(boot):
    """Why Linux changed: bitmaps cost by the page, arrays by the range."""
    small, large = (boot_each(boot, memory=memory) for memory in ("1G", "64G"))
    for kind, grows in (("memblock", False), ("nobootmem", False), ("bootmem", True)):
        for phase in ("early", "handover"):
            cost = [early_instructions(runs, phase)[kind] for runs in (small, large)]
            assert (cost[1] > 30 * cost[0]) == grows, (kind, phase, cost)
            assert (cost[1] < 2 * cost[0] + 100) != grows, (kind, phase, cost)


# ---- hard trees ----

@pytest.mark.parametrize("name", [
    "holes", "overlaps", "numa", "nomap", "dynamic", "memreserve", "chosen", "usable", "cells",
    "no-ranges", "one-cell", "initrd-overlap"])
def test_trees(boot, name):
    expect_same(boot_each(boot, memory="1G", dtb=trees.compile_file(name, boot.folder)))


@pytest.mark.parametrize("kind, count", [("banks", 100), ("nomap", 100), ("reserved", 400)])
def test_many(boot, kind, count):
    runs = boot_each(boot, CHURN, memory="1G",
                     dtb=trees.generate(boot.folder, kind, count, "--order", "random"))
    expect_same(runs)
    for run in runs.values():
        assert "\nverified: " in run.console


def test_ten_thousand_reservations(boot):
    """Without verbose=1 the map is cut short; the books are whole."""
    runs = boot_each(boot, "bench=none records=all meta_poison=1", memory="1G",
                     dtb=trees.generate(boot.folder, "reserved", 10000, "--order", "random"))
    books = expect_same(runs)
    assert books.causes["reserved-memory"] - runs["memblock"].map.firmware_pages(
        "reserved-memory") == 10000
    assert own_bytes(runs)["memblock"] > 10000 * 24


def test_a_thousand_banks(boot):
    """One node, whose bitmap has the holes, too; a wide one makes two of it."""
    runs = boot_each(boot, memory="1G", dtb=trees.generate(boot.folder, "banks", 1000))
    expect_same(runs)
    bits = 0x4000 + 0x30000
    assert bits // 8 < own_bytes(runs)["bootmem"] <= bits // 8 + 2 * PAGE


@pytest.mark.parametrize("nodes", [2, 4, 127])
def test_numa(boot, nodes):
    """Nodes that touch, hotpluggable ones among them, with reservations over the borders."""
    size = 0x40000000 // nodes & -0x100000
    banks = [(0x80000000 + i * size, 0x80000000 + (i + 1) * size) for i in range(nodes)]
    source = "".join(trees.memory(bank, more=f"numa-node-id = <{i % 4}>;" +
                                  ("hotpluggable;" if i % 3 == 1 else ""))
                     for i, bank in enumerate(banks))
    border = banks[nodes // 2][0]
    source += trees.reserved((border - 0x1800, border + 0x1800),
                             (0xb0000000, 0xb0000001, "no-map;"))
    runs = boot_each(boot, CHURN, memory="1G",
                     dtb=trees.compile_text(trees.virt(source), boot.folder))
    books = expect_same(runs)
    assert books.present == nodes * size // PAGE
    expect_kept(runs["bootmem"], (border - 0x1800, border + 0x1800), (0xb0000000, 0xb0001000))
    assert "\nverified: " in runs["bootmem"].console


def test_parts_of_pages(boot):
    """
    Each page with a byte of somebody's is kept, once, by its bit or by its range:

       |a  b|    |c     |      d|e      |     f|
    """
    claims = [(0x90000000, 0x90000001), (0x90000fff, 0x90001000), (0x90002000, 0x90002800),
              (0x90003800, 0x90004000), (0x90004000, 0x90004001), (0x90005fff, 0x90006000)]
    source = trees.memory(RAM[0]) + trees.reserved(*claims)
    text = trees.memreserve(trees.virt(source), (0x90002400, 0x90002c00), (0x90007ffe, 0x90008002))
    runs = boot_each(boot, memory="1G", dtb=trees.compile_text(text, boot.folder))
    books = expect_same(runs)
    run = runs["bootmem"]
    for base in range(0x90000000, 0x9000a000, PAGE):
        kept = base in (0x90000000, 0x90002000, 0x90003000, 0x90004000, 0x90005000, 0x90007000,
                        0x90008000)
        free = any(first * PAGE <= base < last * PAGE for first, last in run.map.free_frames())
        assert free != kept, hex(base)
    pages = books.causes["reserved-memory"] + books.causes["memreserve"]
    assert pages - run.map.firmware_pages("reserved-memory") == 7


def test_with_everything(boot):
    """mem=, memtest, movable_node, memblock=discard at once."""
    tree = trees.generate(boot.folder, "reserved", 200)
    runs = {}
    for kind in KINDS:
        run = runs[kind] = boot(memory="1G", dtb=tree, bootargs=(
            f"bench=churn,exhaust records=all mem=256M memtest=1 movable_node memblock=discard "
            f"meta_poison=1 early={kind}"))
        assert run.status == 0 and run.record("end", status="ok", pages_lost=0)
        assert "\nverified: " in run.console
    books = {kind: vars(check.Books(run)) for kind, run in runs.items()}
    assert books["memblock"] == books["nobootmem"] == books["bootmem"]


# ---- the same buddy ----

def live(runs, *kinds):
    """What the live allocator handed out, as a CRC, for each of these kinds."""
    return {runs[kind].record("smp", bench="churn", where="system")["chk"] for kind in kinds}


@pytest.mark.parametrize("memory", ["64M", "1G"])
def test_same_frames_from_the_live_allocator(boot, memory):
    runs = boot_each(boot, "bench=churn records=all verbose=1", memory=memory)
    expect_same(runs)
    assert len(live(runs, "memblock", "nobootmem")) == 1


def test_same_frames_after_bootmem(boot):
    runs = boot_each(boot, "bench=churn records=all verbose=1", memory="1G")
    assert len(live(runs, "memblock", "bootmem")) == 1


def test_same_metadata(boot):
    """
    To the bit, in a file; after bootmem there may be a hint too many, and the hart's counters
    tell of a range more that was added. Free blocks are the same, for their number is.
    """
    found = {}
    for kind in KINDS:
        path = boot.file(kind, bytes(64 * MIB))
        run = boot(memory="64M", ram_file=path,
                   bootargs=f"bench=none records=all verbose=1 early={kind}")
        check.success(run)
        place, = (r for r in run.map.reserved if r.kind == "metadata")
        data = path.read_bytes()[place.base - 0x80000000:place.end - 0x80000000]
        path.unlink()
        found[kind] = [int.from_bytes(data[i:i + 8], "little") for i in range(0, len(data), 8)]
    assert any(found["memblock"])
    assert found["nobootmem"] == found["memblock"]
    differ = [i for i, pair in enumerate(zip(found["memblock"], found["bootmem"]))
              if pair[0] != pair[1]]
    assert len(differ) <= 6


@pytest.mark.parametrize("kind", KINDS)
def test_determinism(boot, kind):
    """Down to the last record."""
    first, second = (boot(memory="256M", bootargs=f"{CHURN} early={kind}") for _ in range(2))
    for run in (first, second):
        check.success(run)
    assert [(r.type, {k: v for k, v in r.items() if k != "tb"}) for r in first.records] == \
        [(r.type, {k: v for k, v in r.items() if k != "tb"}) for r in second.records]


@pytest.mark.parametrize("kind", KINDS)
def test_garbage(boot, kind):
    """What RAM holds makes no difference: not the bitmaps' place, not the metadata's."""
    runs = []
    for seed in (b"\0", b"\xff", b"\xa5\x5a\x01"):
        path = boot.file("ram", (seed * (64 * MIB // len(seed) + 1))[:64 * MIB])
        runs.append(boot(memory="64M", ram_file=path, bios="default", kernel=boot.image,
                         bootargs=f"bench=churn records=all verbose=1 early={kind}"))
        check.success(runs[-1])
        path.unlink()
    assert outcome(runs[0]) == outcome(runs[1]) == outcome(runs[2])
    assert len({run.record("smp", where="system")["chk"] for run in runs}) == 1
    assert len({run.record("phase", name="handover")["ins"] for run in runs}) == 1


# ---- no room ----

# Free pages of 1 GiB, all in one place: ten of metadata, nine of bitmap. What init memory gives
# back comes later.
@pytest.mark.parametrize("kind, pages, message", [
    ("memblock", 9, "no room for the page allocator's metadata .*; reserve less"),
    ("memblock", 10, "no page can be had after the handover: .*; everything is reserved"),
    ("memblock", 11, None),
    ("nobootmem", 9, "no room for the page allocator's metadata .*; reserve less"),
    ("nobootmem", 11, None),
    ("bootmem", 8, "bootmem cannot be set up: .*; reserve less"),
    ("bootmem", 9, "no room for the page allocator's metadata .*; reserve less"),
    ("bootmem", 18, "no room for the page allocator's metadata .*; reserve less"),
    ("bootmem", 19, None)])
def test_no_room(boot, kind, pages, message):
    free = (0xa0000000, 0xa0000000 + pages * PAGE)
    source = trees.memory(RAM[0]) + trees.reserved((0x80000000, free[0]), (free[1], 0xc0000000))
    run = boot(memory="1G", dtb=trees.compile_text(trees.virt(source), boot.folder),
               bootargs=early(BOOT, kind))
    if message:
        check.failure(run, f"^fatal: {message}$")
    else:
        books = check.success(run)
        assert books.causes["metadata"] == 10
        back = re.search(r"^ +([0-9]+) pages of init memory went back", run.console, re.M)
        assert books.managed == pages - 10 + int(back[1])


def test_no_room_in_fragments(boot):
    """Enough pages for a bitmap, but never nine in a row; metadata would need as many."""
    claims = [(0x80000000, 0x80300000)] + \
        [(0x80300000 + i * 0x9000 + 0x8000, 0x80309000 + i * 0x9000) for i in range(300)]
    source = trees.memory(RAM[0]) + trees.reserved(*claims, (claims[-1][1], 0xc0000000))
    tree = trees.compile_text(trees.virt(source), boot.folder)
    for kind, message in (
            ("bootmem", "bootmem cannot be set up: .*; reserve less"),
            ("memblock", "no room for the page allocator's metadata .*; reserve less")):
        run = boot(memory="1G", dtb=tree, bootargs=f"{BOOT} early={kind}")
        check.failure(run, f"^fatal: {message}$")


def test_bad_kind(boot):
    for text in ("early=slab", "early=", "early", "early=Memblock", "early=memblock1"):
        run = boot(bootargs=f"bench=none {text}")
        check.failure(run, "^fatal: bad boot arguments$",
                      "^bootargs: early=.* is not understood; memblock, bootmem or nobootmem$")
    run = boot(bootargs="bench=none records=all early=bootmem early=nobootmem")
    check.success(run)
    assert run.record("early")["kind"] == "nobootmem"


@pytest.mark.parametrize("kind", KINDS)
def test_movable_node(boot, kind):
    """Neither bitmap nor metadata in memory that can be taken away, though it is the lowest."""
    source = trees.memory((0x80000000, 0x90000000)) + \
        trees.memory((0x90000000, 0xc0000000), more="hotpluggable;") + \
        trees.reserved((0x80000000, 0x88000000))
    run, books = boot_text(boot, source, bootargs=f"{CHURN} movable_node early={kind}")
    metadata, = (r for r in run.map.reserved if r.kind == "metadata")
    assert metadata.base == 0x88000000
    assert "\nverified: " in run.console and books.present == 262144
