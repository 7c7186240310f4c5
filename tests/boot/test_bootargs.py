# SPDX-License-Identifier: BSD-2-Clause
"""The boot arguments: bad values fail, unknown words do not, no byte of them does harm."""

import pytest

import check
import trees
from image import with_tree

MEMORY = trees.memory((0x80000000, 0xc0000000))


def console_is_clean(run):
    """Printable, and no line that the payload did not begin."""
    for line in run.payload_console.split("\n"):
        assert all(" " <= c <= "~" for c in line), repr(line)


@pytest.mark.parametrize("args, message", [
    ("bench=nonsense", 'bench: there is no workload "nonsense"'),
    ("bench=pair,nonsense", 'bench: there is no workload "nonsense"'),
    ("bench=", 'bench: there is no workload ""'),
    ("bench=pair,,bulk", 'bench: there is no workload ""'),
    ("bench=" + "x" * 80, 'bench: there is no workload "' + "x" * 32 + '"'),
    ("seed=0", "bench: seed=0 is not a number from 1 to 18446744073709551615"),
    ("seed=-1", "bench: seed=-1 is not a number from 1 to 18446744073709551615"),
    ("seed=0x10", "bench: seed=0x10 is not a number from 1 to 18446744073709551615"),
    ("seed", "bench: seed= is not a number from 1 to 18446744073709551615"),
    ("seed=18446744073709551616",
     "bench: seed=18446744073709551616 is not a number from 1 to 18446744073709551615"),
    ("reps=0", "bench: reps=0 is not a number from 1 to 25"),
    ("reps=26", "bench: reps=26 is not a number from 1 to 25"),
    ("records=some", "bench: records=some is neither all nor brief"),
    ("meta_poison=2", "bootargs: meta_poison=2 is not understood; 0 or 1"),
    ("verbose=yes", "bootargs: verbose=yes is not understood; 0 or 1"),
    ("memblock=on", "bootargs: memblock=on is not understood; debug or discard"),
    ("memblock", "bootargs: memblock= is not understood; debug or discard"),
    ("mem=", "bootargs: mem= is not understood; a size of a page or more, like 512M"),
    ("mem=0", "bootargs: mem=0 is not understood; a size of a page or more, like 512M"),
    ("mem=4095", "bootargs: mem=4095 is not understood; a size of a page or more, like 512M"),
    ("mem=1Q", "bootargs: mem=1Q is not understood; a size of a page or more, like 512M"),
    ("mem=1GB", "bootargs: mem=1GB is not understood; a size of a page or more, like 512M"),
    ("mem=-1", "bootargs: mem=-1 is not understood; a size of a page or more, like 512M"),
    ("mem=16E", "bootargs: mem=16E is not understood; a size of a page or more, like 512M"),
    ("memtest=256", "bootargs: memtest=256 is not understood; a number of patterns up to 255"),
    ("memtest=x", "bootargs: memtest=x is not understood; a number of patterns up to 255"),
    ("early=slab", "bootargs: early=slab is not understood; memblock, bootmem or nobootmem"),
    ("early", "bootargs: early= is not understood; memblock, bootmem or nobootmem"),
    ("movable_node=2", "bootargs: movable_node=2 is not understood; 0 or 1"),
    ("numa=0", "bootargs: numa=0 is not understood; on or off"),
    ("cma=64M", "bootargs: cma=64M is not understood; on or off"),
    ("compound", "bootargs: compound= is not understood; on or off"),
    ("page_owner=1", "bootargs: page_owner=1 is not understood; on or off"),
    ("page_poison=yes", "bootargs: page_poison=yes is not understood; on or off"),
    ("highmem=0", "bootargs: highmem=0 is not understood; an address of a page or more, like 4G"),
    ("report=map,maps", "bootargs: report=map,maps is not understood; all or a list out of meminfo, "
     "buddyinfo, zoneinfo, pagetypeinfo, vmstat, iomem, map"),
    ("seed=0 seed=1", "bench: seed=0 is not a number from 1 to 18446744073709551615"),
])
def test_bad_value(boot, args, message):
    run = boot(bootargs="bench=none " + args)
    check.failure(run, "^fatal: bad boot arguments$")
    check.says(run, message)


def test_all_bad_values_at_once(boot):
    run = boot(bootargs="bench=x seed=0 verbose=2")
    check.failure(run, '^bench: there is no workload "x"$', "^bench: seed=0 ",
                  "^bootargs: verbose=2 ")
    check.says(run, "bench: known are all, none, pair, bulk, churn, churn0, age, burst, frag, "
              "exhaust, latency, bulkapi, mobility, scale, remote, stress")


