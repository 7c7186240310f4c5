# SPDX-License-Identifier: BSD-2-Clause
"""Very many regions, banks and nodes: nothing is lost, and it does not take for ever."""

import pytest

import check
import trees

QUIET = "bench=none records=all meta_poison=1"
RAM_PAGES = 262144
# What gen.py does: 3 GiB / 4 from 0x90000000 in equal steps of whole pages.
SPACE_PAGES = 0x30000

PAGES_OF_CLAIMS = {"reserved": "reserved-memory", "nomap": "no-map", "memreserve": "memreserve"}


def boot_tree(boot, *args, bootargs=QUIET):
    """verbose=1 prints the whole map, names looked up in the tree: for thousands at most."""
    run = boot(memory="1G", dtb=trees.generate(boot.folder, *args), bootargs=bootargs)
    return run, check.success(run)


def check_claims(run, books, kind, count):
    """One page each."""
    cause = PAGES_OF_CLAIMS[kind]
    assert books.present == RAM_PAGES
    assert books.causes[cause] - run.map.firmware_pages(cause) == count


def check_banks(books, count):
    """A step less one page each, and 64 MiB around the image."""
    assert books.present == 16384 + count * (SPACE_PAGES // count - 1)


# Linux dies of 124 reservations, 60 no-map regions and 127 banks; 128 is the size of the arrays.
@pytest.mark.parametrize("kind, count", [
    ("reserved", 123), ("reserved", 124), ("reserved", 126), ("reserved", 128), ("reserved", 129),
    ("nomap", 58), ("nomap", 60), ("nomap", 128), ("memreserve", 127), ("memreserve", 128)])
def test_claims_by_the_hundred(boot, kind, count):
    run, books = boot_tree(boot, kind, count, bootargs=f"{QUIET} verbose=1")
    check_claims(run, books, kind, count)


@pytest.mark.parametrize("kind", ["banks", "bank-nodes"])
@pytest.mark.parametrize("count", [121, 126, 127, 128, 129])
def test_banks_by_the_hundred(boot, kind, count):
    run, books = boot_tree(boot, kind, count)
    check_banks(books, count)


@pytest.mark.parametrize("kind", ["reserved", "nomap", "memreserve"])
@pytest.mark.parametrize("order", ["up", "random"])
def test_map_of_a_thousand(boot, kind, order):
    """Each is where the tree has it."""
    step = SPACE_PAGES // 1000 * 4096
    expected = [(0x90000000 + i * step, 0x90000000 + i * step + 4096) for i in range(1000)]
    run, books = boot_tree(boot, kind, 1000, "--order", order, bootargs=f"{QUIET} verbose=1")
    assert run.map.claimed == {PAGES_OF_CLAIMS[kind]: expected}
    check_claims(run, books, kind, 1000)


def test_map_of_a_thousand_banks(boot):
    step = SPACE_PAGES // 1000 * 4096
    expected = [(0x90000000 + i * step, 0x90000000 + (i + 1) * step - 4096) for i in range(1000)]
    run, books = boot_tree(boot, "banks", 1000, "--order", "random", bootargs=f"{QUIET} verbose=1")
    assert run.map.ram == [(0x80000000, 0x84000000), *expected]
    check_banks(books, 1000)


@pytest.mark.parametrize("kind, order", [
    ("reserved", "up"), ("reserved", "random"), ("nomap", "up"), ("nomap", "random")])
def test_ten_thousand_claims(boot, kind, order):
    run, books = boot_tree(boot, kind, 10000, "--order", order)
    check_claims(run, books, kind, 10000)


@pytest.mark.parametrize("kind, order", [
    ("banks", "up"), ("banks", "random"), ("bank-nodes", "up"), ("bank-nodes", "down")])
def test_ten_thousand_banks(boot, kind, order):
    run, books = boot_tree(boot, kind, 10000, "--order", order)
    check_banks(books, 10000)


def test_three_thousand_memreserve(boot):
    run, books = boot_tree(boot, "memreserve", 3000, "--order", "random")
    check_claims(run, books, "memreserve", 3000)


def test_ten_thousand_nodes(boot):
    """That have nothing to do with memory."""
    children = "".join(f"dev@{i} {{ reg = <{i} 1>; }};" for i in range(100))
    nodes = "".join(f"/ {{ bus{i} {{ {children} }}; }};\n" for i in range(100))
    source = trees.virt(trees.memory((0x80000000, 0xc0000000)) + nodes)
    run = boot(memory="1G", dtb=trees.compile_text(source, boot.folder), bootargs=QUIET)
    books = check.success(run)
    assert books.present == RAM_PAGES


@pytest.mark.parametrize("kind, count", [("banks", 1000), ("reserved", 5000), ("nomap", 2000)])
def test_churn_in_fragments(boot, kind, count):
    """The allocator works in what there is between the gaps."""
    run, _ = boot_tree(boot, kind, count, bootargs="bench=churn,exhaust records=all")
    assert "\nverified: " in run.console
