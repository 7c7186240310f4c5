# SPDX-License-Identifier: BSD-2-Clause
"""Every usable hart is started, allocates from its own node, and none of them can hang the run."""

import re

import pytest

import check
import image
import trees
from image import symbol
from tree_boot import only

MIB = 1 << 20
QUIET = "bench=none records=all meta_poison=1"
VERBOSE = QUIET + " verbose=1"
CHURN = "bench=churn records=all meta_poison=1"
# One host thread for all harts: 128 of them would keep two from getting anything done.
IN_TURNS = ["-accel", "tcg,thread=single"]
ICOUNT = ["-icount", "shift=0,sleep=off"]
HART_BYTES, STACK_SIZE = 0xa000, 0x8000

STORY = re.compile(r"^harts: (\d+) of (\d+) run, started in (\d+) us; "
                   r"each has had a page of its own(?:, but for (\d+): there was none)?"
                   r"(?:, (\d+) of them from another node)?$",
                   re.MULTILINE)
HART = re.compile(r"^  hart (\d+): id (\d+), node (\d+), stack (0x\w+); "
                  r"page (0x\w+) of node (\d+)$",
                  re.MULTILINE)
LEFT_OUT = re.compile(r"^harts: hart (\d+) is left out: (.*)$", re.MULTILINE)

ILLEGAL = 0x00000000
RETURN_0, RETURN_1 = 0x80824501, 0x80824505  # c.li a0, …; c.ret
SPIN_UNLESS_0 = (0x00059063, 0x00008067)  # bnez a1, .; ret


def nr_running(run):
    """How many, of how many; each line about it is whole and there once."""
    found = STORY.findall(run.payload_console)
    assert len(found) == 1
    return tuple(int(n) for n in found[0][:2])


def expect_all(run, nr):
    check.success(run)
    assert nr_running(run) == (nr, nr)
    assert not LEFT_OUT.search(run.console)
    assert STORY.search(run.console)[4] == STORY.search(run.console)[5] == None
    assert run.record("run")["harts"] == str(nr)


def harts(run):
    """By number: id, node, stack, page, the page's node. verbose=1."""
    found = sorted(tuple(int(n, 0) for n in line) for line in HART.findall(run.payload_console))
    assert [line[0] for line in found] == list(range(len(found)))
    return [line[1:] for line in found]


def left_out(run):
    return {int(hart): why for hart, why in LEFT_OUT.findall(run.payload_console)}


# ---- all that there are ----

@pytest.mark.parametrize("smp", [2, 4, 8])
@pytest.mark.parametrize("extra", [[], ICOUNT], ids=["threads", "icount"])
def test_all_run(boot, firmware, smp, extra):
    run = boot(smp=smp, memory="512M", bios=firmware, bootargs=VERBOSE, extra=extra)
    expect_all(run, smp)
    told = harts(run)
    assert sorted(hart[0] for hart in told) == list(range(smp))
    assert f"hart {told[0][0]} of {smp}\n" in run.console
    assert len({hart[3] for hart in told}) == smp
    # Their stacks are the only thing of that kind, and the books know them.
    area = only(run, "harts")
    assert {hart[2] for hart in told[1:]} == set(range(*area.range, HART_BYTES))
    assert check.Books(run).causes["harts"] == (smp - 1) * HART_BYTES // 4096


def test_one_hart_costs_nothing(boot):
    """No line more, no page."""
    run = boot(memory="512M", bootargs=VERBOSE)
    check.success(run)
    assert "\nharts: " not in run.console
    assert not [region for region in run.map.reserved if region.kind == "harts"]
    assert run.record("run")["harts"] == "1"


@pytest.mark.parametrize("machine, smp, nr", [("sifive_u", 5, 4), ("spike", 2, 2)])
def test_boards(boot, firmware, machine, smp, nr):
    """sifive_u's first hart is disabled: it has no S-mode."""
    run = boot(machine=machine, smp=smp, memory="512M", bios=firmware, bootargs=VERBOSE)
    expect_all(run, nr)
    assert sorted(hart[0] for hart in harts(run)) == list(range(smp - nr, smp))


@pytest.mark.parametrize("machine", ["virt,aclint=on", "virt,aia=aplic",
                                     "virt,aia=aplic-imsic,aia-guests=1"])
