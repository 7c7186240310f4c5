# SPDX-License-Identifier: BSD-2-Clause
"""memtest=: every free word is tried before the handover, and what is bad is nobody's."""

import re

import pytest

import check
import trees
from image import symbol
from memory_map import PAGE, RAM_BASE, size, without
from qemu import BOOTARGS
from ram import RAM_END, boot_kernel
from tree_boot import boot_text, expect_kept, free_ranges, named, only, told
from windows import HIGH, LOW, Windows

MIB = 1 << 20
CHURN = "bench=churn,exhaust records=all verbose=1 meta_poison=1"
BOARD_RAM = trees.memory((RAM_BASE, RAM_END))
# In the order of use when all are used: from the last one down to the first.
PATTERNS = 17
FIRST_OF_17, FIRST_OF_2 = 0x7a6c7258554e494c, 0xffffffffffffffff


def verdict(run):
    """Free bytes as text, patterns, bad pages, bad ranges."""
    found = re.findall(r"^memtest: (\S+ (?:B|.iB)) of free memory, ([0-9]+) patterns: ([0-9]+) bad "
                       r"pages in ([0-9]+) ranges$", run.console, re.MULTILINE)
    assert len(found) == 1
    return (found[0][0], *map(int, found[0][1:]))


def bad_ranges(run):
    return [r.range for r in run.map.reserved if r.kind == "bad"]


