# SPDX-License-Identifier: BSD-2-Clause
"""From a tree to the memory map: what is registered, reserved and said, to the byte.

The trees are those of tests/dts, with 1 GiB of RAM behind them, 262144 pages. All figures were
counted by hand from the sources. The firmware's own reservations, which differ, are left out.
"""

import pytest

import check
import trees
from image import symbol
from tree_boot import RAM, boot_file, boot_text, expect, pages_of


def test_plain(boot, firmware):
    run, books = boot_file(boot, "plain", bios=firmware)
    expect(run, books)
    assert "\ndt: " not in run.console


def test_holes(boot, firmware):
    """What lies in the gaps is RAM, too, but the tree does not say so."""
    run, books = boot_file(boot, "holes", bios=firmware)
    expect(run, books, present=32768 + 16384 + 2047 + 32768, ram=[
        (0x80000000, 0x88000000), (0x90000000, 0x94000000), (0xa0001000, 0xa0800000),
        (0xb0000000, 0xb8000000)])
    check.says(run, "dt: memory@a0000000: [0xb8000100-0xb80008ff] skipped: no whole page")


def test_one_cell(boot):
    run, books = boot_file(boot, "one-cell")
    expect(run, books, no_map=192, claimed={
        "no-map": [(0xbff40000, 0xc0000000)], "reserved-memory": [(0xffff0000, 1 << 32)]})


def test_memreserve(boot, firmware):
    run, books = boot_file(boot, "memreserve", bios=firmware)
    expect(run, books, memreserve=256 + 1 + 512, claimed={"memreserve": [
        (0x84000000, 0x84100000), (0x85000100, 0x85000223), (0x86000000, 0x86200000)]})
    check.says(
        run,
        "dt: /memreserve/ [0x84000000-0x840fffff] overlaps /memreserve/ [0x84000000-0x840fffff]",
        "dt: firmware@86000000 [0x86000000-0x861fffff] overlaps /memreserve/ "
        "[0x86000000-0x861fffff]")


def test_nomap(boot, firmware):
    """Over the image it is refused; over the tree's first place it holds, for a copy is used."""
    run, books = boot_file(boot, "nomap", bios=firmware)
    expect(run, books, no_map=16 + 16 + 1 + 256 + 256 + 512, claimed={"no-map": [
        (0x82100000, 0x82300000), (0x90000000, 0x90010000), (0x91000000, 0x91010000),
        (0x92000000, 0x92001000), (0x94000000, 0x94100000), (0xbff00000, 0xc0000000)]})
    check.says(
        run,
        "dt: image@80200000: no-map refused for [0x80200000-0x80207fff], in use by image: reserved",
        "dt: both@94000000: no-map and reusable exclude each other: kept as no-map")


def test_nomap_over_the_tree(boot):
    """A tree too large for the copy stays where the firmware put it, and cannot be no-map."""
    run, books = boot_text(boot, trees.memory(RAM[0]) + trees.padding() +
                           trees.reserved((0x82100000, 0x82300000, "no-map;")))
    fdt, = [region for region in run.map.reserved if region.kind == "fdt"]
    assert fdt.base == 0x82200000 and fdt.end - fdt.base > 80000
    used = fdt.frames[1] - fdt.frames[0]
    assert pages_of(run, books, "no-map") == 512 - used
    assert books.causes["fdt"] + books.causes.get("reserved-memory", 0) - \
        run.map.firmware_pages("reserved-memory") == used
    assert "no-map refused for [0x82200000-" in run.console
    assert "in use by device tree: reserved" in run.console


def test_overlaps(boot, firmware):
    run, books = boot_file(boot, "overlaps", bios=firmware)
    assert run.map.ram == [(0x80000000, 0xa0000000), (0xa8000000, 0xc0000000)]
    assert books.present == 131072 + 98304
    assert pages_of(run, books, "no-map") == 512
    # left and around up to the no-map region; beside; banks, once in each bank; early.
    assert pages_of(run, books, "reserved-memory") == 4096 + 256 + (4096 + 4096) + 3
    assert run.map.kind("no-map") == [(0x98f00000, 0x99100000)]
    check.says(
        run,
        "dt: early@90000000 [0x90001000-0x90002fff] overlaps early@90000000 "
        "[0x90000000-0x90001fff]",
        "dt: left@97f00000 [0x97f00000-0x980fffff] overlaps around@98000000 "
        "[0x98000000-0x98ffffff]",
        "dt: inside@98100000 [0x98100000-0x981fffff] overlaps around@98000000 "
        "[0x98000000-0x98ffffff]",
        "dt: 1 more overlaps")


