# SPDX-License-Identifier: BSD-2-Clause
"""A boot from a tree with 1 GiB of RAM behind it, and what must have come of the tree.

The firmware's own reservations, which differ, are left out unless a test asks for them.
"""

import check
import trees
from memory_map import PAGE, merged, without

RAM = [(0x80000000, 0xc0000000)]
PAGES = 262144

# What a tree, or a machine that is not as the tree has it, makes the payload say.
TOLD = ("dt: ", "memory: ", "memtest: ", "memblock", "the tree keeps nothing ")


def boot_tree(boot, path, memory="1G", **kwargs):
    run = boot(memory=memory, dtb=path, **kwargs)
    return run, check.success(run)


def boot_file(boot, name, **kwargs):
    return boot_tree(boot, trees.compile_file(name, boot.folder), **kwargs)


def boot_text(boot, text, **kwargs):
    return boot_tree(boot, trees.compile_text(trees.virt(text), boot.folder), **kwargs)


def pages_of(run, books, cause):
    """By the map, for which what is lent is reserved as ever."""
    lent = sum(end - base for base, end in books.lent) if cause == "reserved-memory" else 0
    return books.causes.get(cause, 0) + lent - run.map.firmware_pages(cause)


def expect(run, books, *, ram=None, present=PAGES, claimed=None, **causes):
    """@claimed: ranges by kind. @causes: pages by cause, in all banks."""
    assert run.map.ram == (RAM if ram is None else ram)
    assert run.map.claimed == (claimed or {})
    assert books.present == present
    for cause in ("reserved-memory", "no-map", "memreserve", "initrd", "other", "bad"):
        expected = causes.pop(cause.replace("-", "_"), 0)
        assert pages_of(run, books, cause) == expected, cause
    assert not causes


def told(run):
    """All lines about the tree and the memory."""
    return [line for line in run.payload_console.splitlines() if line.startswith(TOLD)]


def free_ranges(run):
    return [(first * PAGE, last * PAGE) for first, last in run.map.free_frames()]


def expect_kept(run, *ranges):
    """No page with a byte of these was handed out."""
    for base, end in ranges:
        pages = [(base // PAGE * PAGE, -(-end // PAGE) * PAGE)]
        assert without(pages, free_ranges(run)) == pages, f"[{base:#x}, {end:#x})"


def expect_free(run, *ranges):
    """All of these, whole pages, was handed out."""
    assert without(ranges, free_ranges(run)) == [], merged(ranges)


def only(run, kind):
    """The one reservation of a kind."""
    found, = [region for region in run.map.reserved if region.kind == kind]
    return found


def named(run):
    """Kind and range of everything that has a name in the tree."""
    return {region.name: (region.kind, *region.range) for region in run.map.regions
            if region.name and region.kind != "memory"}