def test_interrupt_controllers(boot, machine):
    """A software interrupt comes another way on each of these."""
    expect_all(boot(machine=machine, smp=3, memory="512M", bootargs=QUIET), 3)


def test_hundred(boot):
    run = boot(smp=100, memory="512M", bootargs=VERBOSE, extra=IN_TURNS)
    expect_all(run, 100)
    assert len(harts(run)) == 100


def test_as_many_as_there_may_be(boot):
    """OpenSBI 1.6 does not come up with so many."""
    if not boot.bios_distro.exists():
        pytest.skip("no payload-distro.bin")
    expect_all(boot(smp=128, memory="512M", bios=boot.bios_distro, bootargs=QUIET,
                    extra=IN_TURNS), 128)


@pytest.mark.parametrize("early", ["memblock", "nobootmem", "bootmem"])
def test_early_allocators(boot, early):
    expect_all(boot(smp=3, memory="512M", bootargs=f"{VERBOSE} early={early}"), 3)


@pytest.mark.parametrize("more", ["page_owner=on", "page_poison=on", "buddy=healing", "zb=off"])
def test_features(boot, more):
    expect_all(boot(smp=3, memory="512M", bootargs=f"{QUIET} {more}"), 3)


def test_benchmark(boot):
    """It runs on one hart while the others sleep; the books balance, and instructions are exact."""
    run = boot(smp=3, memory="1G", bootargs="bench=churn,exhaust records=all meta_poison=1",
               extra=ICOUNT)
    expect_all(run, 3)
    assert run.record("run")["ins"] == "exact"
    assert "\nverified: " in run.console


# ---- harts= ----

@pytest.mark.parametrize("most, nr", [(2, 2), (3, 3), (4, 4), (128, 4)])
def test_fewer(boot, most, nr):
    run = boot(smp=4, memory="512M", bootargs=f"{VERBOSE} harts={most}")
    check.success(run)
    assert nr_running(run) == (nr, 4)
    assert len(harts(run)) == nr
    assert run.record("run")["harts"] == str(nr)


def test_only_the_boot_hart(boot):
    run = boot(smp=4, memory="512M", bootargs=f"{QUIET} harts=1")
    check.success(run)
    check.says(run, "harts: 1 of 4 runs: harts=1")
    assert "harts" not in check.Books(run).causes
    assert run.record("run")["harts"] == "1"


@pytest.mark.parametrize("value", ["=0", "=129", "=-1", "=x", "=2x", "=", ""])
def test_bad_value(boot, value):
    run = boot(bootargs=f"bench=none harts{value}")
    check.failure(run, "^fatal: bad boot arguments$")
    check.says(run, f"bootargs: harts={value[1:]} is not understood; a number from 1 to 128")


# ---- harts that do not come ----

def cpus(*nodes):
    text = "".join(f'cpu@{i:x} {{ device_type = "cpu"; reg = <{i}>; {more} '
                   f'riscv,isa = "rv64imafdc"; compatible = "riscv"; mmu-type = "riscv,sv48"; '
                   f'intc{i}: interrupt-controller {{ #interrupt-cells = <1>; '
                   f'interrupt-controller; compatible = "riscv,cpu-intc"; }}; }};'
                   for i, more in nodes)
    lines = " ".join(f"&intc{i} 3 &intc{i} 7" for i, _ in nodes)
    clint = ("/ { soc { clint@2000000 { "
             f"interrupts-extended = <&intc 3 &intc 7 {lines}>; }}; }}; }};")
    return f"/ {{ cpus {{ {text} }}; }};\n" + (clint if nodes else "")


RAM = trees.memory((0x80000000, 0xa0000000))
QUIET_TREE = f'/ {{ chosen {{ bootargs = "{QUIET}"; }}; }};\n'


def tree(boot, *nodes, more=""):
    """A device tree with harts besides hart 0: (id, properties)."""
    return trees.compile_text(trees.virt(RAM + cpus(*nodes) + more), boot.folder)