def test_name_of_nomap(boot):
    """The map names a no-map range by the node that made it so, not by one that it overlaps."""
    run, _ = boot_file(boot, "overlaps")
    nomap, = [region for region in run.map.banks if region.base == 0x98f00000]
    assert nomap.name == "right@98f00000"


def test_usable(boot, firmware):
    run, books = boot_file(boot, "usable", bios=firmware)
    expect(run, books, present=32768 + 4096,
           ram=[(0x80000000, 0x88000000), (0x9f000000, 0xa0000000)])


def test_numa(boot):
    """Banks of different nodes, or flags, touch but are not one."""
    run, books = boot_file(boot, "numa")
    expect(run, books)
    mapped = [(bank.end, bank.name) for bank in run.map.banks if bank.kind == "memory"]
    assert mapped == [(0x90000000, ""), (0xa0000000, ""), (0xb0000000, "hotpluggable"),
                      (0xc0000000, "")]


@pytest.mark.parametrize("count, size", [(2, 0x20000000), (4, 0x10000000), (128, 0x800000),
                                         (127, 0x803000)])
def test_nodes_that_touch(boot, count, size):
    """A block never spans two nodes, and buddies in two nodes do not merge: the churn agrees."""
    banks = [(RAM[0][0] + i * size, RAM[0][0] + (i + 1) * size) for i in range(count)]
    text = "".join(trees.memory(bank, more=f"numa-node-id = <{i % 2}>;")
                   for i, bank in enumerate(banks))
    run, books = boot_text(boot, text, bootargs="bench=churn,exhaust records=all verbose=1")
    assert books.present == count * size // 4096
    assert "\nverified: " in run.console


def test_chosen(boot, firmware):
    """The tree's own arguments; the loader's /memreserve/ for the initrd is no collision."""
    run, books = boot_file(boot, "chosen", bios=firmware, bootargs="bench=none records=all "
                           "verbose=1")
    expect(run, books, initrd=256, other=1, claimed={
        "initrd": [(0x88000000, 0x88100000)], "other": [(0x8a000000, 0x8a001000)]})
    assert "\ndt: " not in run.console


def test_arguments_in_the_tree(boot):
    run = boot(memory="1G", dtb=trees.compile_file("chosen", boot.folder), bootargs=None,
               timeout=200)
    check.success(run)
    check.says(run, 'bootargs: memblock=debug note="two words" quiet',
               "bootargs: not known and ignored: note=two?words,quiet")
    assert "\nmemblock_" in run.console


def test_dynamic(boot, firmware):
    """Placed top-down, in the tree's order; a region with reg is static, whatever else it has."""
    run, books = boot_file(boot, "dynamic", bios=firmware)
    placed = [(0x98000000, 0x98100000), (0x9fe00000, 0xa0000000), (0xbdc00000, 0xc0000000)]
    expect(run, books, reserved_memory=256 + 512 + 8192 + 1024,
           claimed={"reserved-memory": placed})
    names = {(r.base, r.name) for r in run.map.reserved if r.kind == "reserved-memory"}
    assert {(0x98000000, "fixed@98000000"), (0x9fe00000, "bounded")} <= names
    check.says(
        run,
        "dt: three: alignment is not a power of two: it will not be placed",
        "dt: empty: size is not a number above 0 in one or two cells: it will not be placed",
        "dt: nowhere: alloc-ranges is not a list of ranges: it will not be placed")
    assert "fixed@98000000: " not in run.console and "iommu: " not in run.console


@pytest.mark.parametrize("start, end, message", [
    (0x80201000, 0x80202000, "disabled: overlaps image "),
    (0x7ff00000, 0x80100000, "disabled: not in memory"),
    (0xbff00000, 0xc0000001, "disabled: not in memory"),
    (0xc0000000, 0xc0100000, "disabled: not in memory"),
    (0x88100000, 0x88000000, "initrd disabled: "),
    (0x80000000, 0x80010000, "disabled: overlaps ")])
def test_initrd_where_it_cannot_be(boot, start, end, message):
    """Not used, not reserved, and said."""
    run, books = boot_text(boot, trees.memory(RAM[0]) + trees.initrd(start, end))
    expect(run, books)
    assert message in run.console


def test_initrd_over_the_copy_of_the_tree(boot):
    at = symbol(boot.elf, "__tree_copy")
    run, books = boot_text(boot, trees.memory(RAM[0]) + trees.initrd(at + 0x100, at + 0x200))
    expect(run, books)
    assert "disabled: overlaps device tree " in run.console


