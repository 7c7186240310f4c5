# SPDX-License-Identifier: BSD-2-Clause
"""Device trees for the tests: compiled, generated, and changed byte by byte."""

import struct
import subprocess
import sys
from pathlib import Path

DTS = Path(__file__).resolve().parents[1] / "dts"
HEADER = struct.Struct(">10I")
FIELDS = ("magic", "totalsize", "off_dt_struct", "off_dt_strings", "off_mem_rsvmap", "version",
          "last_comp_version", "boot_cpuid_phys", "size_dt_strings", "size_dt_struct")

BEGIN_NODE, END_NODE, PROP, NOP, END = 1, 2, 3, 4, 9


def compile_text(text, folder, name="test"):
    """The blob of a source, which may include what is in tests/dts."""
    out = Path(folder, name + ".dtb")
    subprocess.run(["dtc", "-q", "-i", str(DTS), "-I", "dts", "-O", "dtb", "-o", str(out), "-"],
                   input=text.encode("ascii"), check=True, timeout=60)
    return out


def compile_file(name, folder):
    return compile_text((DTS / (name + ".dts")).read_text(encoding="ascii"), folder, name)


def generate(folder, *args):
    """What gen.py prints, compiled."""
    text = subprocess.run([sys.executable, "-B", str(DTS / "gen.py"), *map(str, args)],
                          stdout=subprocess.PIPE, check=True, timeout=60).stdout
    return compile_text(text.decode("ascii"), folder, "-".join(map(str, args)))


def virt(body):
    """A source: tests/dts/virt.dtsi and more."""
    return f'/dts-v1/;\n/include/ "virt.dtsi"\n{body}'


def cells(*numbers):
    """64-bit numbers in two cells each."""
    return "<" + " ".join(f"{n >> 32:#x} {n & 0xffffffff:#x}" for n in numbers) + ">"


def memory(*banks, name="memory", more=""):
    """A node with one reg entry a bank, (base, end)."""
    reg = ", ".join(cells(base, end - base) for base, end in banks)
    return f'/ {{ {name}@{banks[0][0]:x} {{ device_type = "memory"; reg = {reg}; {more} }}; }};\n'


def reserved(*children):
    """/reserved-memory; a child is (base, end) or (base, end, more properties)."""
    text = ""
    for base, end, *more in children:
        text += f"r@{base:x} {{ reg = {cells(base, end - base)}; {' '.join(more)} }};\n"
    return ("/ { reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges;\n"
            f"{text}}}; }};\n")


def initrd(start, end):
    return (f"/ {{ chosen {{ linux,initrd-start = {cells(start)}; "
            f"linux,initrd-end = {cells(end)}; }}; }};\n")


def memreserve(text, *ranges):
    """A source, which begins with /dts-v1/, with entries of /memreserve/, (base, end)."""
    entries = "".join(f"/memreserve/ {base:#x} {end - base:#x};\n" for base, end in ranges)
    return text.replace("/dts-v1/;\n", "/dts-v1/;\n" + entries, 1)


def padding(nr_bytes=80000):
    """A property that makes the tree too large for the payload's copy: it stays where it is."""
    lines = ", ".join(["<" + "7 " * 1000 + ">"] * (nr_bytes // 4000))
    return f"/ {{ padding = {lines}; }};\n"


def dynamic(*children):
    """/reserved-memory; a child is (name, size) or (name, size, more properties)."""
    text = ""
    for name, size, *more in children:
        text += f"{name} {{ size = {cells(size)}; {' '.join(more)} }};\n"
    return ("/ { reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges;\n"
            f"{text}}}; }};\n")


def alloc_ranges(*ranges):
    return "alloc-ranges = " + ", ".join(cells(b, e - b) for b, e in ranges) + ";"


class Blob:
    """A blob taken apart into header, blocks; bytes() puts it together again."""

    def __init__(self, data):
        self.header = dict(zip(FIELDS, HEADER.unpack_from(data)))
        at = self.header["off_mem_rsvmap"]
        self.memreserve = data[at:self.header["off_dt_struct"]]
        at = self.header["off_dt_struct"]
        self.struct = data[at:at + self.header["size_dt_struct"]]
        at = self.header["off_dt_strings"]
        self.strings = data[at:at + self.header["size_dt_strings"]]

    def data(self, **fields):
        """With @fields of the header as they are given, be they true or not."""
        at_struct = HEADER.size + len(self.memreserve)
        at_strings = at_struct + len(self.struct)
        header = dict(self.header, off_mem_rsvmap=HEADER.size, off_dt_struct=at_struct,
                      off_dt_strings=at_strings, size_dt_struct=len(self.struct),
                      size_dt_strings=len(self.strings),
                      totalsize=at_strings + len(self.strings))
        header.update(fields)
        return (HEADER.pack(*(header[name] for name in FIELDS)) + self.memreserve + self.struct +
                self.strings)


def values(data, name):
    """Of all properties of a name, in a sound tree at the start of @data."""
    blob = Blob(data)
    mark = words(blob.strings.index(b"\0" + name.encode("ascii") + b"\0") + 1)
    found = []
    for at in range(0, len(blob.struct) - 12, 4):
        if blob.struct[at:at + 4] == words(PROP) and blob.struct[at + 8:at + 12] == mark:
            length, = struct.unpack_from(">I", blob.struct, at + 4)
            found.append(blob.struct[at + 12:at + 12 + length])
    return found


def words(*values):
    return struct.pack(f">{len(values)}I", *values)


def node(name, *content):
    """A node of the structure block."""
    text = name.encode("ascii") + b"\0"
    text += bytes(-len(text) % 4)
    return words(BEGIN_NODE) + text + b"".join(content) + words(END_NODE)
