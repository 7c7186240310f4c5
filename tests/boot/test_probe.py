# SPDX-License-Identifier: BSD-2-Clause
"""Is the memory there? The ends of each bank, against what the machine really has.

More in test_trees.py and, for a tree that claims too much, in test_hard_reports.py.
"""

import pytest

import check
import trees
from memory_map import PAGE, RAM_BASE, size, without
from ram import RAM_END, boot_kernel
from tree_boot import boot_text, expect_kept, only, told
from windows import HIGH, LOW, Windows

MIB = 1 << 20
CHURN = "bench=churn,exhaust records=all verbose=1 meta_poison=1"
BOARD = (RAM_BASE, RAM_END)
BOARD_RAM = trees.memory(BOARD)


def bank(base, end):
    return f"memory: bank [{base:#018x}-{end - 1:#018x}] is "


def cut(claimed, left, why="the rest does not answer"):
    return f"{bank(*claimed)}cut to [{left[0]:#018x}-{left[1] - 1:#018x}]: {why}"


def removed(claimed):
    return f"{bank(*claimed)}removed: nothing of it answers"


def expect_ram(run, books, *ranges):
    assert run.map.ram == sorted(ranges)
    assert books.present == size(ranges) // PAGE
    assert "\nverified: " in run.console


# ---- one end is not there ----

@pytest.mark.parametrize("there", [PAGE, 3 * PAGE, 0x10000, 0x80000])
def test_start_is_not_there(boot, there):
    """
       |---- nothing ----|-- ram --|
    """
    windows = Windows(boot)
    end = LOW + MIB
    for piece in pieces(end - there, end):
        windows.ram(*piece)
    run, books = windows.boot_text(BOARD_RAM + trees.memory((LOW, end)), bootargs=CHURN)
    assert told(run) == [cut((LOW, end), (end - there, end))]
    expect_ram(run, books, BOARD, (end - there, end))


@pytest.mark.parametrize("there", [PAGE, 3 * PAGE, 0x10000, 0x80000])
def test_end_is_not_there(boot, there):
    windows = Windows(boot)
    for piece in pieces(LOW, LOW + there):
        windows.ram(*piece)
    run, books = windows.boot_text(BOARD_RAM + trees.memory((LOW, LOW + MIB)), bootargs=CHURN)
    assert told(run) == [cut((LOW, LOW + MIB), (LOW, LOW + there))]
    expect_ram(run, books, BOARD, (LOW, LOW + there))


def pieces(base, end):
    """Powers of two, aligned to their size."""
    while base < end:
        length = base & -base
        while base + length > end:
            length //= 2
        yield base, length
        base += length


def test_both_ends_are_not_there(boot):
    """What is in the middle is found at a distance that doubles, and bounded from there."""
    windows = Windows(boot)
    windows.ram(LOW + 0x40000, 0x40000)
    claimed = (LOW, LOW + MIB)
    run, books = windows.boot_text(BOARD_RAM + trees.memory(claimed), bootargs=CHURN)
    left = (LOW + 0x40000, LOW + 0x80000)
    assert told(run) == [cut(claimed, left)]
    expect_ram(run, books, BOARD, left)


def test_a_page_of_a_high_bank(boot):
    """The first of 512 GiB; nothing answers above."""
    windows = Windows(boot)
    windows.ram(HIGH, PAGE)
    claimed = (HIGH, HIGH + (512 << 30))
    run, books = windows.boot_text(BOARD_RAM + trees.memory(claimed), bootargs=CHURN)
    assert told(run) == [cut(claimed, (HIGH, HIGH + PAGE))]
    expect_ram(run, books, BOARD, (HIGH, HIGH + PAGE))


def test_from_zero_to_the_end_of_ram(boot):
    """A bank over all that the board has: devices are no memory, and the run survives."""
    claimed = (0, RAM_END)
    run, books = boot_text(boot, trees.memory(claimed), memory="64M", bootargs=CHURN)
    line, = told(run)
    assert line.startswith(bank(*claimed) + "cut to [0x000000008")
    assert run.map.ram[-1][1] == RAM_END
    assert books.present <= 16384
    expect_kept(run, (0, 0x80060000))


# ---- what answers and is no memory ----

@pytest.mark.parametrize("claimed", [
    (0x1000, 0x10000), (0x20000000, 0x22000000), (0x30000000, 0x40000000),
    (0x3ff00000, 0x40100000)], ids=["rom", "flash", "pci-registers", "pci-registers-and-window"])
