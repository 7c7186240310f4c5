#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Prints a tree for QEMU's `-M virt -m 1G` with any number of ranges of one kind.

    gen.py reserved|nomap|memreserve|dynamic|dynamic-nomap|banks|bank-nodes COUNT
           [--order up|down|random]

reserved, nomap   COUNT children of /reserved-memory, a page each, from 0x90000000
memreserve        COUNT entries of /memreserve/, likewise
dynamic(-nomap)   COUNT children by size, a page each, aligned so that no two touch
banks             memory as COUNT entries of one node, a gap after each; the image and what follows
                  it are in one more, of 64 MiB
bank-nodes        the same as COUNT nodes
Up to 65536 of them, all below 0xc0000000; no two touch. dtc takes some 3000 /memreserve/ entries.
"""
import argparse
import os
import random
import re

RAM_BASE = 0x80000000
FIRST = 0x90000000
SPACE = 0x30000000
PAGE = 0x1000


def cells(base, size):
    return f"<{base >> 32:#x} {base & 0xffffffff:#x} {size >> 32:#x} {size & 0xffffffff:#x}>"


def memory(base, entries):
    regs = ",\n\t\t      ".join(cells(*e) for e in entries)
    return (f'\tmemory@{base:x} {{\n\t\tdevice_type = "memory";\n'
            f"\t\treg = {regs};\n\t}};\n")


def reserved(entries, nomap):
    out = ["\treserved-memory {", "\t\t#address-cells = <2>;", "\t\t#size-cells = <2>;",
           "\t\tranges;"]
    for base, size in entries:
        out.append(f"\t\tr@{base:x} {{ reg = {cells(base, size)}; {'no-map; ' if nomap else ''}}};")
    return "\n".join(out + ["\t};", ""])


def dynamic(entries, step, nomap):
    align = 1 << (step.bit_length() - 1)
    out = ["\treserved-memory {", "\t\t#address-cells = <2>;", "\t\t#size-cells = <2>;",
           "\t\tranges;"]
    for base, size in entries:
        out.append(f"\t\td{base:x} {{ size = <0 {size:#x}>; alignment = <0 {align:#x}>; "
                   f"{'no-map; ' if nomap else ''}}};")
    return "\n".join(out + ["\t};", ""])


def blocks(entries, text):
    """In several "/ { };", which dtc merges: its parser takes some thousand siblings."""
    for i in range(0, len(entries), 1000):
        print("/ {\n" + text(entries[i:i + 1000]) + "};")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind",
                        choices=["reserved", "nomap", "memreserve", "dynamic", "dynamic-nomap",
                                 "banks", "bank-nodes"])
    parser.add_argument("count", type=int)
    parser.add_argument("--order", choices=["up", "down", "random"], default="up")
    args = parser.parse_args()

    step = SPACE // max(args.count, 1) & -PAGE
    if step < 3 * PAGE:
        parser.error("too many")
    bank = args.kind.startswith("bank")
    entries = [(FIRST + i * step, step - PAGE if bank else PAGE) for i in range(args.count)]
    if args.order == "down":
        entries.reverse()
    elif args.order == "random":
        random.Random(1).shuffle(entries)

    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "virt.dtsi"),
              encoding="ascii") as file:
        virt = re.sub(r"/\*.*?\*/\n", "", file.read(), flags=re.S)
    print("/dts-v1/;")
    if args.kind == "memreserve":
        for base, size in entries:
            print(f"/memreserve/ {base:#x} {size:#x};")
    print(virt)
    first = memory(RAM_BASE, [(RAM_BASE, 0x4000000 if bank else 0x40000000)])
    print("/ {\n" + first + "};")
    if args.kind == "banks":
        print("/ {\n" + memory(entries[0][0], entries) + "};")
    elif args.kind == "bank-nodes":
        blocks(entries, lambda part: "".join(memory(e[0], [e]) for e in part))
    elif args.kind.startswith("dynamic"):
        blocks(entries, lambda part: dynamic(part, step, args.kind == "dynamic-nomap"))
    elif args.kind != "memreserve":
        blocks(entries, lambda part: reserved(part, args.kind == "nomap"))


if __name__ == "__main__":
    main()
