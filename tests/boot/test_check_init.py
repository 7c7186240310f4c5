# SPDX-License-Identifier: BSD-2-Clause
"""mk/check-init refuses an image in which something that stays refers to what is given back.

Small programs with the sections of the image, and the image itself, slightly wrong.
"""

import os
import shutil
import subprocess

import pytest

from conftest import ROOT
from image import symbol

CROSS = os.environ.get("CROSS_COMPILE", "riscv64-unknown-elf-")

SCRIPT = """
ENTRY(_start)
SECTIONS
{
	. = 0x80200000;
	__init_begin = .;
	.init.text : { KEEP(*(.head)) *(.init.text) }
	.init.data : { *(.init.data) . = ALIGN(4096); }
	__init_end = .;
	.text : { __ref_begin = .; *(.ref.text) __ref_end = .; *(.text) }
	.rodata : { *(.rodata) }
	.data : { *(.data) }
	__init_bss_start = .;
	__init_bss_end = .;
}
"""

SOURCE = """
	.section .head, "ax"
	.globl _start
_start:	call main

	.section .init.text, "ax"
	.globl set_up
	.type set_up, @function
set_up:	lla a0, table
	call stays
	ret
	.size set_up, . - set_up
	.type local_init, @function
local_init:
	ret
	.size local_init, . - local_init

	.section .init.data, "aw"
	.type table, @object
	.size table, 16
table:	.dword set_up, stays

	.section .ref.text, "ax"
	.globl main
	.type main, @function
main:	call set_up
	call stays
	ret
	.size main, . - main

	.text
	.globl stays
	.type stays, @function
stays:	lla a0, stays_too
	ret
	.size stays, . - stays

	.section .rodata
	.globl stays_too
	.type stays_too, @object
	.size stays_too, 8
stays_too:
	.dword stays
"""


@pytest.fixture(scope="module", autouse=True)
def tools():
    if not shutil.which(CROSS + "gcc"):
        pytest.skip(f"no {CROSS}gcc")


def run_check(elf):
    return subprocess.run([ROOT / "mk" / "check-init", CROSS + "readelf", elf], text=True,
                          capture_output=True, timeout=60)


def link(folder, more="", option="-Wl,--emit-relocs"):
    """The program with @more at its end; relaxed by the linker, as the image is."""
    source, script, elf = (folder / name for name in ("x.S", "x.lds", "x.elf"))
    source.write_text(SOURCE + more)
    script.write_text(SCRIPT)
    subprocess.run([CROSS + "gcc", "-nostdlib", "-static", "-march=rv64imac", "-mabi=lp64",
                    "-Wl,--build-id=none", option, "-T", script, "-o", elf, source], check=True,
                   timeout=60)
    return elf


def test_good_program(tmp_path):
    result = run_check(link(tmp_path))
    assert (result.returncode, result.stderr) == (0, "")


BAD = """
	.{section}
	.type bad, {kind}
bad:	{code}
	.size bad, . - bad
"""


@pytest.mark.parametrize("section, kind, code, target", [
    ("text", "@function", "call set_up", "set_up"),
    ("text", "@function", "tail set_up", "set_up"),
    ("text", "@function", "call local_init", "local_init"),
    ("text", "@function", "beqz a0, set_up", "set_up"),
    ("text", "@function", "lla a0, table", "table"),
    ("text", "@function", "lla a0, table + 8", "table"),
    ("data", "@object", ".dword set_up", "set_up"),
    ("data", "@object", ".dword table + 15", "table"),
    ("section .rodata", "@object", ".dword local_init", "local_init"),
    ("section .rodata", "@object", ".word set_up - bad", "set_up"),
], ids=["call", "tail", "local", "branch", "address", "inside", "pointer", "pointer-inside",
        "rodata", "offset"])
def test_bad_program(tmp_path, section, kind, code, target):
    """Refused, and both are named."""
    result = run_check(link(tmp_path, BAD.format(section=section, kind=kind, code=code)))
    assert result.returncode == 1
    name = section.removeprefix("section ").lstrip(".")
    assert f"check-init: bad (.{name}) refers to {target}, which is given back after the boot\n" \
        in result.stderr


def test_each_is_named(tmp_path):
    """Two references, two lines; a second one of the same kind is no news."""
    more = BAD.format(section="text", kind="@function", code="call set_up; call set_up")
    more += BAD.format(section="data", kind="@object", code=".dword table").replace("bad", "worse")
    result = run_check(link(tmp_path, more))
    assert result.returncode == 1
    assert result.stderr.count("\n") == 2
    assert "bad (.text) refers to set_up," in result.stderr
    assert "worse (.data) refers to table," in result.stderr


def test_no_relocations(tmp_path):
    """A check that sees nothing must not say that all is well."""
    result = run_check(link(tmp_path, option="-Wl,--gc-sections"))
    assert result.returncode != 0
    assert "link it with --emit-relocs" in result.stderr


def test_the_image(build):
    result = run_check(build / "payload.elf")
    assert (result.returncode, result.stderr) == (0, "")


def moved(build, tmp_path, **addresses):
    """The image's ELF file with other values of symbols."""
    elf = tmp_path / "payload.elf"
    options = []
    for name, address in addresses.items():
        options += ["--redefine-sym", f"{name}=old{name}", "--add-symbol",
                    f"{name}={address:#x},global"]
    subprocess.run([CROSS + "objcopy", *options, build / "payload.elf", elf], check=True,
                   timeout=60)
    return elf


def test_the_image_without_ref(build, tmp_path):
    """main() is the one that may call into init memory: if it may not, that is seen."""
    begin = symbol(build / "payload.elf", "__ref_begin")
    result = run_check(moved(build, tmp_path, __ref_end=begin))
    assert result.returncode == 1
    assert "check-init: main (.text) refers to boot_up, which is given back after the boot\n" \
        in result.stderr
    assert all(line.startswith("check-init: main (.text) refers to ")
               for line in result.stderr.splitlines())


def test_the_image_with_more_init(build, tmp_path):
    """If the trap handler went, too: who refers to it is named, start.S among them."""
    at = symbol(build / "payload.elf", "trap_handler")
    result = run_check(moved(build, tmp_path, __init_begin=at - 4, __init_end=at + 4))
    assert result.returncode == 1
    assert " refers to trap_handler, which is given back after the boot\n" in result.stderr
