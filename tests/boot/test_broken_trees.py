# SPDX-License-Identifier: BSD-2-Clause
"""Trees that cannot be used: each ends with a named error and a status, never with a hang.

OpenSBI would refuse most of them. A jump in front of the payload hands them over, behind the image.
"""

import random
import re

import pytest

import check
import trees
from image import with_tree
from trees import BEGIN_NODE, END, END_NODE, NOP, PROP, Blob, node, words

MEMORY = trees.memory((0x80000000, 0xc0000000))
FIRMWARE = trees.reserved((0x80000000, 0x80200000))
CHOSEN = '/ { chosen { bootargs = "bench=none records=all verbose=1"; }; };'
DAMAGED = r"^fatal: the device tree at 0x\w+ is damaged$"


@pytest.fixture
def blob(tmp_path):
    """A tree that is fine: what each test then breaks."""
    path = trees.compile_text(trees.virt(MEMORY + FIRMWARE + CHOSEN), tmp_path, "fine")
    return Blob(path.read_bytes())


def enter(boot, data):
    return boot(memory="1G", bios=with_tree(boot, data), bootargs=None)


def test_it_is_the_tree_that_fails(boot, blob):
    """The same way in with a tree that is fine."""
    run = enter(boot, blob.data())
    books = check.success(run)
    assert books.causes["reserved-memory"] == 512


def test_version_18(boot, blob):
    """A later version that says it can be read as 17."""
    check.success(enter(boot, blob.data(version=18, last_comp_version=17)))


@pytest.mark.parametrize("fields, message", [
    (dict(magic=0xd00dfeee), "^fatal: no device tree at a1 = "),
    (dict(magic=0xedfe0dd0), "^fatal: no device tree at a1 = "),
    (dict(version=16, last_comp_version=16), "^dt: tree of version 16 .* 17 is needed$"),
    (dict(version=18, last_comp_version=18), "^dt: tree of version 18 .* 17 is needed$"),
    (dict(totalsize=0), "^dt: tree of 0x0 bytes at .* are accepted$"),
    (dict(totalsize=39), "^dt: tree of 0x27 bytes at .* are accepted$"),
    (dict(totalsize=40), "^dt: damaged tree: memory reservation block at offset 0x28, "),
    (dict(totalsize=0x1000001), "^dt: tree of 0x1000001 bytes at .* are accepted$"),
    (dict(totalsize=0xffffffff), "^dt: tree of 0xffffffff bytes at .* are accepted$"),
    (dict(off_mem_rsvmap=0xfffffff8), "^dt: damaged tree: memory reservation block at offset "),
    (dict(off_dt_struct=0), "^dt: damaged tree: structure block at offset 0x0, "),
    (dict(off_dt_struct=0x3a), "^dt: damaged tree: structure block at offset 0x3a, .* unaligned$"),
    (dict(off_dt_struct=0x7ffffffc), "^dt: damaged tree: structure block at offset "),
    (dict(size_dt_struct=0xfffffff0), "^dt: damaged tree: structure block at offset "),
    (dict(size_dt_struct=0), "^dt: damaged tree: damaged or cut off at offset 0x0 "),
    (dict(size_dt_struct=8), "^dt: damaged tree: damaged or cut off at offset "),
    (dict(off_dt_strings=0x7fffffff), "^dt: damaged tree: strings block at offset "),
    (dict(size_dt_strings=0xffffffff), "^dt: damaged tree: strings block at offset "),
    (dict(size_dt_strings=4), "^dt: damaged tree: (the strings block does not end in NUL|property "
                              "name outside the strings block)"),
    (dict(off_dt_strings=40, size_dt_strings=4), "^dt: damaged tree: .* and .* overlap$"),
])
def test_header(boot, blob, fields, message):
    check.failure(enter(boot, blob.data(**fields)), "^fatal: ", message)


