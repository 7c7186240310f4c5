# SPDX-License-Identifier: BSD-2-Clause
"""What every run must hold that succeeds, and every one that fails."""

import re

import memory_map

CAUSES = ("other", "image", "fdt", "initrd", "memreserve", "reserved-memory", "no-map", "memblock",
          "metadata", "alloc", "init", "bootmem", "hugepages", "harts", "bad", "partial")
FATAL = re.compile(r"^(fatal|trap|NOT VERIFIED): |FAILED|does not balance", re.MULTILINE)
# A zone's line; its last address.
ZONES = re.compile(r"^(  +[0-9]+  (?:DMA32|Normal|HighMem|CMA) +[0-9a-f]{16}-([0-9a-f]{16}) .*)$",
                   re.MULTILINE)


class Zone:
    """One zone's books: its mem records, which are one as far as the causes go."""

    def __init__(self, records):
        first, *more = records
        for key in ("node", "start", "present", "managed", "reserved", "free", "meta_bytes"):
            setattr(self, key, first.number(key))
        self.name = first["zone"]
        self.causes = {}
        for record in [first, *more]:
            for cause in CAUSES:
                if cause in record:
                    assert cause not in self.causes, f"{cause} twice"
                    self.causes[cause] = record.number(cause)

    def __eq__(self, other):
        return vars(self) == vars(other)

    def check(self):
        assert self.present == self.managed + self.reserved, self.name
        assert self.reserved == sum(self.causes.values()), self.name
        assert self.free == self.managed, self.name
        assert self.name != "none" or not self.managed

    def line(self, end):
        """What the console has of it, apart from the watermark."""
        base = self.start * memory_map.PAGE
        return (f"  {self.node:3d}  {self.name:7s}  {base:016x}-{end * memory_map.PAGE - 1:016x} "
                f"{self.present:12d} {self.managed:12d} ")


class Books:
    """The mem records of all zones, and their sums."""

    def __init__(self, run):
        zones = {}
        for record in run.find("mem"):
            key = (record["node"], record["zone"], record["start"])
            zones.setdefault(key, []).append(record)
        self.zones = [Zone(records) for records in zones.values()]
        for key in ("present", "managed", "reserved", "free", "meta_bytes"):
            setattr(self, key, sum(getattr(zone, key) for zone in self.zones))
        self.causes = {cause: sum(zone.causes.get(cause, 0) for zone in self.zones)
                       for cause in CAUSES
                       if any(cause in zone.causes for zone in self.zones)}

    def zone(self, name, node=0):
        found, = [zone for zone in self.zones if (zone.name, zone.node) == (name, node)]
        return found

    @property
    def lent(self):
        """Ranges of frames; they are reserved as far as the map goes."""
        return [(zone.start, zone.start + zone.managed) for zone in self.zones
                if zone.name == "CMA"]

    def check(self, run):
        for zone in self.zones:
            zone.check()
        metadata = sum(-(-zone.meta_bytes // memory_map.PAGE) for zone in self.zones)
        assert self.causes["metadata"] == metadata
        assert f"audit: {self.present} pages present = {self.managed} managed + " \
               f"{self.reserved} reserved (" in run.console
        assert f"{self.managed} managed = {self.free} free + 0 held by harts + 0 used; 0 lost" \
            in run.console
        self.check_lines(run)

    def check_lines(self, run):
        """A line a zone, if there are several."""
        lines = ZONES.findall(run.payload_console)
        zones = [zone for zone in self.zones if zone.name != "none"]
        assert len(lines) == (len(zones) if len(zones) > 1 else 0)
        for zone, line in zip(zones, lines):
            end = int(line[1], 16) // memory_map.PAGE + 1
            assert line[0].startswith(zone.line(end)), f"{zone.line(end)!r}: {line[0]!r}"


def success(run):
    """Returns the books if the run told them (records=all)."""
    assert run.status == 0
    complaint = FATAL.search(run.payload_console)
    assert not complaint, complaint[0]
    run.record("end", status="ok", pages_lost=0)
    run.record("run", page=4096)
    if not run.find("mem"):
        return None
    books = Books(run)
    books.check(run)
    if run.map.complete:
        agree(run.map, books)
    return books


def agree(seen, books):
    """The map, counted frame by frame, says what the books say."""
    assert seen.present_pages() == books.present
    lent = sum(end - base for base, end in books.lent)
    assert sum(end - base for base, end in seen.free_frames()) + lent == books.managed
    for kind in ("image", "fdt"):
        assert sum(region.kind == kind for region in seen.reserved) == 1, kind
    # Each zone has its own, on its node.
    assert 1 <= sum(region.kind == "metadata" for region in seen.reserved) <= len(books.zones)


def failure(run, *messages, status=1):
    """Ended as failed and named why: each of @messages, regular expressions, is on the console."""
    assert run.status == status
    for message in messages:
        assert re.search(message, run.console, re.MULTILINE), f"not on the console: {message}"
    assert FATAL.search(run.console)
    assert "status=ok" not in run.console


def says(run, *lines):
    """Each is a whole line of the console."""
    console = run.console.splitlines()
    for line in lines:
        assert line in console, f"not on the console: {line}"
