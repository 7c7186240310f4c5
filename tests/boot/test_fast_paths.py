# SPDX-License-Identifier: BSD-2-Clause
"""The machine code of the fast paths, in both builds: short, without frame or calls."""

import re
import subprocess

import pytest

# How many instructions the common case may take at the most: rv64gc, Zba/Zbb/Zbs.
ALLOC = {"": 10, "zb_": 9}
FREE_PAGE = {"": 20, "zb_": 18}
ALLOC_PAGES = {"": 16, "zb_": 15}
FREE_PAGES = {"": 24, "zb_": 22}


def tool(name, *args):
    return subprocess.run([f"riscv64-unknown-elf-{name}", *args], stdout=subprocess.PIPE, text=True,
                          check=True).stdout


def disassemble(build, symbol):
    """[(mnemonic, operands)] of a global function; tests have others of that name in the image."""
    elf = build / "payload.elf"
    place = re.search(rf"^([0-9a-f]+) ([0-9a-f]+) T {symbol}$", tool("nm", "-S", elf), re.MULTILINE)
    assert place, f"no {symbol} in {elf}"
    start, size = (int(field, 16) for field in place.groups())
    text = tool("objdump", "-d", "-M", "no-aliases,numeric", f"--start-address={start:#x}",
                f"--stop-address={start + size:#x}", elf)
    code = re.findall(r"^ *[0-9a-f]+:\t[0-9a-f ]+\t(\S+)(?:\t([^#<\n]*))?", text, re.MULTILINE)
    assert code
    return [(name, operands.strip()) for name, operands in code]


def until_return(code):
    """Instructions up to the first return, with no branch taken."""
    for count, (name, operands) in enumerate(code, 1):
        if name in ("jalr", "c.jr") and "x1" in operands:
            return count
    pytest.fail("no return")


@pytest.mark.parametrize("prefix", ["", "zb_"])
@pytest.mark.parametrize("symbol, most", [("buddy_alloc", ALLOC), ("buddy_free", FREE_PAGE),
                                          ("alloc_pages", ALLOC_PAGES), ("free_pages", FREE_PAGES)])
def test_fast_path(build, prefix, symbol, most):
    code = disassemble(build, prefix + symbol)
    assert not [line for line in code if re.search(r"\bx2\b", line[1])], "a stack frame"
    assert not [line for line in code if line[0] in ("jal", "jalr", "c.jal", "c.jalr")
                and line[1].startswith("x1,")], "a call"
    assert until_return(code) <= most[prefix]