def test_hart_that_is_not_there(boot, firmware):
    """The tree has three, the machine two: the firmware believes the tree, and waits for ever."""
    run = boot(smp=2, memory="512M", bios=firmware, dtb=tree(boot, (1, ""), (2, "")),
               bootargs=VERBOSE)
    check.success(run)
    assert nr_running(run) == (2, 3)
    assert left_out(run) == {2: "it did not arrive; the firmware has it as start pending"}
    assert len(harts(run)) == 2
    # It keeps its stack, should it come after all.
    assert check.Books(run).causes["harts"] == 2 * HART_BYTES // 4096


def test_hart_that_the_firmware_does_not_know(boot):
    """The payload's tree has three, the firmware's two."""
    blob = tree(boot, (1, ""), (9, ""), more=QUIET_TREE).read_bytes()
    run = boot(smp=2, memory="512M", bios=image.with_tree(boot, blob), bootargs=None)
    check.success(run)
    assert nr_running(run) == (2, 3)
    assert left_out(run) == {9: "it is not stopped, but: no such hart"}


def test_hart_that_is_there_twice(boot):
    """The second time it is started already."""
    source = RAM + QUIET_TREE + cpus((1, "")) + \
        '/ { cpus { again@1 { device_type = "cpu"; reg = <1>; }; }; };'
    blob = trees.compile_text(trees.virt(source), boot.folder).read_bytes()
    # In turns the boot hart is always 0.
    run = boot(smp=2, memory="512M", bios=image.with_tree(boot, blob), bootargs=None, extra=ICOUNT)
    check.success(run)
    assert nr_running(run) == (2, 3)
    assert list(left_out(run)) == [1]
    assert re.match(r"it (is not stopped, but: start(ed| pending)|"
                    r"cannot be started: already started)", left_out(run)[1])


@pytest.mark.parametrize("status, nr", [("disabled", 2), ("fail", 2), ("okay", 3), ("ok", 3)])
def test_status(boot, status, nr):
    run = boot(smp=3, memory="512M", dtb=tree(boot, (1, f'status = "{status}";'), (2, "")),
               bootargs=VERBOSE)
    check.success(run)
    assert nr_running(run) == (nr, nr)
    assert (1 in [hart[0] for hart in harts(run)]) == (nr == 3)


def test_late_arrival(boot, ram):
    """
    No wait at all, and harts that take turns: the other one comes when it was given up long ago. It
    must have come, and stopped: but for its own stack nothing is changed by it.
    """
    path = image.patched(boot, "wait_turn", RETURN_0)
    run = boot(smp=2, memory="64M", bios=path, bootargs=CHURN + " verbose=1", ram_file=ram.path,
               extra=ICOUNT)
    check.success(run)
    assert list(left_out(run)) == [1]
    assert "it did not arrive; " in left_out(run)[1]
    assert "\nverified: " in run.console
    area = only(run, "harts")
    # Below the image, where the firmware's file has zeros.
    stack_end = area.base + STACK_SIZE
    used = [at for at in range(area.base, stack_end, 8) if any(ram.read(at, at + 8))]
    # The canary, and what hart_main() has saved.
    assert used[0] == area.base
    assert used[1:] and all(stack_end - 256 <= at < stack_end for at in used[1:])


def test_late_arrival_stops(boot):
    """It goes back to the firmware by sbi_hart_stop(), where a trap waits for it here."""
    path = image.patched(boot, "wait_turn", RETURN_0)
    data = bytearray(path.read_bytes())
    at = symbol(boot.elf, "sbi_hart_stop")
    data[at - 0x80000000:at - 0x80000000 + 4] = image.code(ILLEGAL)
    path.write_bytes(data)
    run = boot(smp=2, memory="64M", bios=path, bootargs=CHURN, extra=ICOUNT)
    assert list(left_out(run)) == [1]
    check.failure(run, rf"^trap: illegal instruction .* at {at:#x}, .*, hart 1$")


def test_no_way_to_start_harts(boot):
    run = boot(smp=2, memory="512M", bios=image.patched(boot, "sbi_has_extension", RETURN_0),
               bootargs=QUIET)
    check.success(run)
    check.says(run, "harts: 1 of 2 runs: the firmware cannot start harts (no HSM)")


