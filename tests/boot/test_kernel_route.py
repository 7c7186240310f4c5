# SPDX-License-Identifier: BSD-2-Clause
"""-kernel, with QEMU's own OpenSBI (fw_dynamic) or the distribution's: raw image and ELF file."""

import os
from pathlib import Path

import pytest

import check
from memory_map import RAM_BASE

MIB = 1 << 20
DISTRO_FIRMWARE = Path("/usr/lib/riscv64-linux-gnu/opensbi/generic")


def kernel(boot, name):
    return {"image": boot.image, "elf": boot.elf}[name]


@pytest.mark.parametrize("memory, pages", [
    ("8M", 2048), ("16M", 4096), ("32M", 8192), ("34M", 8704), ("128M", 32768), ("1G", 262144),
    ("4G", 1048576)])
@pytest.mark.parametrize("name", ["image", "elf"])
def test_sizes(boot, name, memory, pages):
    """The tree is near the end of RAM here, so that less memory is enough."""
    run = boot(bios="default", kernel=kernel(boot, name), memory=memory)
    books = check.success(run)
    assert books.present == pages
    assert run.map.ram == [(RAM_BASE, RAM_BASE + pages * 4096)]


@pytest.mark.parametrize("machine, smp", [("virt", 4), ("spike", None), ("sifive_u", 5)])
@pytest.mark.parametrize("name", ["image", "elf"])
def test_boards(boot, name, machine, smp):
    run = boot(bios="default", kernel=kernel(boot, name), machine=machine, smp=smp)
    check.success(run)
    assert run.record("run")["board"] == machine


@pytest.mark.parametrize("firmware", ["fw_dynamic.bin", "fw_jump.bin"])
@pytest.mark.parametrize("name", ["image", "elf"])
def test_distro_firmware(boot, name, firmware):
    path = DISTRO_FIRMWARE / firmware
    if not path.exists():
        pytest.skip(f"no {path}")
    check.success(boot(bios=path, kernel=kernel(boot, name)))


@pytest.mark.parametrize("memory", ["16M", "64M"])
def test_small_bench(boot, memory):
    run = boot(bios="default", kernel=boot.image, memory=memory,
               bootargs="bench=churn,exhaust records=all meta_poison=1")
    check.success(run)
    assert "\nverified: " in run.console


def test_failure(boot):
    run = boot(bios="default", kernel=boot.image, bootargs="bench=nonsense")
    check.failure(run, "^fatal: bad boot arguments$")


# QEMU puts it half of RAM's size above the kernel.
@pytest.mark.parametrize("memory, base", [("16M", 0x80a00000), ("128M", 0x84200000)])
@pytest.mark.parametrize("bytes_, pages", [(4096, 1), (4097, 2), (1, 1), (1234567, 302)])
def test_initrd(boot, memory, base, bytes_, pages):
    """Reserved to the byte, and reported."""
    initrd = boot.file("initrd", os.urandom(bytes_))
    run = boot(bios="default", kernel=boot.image, memory=memory, initrd=initrd)
    books = check.success(run)
    assert run.map.claimed == {"initrd": [(base, base + bytes_)]}
    assert books.causes["initrd"] == pages


@pytest.mark.parametrize("machine", ["virt", "spike", "sifive_u"])
def test_initrd_with_bios(boot, firmware, machine):
    initrd = boot.file("initrd", os.urandom(3 * MIB + 5))
    run = boot(machine=machine, bios=firmware, initrd=initrd)
    books = check.success(run)
    assert [end - base for base, end in run.map.kind("initrd")] == [3 * MIB + 5]
    assert books.causes["initrd"] == 769