@pytest.mark.parametrize("kept", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_truncated(boot, blob, kept):
    """The header is whole and promises more."""
    data = blob.data()
    run = enter(boot, data[:int(len(data) * kept)])
    if kept < 0.9:
        check.failure(run, DAMAGED, "^dt: damaged tree: ")
    else:
        # Only names of properties are gone, "device_type" among them.
        check.failure(run, "^dt: the tree has no memory: ")


def garbage(seed, size):
    return random.Random(seed).randbytes(size)


@pytest.mark.parametrize("change, message", [
    (lambda s: garbage(1, len(s)), "damaged or cut off at offset 0x0 "),
    (lambda s: bytes(len(s)), "damaged or cut off at offset 0x0 "),
    (lambda s: b"\xff" * len(s), "damaged or cut off at offset 0x0 "),
    (lambda s: s[:64] + garbage(2, len(s) - 64), ""),
    (lambda s: b"", "damaged or cut off at offset 0x0 "),
    (lambda s: words(END), "no root node"),
    (lambda s: words(NOP, NOP, END), "no root node"),
    (lambda s: s[:-4], "damaged or cut off at offset "),
    (lambda s: s[:-8] + words(END), "end of the tree inside a node"),
    (lambda s: s[:-4] + words(END_NODE, END), "end of a node that was not begun"),
    (lambda s: s[:-4] + node("") + words(END), "second root node"),
    (lambda s: words(PROP, 0, 0) + s, ""),
    (lambda s: words(BEGIN_NODE, 0, PROP, 0xfffffff0, 0) + s[8:],
     "damaged or cut off at offset 0x8 "),
    (lambda s: words(BEGIN_NODE, 0, PROP, 4, 0xffffff, 1) + s[8:],
     "property name outside the strings block at offset 0x8 "),
    (lambda s: words(BEGIN_NODE) + b"a" * 400, "damaged or cut off at offset 0x0 "),
    (lambda s: words(BEGIN_NODE, 0, 7) + s[8:], "damaged or cut off at offset 0x8 "),
], ids=["garbage", "zeros", "ones", "garbage-inside", "empty", "only-end", "only-nops", "no-end",
        "node-open", "node-closed-twice", "two-roots", "property-before-root", "property-too-long",
        "property-name", "node-name", "unknown-tag"])
def test_structure(boot, blob, change, message):
    blob.struct = change(blob.struct)
    check.failure(enter(boot, blob.data()), DAMAGED, f"^dt: damaged tree: {message}")


def nested(depth):
    return (words(BEGIN_NODE) + b"n\0\0\0") * depth + words(END_NODE) * depth


@pytest.mark.parametrize("depth, fine", [(32, True), (33, False), (1000, False), (100000, False)])
def test_depth(boot, blob, depth, fine):
    """32 levels, the root included."""
    blob.struct = blob.struct[:-8] + nested(depth - 1) + words(END_NODE, END)
    run = enter(boot, blob.data())
    if fine:
        check.success(run)
    else:
        check.failure(run, DAMAGED, "^dt: damaged tree: nodes nested too deeply at offset ")


def test_a_million_nops(boot, blob):
    """Of no meaning, and no harm."""
    blob.struct = words(BEGIN_NODE, 0) + words(NOP) * 1000000 + blob.struct[8:]
    books = check.success(enter(boot, blob.data()))
    assert books.causes["reserved-memory"] == 512


@pytest.mark.parametrize("change, message", [
    (lambda b: setattr(b, "memreserve", b"\xff" * 160),
     "^dt: damaged tree: /memreserve/ has no end after 10 entries$"),
    (lambda b: setattr(b, "memreserve", b""),
     "^dt: damaged tree: memory reservation block and structure block overlap$"),
    (lambda b: setattr(b, "strings", b.strings[:-1] + b"x"),
     "^dt: damaged tree: the strings block does not end in NUL$"),
    (lambda b: setattr(b, "strings", b""), "^dt: damaged tree: property name outside the strings"),
], ids=["memreserve-without-end", "no-memreserve", "strings-without-nul", "no-strings"])
def test_blocks(boot, blob, change, message):
    change(blob)
    check.failure(enter(boot, blob.data()), DAMAGED, message)


@pytest.mark.parametrize("seed", range(60))
def test_mutated(boot, blob, seed):
    """Bytes changed at random: an error or a boot whose books balance, and an end."""
    generator = random.Random(seed)
    data = bytearray(blob.data())
    for _ in range(generator.choice([1, 1, 2, 5])):
        at = generator.randrange(len(data) // 4) * 4
        value = generator.choice([0, 1, 2, 3, 9, 0x7fffffff, 0x80000000, 0xffffffff,
                                  generator.getrandbits(32)])
        data[at:at + 4] = value.to_bytes(4, "big")
    run = enter(boot, bytes(data))
    if run.status:
        check.failure(run)
    else:
        check.success(run)


# From here on OpenSBI has no objection.

def test_no_memory(boot):
    run = boot(memory="1G", dtb=trees.compile_file("no-memory", boot.folder))
    check.failure(run, '^dt: the tree has no memory: 1 enabled nodes with device_type "memory", '
                  '1 ranges, none of use$', "^fatal: no memory map: ")


def test_all_reserved(boot):
    run = boot(memory="1G", dtb=trees.compile_file("all-reserved", boot.folder))
    check.failure(run, "^fatal: no room for the page allocator's metadata .*; reserve less$")


def test_all_nomap(boot):
    source = MEMORY + trees.reserved((0x80000000, 0xc0000000, "no-map;"))
    run = boot(memory="1G", dtb=trees.compile_text(trees.virt(source), boot.folder))
    check.failure(run, "^dt: .*: no-map refused for .*, in use by image: reserved$",
                  "^fatal: no room for the page allocator's metadata .*; reserve less$")


@pytest.mark.parametrize("spare, message", [
    (-1, "^fatal: no room for the page allocator's metadata .*; reserve less$"),
    (0, "^fatal: no page can be had after the handover: .*; everything is reserved$"),
    (1, None), (2, None)])
def test_barely_any_page_is_free(boot, blob, spare, message):
    """As much as metadata takes, give or take a page."""
    metadata = check.success(enter(boot, blob.data())).causes["metadata"]
    free = (0xa0000000, 0xa0000000 + (metadata + spare) * 0x1000)
    source = MEMORY + trees.reserved((0x80000000, free[0]), (free[1], 0xc0000000))
    run = boot(memory="1G", dtb=trees.compile_text(trees.virt(source), boot.folder))
    if message:
        check.failure(run, message)
    else:
        books = check.success(run)
        given_back = re.search(r"^ +([0-9]+) pages of init memory went back", run.console, re.M)
        assert books.managed == spare + int(given_back[1])


def test_no_room_for_arrays(boot):
    """So many regions that the arrays must grow, and nowhere to put them."""
    banks = [(0x80000000 + i * 0x40000, 0x80000000 + i * 0x40000 + 0x1000) for i in range(400)]
    run = boot(memory="1G", dtb=trees.compile_text(trees.virt(trees.memory(*banks)), boot.folder))
    check.failure(run, "^dt: 400 banks and .* do not fit in .* no room for larger arrays: try a "
                  "larger INIT_MEMBLOCK_REGIONS$", "^fatal: no memory map: ")


@pytest.mark.parametrize("cells", ["<0>", "<3>", "<0xffffffff>", "<>"])
@pytest.mark.parametrize("name", ["#address-cells", "#size-cells"])
def test_cells_of_the_root(boot, name, cells):
    source = trees.virt(MEMORY + FIRMWARE + f"/ {{ {name} = {cells}; }};")
    data = trees.compile_text(source, boot.folder).read_bytes()
    check.failure(enter(boot, data), DAMAGED,
                  "^dt: damaged tree: #address-cells and #size-cells of the root are not 1 or 2 ")


def test_cells_of_reserved_memory(boot):
    """Fail closed: what it protects cannot be told."""
    source = trees.virt(MEMORY + FIRMWARE + "/ { reserved-memory { #address-cells = <3>; }; };")
    data = trees.compile_text(source, boot.folder).read_bytes()
    check.failure(enter(boot, data), "^fatal: no memory map: ",
                  "^dt: reserved-memory: #address-cells and #size-cells must be 1 or 2$")
