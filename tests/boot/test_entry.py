# SPDX-License-Identifier: BSD-2-Clause
"""Entered as no loader should: without a tree, elsewhere, with a trap. None of it hangs."""

import pytest

import check
import image
import trees

ILLEGAL = 0x00000000
EBREAK = 0x00100073
LOAD = 0x00003503  # ld a0, 0(zero)
STORE = 0x00003023  # sd zero, 0(zero)
JUMP_TO_0 = 0x00000067  # jr zero


@pytest.mark.parametrize("a1", [
    0, 7, 0x80000000, 0x81000001, 0x81000004, 0x1000000000, 0x8000000000000000, (1 << 64) - 8])
def test_no_tree(boot, a1):
    """NULL, odd, the firmware's memory, where nothing is."""
    run = boot(bios=image.with_tree(boot, b"", a1), bootargs=None)
    shown = f"{a1:#x}" if a1 else "0"
    check.failure(run, f"^fatal: no device tree at a1 = {shown}; ")


def test_arguments_of_go(boot):
    """U-Boot's go passes argc and argv."""
    argv = (0x80400000).to_bytes(8, "little") + bytes(8)
    run = boot(bios=image.with_tree(boot, argv), bootargs=None)
    check.failure(run, "^fatal: no device tree at a1 = 0x.*, not with U-Boot's go$")


@pytest.mark.parametrize("offset", [1, 4])
def test_tree_at_an_odd_address(boot, offset):
    """A tree that is fine, but not where one may be: 8-byte aligned."""
    source = trees.virt(trees.memory((0x80000000, 0xc0000000)))
    tree = trees.compile_text(source, boot.folder).read_bytes()
    payload = image.Image(boot.image.read_bytes())
    at = payload.base + payload.size + 64 + offset
    run = boot(memory="1G", bios=image.with_tree(boot, bytes(offset) + tree, at), bootargs=None)
    check.failure(run, f"^fatal: no device tree at a1 = {at:#x}; ")


def test_tree_inside_the_image(boot):
    payload = image.Image(boot.image.read_bytes())
    end = payload.base + payload.size
    for a1 in (payload.base, payload.base + 0x1000, end - 8):
        run = boot(bios=image.with_tree(boot, b"", a1), bootargs=None)
        check.failure(run, f"^fatal: the device tree at {a1:#x} lies inside the image, "
                      f"{payload.base:#x} to {end:#x}, and is lost$")


def test_tree_runs_into_the_image(boot):
    """It begins before the image, and what the image has overwritten is gone."""
    source = trees.virt(trees.memory((0x80000000, 0xc0000000)))
    tree = trees.compile_text(source, boot.folder).read_bytes()
    payload = image.Image(boot.image.read_bytes())
    path = image.with_tree(boot, b"", payload.base - 0x200)
    data = bytearray(path.read_bytes())
    data[image.FIRMWARE_SIZE - 0x200:image.FIRMWARE_SIZE] = tree[:0x200]
    path.write_bytes(data)
    check.failure(boot(memory="1G", bios=path, bootargs=None), "^fatal: the device tree at .* is ")


@pytest.mark.parametrize("base", [0x80280000, 0x80400000, 0x81e00000])
def test_elsewhere(boot, base):
    """Linked for one address and loaded at another: every pointer in its data is wrong."""
    run = boot(bios=image.elsewhere(boot, base), bootargs=None)
    check.failure(run, f"^fatal: earlymm was linked for 0x80200000 but is loaded at {base:#x}; ")


def test_elsewhere_on_other_firmware(boot):
    """The console of the old kind."""
    if not boot.bios_distro.exists():
        pytest.skip("no payload-distro.bin")
    path = image.elsewhere(boot, 0x80400000)
    data = boot.bios_distro.read_bytes()[:image.FIRMWARE_SIZE]
    path.write_bytes(data + path.read_bytes()[image.FIRMWARE_SIZE:])
    check.failure(boot(bios=path, bootargs=None), "^fatal: earlymm was linked for 0x80200000 but ")


@pytest.mark.parametrize("name, instruction, scause, stval", [
    ("illegal instruction", ILLEGAL, 2, None), ("breakpoint", EBREAK, 3, None),
    ("load access fault", LOAD, 5, 0), ("store access fault", STORE, 7, 0),
    ("instruction access fault", JUMP_TO_0, 1, 0)])
@pytest.mark.parametrize("function", ["main", "memory_plan", "churn_run"])
def test_trap(boot, function, name, instruction, scause, stval):
    """A function that does what it must not: named, with registers, and the run ends as failed."""
    run = boot(bios=image.patched(boot, function, instruction))
    at = image.symbol(boot.elf, function)
    sepc = "0" if instruction == JUMP_TO_0 else f"{at:#x}"
    stval = r"\w+" if stval is None else stval
    check.failure(run, rf"^trap: {name} \(scause {scause:#x}\) at {sepc}, stval {stval}, sstatus ",
                  "^  ra   [0-9a-f]{16}  sp   [0-9a-f]{16}  gp   [0-9a-f]{16}  tp   [0-9a-f]{16}$",
                  "^  t4   [0-9a-f]{16}  t5   [0-9a-f]{16}  t6   [0-9a-f]{16}$")
    if sepc != "0":
        check.failure(run, rf"^trap: addr2line -e payload.elf {at:#x} 0x80\w+$")


def test_trap_status_without_semihosting(boot):
    """The board's own way out, once the tree has told of it."""
    run = boot(bios=image.patched(boot, "memory_plan", ILLEGAL), semihosting=False)
    check.failure(run, "^trap: illegal instruction ")
