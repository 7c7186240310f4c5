# SPDX-License-Identifier: BSD-2-Clause
"""The build of the hot paths for Zba, Zbb and Zbs runs where every hart is said to have them."""

import pytest

import check
import trees
from image import with_tree

WITHOUT = "rv64,zba=off,zbb=off,zbs=off"
FULL = "rv64imafdch_zic64b_zicsr_zba_zbb_zbc_zbs_sstc"
ARGS = "bench=churn records=all meta_poison=1"
RAM = trees.memory((0x80000000, 0x88000000))


def boot_cpu(boot, cpu="rv64", more="", **kwargs):
    return boot(memory="128M", bootargs=f"{ARGS} {more}", extra=["-cpu", cpu], **kwargs)


def boot_isa(boot, *harts, cpu="rv64", more="", **kwargs):
    """With a tree of these harts, which the firmware does not see: properties of each."""
    nodes = "".join(f'cpu@{i} {{ device_type = "cpu"; reg = <{i}>; {text} }};\n'
                    for i, text in enumerate(harts))
    source = f'/ {{ cpus {{ {nodes} }}; chosen {{ bootargs = "{ARGS} {more}"; }}; }};\n'
    if harts and "riscv,isa " not in harts[0]:
        source += "/ { cpus { cpu@0 { /delete-property/ riscv,isa; }; }; };\n"
    tree = trees.compile_text(trees.virt(RAM + source), boot.folder).read_bytes()
    return boot(memory="128M", bios=with_tree(boot, tree), bootargs=None, extra=["-cpu", cpu],
                **kwargs)


def isa(text):
    return f'riscv,isa = "{text}";'


def builds(run, where):
    """The live system is the whole page allocator; it and its buddy are measured in the arena."""
    found = {record["hot"] for record in run.find("res", bench="churn", alloc="api", where=where)}
    if where == "arena":
        buddy = run.find("res", bench="churn", alloc="buddy", where=where)
        assert found == {record["hot"] for record in buddy}
    return found


def chosen(run, why):
    """The second build is the system's, and is measured beside the first."""
    check.success(run)
    check.says(run, f"hot paths built for Zba, Zbb and Zbs (hot=zb): {why}")
    assert run.record("run", isa="rv64gc")["hot"] == "zb"
    assert builds(run, "system") == {"zb"}
    assert builds(run, "arena") == {"rv64gc", "zb"}


def not_chosen(run, why):
    """And does not run at all."""
    check.success(run)
    check.says(run, f"hot paths built for rv64gc (hot=rv64gc): {why}")
    assert run.record("run", isa="rv64gc")["hot"] == "rv64gc"
    assert builds(run, "system") == builds(run, "arena") == {"rv64gc"}


def lacks(hart):
    return f"cpu@{hart} does not list zba, zbb and zbs"


def test_qemus_default(boot):
    chosen(boot_cpu(boot), "listed by 1 of 1 hart")


@pytest.mark.parametrize("cpu", ["rv64,zba=off", "rv64,zbb=off", "rv64,zbs=off", WITHOUT])
def test_hart_without(boot, cpu):
    """It has not got the instructions: the run would end in a trap."""
    not_chosen(boot_cpu(boot, cpu), lacks(0))


def test_older_firmware(boot, firmware):
    chosen(boot_cpu(boot, bios=firmware), "listed by 1 of 1 hart")


def test_several_harts(boot):
    chosen(boot_cpu(boot, smp=2), "listed by 2 of 2 harts")
    not_chosen(boot_cpu(boot, WITHOUT, smp=2), lacks(0))


@pytest.mark.parametrize("machine, smp, hot", [("spike", 1, "zb"), ("sifive_u", 5, "rv64gc")])
def test_machines(boot, machine, smp, hot):
    """Hart 0 of sifive_u is another kind than the others; none has the extensions."""
    run = boot(machine=machine, smp=smp, memory="128M" if smp == 1 else None,
               bootargs="bench=none records=all")
    check.success(run)
    assert run.record("run")["hot"] == hot


def test_results_agree(boot):
    """Both builds hand out the same blocks, with the second in fewer instructions."""
    run = boot_cpu(boot)
    check.success(run)
    first, second = (run.record("smp", bench="churn", where="arena", alloc="buddy", hot=hot,
                                setting="default") for hot in ("rv64gc", "zb"))
    assert first["chk"] == second["chk"]
    assert second.number("ins") < first.number("ins")


# ---- zb= ----

def test_off(boot):
    not_chosen(boot_cpu(boot, more="zb=off"), "zb=off")


def test_on(boot):
    chosen(boot_cpu(boot, more="zb=on"), "listed by 1 of 1 hart")
    run = boot_cpu(boot, WITHOUT, "zb=on")
    check.failure(run, "^fatal: zb=on, but not every hart is said to have Zba, Zbb and Zbs$")


def test_auto_and_last(boot):
    chosen(boot_cpu(boot, more="zb=off zb=auto"), "listed by 1 of 1 hart")


@pytest.mark.parametrize("value", ["=", "", "=yes", "=of", "=offf", "=1"])
def test_bad_value(boot, value):
    run = boot_cpu(boot, more=f"zb{value}")
    check.failure(run, "^fatal: bad boot arguments$",
                  f"^bootargs: zb={value[1:]} is not understood; auto, off or on$")


