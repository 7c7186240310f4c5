# SPDX-License-Identifier: BSD-2-Clause
"""What a run writes. RAM is a file: full of random bytes before, compared with itself after."""

import random
import re

import pytest

import check
import image
import trees
from memory_map import PAGE, RAM_BASE, size, without
from ram import RAM_END, boot_kernel

# QEMU's own OpenSBI on virt, and what it says of itself.
FIRMWARE = (RAM_BASE, RAM_BASE + 0x80000)
# The payload's own list of free ranges, which it takes from the page allocator.
LEDGER_PAGES = 1


def first_place(run):
    """Of the tree."""
    return int(re.search(r"; device tree of .* at (0x\w+)$", run.console, re.MULTILINE)[1], 16)


def own(boot, run):
    """Where the payload and those before it may write: firmware, image, metadata, QEMU's tree."""
    payload = image.Image(boot.image.read_bytes())
    at_tree = first_place(run)
    pages = [(first * PAGE, last * PAGE) for first, last in
             (r.frames for r in run.map.reserved if r.kind in ("metadata", "memblock"))]
    return [FIRMWARE, (payload.base, payload.base + payload.size), *pages,
            (at_tree, at_tree + 0x100000)]


def test_boot_touches_no_page(boot, ram):
    """Set-up and handover write metadata and nothing else."""
    run = boot_kernel(boot, ram, bootargs="bench=none records=all verbose=1")
    check.success(run)
    assert size(without(ram.written(), own(boot, run))) <= LEDGER_PAGES * PAGE


# One after the other from the lowest free page on, where whatever is placed goes first; and holes.
CLAIMED = [(0x80080000, 0x80183000), (0x82000000, 0x82800000), (0x83000000, 0x83400000)]


def claims_tree(boot):
    source = trees.virt(
        trees.memory((RAM_BASE, 0x82000000), (0x82800000, 0x83000000), (0x83400000, RAM_END)) +
        trees.reserved((0x80087000, 0x80090000), (0x80090000, 0x800a0000, "no-map;"),
                       (0x800a0000, 0x80100000, "reusable;"), (0x80181000, 0x80181001),
                       (0x80182f00, 0x80182f64, "no-map;")) +
        "/ { chosen { linux,initrd-start = <0x80100000>; linux,initrd-end = <0x80180123>; "
        "linux,elfcorehdr = <0 0x80085000 0 0x2000>; }; };")
    source = source.replace("/dts-v1/;\n", "/dts-v1/;\n/memreserve/ 0x80080000 0x5000;\n", 1)
    return trees.compile_text(source, boot.folder)


@pytest.mark.parametrize("bench", ["none", "churn,exhaust"])
def test_claims_are_not_touched(boot, ram, bench):
    """Neither holes nor anything that somebody claims, with all of memory churned."""
    run = boot_kernel(boot, ram, dtb=claims_tree(boot),
                      bootargs=f"bench={bench} records=all verbose=1 meta_poison=1")
    check.success(run)
    written = ram.written()
    assert written == without(written, CLAIMED)
    free = [(first * PAGE, last * PAGE) for first, last in run.map.free_frames()]
    assert without(written, own(boot, run) + free) == []


def test_poison(boot, ram):
    """meta_poison=1 does fill what it should: no byte of the metadata is as it was."""
    run = boot_kernel(boot, ram)
    books = check.success(run)
    base, = (r.base for r in run.map.reserved if r.kind == "metadata")
    end = base + books.meta_bytes
    before, after = (data[base - RAM_BASE:end - RAM_BASE] for data in (ram.before, ram.after()))
    same = sum(old == new for old, new in zip(before, after))
    # One byte in 256 by chance.
    assert same < len(before) // 50


def test_initrd_is_kept(boot, ram):
    """To the last byte, while everything else is churned."""
    data = random.Random(2).randbytes(5 * PAGE + 1)
    run = boot_kernel(boot, ram, initrd=boot.file("initrd", data),
                      bootargs="bench=churn,exhaust records=all verbose=1 meta_poison=1")
    check.success(run)
    (base, end), = run.map.kind("initrd")
    assert ram.after()[base - RAM_BASE:end - RAM_BASE] == data


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("name, length", [("kaslr-seed", 8), ("rng-seed", 32)])
def test_seeds_are_wiped(boot, ram, name, length, large):
    """In the copy that is used, and where the firmware put the tree, which is free memory then."""
    secret = bytes(range(0xe0, 0xe0 + length))
    source = trees.memory((RAM_BASE, RAM_END)) + \
        f"/ {{ chosen {{ {name} = [{secret.hex()}]; }}; }};"
    if large:
        # It is not copied.
        source += trees.padding()
    tree = trees.compile_text(trees.virt(source), boot.folder)
    assert trees.values(tree.read_bytes(), name) == [secret]
    run = boot_kernel(boot, ram, dtb=tree)
    check.success(run)
    after = ram.after()
    assert after.count(secret) == 0
    # QEMU may have put another rng-seed in its place.
    first = first_place(run) - RAM_BASE
    copy, = run.map.kind("fdt")
    for at in (first, copy[0] - RAM_BASE):
        assert trees.values(after[at:], name) == [bytes(length)]


def test_metadata_is_not_cleared(boot):
    """A sparse file: what is written takes blocks, of which metadata would need 33 MiB."""
    path = boot.file("sparse", b"")
    run = boot(memory="1T", ram_file=path, bootargs="bench=none records=all")
    books = check.success(run)
    assert books.meta_bytes > 33 << 20
    blocks = path.stat().st_blocks * 512
    path.unlink()
    assert blocks < 20 << 20
