# SPDX-License-Identifier: BSD-2-Clause
"""What public bug reports tell of, as whole boots: hard cases, too.

What must be kept is kept, nothing is lost, and the user is told, word by word. The same cases run
on the host, by the same names (tests/unit/test_dt_hard_reports.c).
"""

import pytest

import check
import trees
from image import symbol, with_tree
from memory_map import PAGE
from tree_boot import (PAGES, RAM, boot_text, boot_tree, expect, expect_free, expect_kept, named,
                       only, told)

MIB = 1 << 20
MEMORY = trees.memory(RAM[0])
CHURN = "bench=churn,exhaust records=all verbose=1"
EARLY = ["memblock", "nobootmem", "bootmem"]


def boot_without_firmware(boot, source, args="bench=none records=all verbose=1 meta_poison=1"):
    """The tree is the test's alone: no firmware has added to it what it knows of itself."""
    text = trees.virt(source + f'/ {{ chosen {{ bootargs = "{args}"; }}; }};')
    tree = trees.compile_text(text, boot.folder).read_bytes()
    run = boot(memory="1G", bios=with_tree(boot, tree), bootargs=None)
    return run, check.success(run)


# ---- the firmware ----

def test_hard_case_report_firmware_not_in_the_tree(boot):
    """Nor array, nor region, nor metadata go where it lies, right at RAM's start."""
    claims = [(0x90000000 + i * 0x10000, 0x90001000 + i * 0x10000) for i in range(200)]
    run, books = boot_without_firmware(
        boot, MEMORY + trees.reserved(*claims) +
        trees.dynamic(("there", PAGE, trees.alloc_ranges((0x80000000, 0x80200000)))))
    assert told(run) == [
        "the tree keeps nothing for the firmware below the image: [0x80000000-0x801fffff] is kept",
        "dt: there: not placed: no 0x1000 bytes aligned to 0x1000 are free in "
        "[0x80000000-0x801fffff]"]
    expect_kept(run, (0x80000000, 0x80200000), *claims)
    assert only(run, "metadata").base >= 0x80200000
    assert only(run, "memblock").base >= symbol(boot.elf, "_image_end")
    assert run.map.firmware_pages("other") == 512
    expect(run, books, reserved_memory=200, claimed={"reserved-memory": claims})


def test_hard_case_report_several_mmode_resv(boot):
    """OpenSBI adds one for each of its ranges; all of them count, and none by its name."""
    resv = "/ { reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges; "
    for node, base, size, more in (("mmode_resv1@80000000", 0x80000000, 0x40000, "no-map;"),
                                   ("mmode_resv0@80040000", 0x80040000, 0x20000, "no-map;"),
                                   ("mmode_resv0@80100000", 0x80100000, 0x10000, "")):
        resv += f"{node} {{ reg = {trees.cells(base, size)}; {more} }}; "
    run, books = boot_without_firmware(boot, MEMORY + resv + "}; };")
    assert told(run) == []
    expect_kept(run, (0x80000000, 0x80060000), (0x80100000, 0x80110000))
    assert run.map.firmware_pages("no-map") == books.causes["no-map"] == 0x60
    assert run.map.firmware_pages("reserved-memory") == books.causes["reserved-memory"] == 0x10
    assert only(run, "metadata").base == 0x80060000


# ---- ranges that meet ----

@pytest.mark.parametrize("nomap", ["", "no-map;"])
def test_hard_case_report_memreserve_and_node(boot, firmware, nomap):
    text = trees.memreserve(trees.virt(MEMORY + trees.reserved((0x90000000, 0x90010000, nomap))),
                            (0x90000000, 0x90010000))
    run, books = boot_tree(boot, trees.compile_text(text, boot.folder), bios=firmware)
    assert told(run) == ["dt: r@90000000 [0x90000000-0x9000ffff] overlaps /memreserve/ "
                         "[0x90000000-0x9000ffff]"]
    expect_kept(run, (0x90000000, 0x90010000))
    # Memory that is not there is counted as that, whoever else reserves it.
    claimed = {"memreserve": [(0x90000000, 0x90010000)]}
    if nomap:
        claimed["no-map"] = claimed["memreserve"]
    expect(run, books, claimed=claimed, **{"no_map" if nomap else "memreserve": 16})


