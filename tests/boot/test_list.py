# SPDX-License-Identifier: BSD-2-Clause
"""The list buddy, whose metadata is large, does not make the arena of the others smaller."""

import check
import trees

# The image and little else, and 1 GiB apart: a memmap for that has no other place.
TWO_BANKS = """
/ {
	memory@80000000 {
		device_type = "memory";
		reg = <0 0x80000000 0 0x01000000>, <0 0xc0000000 0 0x40000000>;
	};
};
"""


def test_no_room_for_memmap(boot):
    dtb = trees.compile_text(trees.virt(TWO_BANKS), boot.folder)
    run = boot(memory="2G", dtb=dtb, bootargs="bench=churn,exhaust records=all")
    check.success(run)
    assert {r.number("arena") for r in run.find("smp", where="arena", alloc="buddy")} == {262144}
    assert not run.find("smp", alloc="list")
    assert run.record("res", alloc="list")["net_x100"] == "na"
    assert {record["had"] for record in run.find("frag", alloc="list")} == {"na"}


def test_room_for_memmap(boot):
    """The same with a larger first bank."""
    text = trees.virt(TWO_BANKS.replace("0x01000000", "0x08000000"))
    run = boot(memory="2G", dtb=trees.compile_text(text, boot.folder), bootargs="bench=churn records=all")
    check.success(run)
    for alloc in ("buddy", "list"):
        assert {r.number("arena") for r in run.find("smp", where="arena", alloc=alloc)} == {262144}
