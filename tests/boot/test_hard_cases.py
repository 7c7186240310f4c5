# SPDX-License-Identifier: BSD-2-Clause
"""Trees that Linux 6.12 dies of, misreads or obeys to its harm (measured on riscv64), as boots.

What must be kept is kept, nothing is lost, and the user is told, word by word. The same cases run
on the host, by the same names (tests/unit/test_dt_hard_cases.c).
"""

import re

import pytest

import trees
from image import symbol
from memory_map import PAGE
from tree_boot import (PAGES, RAM, boot_file, boot_text, boot_tree, expect, expect_free,
                       expect_kept, free_ranges, named, only, told)

MIB = 1 << 20
MEMORY = trees.memory(RAM[0])

# Bytes from RAM's start that each OpenSBI keeps on virt.
FIRMWARE_BYTES = {"1.1": 0x80000, "1.6": 0x60000}


def firmware_range(run):
    version = re.search(r"^OpenSBI (\S+), SBI ", run.console, re.MULTILINE)[1]
    return (0x80000000, 0x80000000 + FIRMWARE_BYTES[version])


def expect_whole_firmware(run):
    """All of the firmware's memory is kept, and by the tree: not by the guess below the image."""
    base, end = firmware_range(run)
    assert run.map.firmware_pages("no-map") + run.map.firmware_pages("reserved-memory") == \
        (end - base) // PAGE
    expect_kept(run, (base, end))


# ---- 1: too many ranges. Linux: a panic before the console is there. ----

def pages_apart(count):
    """A page each, 64 KiB apart."""
    return [(0x90000000 + i * 0x10000, 0x90001000 + i * 0x10000) for i in range(count)]


def test_hard_case_1_124_reserved_nodes(boot, firmware):
    claims = pages_apart(124)
    run, books = boot_text(boot, MEMORY + trees.reserved(*claims), bios=firmware)
    expect(run, books, reserved_memory=124, claimed={"reserved-memory": claims})
    expect_kept(run, *claims)
    assert told(run) == []


def test_hard_case_1_60_nomap_nodes(boot, firmware):
    claims = pages_apart(60)
    run, books = boot_text(boot, MEMORY + trees.reserved(*((*c, "no-map;") for c in claims)),
                           bios=firmware)
    expect(run, books, no_map=60, claimed={"no-map": claims})
    expect_kept(run, *claims)
    assert told(run) == []


