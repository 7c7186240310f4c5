# SPDX-License-Identifier: BSD-2-Clause
"""mem=: only the first bytes of memory are used, and the books say so."""

import pytest

import check
import qemu
import trees
from memory_map import PAGE, RAM_BASE

MIB = 1 << 20
GIB = 1 << 30


def boot_with(boot, args, **kwargs):
    run = boot(bootargs=f"{qemu.BOOTARGS} {args}", **kwargs)
    return run, check.success(run)


@pytest.mark.parametrize("value, size", [
    ("512M", 512 * MIB), ("0x20000000", 512 * MIB), ("524288k", 512 * MIB), ("8m", 8 * MIB),
    ("1073741823", GIB - PAGE), ("1G", GIB), ("64G", GIB), ("15E", GIB)])
def test_mem(boot, value, size):
    run, books = boot_with(boot, f"mem={value}", memory="1G")
    assert books.present == size // PAGE
    assert run.map.ram == [(RAM_BASE, RAM_BASE + size)]


def test_mem_less_than_the_image(boot):
    """The image would lie in memory that is not there."""
    run = boot(memory="1G", bootargs="bench=none mem=1M")
    check.failure(run, r"^fatal: mem=1 MiB leaves out the image, \[0x80200000-")


def test_mem_over_several_banks(boot):
    """Counted over the banks, not as an address."""
    banks = [(RAM_BASE, RAM_BASE + 64 * MIB), (0x90000000, 0x90000000 + 64 * MIB)]
    tree = trees.compile_text(trees.virt(trees.memory(*banks)), boot.folder)
    run, books = boot_with(boot, "mem=96M", memory="1G", dtb=tree)
    assert books.present == 96 * MIB // PAGE
    assert run.map.ram == [banks[0], (0x90000000, 0x90000000 + 32 * MIB)]


def test_mem_keeps_nomap(boot):
    """no-map memory above the limit stays on the map: it must not be taken for anything else."""
    nomap = (0xa0000000, 0xa0100000)
    tree = trees.compile_text(trees.virt(
        trees.memory((RAM_BASE, RAM_BASE + GIB)) + trees.reserved((*nomap, "no-map;"))),
        boot.folder)
    run, books = boot_with(boot, "mem=128M", memory="1G", dtb=tree)
    assert books.present == (128 * MIB + MIB) // PAGE
    assert run.map.claimed == {"no-map": [nomap]}


def test_mem_drops_what_is_above(boot):
    """A reservation above the limit is about no memory any more."""
    tree = trees.compile_text(trees.virt(
        trees.memory((RAM_BASE, RAM_BASE + GIB)) + trees.reserved((0xa0000000, 0xa0100000))),
        boot.folder)
    run, books = boot_with(boot, "mem=128M", memory="1G", dtb=tree)
    assert books.present == 128 * MIB // PAGE
    assert run.map.claimed == {}