def expect_bad(run, books, *ranges):
    """These and no others are bad, are not free, and are in the books."""
    assert bad_ranges(run) == list(ranges)
    assert books.causes.get("bad", 0) == size(ranges) // PAGE
    assert verdict(run)[2:] == (size(ranges) // PAGE, len(ranges))
    expect_kept(run, *ranges)


def gib_text(nr_bytes):
    """A size from 1 MiB up, as the console has it: tenths, cut off."""
    unit, name = (MIB, "MiB") if nr_bytes < 1 << 30 else (1 << 30, "GiB")
    tenths = nr_bytes % unit * 10 // unit
    return f"{nr_bytes // unit}.{tenths} {name}" if tenths else f"{nr_bytes // unit} {name}"


# ---- good memory ----

@pytest.mark.parametrize("args, patterns", [
    ("memtest", 17), ("memtest=1", 1), ("memtest=3", 3), ("memtest=17", 17), ("memtest=0x12", 18),
    ("memtest=3 memtest=1", 1)])
def test_patterns(boot, args, patterns):
    run = boot(memory="64M", bootargs=f"{BOOTARGS} {args}")
    books = check.success(run)
    # All that was not reserved then: init memory still was, metadata was not yet.
    free = size(free_ranges(run)) + (only(run, "metadata").frames[1] -
                                     only(run, "metadata").frames[0]) * PAGE
    free -= int(re.search(r"^ +([0-9]+) pages of init memory", run.console, re.M)[1]) * PAGE
    tree = only(run, "fdt")
    free += -tree.end % PAGE
    assert verdict(run) == (gib_text(free), patterns, 0, 0)
    assert told(run) == [line for line in told(run) if " of free memory, " in line]
    assert "bad" not in books.causes
    words = free // 8
    cost = run.record("phase", name="memtest").number("ins")
    assert patterns * words * 2 < cost < patterns * words * 6


def test_none(boot):
    for args in ("memtest=0", "memtest=3 memtest=0", ""):
        run = boot(memory="64M", bootargs=f"{BOOTARGS} {args}")
        check.success(run)
        assert not run.find("phase", name="memtest")
        assert "memtest: " not in run.console


def test_255_patterns(boot):
    run = boot(memory="8M", bios="default", kernel=boot.image, bootargs=f"{BOOTARGS} memtest=255")
    check.success(run)
    assert verdict(run)[1:] == (255, 0, 0)


@pytest.mark.parametrize("early", ["memblock", "nobootmem", "bootmem"])
def test_before_each_early_allocator(boot, early):
    run = boot(memory="64M", bootargs=f"{CHURN} memtest=2 early={early}")
    check.success(run)
    assert "\nverified: " in run.console


@pytest.mark.parametrize("machine", ["virt", "spike", "sifive_u"])
def test_boards(boot, firmware, machine):
    run = boot(machine=machine, bios=firmware, bootargs=f"{BOOTARGS} memtest=1")
    check.success(run)
    assert verdict(run)[1:] == (1, 0, 0)


def test_holes(boot):
    """Only what the tree has: nodes, banks, hotpluggable ones, too."""
    banks = [(0x80000000, 0x82000000), (0x84000000, 0x84003000), (0x88000000, 0x90000000)]
    source = trees.memory(*banks[:2]) + trees.memory(banks[2], more="hotpluggable; "
                                                     "numa-node-id = <1>;")
    run, books = boot_text(boot, source, memory="256M", bootargs=f"{CHURN} memtest=2 movable_node")
    assert verdict(run)[1:] == (2, 0, 0)
    assert float(verdict(run)[0].split()[0]) == pytest.approx(160, abs=5)
    assert run.map.ram == banks
    assert books.present == size(banks) // PAGE


# ---- progress ----

def test_progress(boot):
    """A line a second, by the tree's clock: here it is a hundred times as fast as the machine's."""
    source = trees.memory((RAM_BASE, RAM_BASE + 256 * MIB)) + \
        "/ { cpus { timebase-frequency = <100000>; }; };"
    run, _ = boot_text(boot, source, memory="256M", bootargs=f"{BOOTARGS} memtest=3")
    lines = re.findall(r"^memtest: +([0-9]+) % of ([0-9]+) MiB written and read$", run.console,
                       re.MULTILINE)
    done = [int(percent) for percent, _ in lines]
    assert len(done) > 5
    assert done == sorted(done) and done[0] < 30 and 80 < done[-1] <= 100
    # Each of three patterns is written and read.
    total, = {int(total) for _, total in lines}
    assert 250 * 6 <= total < 256 * 6
    assert verdict(run)[1:] == (3, 0, 0)


def test_progress_in_real_time(boot):
    """Of so much memory that it takes some seconds on most hosts."""
    run = boot(memory="1G", icount=False, bootargs="bench=none records=all memtest=3", timeout=120)
    check.success(run)
    lines = re.findall(r"^memtest: .* MiB written and read$", run.console, re.MULTILINE)
    ticks = run.record("phase", name="memtest").number("tb")
    # At most one a second; none is printed before the first is over.
    assert len(lines) <= ticks // 10 ** 7
    assert len(lines) >= ticks // 10 ** 7 // 3


def test_no_clock(boot):
    """No timebase, no progress; the test goes on."""
    source = BOARD_RAM + "/ { cpus { timebase-frequency = <0>; }; };"
    run, _ = boot_text(boot, source, memory="64M", bootargs=f"{BOOTARGS} memtest=1")
    assert "written and read" not in run.console
    assert verdict(run)[1:] == (1, 0, 0)


# ---- what is written ----

CLAIMED = [(0x81000000, 0x81000123), (0x81000200, 0x81001000), (0x81002fff, 0x81004001),
           (0x82000000, 0x82100000), (0x82800000, 0x83000000)]


@pytest.mark.parametrize("patterns", [1, 2, 17])
def test_claims_are_not_touched(boot, ram, patterns):
    """To the byte; and all that is free was written, last with zeros."""
    source = trees.memory((RAM_BASE, 0x82800000), (0x83000000, RAM_END)) + trees.reserved(
        *CLAIMED[:3], (*CLAIMED[3], "no-map;"))
    run = boot_kernel(boot, ram, dtb=trees.compile_text(trees.virt(source), boot.folder),
                      bootargs=f"bench=none records=all verbose=1 memtest={patterns}")
    check.success(run)
    after = ram.after()
    for base, end in CLAIMED:
        at, to = base - RAM_BASE, end - RAM_BASE
        assert after[at:to] == ram.before[at:to], hex(base)
    # Whole words between two claims in one page: free then, though the page is not.
    assert not any(after[0x1000128:0x1000200]) and any(ram.before[0x1000128:0x1000200])
    zero = bytes(PAGE)
    left = [base for base, end in free_ranges(run) for base in range(base, end, PAGE)
            if after[base - RAM_BASE:base - RAM_BASE + PAGE] != zero]
    # The list of free ranges; the place that QEMU put the tree at was tested, too.
    # What only the boot needs is in use while memory is tested.
    init = symbol(boot.elf, "__init_bss_end") - symbol(boot.elf, "__init_bss_start")
    assert len(left) <= 1 + init // PAGE


def test_initrd_is_not_touched(boot, ram):
    data = bytes(range(1, 256)) * 300
    run = boot_kernel(boot, ram, initrd=boot.file("initrd", data),
                      bootargs="bench=none records=all verbose=1 memtest=2")
    check.success(run)
    (base, end), = run.map.kind("initrd")
    assert ram.read(base, end) == data


# ---- bad memory ----

def read_only(boot):
    """
    40000000  40100000  40200000  40300000
       |---ram---|---rom---|---ram---|    The ends are fine: probing sees nothing.
    """
    windows = Windows(boot)
    windows.ram(LOW, MIB)
    windows.rom(LOW + MIB, b"\x5a" * MIB)
    windows.ram(LOW + 2 * MIB, MIB)
    return windows, BOARD_RAM + trees.memory((LOW, LOW + 3 * MIB))


def test_read_only_memory(boot):
    windows, source = read_only(boot)
    run, books = windows.boot_text(source, bootargs=f"{CHURN} memtest")
    expect_bad(run, books, (LOW + MIB, LOW + 2 * MIB))
    assert told(run)[0] == (f"memtest: [{LOW + MIB:#018x}-{LOW + 2 * MIB - 1:#018x}] fails pattern "
                            f"{FIRST_OF_17:#018x}: reserved")
    assert books.present == (64 + 3) * MIB // PAGE
    assert "\nverified: " in run.console


def test_read_only_memory_goes_unseen_without(boot):
    """Nobody has looked there: the test above is about something."""
    windows, source = read_only(boot)
    run, books = windows.boot_text(source)
    assert told(run) == []
    assert "bad" not in books.causes


def test_read_only_memory_of_a_pattern(boot):
    """What reads as the pattern anyway passes it; the next one tells."""
    windows = Windows(boot)
    windows.ram(LOW, MIB)
    windows.rom(LOW + MIB, b"\xff" * MIB)
    windows.ram(LOW + 2 * MIB, MIB)
    source = BOARD_RAM + trees.memory((LOW, LOW + 3 * MIB))
    run, books = windows.boot_text(source, bootargs=f"{BOOTARGS} memtest=2")
    expect_bad(run, books, (LOW + MIB, LOW + 2 * MIB))
    assert "fails pattern 0x0000000000000000: reserved" in told(run)[0]


@pytest.mark.parametrize("early", ["memblock", "nobootmem", "bootmem"])
def test_memory_that_keeps_nothing(boot, early):
    """Two banks claimed as one, with the window between them, that swallows."""
    windows = Windows(boot)
    windows.ram(LOW, MIB)
    windows.ram(LOW + 2 * MIB, MIB)
    source = BOARD_RAM + trees.memory((LOW, LOW + 3 * MIB))
    run, books = windows.boot_text(source, bootargs=f"{CHURN} memtest=2 early={early}")
    expect_bad(run, books, (LOW + MIB, LOW + 2 * MIB))
    assert re.fullmatch(rf"memtest: \[{LOW + MIB:#018x}-{LOW + 2 * MIB - 1:#018x}\] fails pattern "
                        r"0x[0f]{16}: reserved", told(run)[0])
    assert "\nverified: " in run.console


def test_hole_that_does_not_answer(boot):
    """
    80000000  84000000              400000000  400100000
       |---ram---|-------- nothing ------|---ram---|     13.9 GiB, found in no time
    """
    windows = Windows(boot)
    windows.ram(HIGH, MIB)
    run, books = windows.boot_text(trees.memory((RAM_BASE, HIGH + MIB)),
                                   bootargs=f"{CHURN} memtest=2")
    expect_bad(run, books, (RAM_END, HIGH))
    assert told(run)[0] == (f"memtest: [{RAM_END:#018x}-{HIGH - 1:#018x}] does not answer: "
                            "reserved")
    assert books.present == (HIGH + MIB - RAM_BASE) // PAGE
    assert "\nverified: " in run.console


def test_small_holes(boot):
    """A page, and two with a byte of somebody else's in the middle."""
    windows = Windows(boot)
    for base, size_ in ((0, 0x1000), (0x2000, 0x1000), (0x3000, 0x1000), (0x8000, 0x8000)):
        windows.ram(LOW + base, size_)
    source = BOARD_RAM + trees.memory((LOW, LOW + 0x10000)) + \
        trees.reserved((LOW + 0x5800, LOW + 0x5801))
    run, books = windows.boot_text(source, bootargs=f"{CHURN} memtest=2")
    assert bad_ranges(run) == [(LOW + 0x1000, LOW + 0x2000), (LOW + 0x4000, LOW + 0x5800),
                               (LOW + 0x5801, LOW + 0x8000)]
    expect_kept(run, (LOW + 0x1000, LOW + 0x2000), (LOW + 0x4000, LOW + 0x8000))
    # The page that is partly somebody's counts once.
    claimed = books.causes.get("reserved-memory", 0) - run.map.firmware_pages("reserved-memory")
    assert books.causes["bad"] + claimed == 5


def test_metadata_keeps_clear(boot):
    """Bad pages where metadata would go, which takes the lowest place."""
    windows = Windows(boot)
    windows.ram(LOW, 0x1000)
    windows.ram(LOW + 0x100000, 0x100000)
    # 256 MiB of board RAM, for metadata of some pages.
    source = trees.memory((RAM_BASE, RAM_BASE + 256 * MIB)) + \
        trees.memory((LOW, LOW + 0x200000))
    run, books = windows.boot_text(source, memory="256M", bootargs=f"{CHURN} memtest=2")
    expect_bad(run, books, (LOW + 0x1000, LOW + 0x100000))
    assert books.causes["metadata"] > 1
    assert only(run, "metadata").base == LOW + 0x100000


def test_dynamic_region_keeps_clear(boot):
    """Placed after the test, top-down, where memory is good."""
    windows = Windows(boot)
    windows.ram(LOW, 0x100000)
    windows.ram(LOW + 0x1ff000, 0x1000)
    source = BOARD_RAM + trees.memory((LOW, LOW + 0x200000)) + trees.dynamic(
        ("pool", 0x2000, trees.alloc_ranges((LOW, LOW + 0x200000))))
    run, books = windows.boot_text(source, bootargs=f"{CHURN} memtest=2")
    expect_bad(run, books, (LOW + 0x100000, LOW + 0x1ff000))
    assert named(run)["pool"] == ("reserved-memory", LOW + 0xfe000, LOW + 0x100000)


def test_many_bad_ranges(boot):
    """Sixteen lines, then a count. The reservations that divide the hole stay what they are."""
    windows = Windows(boot)
    windows.ram(LOW, 0x1000)
    windows.ram(LOW + 0x80000, 0x1000)
    claims = [(LOW + 0x10000 + i * 0x2000, LOW + 0x11000 + i * 0x2000) for i in range(30)]
    source = BOARD_RAM + trees.memory((LOW, LOW + 0x81000)) + trees.reserved(*claims)
    run, books = windows.boot_text(source, bootargs=f"{CHURN} memtest=2")
    expect_bad(run, books, *without([(LOW + 0x1000, LOW + 0x80000)], claims))
    assert len([line for line in told(run) if line.endswith(": reserved")]) == 16
    assert "memtest: ... and 15 more bad ranges" in told(run)
    assert run.map.kind("reserved-memory") == claims


def test_growth_of_the_array(boot):
    """
    More bad ranges than the array has entries: it grows, to where memory is good, in the midst
    of the test.

       |ram|bad|ram|bad|ram| ... |ram|bad|rsv|bad|rsv|bad| ... |bad|ram|
    """
    windows = Windows(boot)
    islands, claims = 56, 40
    for i in range(islands):
        windows.ram(LOW + i * 0x2000, 0x1000)
    first_claim = LOW + islands * 0x2000
    claimed = [(first_claim + i * 0x2000, first_claim + i * 0x2000 + 0x1000)
               for i in range(claims)]
    last = first_claim + claims * 0x2000
    windows.ram(last, 0x1000)
    source = BOARD_RAM + trees.memory((LOW, last + 0x1000)) + trees.reserved(*claimed)
    run, books = windows.boot_text(source, bootargs=f"{CHURN} memtest=2")
    good = [(LOW + i * 0x2000, LOW + i * 0x2000 + 0x1000) for i in range(islands)]
    expect_bad(run, books, *without([(LOW, last)], claimed + good))
    assert len(bad_ranges(run)) == islands + claims
    # It did grow: memblock has an array that is not its own.
    assert books.causes["memblock"] > 0
    array, = (r for r in run.map.reserved if r.kind == "memblock")
    assert RAM_BASE <= array.base < RAM_END
    assert run.map.kind("reserved-memory") == claimed
    assert "\nverified: " in run.console


def test_all_bad(boot):
    """But for the ends: nothing is left to boot from there, and the board's RAM does."""
    windows = Windows(boot)
    windows.ram(LOW, 0x1000)
    windows.ram(LOW + 0x10000, 0x1000)
    source = BOARD_RAM + trees.memory((LOW, LOW + 0x11000)) + \
        trees.reserved((0x80000000, 0x83f00000))
    run, books = windows.boot_text(source, bootargs=f"{BOOTARGS} memtest=1")
    expect_bad(run, books, (LOW + 0x1000, LOW + 0x10000))