@pytest.mark.parametrize("memtest", ["", " memtest=1"])
def test_devices(boot, claimed, memtest):
    run, books = boot_text(boot, BOARD_RAM + trees.memory(claimed), memory="64M",
                           bootargs=CHURN + memtest)
    assert told(run)[0] == removed(claimed)
    expect_ram(run, books, BOARD)


def test_read_only_ends(boot):
    """ROM, ROM: no page of it keeps anything."""
    windows = Windows(boot)
    windows.rom(LOW, b"\x5a" * MIB)
    claimed = (LOW, LOW + MIB)
    run, books = windows.boot_text(BOARD_RAM + trees.memory(claimed), bootargs=CHURN)
    assert told(run) == [removed(claimed)]
    expect_ram(run, books, BOARD)


def test_read_only_end(boot):
    """RAM, ROM."""
    windows = Windows(boot)
    windows.ram(LOW, MIB)
    windows.rom(LOW + MIB, b"\x5a" * MIB)
    claimed = (LOW, LOW + 2 * MIB)
    run, books = windows.boot_text(BOARD_RAM + trees.memory(claimed), bootargs=CHURN)
    assert told(run) == [cut(claimed, (LOW, LOW + MIB))]
    expect_ram(run, books, BOARD, (LOW, LOW + MIB))


# ---- mirrors ----

@pytest.mark.parametrize("times", [2, 3, 4, 5, 8])
@pytest.mark.parametrize("period", [PAGE, 0x100000])
def test_mirror(boot, times, period):
    """The same memory again and again: once is enough."""
    windows = Windows(boot)
    path = boot.file("mirrored", bytes(period))
    for i in range(times):
        windows.ram(LOW + i * period, period, path)
    claimed = (LOW, LOW + times * period)
    run, books = windows.boot_text(BOARD_RAM + trees.memory(claimed), bootargs=CHURN)
    assert told(run) == [cut(claimed, (LOW, LOW + period), "the rest repeats it")]
    expect_ram(run, books, BOARD, (LOW, LOW + period))


def test_mirror_with_reservations(boot):
    """What is in use is not touched, not in the mirror either; the map is cut all the same."""
    path = boot.file("mirrored", b"\x77" * MIB)
    windows = Windows(boot)
    windows.ram(LOW, MIB, path)
    windows.ram(LOW + MIB, MIB, path)
    claims = [(LOW, LOW + 0x1000), (LOW + 0x2100, LOW + 0x2f00), (LOW + MIB + 0x5000, LOW + MIB + 0x8000)]
    run, books = windows.boot_text(BOARD_RAM + trees.memory((LOW, LOW + 2 * MIB)) +
                                   trees.reserved(*claims))
    assert told(run) == [cut((LOW, LOW + 2 * MIB), (LOW, LOW + MIB), "the rest repeats it")]
    assert books.present == (64 + 1) * MIB // PAGE
    expect_kept(run, *claims)
    after = path.read_bytes()
    metadata = only(run, "metadata")
    assert LOW < metadata.base < LOW + MIB
    # Every word that was probed is as it was; metadata is all that was written.
    written = [(LOW + at, LOW + at + PAGE) for at in range(0, MIB, PAGE)
               if after[at:at + PAGE] != b"\x77" * PAGE]
    assert len(without(written, [(metadata.base, metadata.frames[1] * PAGE)])) <= 1


# ---- nothing is changed ----

@pytest.mark.parametrize("claimed", [RAM_END, RAM_END + MIB, RAM_END + (1 << 40)])
def test_probing_restores(boot, ram, claimed):
    """Every word that was tried holds what it held, found or not."""
    source = trees.memory((RAM_BASE, claimed)) + trees.padding()
    run = boot_kernel(boot, ram, dtb=trees.compile_text(trees.virt(source), boot.folder),
                      bootargs="bench=none records=all verbose=1")
    check.success(run)
    assert run.map.ram == [BOARD]
    assert len(told(run)) == (claimed != RAM_END)
    last = ram.read(RAM_END - 16 * MIB, RAM_END - 8 * MIB)
    assert last == ram.before[-16 * MIB:-8 * MIB]
    tree = only(run, "fdt")
    metadata = only(run, "metadata")
    image_end = 0x80300000
    left = without(ram.written(), [(RAM_BASE, image_end), (tree.base & -PAGE, tree.end + 0x100000),
                                   (metadata.base, metadata.frames[1] * PAGE)])
    assert left == []