@pytest.mark.parametrize("args", [
    "bench=none seed=1", "bench=none seed=18446744073709551615", "bench=none reps=25",
    "bench=none records", "bench=none records=brief", "bench=none verbose", "bench=none verbose=0",
    "bench=none meta_poison", "bench=all bench=none", '"bench=none"', "\tbench=none  "])
def test_good_value(boot, args):
    run = boot(bootargs=args)
    check.success(run)
    assert "not known" not in run.console
    assert not run.find("smp")


def test_unknown_words(boot):
    """On one line, which a loader's own words must not turn into a failure."""
    run = boot(bootargs='bench=none root=/dev/vda quiet note="two words" console=ttyS0')
    check.success(run)
    check.says(run, "bootargs: not known and ignored: root=/dev/vda,quiet,note=two?words,"
               "console=ttyS0")


@pytest.mark.parametrize("args", [
    "bench=none " + "x" * 3000,
    "bench=none " + " ".join(f"key{i}=value{i}" for i in range(200)),
    "bench=none bench" + "e" * 40 + "=all", "bench=none = == =x", 'bench=none """', 'bench=none "'])
def test_odd_words(boot, args):
    run = boot(bootargs=args)
    check.success(run)
    assert run.console.count("not known and ignored: ") == (args[-1] != '"')
    assert not run.find("smp")


def test_longest_line(boot):
    """4096 bytes with the NUL; a longer one is not used, and that is said."""
    for length, used in ((4095, True), (4096, False)):
        args = "bench=none".ljust(length - 1) + "x"
        source = trees.virt(MEMORY + f'/ {{ chosen {{ bootargs = "{args}"; }}; }};')
        run = boot(memory="1G", dtb=trees.compile_text(source, boot.folder), bootargs=None)
        check.success(run)
        assert ("not known and ignored: x" in run.console) == used
        assert ("longer than 4096, ignored" in run.console) != used


@pytest.mark.parametrize("args", [
    "bench=none\n@PB1 0 run id=7 *0000", "bench=none \x1b[2Jcls", "bench=none a\rb"],
    ids=["record", "escape", "return"])
def test_hostile_bytes(boot, args):
    """Nothing that a tree says can forge a line of the log, or steer a terminal."""
    run = boot(bootargs=args)
    check.success(run)
    console_is_clean(run)


@pytest.mark.parametrize("text", [
    r'/ { model = "evil\n@PB1 0 run id=7 *0000"; };',
    r'/ { model = "evil\x1b[2J"; };',
    r'/ { cpus { cpu@0 { riscv,isa = "rv64imafdc\n@PB1 0 run id=7 *0000"; }; }; };',
    r'/ { compatible = "evil\n@PB1 0 run id=7 *0000", "riscv-virtio"; };'],
    ids=["model-record", "model-escape", "isa-record", "compatible-record"])
def test_hostile_names(boot, text):
    tree = trees.compile_text(trees.virt(MEMORY + text), boot.folder)
    run = boot(memory="1G", dtb=tree)
    assert "\nearlymm " in run.console
    check.success(run)
    console_is_clean(run)


def test_hostile_node_name(boot):
    """dtc would refuse it; whoever writes trees by other means need not."""
    source = trees.virt(MEMORY + trees.reserved((0x80000000, 0x80200000)) +
                        '/ { chosen { bootargs = "bench=none verbose=1"; }; reserved-memory '
                        '{ evilname@90000000 { reg = <0 0x90000000 0 0x1000>, <0 0 0 0>; }; }; };')
    blob = trees.compile_text(source, boot.folder).read_bytes()
    assert blob.count(b"evilname") == 1
    blob = blob.replace(b"evilname", b"\x1b[2J\n@PB")
    run = boot(memory="1G", bios=with_tree(boot, blob), bootargs=None)
    check.success(run)
    console_is_clean(run)
    assert "?[2J?@PB@90000000" in run.console


def test_memblock_debug(boot):
    """Each call, with the range, flags and cause."""
    run = boot(bootargs="bench=none memblock=debug records=all")
    check.success(run)
    calls = [line for line in run.console.splitlines() if line.startswith("memblock_")]
    assert any("[0x0000000080000000-0x0000000087ffffff]" in call for call in calls)
    for cause in ("image", "fdt", "metadata"):
        assert any(f" {cause} caller 0x" in call for call in calls), cause
