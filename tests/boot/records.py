# SPDX-License-Identifier: BSD-2-Clause
"""A strict reader of the console's records: whatever docs/benchmark.md does not allow is an error.

    @PB1 <seq> <type> key=value … *<crc16>
"""

import binascii
import re

MARK = "@PB1"
MAX_CHARS = 200

LINE = re.compile(r"@PB1 (0|[1-9][0-9]*) ([a-z]+)((?: [a-z0-9_-]+=[!-~]+)*) \*([0-9a-f]{4})")


class RecordError(Exception):
    """The run is incomplete, or is none."""


class Record(dict):
    """The fields, as words; number() is for those that must be decimal."""

    def __init__(self, seq, kind, fields):
        super().__init__(fields)
        self.seq = seq
        self.type = kind

    def number(self, key):
        if not re.fullmatch(r"-?[0-9]+", self[key]):
            raise RecordError(f"record {self.seq}: {key}={self[key]} is not a number")
        return int(self[key])


def crc16(text):
    """CRC-16/CCITT-FALSE."""
    return binascii.crc_hqx(text.encode("ascii"), 0xFFFF)


def parse(line):
    """The record that a whole line is."""
    if len(line) > MAX_CHARS:
        raise RecordError(f"{len(line)} characters: {line}")
    found = LINE.fullmatch(line)
    if not found:
        raise RecordError(f"not in the form of a record: {line}")
    seq, kind, text, crc = found.groups()
    body = line.rpartition(" *")[0]
    if crc16(body) != int(crc, 16):
        raise RecordError(f"CRC is {crc16(body):04x}: {line}")
    fields = [field.split("=", 1) for field in text.split()]
    if len(dict(fields)) < len(fields):
        raise RecordError(f"a key twice: {line}")
    return Record(int(seq), kind, fields)


def read(console):
    """All records of one whole run, from seq 0 to its end record."""
    found = []
    for line in console.splitlines():
        if line.startswith(MARK):
            found.append(parse(line))
            if found[-1].seq != len(found) - 1:
                raise RecordError(f"seq {found[-1].seq} where {len(found) - 1} is due: {line}")
        elif MARK in line:
            raise RecordError(f"not on a line of its own: {line}")
    if not found:
        raise RecordError("no records")
    if found[0].type != "run":
        raise RecordError(f"the first is a {found[0].type}")
    ends = [record for record in found if record.type == "end"]
    if ends != found[-1:]:
        raise RecordError(f"{len(ends)} end records, the last record is a {found[-1].type}")
    if found[-1].number("nrec") != len(found):
        raise RecordError(f"{len(found)} records where end says {found[-1]['nrec']}")
    return found
