#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes what the fuzzers start from: FOLDER/fuzz_memblock and FOLDER/fuzz_tree.

    seeds.py FOLDER

Sequences of calls are bytes from a generator that is always the same; trees are those of tests/dts
and some of gen.py's, with as many ranges as it takes to have larger arrays placed.
"""
import random
import subprocess
import sys
from pathlib import Path

DTS = Path(__file__).resolve().parent.parent / "dts"

# What gen.py is asked for, and what is appended to the tree: the machine's part of an input.
GENERATED = [
    (["reserved", "20"], b""),
    (["reserved", "20", "--order", "down"], b"\x01"),
    (["nomap", "20", "--order", "random"], b"\x08\x00\x20\x00\x00"),
    (["memreserve", "40"], b"\x10\x00\x40\x00\x00"),
    (["banks", "20"], b"\x04"),
    (["bank-nodes", "20", "--order", "down"], b"\x40\x00\x01\x80\x00\x00"),
]


def compile_tree(source, out, behind=b""):
    command = ["dtc", "-q", "-I", "dts", "-O", "dtb", "-i", str(DTS), "-"]
    blob = subprocess.run(command, input=source, check=True, capture_output=True).stdout
    out.write_bytes(blob + behind)


def main():
    folder = Path(sys.argv[1])
    calls, trees = folder / "fuzz_memblock", folder / "fuzz_tree"
    for path in (calls, trees):
        path.mkdir(parents=True, exist_ok=True)
        for old in path.iterdir():
            old.unlink()
    rng = random.Random(1)
    for i, size in enumerate([16, 64, 256, 1024, 1024, 4096, 4096, 4096]):
        (calls / f"random-{i}").write_bytes(rng.randbytes(size))
    for source in sorted(DTS.glob("*.dts")):
        compile_tree(source.read_bytes(), trees / f"{source.stem}.dtb")
    for args, behind in GENERATED:
        source = subprocess.run(
            [sys.executable, str(DTS / "gen.py"), *args], check=True, capture_output=True
        ).stdout
        compile_tree(source, trees / ("-".join(args).replace("--", "") + ".dtb"), behind)


if __name__ == "__main__":
    main()
