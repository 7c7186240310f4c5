# SPDX-License-Identifier: BSD-2-Clause
"""The memory map as the payload prints it, and what follows from it, counted anew."""

import re
from typing import NamedTuple

PAGE = 0x1000
RAM_BASE = 0x80000000
# OpenSBI and its reservations lie below the image.
FIRMWARE_END = RAM_BASE + 0x200000

HEADING = "memory map (address, pages, size)"
LINE = re.compile(r"  ([0-9a-f]{16})-([0-9a-f]{16}) +([0-9]+) +[0-9.]+ (?:B|[KMGTPE]iB)  "
                  r"([a-z-]+) *(.*)")
MORE = re.compile(r"  \.\.\. and [0-9]+ more banks, [0-9]+ more reservations "
                  r"\(verbose=1 shows them\)")
# What the payload takes for itself.
OWN = ("image", "fdt", "metadata", "memblock", "harts")


class Region(NamedTuple):
    base: int
    end: int  # exclusive
    kind: str
    name: str = ""

    @property
    def range(self):
        return (self.base, self.end)

    @property
    def frames(self):
        """Of all pages that it has a byte of."""
        return (self.base // PAGE, -(-self.end // PAGE))


def merged(ranges):
    """Sorted; those that touch or overlap are one."""
    out = []
    for base, end in sorted(ranges):
        if out and base <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((base, end))
    return out


def size(ranges):
    return sum(end - base for base, end in merged(ranges))


def without(ranges, holes):
    """@ranges less @holes."""
    out = []
    holes = merged(holes)
    at = 0
    for base, end in merged(ranges):
        while at < len(holes) and holes[at][1] <= base:
            at += 1
        i = at
        while i < len(holes) and holes[i][0] < end:
            if base < holes[i][0]:
                out.append((base, holes[i][0]))
            base = max(base, holes[i][1])
            i += 1
        if base < end:
            out.append((base, end))
    return out


class MemoryMap:
    """Banks (mapped or no-map) and reservations; without verbose=1 maybe not all of them."""

    def __init__(self, regions, complete=True):
        self.regions = regions
        self.complete = complete
        self.banks = [r for r in regions if r.kind in ("memory", "no-map")]
        self.reserved = [r for r in regions if r.kind not in ("memory", "no-map")]

    @property
    def ram(self):
        """All memory that there is, no-map too."""
        return merged(r.range for r in self.banks)

    def kind(self, *kinds):
        """Ranges of these kinds, the firmware's own left out."""
        return [r.range for r in self.regions
                if r.kind in kinds and not RAM_BASE <= r.base < FIRMWARE_END]

    @property
    def claimed(self):
        """What the tree reserves, by kind, the firmware's own left out."""
        kinds = {r.kind for r in self.regions} - {"memory", *OWN}
        claims = {kind: self.kind(kind) for kind in kinds}
        return {kind: ranges for kind, ranges in claims.items() if ranges}

    def firmware_pages(self, kind):
        return sum(r.frames[1] - r.frames[0] for r in self.regions
                   if r.kind == kind and RAM_BASE <= r.base < FIRMWARE_END)

    def present_pages(self):
        return size(self.ram) // PAGE

    def free_frames(self):
        """Whole pages of mapped banks that no reservation has a byte of."""
        mapped = [(-(-r.base // PAGE), r.end // PAGE) for r in self.banks if r.kind == "memory"]
        return without(mapped, [r.frames for r in self.reserved])


def read(console):
    """The map that was printed: each line well-formed, and in the order of addresses."""
    _, heading, rest = console.partition(HEADING + "\n")
    assert heading, "no memory map on the console"
    regions = []
    lines = rest.split("\n\n", 1)[0].splitlines()
    complete = not MORE.fullmatch(lines[-1])
    for line in lines if complete else lines[:-1]:
        found = LINE.fullmatch(line)
        assert found, f"not a line of a memory map: {line!r}"
        region = Region(int(found[1], 16), int(found[2], 16) + 1, found[4], found[5])
        first, last = region.frames
        assert int(found[3]) == last - first, f"pages: {line!r}"
        assert not regions or regions[-1].base <= region.base, f"order: {line!r}"
        regions.append(region)
    return MemoryMap(regions, complete)
