# SPDX-License-Identifier: BSD-2-Clause
"""Init text and data go back after the boot, are used by others, and nobody comes back to them."""

import re
import struct

import pytest

import check
import image
import trees
from image import symbol
from memory_map import PAGE, RAM_BASE
from ram import RAM_END, boot_kernel
from tree_boot import RAM, boot_text, expect, expect_free, expect_kept, only, told

BOOT = "bench=none records=all verbose=1"
CHURN = "bench=churn,exhaust records=all verbose=1 meta_poison=1"

ILLEGAL = 0x00000000
RETURN_0 = (0x80824501,)  # c.li a0, 0; c.ret
RETURN_MINUS_1 = (0x8082557d,)  # c.li a0, -1; c.ret
T0 = image.T0


class Layout:
    def __init__(self, elf):
        self.init = (symbol(elf, "__init_begin"), symbol(elf, "__init_end"))
        self.bss = (symbol(elf, "__init_bss_start"), symbol(elf, "__init_bss_end"))
        self.rest = (self.init[1], self.bss[0])
        self.init_pages = sum(end - base for base, end in (self.init, self.bss)) // PAGE


@pytest.fixture
def layout(boot):
    return Layout(boot.elf)


def pages_back(run):
    return int(re.search(r"^       ([0-9]+) pages of init memory went back after the boot$",
                         run.console, re.MULTILINE)[1])


def expect_back(run, layout):
    """All init pages are free, and nothing else of the image is."""
    assert pages_back(run) == layout.init_pages > 5
    assert only(run, "image").range == layout.rest
    expect_free(run, layout.init)
    expect_kept(run, layout.rest)
    assert check.Books(run).causes["image"] == (layout.rest[1] - layout.rest[0]) // PAGE
    assert "init" not in check.Books(run).causes


# ---- what goes back ----

@pytest.mark.parametrize("early", ["memblock", "nobootmem", "bootmem"])
@pytest.mark.parametrize("args", [BOOT, CHURN, BOOT + " memblock=debug", BOOT + " memtest=1"])
def test_init_goes_back(boot, layout, early, args):
    run = boot(memory="128M", bootargs=f"{args} early={early}")
    check.success(run)
    expect_back(run, layout)


@pytest.mark.parametrize("machine, smp", [("virt", 4), ("spike", None), ("sifive_u", 5)])
def test_boards(boot, firmware, layout, machine, smp):
    """Their ways out are used when init memory is gone."""
    for semihosting in (True, False):
        run = boot(machine=machine, smp=smp, bios=firmware, semihosting=semihosting)
        check.success(run)
        expect_back(run, layout)


def test_kernel_route(boot, layout):
    run = boot(bios="default", kernel=boot.elf, memory="16M", bootargs=CHURN)
    check.success(run)
    expect_back(run, layout)
    assert "\nverified: " in run.console


def test_image_not_in_memory(boot, layout):
    """Nothing to give: the tree does not have the image's memory, or half of it."""
    for base in (0x90000000, layout.init[0] + PAGE, layout.init[1]):
        run, books = boot_text(boot, trees.memory((base, 0xc0000000)))
        bss = (layout.bss[1] - layout.bss[0]) // PAGE
        assert pages_back(run) == (bss if base < layout.bss[0] else 0)
        assert run.map.ram == [(base, 0xc0000000)]
        assert "is not in the memory that the tree has" in told(run)[0]
        if base < layout.init[1]:
            expect_kept(run, (base, layout.rest[1]))


def test_image_that_the_loader_reserves(boot, layout):
    """An entry of /memreserve/ for the image, and nothing but it, is no other claim."""
    text = trees.memreserve(trees.virt(trees.memory(RAM[0])), (layout.init[0], layout.bss[1]))
    run = boot(memory="1G", dtb=trees.compile_text(text, boot.folder))
    check.success(run)
    assert told(run) == []
    expect_back(run, layout)


@pytest.mark.parametrize("claim", ["no-map", "reserved-memory", "memreserve"])
def test_init_memory_that_somebody_claims_stays(boot, layout, claim):
    """A page of it is in /reserved-memory, too: it must not be handed out when init goes."""
    page = (layout.init[0] + 2 * PAGE, layout.init[0] + 3 * PAGE)
    source = trees.memory(RAM[0])
    if claim != "memreserve":
        source += trees.reserved((*page, "no-map;" if claim == "no-map" else ""))
    text = trees.virt(source)
    if claim == "memreserve":
        text = trees.memreserve(text, page)
    run = boot(memory="1G", dtb=trees.compile_text(text, boot.folder))
    check.success(run)
    assert len(told(run)) == 1
    expect_kept(run, page)


# ---- what becomes of it ----

def test_init_is_cleared(boot, layout, ram):
    """Zeros are no instruction. All else of the image is as it was loaded, but for its data."""
    run = boot_kernel(boot, ram, bootargs=BOOT)
    check.success(run)
    expect_back(run, layout)
    assert not any(ram.read(*layout.init))
    data = boot.image.read_bytes()
    at = layout.init[1] - layout.init[0]
    assert any(data[:at])
    code = symbol(boot.elf, "__boards") - layout.init[0]
    assert ram.read(layout.init[1], layout.init[0] + code) == data[at:code]