# ---- what trees say ----

@pytest.mark.parametrize("text", [
    "rv64gc_zba_zbb_zbs", "RV64GC_ZBS_Zbb_zba", "rv64imafdczba1p0_zbb1p0_zbs1p0",
    "rv64gc_zic64b__zba_zbb_zbs_"])
def test_strings(boot, text):
    chosen(boot_isa(boot, isa(text)), "listed by 1 of 1 hart")


@pytest.mark.parametrize("text", [
    "rv64gc", "rv64gcb", "rv64gc_zba_zbb", "rv64gc_zbabbs", "rv64gc_zba0p93_zbb0p93_zbs0p93"])
def test_not_all_there(boot, text):
    """On a hart that has them."""
    run = boot_isa(boot, isa(text))
    not_chosen(run, lacks(0))
    assert "dt: " not in run.payload_console


@pytest.mark.parametrize("text", [
    "", "rv64", "rv32gc_zba_zbb_zbs", "zba_zbb_zbs", "rv64gc zba zbb zbs",
    "rv64gc_zba_zbb_zbs\\x7f", "rv64gc_zba_zbb_zbs\\n@PB1 0 run id=7 *0000", "rv64gc_zba_zbb_zbs\\x1b[2J"])
def test_odd_strings(boot, text):
    run = boot_isa(boot, isa(text))
    not_chosen(run, lacks(0))
    check.says(run, "dt: cpu@0: riscv,isa cannot be read: without Zba, Zbb and Zbs")


def test_string_without_end(boot):
    text = " ".join(f"{c:02x}" for c in b"rv64gc_zba_zbb_zbs")
    run = boot_isa(boot, f"riscv,isa = [{text}];")
    not_chosen(run, lacks(0))
    assert "dt: cpu@0: a string property of 18 bytes is not NUL-terminated" in run.console


def test_long_string(boot):
    """4096 bytes are read, 4097 are not."""
    text = "rv64gc_zba_zbb_zbs_".ljust(4095, "z")
    chosen(boot_isa(boot, isa(text)), "listed by 1 of 1 hart")
    not_chosen(boot_isa(boot, isa(text + "z")), lacks(0))


def test_no_string(boot):
    run = boot_isa(boot, "")
    not_chosen(run, lacks(0))
    assert "dt: " not in run.payload_console


def test_list(boot):
    """riscv,isa-extensions is the one that counts, where it is."""
    names = 'riscv,isa-base = "rv64i"; riscv,isa-extensions = "i", "m", "zba", "zbb", "zbs";'
    chosen(boot_isa(boot, names), "listed by 1 of 1 hart")
    chosen(boot_isa(boot, isa("rv64gc") + names), "listed by 1 of 1 hart")
    run = boot_isa(boot, isa(FULL) + names.replace('"zbb"', '"zbbx"'))
    not_chosen(run, lacks(0))
    run = boot_isa(boot, isa(FULL) + "riscv,isa-extensions = [7a 62 61];")
    not_chosen(run, lacks(0))
    check.says(run, "dt: cpu@0: riscv,isa-extensions cannot be read: without Zba, Zbb and Zbs")


@pytest.mark.parametrize("smp", [1, 2])
def test_one_of_two(boot, smp):
    """Of two harts, or of two nodes, the second lacks Zbb."""
    chosen(boot_isa(boot, isa(FULL), isa(FULL), smp=smp), "listed by 2 of 2 harts")
    other = FULL.replace("_zbb", "")
    not_chosen(boot_isa(boot, isa(FULL), isa(other), smp=smp), lacks(1))


def test_disabled_hart(boot):
    """Nobody may start it: what it lacks does not count."""
    off = isa("rv64imac") + 'status = "disabled";'
    chosen(boot_isa(boot, isa(FULL), off), "listed by 1 of 1 hart")


def test_boot_hart_not_in_the_tree(boot):
    off = isa(FULL) + 'status = "disabled";'
    not_chosen(boot_isa(boot, off, isa(FULL)), "the tree does not have the boot hart")


def test_hostile_name(boot):
    """The node that lacks them is named, and steers nothing."""
    source = ('/ { cpus { cpu@1 { device_type = "cpu"; reg = <1>; }; '
              f'cpu@0 {{ {isa(FULL)} }}; }}; chosen {{ bootargs = "{ARGS}"; }}; }};')
    tree = trees.compile_text(trees.virt(RAM + source), boot.folder).read_bytes()
    assert tree.count(b"cpu@1\0") == 1
    tree = tree.replace(b"cpu@1\0", b"cpu\n\x1b\0")
    run = boot(memory="128M", bios=with_tree(boot, tree), bootargs=None)
    check.success(run)
    check.says(run, "hot paths built for rv64gc (hot=rv64gc): cpu?? does not list zba, zbb and zbs")


def test_a_tree_that_lies(boot):
    """Nothing can be done, but the run does not end well, or go on."""
    check.failure(boot_isa(boot, isa(FULL), cpu=WITHOUT), "^trap: ")