def test_hard_case_1_127_banks(boot, firmware):
    """And each of them is used."""
    banks = [(0x80000000 + i * 8 * MIB, 0x80000000 + (i * 8 + 7) * MIB) for i in range(127)]
    run, books = boot_text(boot, "".join(map(trees.memory, banks)), bios=firmware,
                           bootargs="bench=churn,exhaust records=all verbose=1")
    expect(run, books, ram=banks, present=127 * 7 * MIB // PAGE)
    expect_free(run, *banks[1:])
    assert told(run) == []
    assert "\nverified: " in run.console


# ---- 2: /reserved-memory that Linux ignores, and all that it protects. ----

@pytest.mark.parametrize("name, message", [
    ("no-ranges", "dt: reserved-memory: no ranges, its children count all the same"),
    ("no-cells", "dt: reserved-memory: #address-cells or #size-cells is missing")])
def test_hard_case_2_no_ranges(boot, firmware, name, message):
    """The firmware adds its own region to the same node: were that ignored, it would be lost."""
    run, books = boot_file(boot, name, bios=firmware)
    expect(run, books, reserved_memory=512,
           claimed={"reserved-memory": [(0x90000000, 0x90200000)]})
    expect_whole_firmware(run)
    assert told(run) == [message]


def test_hard_case_2_other_cells_than_the_root(boot, firmware):
    """The firmware's own region has the root's cells all the same, and must not be misread."""
    run, books = boot_file(boot, "cells", bios=firmware)
    expect(run, books, reserved_memory=512 + 256, claimed={
        "reserved-memory": [(0x90000000, 0x90200000), (0xa0000000, 0xa0100000)]})
    expect_whole_firmware(run)
    first, *more = told(run)
    assert first == ("dt: reserved-memory: 1 and 1 cells where the root has 2 and 2, its own are "
                     "used")
    assert more and all(re.fullmatch(r"dt: mmode_resv[01]@\w+: its reg has the root's cells, which "
                                     "are used", line) for line in more)


# ---- 3: a dynamic region over what lives in memory. ----

IN_USE = """
/ {
	chosen {
		linux,initrd-start = <0x82300800>;
		linux,initrd-end = <0x82301800>;
		linux,elfcorehdr = <0 0x82580000 0 0x1000>;
	};
	reserved-memory {
		static@821fffff { reg = <0 0x821fffff 0 1>; };
		unmapped@82600000 { reg = <0 0x82600000 0 1>; no-map; };
	};
};
"""


def test_hard_case_3_dynamic_over_tree_and_memreserve(boot, firmware):
    """
    82000000  821       822       823       824       825       826       827       82800000
       |=second==| static  |  tree   | initrd  | memresrv| elfcore | no-map  |==first==|

    A MiB each: of the three that want one, two get one.
    """
    window = (0x82000000, 0x82800000)
    wants = (MIB, f"alignment = <0 {MIB:#x}>;", trees.alloc_ranges(window))
    source = MEMORY + trees.dynamic(("first", *wants), ("second", *wants), ("third", *wants))
    # The tree is too large to be copied, and lives where the firmware puts it.
    text = trees.virt(source + trees.padding() + IN_USE)
    path = trees.compile_text(trees.memreserve(text, (0x824ff000, 0x82500000)), boot.folder)
    run, books = boot_tree(boot, path, bios=firmware)
    assert told(run) == ["dt: third: not placed: no 0x100000 bytes aligned to 0x100000 are free in "
                         "[0x82000000-0x827fffff]"]
    names = named(run)
    assert names["first"] == ("reserved-memory", 0x82700000, 0x82800000)
    assert names["second"] == ("reserved-memory", 0x82000000, 0x82100000)
    assert "third" not in names
    tree = only(run, "fdt")
    assert tree.base == 0x82200000
    claimed = {
        "initrd": [(0x82300800, 0x82301800)], "memreserve": [(0x824ff000, 0x82500000)],
        "other": [(0x82580000, 0x82581000)], "no-map": [(0x82600000, 0x82601000)],
        "reserved-memory": [(0x82000000, 0x82100000), (0x821fffff, 0x82200000),
                            (0x82700000, 0x82800000)]}
    expect(run, books, initrd=2, memreserve=1, other=1, reserved_memory=513, no_map=1,
           claimed=claimed)
    expect_kept(run, tree.range, *sum(claimed.values(), []))


@pytest.mark.parametrize("nomap", ["", "no-map;"])
def test_hard_case_3_dynamic_over_the_tree_at_the_end_of_ram(boot, nomap):
    """Literally: QEMU puts the tree near RAM's end, and that is where a region goes first."""
    source = trees.memory((0x80000000, 0x84000000)) + trees.padding() + \
        trees.dynamic(("pool", 4 * MIB, nomap))
    text = trees.memreserve(trees.virt(source), (0x83fff000, 0x84000000))
    path = trees.compile_text(text, boot.folder)
    run, books = boot_tree(boot, path, memory="64M", bios="default", kernel=boot.image)
    tree = only(run, "fdt")
    assert tree.base >= 0x83c00000 and tree.end - tree.base > 80000
    kind, base, end = named(run)["pool"]
    assert (kind, end - base) == ("no-map" if nomap else "reserved-memory", 4 * MIB)
    # The highest place there is.
    assert end == tree.base // PAGE * PAGE
    expect_kept(run, tree.range, (0x83fff000, 0x84000000), (base, end))
    assert books.causes["memreserve"] == 1
    assert told(run) == []


def test_hard_case_3_dynamic_over_image_and_copy_of_the_tree(boot):
    """A small tree is copied behind the image: nothing may go there, nor over the image."""
    base, end = symbol(boot.elf, "_start"), symbol(boot.elf, "__tree_copy") + PAGE
    run, books = boot_text(boot, MEMORY + trees.dynamic(
        ("there", PAGE, trees.alloc_ranges((base, end)))))
    assert told(run) == [f"dt: there: not placed: no 0x1000 bytes aligned to 0x1000 are free in "
                         f"[{base:#x}-{end - 1:#x}]"]
    expect(run, books)
    assert only(run, "fdt").base == end - PAGE


# ---- 4: an alignment that is none. Linux: accepted, and silently misaligned. ----

@pytest.mark.parametrize("alignment", ["<0 0x300000>", "<0x300000>", "<0 0x1001>", "<0 0>", "<>",
                                       "<0 0x8000 0>"])
def test_hard_case_4_alignment_of_3_mib(boot, alignment):
    """Refused by name; its neighbour is placed all the same."""
    run, books = boot_text(boot, MEMORY + trees.dynamic(
        ("three", 3 * MIB, f"alignment = {alignment};"),
        ("two", 2 * MIB, "alignment = <0x200000>;")))
    expect(run, books, reserved_memory=512,
           claimed={"reserved-memory": [(0xbfe00000, 0xc0000000)]})
    assert told(run) == ["dt: three: alignment is not a power of two: it will not be placed"]


# ---- 5: no-map over the kernel. Linux: refused, but still recorded as no-map. ----

def test_hard_case_5_nomap_over_the_image(boot, firmware):
    run, books = boot_text(boot, MEMORY + trees.reserved((0x80210000, 0x80220000, "no-map;")),
                           bios=firmware, bootargs="bench=churn,exhaust records=all verbose=1")
    expect(run, books)
    assert told(run) == ["dt: r@80210000: no-map refused for [0x80210000-0x8021ffff], in use by "
                         "image: reserved"]
    image = only(run, "image")
    assert image.base <= 0x80210000 and image.end >= 0x80220000
    expect_kept(run, image.range)
    assert "\nverified: " in run.console


def test_hard_case_5_nomap_over_the_image_and_beyond(boot, firmware):
    """What is not in use is no-map."""
    end = symbol(boot.elf, "_image_end")
    top = end + 0x100000
    run, books = boot_text(boot, MEMORY + trees.reserved((end - PAGE, top, "no-map;")),
                           bios=firmware)
    tree = only(run, "fdt")
    assert tree.base == end
    nomap = (tree.frames[1] * PAGE, top)
    expect(run, books, no_map=(nomap[1] - nomap[0]) // PAGE,
           claimed={"no-map": [nomap], "reserved-memory": [(tree.end, nomap[0])]})
    name = f"r@{end - PAGE:x}"
    assert told(run) == [
        f"dt: {name}: no-map refused for [{end - PAGE:#x}-{end - 1:#x}], in use by image: reserved",
        f"dt: {name}: no-map refused for [{end:#x}-{nomap[0] - 1:#x}], in use by device tree: "
        "reserved"]


# ---- 6: a reg that wraps 2^64. ----

def cut_message(name, base):
    return f"dt: {name}: the entry at {base:#x} passes 2^64 and is cut there"


@pytest.mark.parametrize("size", [0xffffffff50000001, 0xffffffffffff0000, (1 << 64) - 1])
@pytest.mark.parametrize("kind", ["reserved-memory", "no-map"])
def test_hard_case_6_reg_that_wraps(boot, kind, size):
    """It ends at the top, instead of around it, at nothing."""
    end = 0xb0000000 + size
    assert end > 1 << 64
    run, books = boot_text(boot, MEMORY + trees.reserved(
        (0xb0000000, end, "no-map;" if kind == "no-map" else "")))
    assert told(run) == [cut_message("r@b0000000", 0xb0000000)]
    expect_kept(run, (0xb0000000, 0xc0000000))
    expect_free(run, (0xa0000000, 0xb0000000))
    expect(run, books, **{kind.replace("-", "_"): 65536}, claimed={
        kind: [(0xb0000000, 0xc0000000 if kind == "no-map" else (1 << 64) - 1)]})


def test_hard_case_6_reg_that_ends_at_the_top(boot):
    """2^64 itself is not passed."""
    run, books = boot_text(boot, MEMORY + trees.reserved((0xb0000000, 1 << 64)))
    assert told(run) == []
    expect_kept(run, (0xb0000000, 0xc0000000))


# Nothing answers up there: what is reserved is not probed.
TOP = (0xfffffffff0000000, (1 << 64) - PAGE)


@pytest.mark.parametrize("size", [0x10000000, 0x10001000, 0x20000000, 0xffffffffffffffff])
def test_hard_case_6_bank_that_wraps(boot, size):
    """Cut at the top of the address space, whose last page cannot be used."""
    reg = trees.cells(0x80000000, 0x40000000, TOP[0], size)
    source = f'/ {{ memory@80000000 {{ device_type = "memory"; reg = {reg}; }}; }};'
    run, books = boot_text(boot, source + trees.reserved(TOP))
    expect(run, books, present=PAGES + 65535, ram=[*RAM, TOP], reserved_memory=65535,
           claimed={"reserved-memory": [TOP]})
    wraps = TOP[0] + size > 1 << 64
    assert told(run) == [cut_message("memory@80000000", TOP[0])] * wraps


def test_hard_case_6_bank_that_wraps_and_is_not_there(boot):
    """Without a reservation it is probed, and goes."""
    run, books = boot_text(boot, MEMORY + trees.memory((TOP[0], TOP[0] + 0x20000000), name="top"))
    expect(run, books)
    assert told(run) == [cut_message("top@fffffffff0000000", TOP[0]),
                         f"memory: bank [{TOP[0]:#018x}-{TOP[1] - 1:#018x}] is removed: nothing of "
                         "it answers"]


# ---- 7: no-map of a part of a page. Linux: unaligned memory entries. ----

def test_hard_case_7_nomap_of_100_bytes(boot, firmware):
    """Whole pages, static or dynamic, and the map has nothing else."""
    source = MEMORY + trees.dynamic(("size", 100, "no-map;")) + \
        trees.reserved((0x90000f9c, 0x90001000, "no-map;"), (0x91000fff, 0x91001001, "no-map;"))
    run, books = boot_text(boot, source, bios=firmware)
    nomap = [(0x90000000, 0x90001000), (0x91000000, 0x91002000), (0xbffff000, 0xc0000000)]
    expect(run, books, no_map=4, claimed={"no-map": nomap})
    banks = [bank.range for bank in run.map.banks if bank.end > 0x80080000]
    assert banks[0][1:] == (0x90000000,)
    assert banks[1:] == [nomap[0], (0x90001000, 0x91000000), nomap[1], (0x91002000, 0xbffff000),
                         nomap[2]]
    assert all(bank.base % PAGE == 0 and bank.end % PAGE == 0 for bank in run.map.banks)
    assert "partial" not in books.causes
    assert all(base % PAGE == 0 and end % PAGE == 0 for base, end in free_ranges(run))
    assert told(run) == []