@pytest.mark.parametrize("way", [RETURN_0, RETURN_1], ids=["none", "legacy"])
@pytest.mark.parametrize("extra", [[], ICOUNT], ids=["threads", "icount"])
def test_other_ways_to_wake(boot, way, extra):
    run = boot(smp=3, memory="512M", bios=image.patched(boot, "sbi_find_ipi", way),
               bootargs=VERBOSE, extra=extra)
    expect_all(run, 3)


def test_no_room_for_stacks(boot):
    """Before init memory is back there is room for metadata and for some stacks, not for seven."""
    end = symbol(boot.elf, "_image_end")
    source = RAM + cpus(*((i, "") for i in range(1, 8))) + \
        trees.reserved((0x80000000, 0x80200000), (end + 50 * 4096, 0xa0000000))
    run = boot(smp=8, memory="512M", dtb=trees.compile_text(trees.virt(source), boot.folder),
               bootargs=VERBOSE)
    check.success(run)
    nr, usable = nr_running(run)
    assert 1 < nr < usable == 8
    assert list(left_out(run).values()) == ["no room for its stack"] * (8 - nr)
    assert check.Books(run).causes["harts"] == (nr - 1) * HART_BYTES // 4096


# ---- what goes wrong on another hart ----

def other_hart(boot, *instructions, **kwargs):
    """Runs these in place of what only other harts run."""
    return boot(memory="512M", bios=image.patched(boot, "hart_main", *instructions),
                bootargs=kwargs.pop("bootargs", QUIET), **kwargs)


@pytest.mark.parametrize("smp", [2, 8])
@pytest.mark.parametrize("extra", [[], ICOUNT], ids=["threads", "icount"])
def test_trap(boot, smp, extra):
    """Named, once, in lines that are whole, however many trap at the same time."""
    run = other_hart(boot, ILLEGAL, smp=smp, extra=extra)
    at = symbol(boot.elf, "hart_main")
    check.failure(run, rf"^trap: illegal instruction \(scause 0x2\) at {at:#x}, stval \w+, "
                  r"sstatus \w+, hart \d+$",
                  "^  t4   [0-9a-f]{16}  t5   [0-9a-f]{16}  t6   [0-9a-f]{16}$",
                  rf"^trap: addr2line -e payload.elf {at:#x} \w+$")
    assert run.console.count("trap: illegal") == 1
    hart, = re.findall(r", hart (\d+)$", run.console, re.MULTILINE)
    assert hart != re.search(r", hart (\d+) of ", run.console)[1]
    regs = re.findall(r"^  (?:\w+ +[0-9a-f]{16}(?:  |$)){3,4}$", run.console, re.MULTILINE)
    assert len(regs) == 8


@pytest.mark.parametrize("machine, smp, semihosting, status", [
    ("virt", 3, False, 1), ("spike", 2, False, 1), ("sifive_u", 3, True, 1)])
def test_ways_out(boot, firmware, machine, smp, semihosting, status):
    run = other_hart(boot, ILLEGAL, machine=machine, smp=smp, semihosting=semihosting)
    check.failure(run, "^trap: illegal instruction ", status=status)


def test_wild_registers(boot):
    """tp and sp lead nowhere: the trap stack tells whose it is."""
    run = other_hart(boot, 0x00000213, 0x00000113, ILLEGAL, smp=2)  # li tp, 0; li sp, 0
    check.failure(run, r"^trap: illegal instruction .*, hart \d+$",
                  r"^  ra   \w{16}  sp   0{16}  gp   \w{16}  tp   0{16}$")


@pytest.mark.parametrize("smp", [2, 8])
def test_fail(boot, smp):
    """payload_fail() on another hart, or on seven."""
    at = symbol(boot.elf, "hart_main")
    run = other_hart(boot, image.jal(symbol(boot.elf, "__stack_chk_fail") - at), smp=smp)
    check.failure(run, r"^fatal: hart \d+: a buffer on the stack was overrun, in a function ")
    assert run.console.count("fatal: ") == 1


def test_stack_overflow(boot):
    """Found at the end, whether or not the hart ever came."""
    run = other_hart(boot, 0x00023283, 0x0002b023, 0x0000006f, smp=2)  # ld t0, (tp); sd zero; j .
    assert run.status == 1
    check.says(run, "exit: the stack has overflown; raise STACK_SIZE, 32768 bytes, in layout.h")
    assert re.search(r"^exit: that of hart \d$", run.console, re.MULTILINE)


