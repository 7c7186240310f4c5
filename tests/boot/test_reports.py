# SPDX-License-Identifier: BSD-2-Clause
"""report=: what is printed adds up, fits, and is what docs/reports.md shows."""

import re
from pathlib import Path

import check
import trees
from tree_boot import boot_text

ROOT = Path(__file__).resolve().parents[2]
NAMES = ["meminfo", "buddyinfo", "zoneinfo", "pagetypeinfo", "vmstat", "iomem", "map"]
BY_ORDER = ("buddyinfo", "pagetypeinfo")
KIB = 4

MACHINE = trees.memory((0x80000000, 0xa0000000), more="numa-node-id = <0>;") + \
    trees.memory((0xa0000000, 0xc0000000), more="numa-node-id = <1>;") + \
    trees.reserved((0x90000000, 0x91000000, 'compatible = "shared-dma-pool"; reusable;'),
                   (0x98000000, 0x98100000, "no-map;"), (0x99000000, 0x99001000))


def reports(console):
    """Name and text of each report, in the order of the console."""
    parts = re.split(r"^report: (\w+)\n", console, flags=re.MULTILINE)
    return [(name, re.split(r"\n\n(?=report|page churn)|^@PB1|^verified", text,
                            maxsplit=1, flags=re.MULTILINE)[0].rstrip("\n") + "\n")
            for name, text in zip(parts[1::2], parts[2::2])]


def words(text):
    """What is left without numbers, addresses and the picture."""
    lines = [line for line in text.splitlines() if not re.match(r"[0-9a-f]{8,} [^:]*$", line)]
    plain = re.sub(r"\b(0x)?[0-9a-f]*\d[0-9a-f]*\b", " ", "\n".join(lines))
    return set(re.findall(r"[A-Za-z_]{3,}", plain))


def number(text, name):
    return int(re.search(rf"^ *{name}\s+(\d+)", text, re.MULTILINE)[1])


def block_pages(text, prefix):
    """Pages in the rows of a table by order, which begin with @prefix."""
    rows = re.findall(rf"^{prefix}\s+((?:\d+ *)+)$", text, re.MULTILINE)
    return sum(int(count) << order for row in rows for order, count in enumerate(row.split()))


def fits(name, text):
    most = 132 if name in BY_ORDER else 80
    for line in text.splitlines():
        assert len(line) <= most or line.startswith("Memory: "), line


def adds_up(found):
    """Sums that hold with nothing in use, in stacks or elsewhere."""
    free = number(found["vmstat"], "nr_free_pages")
    assert number(found["meminfo"], "MemFree:") == free * KIB
    assert number(found["meminfo"], "MemTotal:") == free * KIB
    assert block_pages(found["buddyinfo"], r"Node \d, zone +\w+") == free
    assert block_pages(found["pagetypeinfo"], r"Node +\d, zone +\w+, type +\w+") == free
    assert sum(int(n) for n in re.findall(r"nr_free_pages (\d+)", found["zoneinfo"])) == free
    assert f"{free} managed = {free} free" in found["audit"]


def documented(title):
    """Name and text of the reports below a heading of the document."""
    text = (ROOT / "docs" / "reports.md").read_text("utf-8")
    chapter = text.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]
    return reports("\n\n".join(re.findall(r"```\n(.*?)```", chapter, re.DOTALL)))


def expect_as_documented(found, title):
    shown = documented(title)
    assert shown
    for name, text in shown:
        assert words(text) == words(found[name]), name


def test_all(boot):
    run = boot(memory="3G", bootargs="report=all bench=none")
    check.success(run)
    listed = reports(run.console)
    assert [name for name, _ in listed] == NAMES
    found = dict(listed, audit=run.console)
    for name, text in listed:
        fits(name, text)
    adds_up(found)
    expect_as_documented(found, "Each of them")


def test_machine_with_everything(boot):
    """Two nodes, an area that is lent, HIGHMEM: before and after the benchmark."""
    run, _ = boot_text(boot, MACHINE,
                       bootargs="report=all bench=churn0 alloc=buddy highmem=0xb0000000")
    check.success(run)
    listed = reports(run.console)
    assert [name for name, _ in listed] == NAMES * 2
    for name, text in listed:
        fits(name, text)
    found = dict(listed[:len(NAMES)], audit=run.console)
    adds_up(found)
    assert "90000000-90ffffff : r@90000000\n    90000000-90ffffff : CMA0" in found["iomem"]
    assert "98000000-980fffff : Reserved" in found["iomem"]
    assert "99000000-99000fff : r@99000000" in found["iomem"]
    assert re.search("Node 0, zone +CMA0", found["buddyinfo"])
    assert re.search("Node 1, zone +HighMem", found["buddyinfo"])
    assert re.search(r"^90000000 c{16}\.", found["map"], re.MULTILINE)
    assert number(found["meminfo"], "HighTotal:") <= 0x10000000 // 1024
    after = dict(listed[len(NAMES):])
    assert after["iomem"] == found["iomem"]
    assert after["map"] == found["map"]
    assert number(after["vmstat"], "pgfree") > number(found["vmstat"], "pgfree")
    expect_as_documented(found, "Nodes, HIGHMEM, CMA areas")


def test_some(boot):
    run = boot(memory="64M", bootargs="report=map,buddyinfo bench=none")
    check.success(run)
    assert [name for name, _ in reports(run.console)] == ["buddyinfo", "map"]
    run = boot(memory="64M", bootargs="bench=none")
    check.success(run)
    assert reports(run.console) == []


def test_large(boot):
    """A picture of four terabytes has no more lines, and costs nothing that is noticed."""
    run = boot(memory="4T", bootargs="report=all bench=none")
    check.success(run)
    for name, text in reports(run.console):
        fits(name, text)
        if name == "map":
            assert len(text.splitlines()) <= 4 + 24 + 1