def test_initrd_of_no_bytes(boot):
    run, books = boot_text(boot, trees.memory(RAM[0]) + trees.initrd(0x88000000, 0x88000000))
    expect(run, books)
    assert "\ndt: " not in run.console


# ---- parts of pages, and of properties ----

@pytest.mark.parametrize("base, size, pages", [
    (0x90000fff, 1, 1), (0x90000fff, 2, 2), (0x90000001, 0xfff, 1), (0x90000800, 0x1000, 2)])
def test_parts_of_pages(boot, base, size, pages):
    """A page that is reserved in part is reserved."""
    run, books = boot_text(boot, trees.memory(RAM[0]) + trees.reserved((base, base + size)))
    expect(run, books, reserved_memory=pages, claimed={"reserved-memory": [(base, base + size)]})


def test_two_in_one_page(boot):
    """Two reservations share a page: it counts once."""
    claims = [(0x90000100, 0x90000200), (0x90000300, 0x90001100), (0x90001200, 0x90001300)]
    run, books = boot_text(boot, trees.memory(RAM[0]) + trees.reserved(*claims))
    expect(run, books, reserved_memory=2, claimed={"reserved-memory": claims})


def test_bad_length(boot):
    """A reg that is no multiple of its entries: the whole ones count."""
    run, books = boot_text(boot, trees.memory(RAM[0]) + trees.reserved() +
                           "/ { reserved-memory { r@90000000 { reg = <0 0x90000000 0 0x2000 0>; }; "
                           "s@90010000 { reg = <0 0x90010000 0>; }; "
                           "t@91000000 { reg = <0 0x91000000 0 0>; }; u { }; }; };")
    expect(run, books, reserved_memory=2, claimed={"reserved-memory": [(0x90000000, 0x90002000)]})
    assert run.console.count("no multiple of 16: the first") == 2
    check.says(run, "dt: u: neither reg nor size, ignored")


def test_more_than_one_reserved_memory(boot):
    """Names of siblings differ by their unit address only: both count."""
    node = ("reserved-memory@{0} {{ #address-cells = <2>; #size-cells = <2>; ranges; r@9{0}000000 "
            "{{ reg = <0 0x9{0}000000 0 0x1000>; }}; }};")
    nodes = f"/ {{ {node.format(1)} {node.format(2)} }};"
    run, books = boot_text(boot, trees.memory(RAM[0]) + nodes)
    expect(run, books, reserved_memory=2, claimed={
        "reserved-memory": [(0x91000000, 0x91001000), (0x92000000, 0x92001000)]})


# ---- what a tree gets wrong about the machine ----

def test_memory_that_is_not_there_at_all(boot):
    """Not even where the image runs."""
    run = boot(memory="1G", dtb=trees.compile_text(
        trees.virt(trees.memory((0x800000000, 0x810000000))), boot.folder))
    check.failure(run, "^fatal: none of the memory that the tree has answers$")


def test_window_that_swallows(boot):
    """virt's PCIe window takes writes and reads without a fault, and keeps nothing."""
    run, books = boot_text(boot, trees.memory((0x40000000, 0x48000000), RAM[0]))
    expect(run, books)
    check.says(run, "memory: bank [0x0000000040000000-0x0000000047ffffff] is removed: "
               "nothing of it answers")


def test_many_banks_that_are_not_there(boot):
    """Eight lines and a count."""
    banks = [(0x800000000 + i * 0x200000, 0x800100000 + i * 0x200000) for i in range(40)]
    run, books = boot_text(boot, trees.memory(*banks, RAM[0]))
    expect(run, books)
    assert run.console.count(" is removed: nothing of it answers") == 8
    check.says(run, "memory: ... and 32 more banks are cut or removed")


def test_initrd_in_memory_that_is_not_there(boot):
    tree = trees.compile_text(
        trees.virt(trees.memory(RAM[0]) + trees.initrd(0xb0000000, 0xb0100000)), boot.folder)
    run = boot(memory="512M", dtb=tree)
    books = check.success(run)
    assert "initrd" not in books.causes
    check.says(run, "dt: initrd [0xb0000000-0xb00fffff] disabled: not in the memory that is left")


def test_image_not_in_memory(boot):
    """Nor are the firmware and the tree: said, and nothing of it is lost."""
    run, books = boot_text(boot, trees.memory((0x90000000, 0xc0000000)))
    assert books.present == 196608
    assert run.map.ram == [(0x90000000, 0xc0000000)]
    assert "image" not in books.causes and "fdt" not in books.causes
    assert "\ndt: image [0x80200000-" in run.console
    assert " is not in the memory that the tree has\n" in run.console