def test_work_without_end(boot):
    """By a timebase that is said to be a hundred times slower than it is the wait is short."""
    slow = tree(boot, (1, ""), (2, ""), more="/ { cpus { timebase-frequency = <100000>; }; };")
    run = boot(smp=3, memory="512M", bios=image.patched(boot, "have_page", *SPIN_UNLESS_0),
               dtb=slow, bootargs=QUIET)
    check.failure(run, "^fatal: not every hart gets on with the page allocator$")
    late = re.findall(r"^harts: hart (\d) FAILED to end its work within 60 s$", run.console,
                      re.MULTILINE)
    boot_hart = re.search(r", hart (\d) of 3$", run.console, re.MULTILINE)[1]
    assert sorted([*late, boot_hart]) == ["0", "1", "2"]


# ---- nodes ----

def nodes(count, size, harts_each):
    extra = []
    for node in range(count):
        first = node * harts_each
        extra += ["-object", f"memory-backend-ram,id=m{node},size={size // MIB}M", "-numa",
                  f"node,nodeid={node},memdev=m{node},cpus={first}-{first + harts_each - 1}"]
    for a in range(count):
        for b in range(a + 1, count):
            extra += ["-numa", f"dist,src={a},dst={b},val={10 + 5 * (b - a)}"]
    return extra


@pytest.mark.parametrize("count, machine", [(2, "virt"), (4, "virt,aia=aplic")])
@pytest.mark.parametrize("more", ["", "numa=off"])
def test_nodes(boot, count, machine, more):
    """Each hart's stack and page are on its own node."""
    run = boot(machine=machine, smp=2 * count, memory=f"{128 * count}M",
               extra=nodes(count, 128 * MIB, 2), bootargs=f"{VERBOSE} {more}")
    expect_all(run, 2 * count)
    boot_id = harts(run)[0][0]
    for hart, node, stack, page, page_node in harts(run):
        home = 0 if more else hart // 2
        assert (node, page_node) == (home, home)
        if not more:
            assert (page - 0x80000000) // (128 * MIB) == home
            assert hart == boot_id or (stack - 0x80000000) // (128 * MIB) == home


def node_trees(*claims):
    """Four nodes of 128 MiB, a hart each; distances grow with the difference."""
    text = "".join(trees.memory((0x80000000 + i * 0x8000000, 0x88000000 + i * 0x8000000),
                                more=f"numa-node-id = <{i}>;") for i in range(4))
    matrix = ", ".join(f"<{a} {b} {10 + 5 * abs(a - b)}>" for a in range(4) for b in range(4))
    return trees.virt(text + cpus(*((i, f"numa-node-id = <{i}>;") for i in range(1, 4))) +
                      "/ { cpus { cpu@0 { numa-node-id = <0>; }; }; "
                      'distance-map { compatible = "numa-distance-map-v1"; '
                      f"distance-matrix = {matrix}; }}; }};" + trees.reserved(*claims))


def test_node_without_a_free_page(boot):
    """Node 3's harts have their pages from the nearest, which is node 2; and so it is counted."""
    path = trees.compile_text(node_trees((0x98000000, 0xa0000000)), boot.folder)
    run = boot(smp=4, memory="512M", dtb=path, icount=True,
               bootargs=VERBOSE + " report=vmstat")
    check.success(run)
    assert nr_running(run) == (4, 4)
    assert {hart: (node, page) for hart, node, _, _, page in harts(run)} == \
        {0: (0, 0), 1: (1, 1), 2: (2, 2), 3: (3, 2)}
    check.says(run, "numa_miss 1", "numa_foreign 1")


def test_node_without_memory(boot):
    """A hart of a node that has none: its node is the nearest one that has."""
    source = node_trees().replace("numa-node-id = <3>;", "numa-node-id = <1>;", 1)
    path = trees.compile_text(source, boot.folder)
    run = boot(smp=4, memory="512M", dtb=path, bootargs=VERBOSE)
    expect_all(run, 4)
    assert {hart: node for hart, node, *_ in harts(run)} == {0: 0, 1: 1, 2: 2, 3: 2}