def test_hard_case_report_overlapping_static_nodes(boot, firmware):
    """
    90000000  90001000  90002000  90003000
       |------- a --------|
                 |-------- b --------|
                           |-c-|
       |==== the union is kept ======|
    """
    run, books = boot_text(boot, MEMORY + trees.reserved(
        (0x90000000, 0x90002000), (0x90001000, 0x90003000), (0x90002000, 0x90002800)),
        bios=firmware)
    assert told(run) == [
        "dt: r@90001000 [0x90001000-0x90002fff] overlaps r@90000000 [0x90000000-0x90001fff]",
        "dt: r@90002000 [0x90002000-0x900027ff] overlaps r@90001000 [0x90001000-0x90002fff]"]
    expect(run, books, reserved_memory=3,
           claimed={"reserved-memory": [(0x90000000, 0x90003000)]})


@pytest.mark.parametrize("nomap", ["", "no-map;"])
@pytest.mark.parametrize("base, end", [
    (0x880ff000, 0x88110000), (0x87ff0000, 0x88000001), (0x88080000, 0x88080001),
    (0x87000000, 0x89000000)])
def test_hard_case_report_initrd_that_overlaps(boot, nomap, base, end):
    """From above, from below, inside, around. Not used, not reserved, and said."""
    run, books = boot_text(boot, MEMORY + trees.initrd(0x88000000, 0x88100000) +
                           trees.reserved((base, end, nomap)))
    shown = (base, end)
    if nomap:
        shown = (base, -(-end // PAGE) * PAGE)
    assert told(run) == [
        f"dt: initrd [0x88000000-0x880fffff] disabled: overlaps {'no-map ' if nomap else ''}"
        f"r@{base:x} [{base:#x}-{shown[1] - 1:#x}]"]
    pages = -(-end // PAGE) - base // PAGE
    cause = "no-map" if nomap else "reserved-memory"
    expect(run, books, claimed={cause: [shown]}, **{cause.replace("-", "_"): pages})


def test_hard_case_report_initrd_that_overlaps_by_a_byte_of_no_map_page(boot):
    """no-map is whole pages: the initrd's last bytes share one."""
    run, books = boot_text(boot, MEMORY + trees.initrd(0x88000000, 0x88100010) +
                           trees.reserved((0x88100f00, 0x88101000, "no-map;")))
    assert told(run) == ["dt: initrd [0x88000000-0x8810000f] disabled: overlaps no-map r@88100f00 "
                         "[0x88100000-0x88100fff]"]
    expect(run, books, no_map=1, claimed={"no-map": [(0x88100000, 0x88101000)]})


@pytest.mark.parametrize("nomap", ["", "no-map;"])
def test_hard_case_report_region_over_several_banks(boot, firmware, nomap):
    """
    80000000   8c000000   90000000   9c000000   a0000000   ac000000
       |- bank 0 -|          |- bank 1 -|          |- bank 2 -|
               |------------------ region --------------|
    """
    banks = [(0x80000000, 0x8c000000), (0x90000000, 0x9c000000), (0xa0000000, 0xac000000)]
    region = (0x8b000000, 0xa1000000)
    run, books = boot_text(boot, trees.memory(*banks) + trees.reserved((*region, nomap)),
                           bios=firmware, bootargs=CHURN)
    assert told(run) == []
    expect_kept(run, region)
    expect_free(run, (0x8a000000, region[0]), (region[1], banks[2][1]))
    pages = (16 * MIB + 192 * MIB + 16 * MIB) // PAGE
    cause = "no-map" if nomap else "reserved-memory"
    claimed = [region]
    if nomap:
        claimed = [(region[0], banks[0][1]), banks[1], (banks[2][0], region[1])]
    expect(run, books, ram=banks, present=3 * 192 * MIB // PAGE, claimed={cause: claimed},
           **{cause.replace("-", "_"): pages})
    assert "\nverified: " in run.console


# ---- the ends of memory ----

@pytest.mark.parametrize("taken", [False, True])
def test_hard_case_report_ram_up_to_4g(boot, firmware, taken):
    """The last page below 2^32 is a page like any other: to be had, or to be reserved."""
    last = (0xfffff000, 1 << 32)
    source = trees.memory((0x80000000, 1 << 32)) + trees.reserved(*[last] * taken)
    run, books = boot_text(boot, source, memory="2G", bios=firmware, bootargs=CHURN)
    assert told(run) == []
    expect(run, books, ram=[(0x80000000, 1 << 32)], present=524288, reserved_memory=int(taken),
           claimed={"reserved-memory": [last]} if taken else {})
    if taken:
        expect_kept(run, last)
    else:
        # The upper GiB is the largest block, and each page of it is had.
        expect_free(run, (0xc0000000, 1 << 32))
        for setting in ("default", "healing"):
            frag = run.record("frag", alloc="buddy", setting=setting, order=0)
            assert frag["had"] == "262144"
    assert "\nverified: " in run.console


@pytest.mark.parametrize("early", EARLY)
def test_hard_case_report_ram_up_to_4g_in_one_cell(boot, early):
    """Where the end itself does not fit into a cell."""
    source = (trees.DTS / "one-cell.dts").read_text(encoding="ascii")
    assert source.count("<0xa0000000 0x20000000>") == 1
    source = source.replace("<0xa0000000 0x20000000>", "<0xa0000000 0x60000000>")
    run, books = boot_tree(boot, trees.compile_text(source, boot.folder), memory="2G",
                           bootargs=f"{CHURN} early={early}")
    assert told(run) == []
    expect(run, books, ram=[(0x80000000, 1 << 32)], present=524288, reserved_memory=16,
           no_map=192, claimed={"no-map": [(0xbff40000, 0xc0000000)],
                                "reserved-memory": [(0xffff0000, 1 << 32)]})
    expect_free(run, (0xc0000000, 0xffff0000))


def test_hard_case_report_ram_up_to_the_top(boot):
    """There the very last page cannot be used: its end is no number. Nothing answers there."""
    top = (0xfffffffff0000000, 1 << 64)
    run, books = boot_text(boot, MEMORY + trees.memory(top, name="top") + trees.reserved(top))
    assert told(run) == []
    expect(run, books, ram=[*RAM, (top[0], top[1] - PAGE)], present=PAGES + 65535,
           reserved_memory=65535, claimed={"reserved-memory": [(top[0], top[1] - 1)]})


def test_hard_case_report_only_the_first_memory_node(boot, firmware):
    """Others follow, some with other names, in any order, with other nodes in between."""
    run, books = boot_text(boot, trees.memory((0xb0000000, 0xb8000000)) + trees.memory(
        (0x80000000, 0x88000000), (0x90000000, 0x94000000)) + "/ { dummy { }; };" + trees.memory(
            (0xa0000000, 0xa4000000), name="ddr"), bios=firmware, bootargs=CHURN)
    assert told(run) == []
    banks = [(0x80000000, 0x88000000), (0x90000000, 0x94000000), (0xa0000000, 0xa4000000),
             (0xb0000000, 0xb8000000)]
    expect(run, books, ram=banks, present=0x18000000 // PAGE)
    expect_free(run, *banks[1:])
    assert "\nverified: " in run.console


# ---- memory that is not there ----

@pytest.mark.parametrize("real, claimed", [("512M", 1024), ("64M", 65), ("1023M", 1024)])
def test_hard_case_report_more_ram_than_there_is(boot, real, claimed):
    """Found by probing the ends, said, and cut to the page."""
    end, claimed_end = (0x80000000 + mib * MIB for mib in (int(real[:-1]), claimed))
    run, books = boot_text(boot, trees.memory((0x80000000, claimed_end)), memory=real,
                           bootargs=CHURN)
    assert told(run) == [
        f"memory: bank [0x0000000080000000-0x{claimed_end - 1:016x}] is cut to "
        f"[0x0000000080000000-0x{end - 1:016x}]: the rest does not answer"]
    expect(run, books, ram=[(0x80000000, end)], present=(end - 0x80000000) // PAGE)


def test_hard_case_report_more_ram_than_there_is_and_things_in_it(boot):
    """What lies where there is nothing: each is told of, and none is placed there."""
    source = trees.memory((0x80000000, 0xc0000000)) + trees.initrd(0xa0001000, 0xa0002000) + \
        trees.reserved((0x90000000, 0x90001000), (0xa8000000, 0xa8001000)) + \
        trees.dynamic(("size", MIB),
                      ("beyond", MIB, trees.alloc_ranges((0xa0000000, 0xa4000000))))
    run, books = boot_text(boot, source, memory="512M")
    assert told(run) == [
        "memory: bank [0x0000000080000000-0x00000000bfffffff] is cut to "
        "[0x0000000080000000-0x000000009fffffff]: the rest does not answer",
        "dt: initrd [0xa0001000-0xa0001fff] disabled: not in the memory that is left",
        "dt: beyond: not placed: no 0x100000 bytes aligned to 0x1000 are free in "
        "[0xa0000000-0xa3ffffff]"]
    assert named(run)["size"] == ("reserved-memory", 0x9ff00000, 0xa0000000)
    expect(run, books, ram=[(0x80000000, 0xa0000000)], present=131072, reserved_memory=257,
           claimed={"reserved-memory": [(0x90000000, 0x90001000), (0x9ff00000, 0xa0000000),
                                        (0xa8000000, 0xa8001000)]})


def test_hard_case_report_bank_that_is_not_there(boot):
    """A whole bank that nothing answers in."""
    run, books = boot_text(boot, MEMORY + trees.memory((0x800000000, 0x810000000), name="high"))
    assert told(run) == ["memory: bank [0x0000000800000000-0x000000080fffffff] is removed: nothing "
                         "of it answers"]
    expect(run, books)


# ---- frame 0 ----

@pytest.mark.parametrize("early", EARLY)
def test_hard_case_report_frame_0(boot, early):
    """
    Memory begins at 0, where virt has none: it is reserved but for frame 0's first bytes. Frame 0
    is nobody's to have, whoever else claims it.
    """
    low = trees.memory((0, 0x2000), name="low") + MEMORY
    run, books = boot_text(boot, low + trees.reserved((0x800, 0x2000)) + trees.dynamic(
        ("zero", 0x800, trees.alloc_ranges((0, 0x800)))),
        bootargs=f"{CHURN} meta_poison=1 early={early}")
    assert told(run) == ["dt: zero: not placed: no 0x800 bytes aligned to 0x1000 are free in "
                         "[0x0-0x7ff]"]
    expect_kept(run, (0, 0x2000))
    assert run.map.ram == [(0, 0x2000), *RAM]
    assert books.present == PAGES + 2
    assert books.causes["reserved-memory"] + books.causes.get("other", 0) - \
        run.map.firmware_pages("reserved-memory") == 2


# ---- where metadata goes ----

LIVE = """
/ {
	chosen {
		linux,elfcorehdr = <0 0x80084000 0 0x1000>;
		linux,initrd-start = <0x80086000>;
		linux,initrd-end = <0x80087000>;
	};
	reserved-memory {
		static@80088800 { reg = <0 0x80088800 0 0x100>; };
		unmapped@8008a000 { reg = <0 0x8008a000 0 0x1000>; no-map; };
	};
};
"""


@pytest.mark.parametrize("early", EARLY)
def test_hard_case_report_metadata_on_live_data(boot, firmware, early):
    """
    Metadata goes as low as it fits. Every low place is taken by something that lives there, each
    with a free page or two beside it:

       80082000   80084000   80086000   80088000  8008a000   8008c000
          |memresrv| |elfcore|  |initrd|  |static|   |no-map|  |dynamic| metadata ...
    """
    text = trees.memreserve(trees.virt(MEMORY + trees.dynamic(
        ("dynamic", PAGE, trees.alloc_ranges((0x8008c000, 0x8008d000)))) + LIVE +
        trees.reserved((0x80060000, 0x80082000))), (0x80082000, 0x80083000))
    run, books = boot_tree(boot, trees.compile_text(text, boot.folder), bios=firmware,
                           bootargs=f"bench=none records=all verbose=1 meta_poison=1 early={early}")
    live = [(0x80082000 + i * 0x2000, 0x80083000 + i * 0x2000) for i in range(6)]
    expect_kept(run, *live)
    assert books.causes["metadata"] > 1
    assert only(run, "metadata").base == 0x8008d000
    # The free pages between are free.
    expect_free(run, *((end, end + PAGE) for _, end in live[:-1]))
    assert not [line for line in told(run) if "overlaps" not in line]


@pytest.mark.parametrize("early", EARLY)
def test_hard_case_report_growth_into_the_range(boot, early):
    """
    The array for 300 reservations would go right above the image: there the reservations are.

       | image | tree |r| |r| |r| |r| ... a page each, a free page after each
    """
    first = symbol(boot.elf, "__tree_copy") + 0x1d000
    claims = [(first + i * 0x2000, first + i * 0x2000 + PAGE) for i in range(300)]
    claims[0] = (symbol(boot.elf, "__tree_copy") + 0x7000, claims[0][1])
    run, books = boot_text(boot, MEMORY + trees.reserved(*claims),
                           bootargs=f"{CHURN} early={early}")
    assert told(run) == []
    arrays = [r for r in run.map.reserved if r.kind == "memblock"]
    assert sum(r.end - r.base for r in arrays) >= 1024 * 24
    assert claims[0][0] - only(run, "fdt").end < 5 * PAGE
    assert min(array.base for array in arrays) >= claims[-1][1]
    expect_kept(run, *claims)
    pages = 299 + (claims[0][1] - claims[0][0]) // PAGE
    expect(run, books, reserved_memory=pages, claimed={"reserved-memory": claims})
    assert "\nverified: " in run.console


# ---- no room ----

def test_hard_case_report_no_room_for_arrays(boot):
    """200 entries of /memreserve/ and no memory that is nobody's: said, with what helps."""
    text = trees.memreserve(trees.virt(MEMORY + trees.reserved(RAM[0])),
                            *((i * 0x2000, i * 0x2000 + PAGE) for i in range(200)))
    run = boot(memory="1G", dtb=trees.compile_text(text, boot.folder))
    check.failure(run, r"^dt: 1 banks and 20[123] reservations do not fit in 128 and 128 entries, "
                  "and there is no room for larger arrays: try a larger INIT_MEMBLOCK_REGIONS$",
                  "^fatal: no memory map: ")


@pytest.mark.parametrize("early", EARLY)
def test_hard_case_report_no_room_for_metadata(boot, early):
    """A dynamic region has taken what the others left."""
    source = MEMORY + trees.reserved((0x80000000, 0x82300000)) + \
        trees.dynamic(("rest", 0xc0000000 - 0x82300000))
    run = boot(memory="1G", dtb=trees.compile_text(trees.virt(source), boot.folder),
               bootargs=f"bench=none early={early}")
    check.failure(run, "^fatal: bootmem cannot be set up: .*; reserve less$" if early == "bootmem"
                  else "^fatal: no room for the page allocator's metadata .*; reserve less$")


# ---- a small board ----

SMALL = """
/ {
	reserved-memory {
		#address-cells = <2>;
		#size-cells = <2>;
		ranges;
		rtos@83f40000 { reg = <0 0x83f40000 0 0xc0000>; no-map; };
		linux,cma {
			compatible = "shared-dma-pool";
			reusable;
			linux,cma-default;
			size = <0 0x1300000>;
			alignment = <0 0x2000>;
			alloc-ranges = <0 0x80000000 0 0x4000000>;
		};
	};
};
"""


@pytest.mark.parametrize("early", EARLY)
def test_hard_case_report_64_mib(boot, firmware, early):
    """Exactly; another core's memory at its end, a CMA area that must lie in its middle."""
    run, books = boot_text(boot, trees.memory((0x80000000, 0x84000000)) + SMALL, memory="64M",
                           bios=firmware, bootargs=f"{CHURN} early={early}")
    assert told(run) == ["dt: linux,cma: a CMA area must be a multiple of 0x200000: size 0x1300000 "
                         "is rounded up to 0x1400000"]
    assert named(run)["linux,cma"] == ("reserved-memory", 0x82a00000, 0x83e00000)
    expect(run, books, ram=[(0x80000000, 0x84000000)], present=16384, reserved_memory=0x1400,
           no_map=0xc0, claimed={"reserved-memory": [(0x82a00000, 0x83e00000)],
                                 "no-map": [(0x83f40000, 0x84000000)]})
    assert "\nverified: " in run.console


@pytest.mark.parametrize("early", EARLY)
def test_hard_case_report_64_mib_and_nothing_else(boot, firmware, early):
    run = boot(memory="64M", bios=firmware, bootargs=f"{CHURN} early={early}")
    books = check.success(run)
    assert told(run) == []
    expect(run, books, ram=[(0x80000000, 0x84000000)], present=16384)
