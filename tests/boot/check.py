# SPDX-License-Identifier: BSD-2-Clause
"""What every run must hold that succeeds, and every one that fails."""

import re

import memory_map

CAUSES = ("other", "image", "fdt", "initrd", "memreserve", "reserved-memory", "no-map", "memblock",
          "metadata", "alloc", "init", "bootmem", "hugepages", "bad", "partial")
FATAL = re.compile(r"^(fatal|trap|NOT VERIFIED): |FAILED|does not balance", re.MULTILINE)


class Books:
    """The mem records, which are one as far as the causes go, added up."""

    def __init__(self, run):
        first, *more = run.find("mem")
        for key in ("present", "managed", "reserved", "free", "meta_bytes"):
            setattr(self, key, first.number(key))
        self.causes = {}
        for record in [first, *more]:
            for cause in CAUSES:
                if cause in record:
                    assert cause not in self.causes, f"{cause} twice"
                    self.causes[cause] = record.number(cause)

    def check(self, run):
        assert self.present == self.managed + self.reserved
        assert self.reserved == sum(self.causes.values())
        assert self.free == self.managed
        assert self.causes["metadata"] == -(-self.meta_bytes // memory_map.PAGE)
        assert f"audit: {self.present} pages present = {self.managed} managed + " \
               f"{self.reserved} reserved (" in run.console
        assert f"{self.managed} managed = {self.free} free + 0 held by harts + 0 used; 0 lost" \
            in run.console


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
    assert sum(end - base for base, end in seen.free_frames()) == books.managed
    for kind in ("image", "fdt", "metadata"):
        assert sum(region.kind == kind for region in seen.reserved) == 1, kind


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