def test_init_is_used(boot, layout, ram):
    """
    Nothing else is free but one block, which is the benchmark's: its list of free ranges must be
    in init memory, and have init memory in it.
    """
    block = (0x82000000, 0x83000000)
    plain = boot_kernel(boot, ram, bootargs=BOOT)
    check.success(plain)
    meta = only(plain, "metadata")
    ram.path.write_bytes(ram.before)
    end = meta.base + (meta.frames[1] - meta.frames[0]) * PAGE
    claims = [(end, layout.init[0]), (layout.bss[1], block[0]), (block[1], RAM_END)]
    source = trees.memory((RAM_BASE, RAM_END)) + trees.padding() + trees.reserved(*claims)
    run = boot_kernel(boot, ram, dtb=trees.compile_text(trees.virt(source), boot.folder),
                      bootargs=BOOT)
    check.success(run)
    assert [r for r in run.map.free_frames() if r[1] * PAGE <= block[0]] == \
        [(base // PAGE, end // PAGE) for base, end in (layout.init, layout.bss)]
    ranges = b"".join(struct.pack("<QQ", base // PAGE, end // PAGE)
                      for base, end in (layout.init, layout.bss, block))
    pages = [at for part in (layout.init, layout.bss) for at in range(*part, PAGE)]
    assert len([at for at in pages if ram.read(at, at + len(ranges)) == ranges]) == 1


def test_init_is_had_by_the_benchmark(boot, layout):
    """With everything else reserved: every page that is free is had, and merges, init's too."""
    source = trees.memory(RAM[0]) + trees.reserved(
        (layout.bss[1] + 0x10000, 0xb0000000), (0xb1000000, 0xc0000000))
    run, books = boot_text(boot, source, bootargs=CHURN)
    expect_free(run, layout.init)
    sample = run.record("smp", bench="churn", where="system")
    # Less what the benchmark itself takes.
    assert 0 < books.managed - sample.number("arena") < 2000
    assert "\nverified: " in run.console


# ---- the run goes on ----

def after_boot(boot, name, *instructions, **kwargs):
    """@name is not called before init memory is gone."""
    path = image.patched(boot, name, *instructions)
    return boot(bios=path, bootargs="bench=churn records=all", **kwargs)


@pytest.mark.parametrize("name", ["churn_run", "bench_run", "bench_report", "bench_end"])
def test_trap_after_the_boot(boot, name):
    at = symbol(boot.elf, name)
    run = after_boot(boot, name, ILLEGAL)
    check.failure(run, rf"^trap: illegal instruction \(scause 0x2\) at {at:#x}, stval ",
                  "^  t4   [0-9a-f]{16}  t5   [0-9a-f]{16}  t6   [0-9a-f]{16}$",
                  rf"^trap: addr2line -e payload.elf {at:#x} 0x80\w+$")
    assert pages_back(run) and "went back" in run.console.split("trap: ")[0]


@pytest.mark.parametrize("machine, semihosting, status", [
    ("virt", False, 1), ("spike", False, 1), ("sifive_u", True, 1), ("sifive_u", False, 0)])
def test_ways_out_after_the_boot(boot, machine, semihosting, status):
    run = after_boot(boot, "churn_run", ILLEGAL, machine=machine, semihosting=semihosting)
    check.failure(run, "^trap: illegal instruction ", status=status)
    assert pages_back(run)


@pytest.mark.parametrize("target", ["boot_up", "memory_plan", "dt_walk", "early_init", "_start"])
def test_jump_to_init_memory(boot, target):
    """A function that is gone: trapped at its first instruction, not run by chance."""
    to = symbol(boot.elf, target)
    offset = to - symbol(boot.elf, "bench_run")
    # c.nop first: the target's trap must not be taken for bench_run's own.
    run = after_boot(boot, "bench_run", 0x00000013, image.jal(offset - 4))
    check.failure(run, rf"^trap: illegal instruction \(scause 0x2\) at {to:#x}, stval ")


def test_books_that_do_not_balance(boot):
    """Found after init memory has gone back, by mm_audit()."""
    run = after_boot(boot, "mm_audit", *RETURN_MINUS_1)
    check.failure(run, "^fatal: the books do not balance$", "^audit: ")
    assert "went back" not in run.console


def test_run_that_fails(boot):
    run = after_boot(boot, "churn_run", *RETURN_0)
    assert run.status == 1
    assert pages_back(run)
    assert "@PB1" not in run.payload_console


def test_stack_overflow_after_the_boot(boot):
    """Found at exit: the stack's lowest word is not what it was."""
    offset = symbol(boot.elf, "__stack_bottom") - symbol(boot.elf, "churn_run")
    high = (offset + 0x800) >> 12
    low = offset - (high << 12)
    store = (low >> 5 & 0x7f) << 25 | T0 << 15 | 3 << 12 | (low & 0x1f) << 7 | 0x23
    run = after_boot(boot, "churn_run", (high & 0xfffff) << 12 | T0 << 7 | 0x17, store,
                     0x80824505)  # auipc t0; sd zero, low(t0); c.li a0, 1; c.ret
    assert run.status == 1
    check.says(run, "exit: the stack has overflown; raise STACK_SIZE, 32768 bytes, in layout.h")
