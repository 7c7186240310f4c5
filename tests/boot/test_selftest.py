# SPDX-License-Identifier: BSD-2-Clause
"""The self-tests in the image: each test that is planned reports, none fails, what fails is seen."""

import os
import random
import re
import subprocess
from pathlib import Path

import pytest

import check
import ktap
import trees

# All of them take a quarter of a minute; a loaded machine several times that.
TIMEOUT_S = 200
TESTS = Path(__file__).resolve().parents[1]
PHASES = ["memblock", "bootmem", "handover", "buddy"]
# Suites that belong to no other phase, and the ones that are told from others by their names.
PHASE_OF = {"test_live_memblock": "memblock", "test_memblock_add": "memblock",
            "test_dt_walk": "memblock", "test_live_handover": "handover",
            "test_handover": "handover", "test_live_buddy": "buddy", "test_buddy": "buddy"}
UNCHANGED = "allocator_unchanged"
# There a second time, as test_x_zb: they call the build of the hot files for Zba, Zbb and Zbs.
HOT = {"test_buddy", "test_buddy_diff", "test_live_buddy"}


@pytest.fixture
def programs(build):
    """The unit tests' programs on the host."""
    folder = build.parent / "host-gcc" / "tests"
    if not (folder / "test_bitops").exists():
        pytest.fail(f"no programs in {folder}: make boot builds them")
    return folder


def run_program(program, **env):
    return subprocess.run([program], env=dict(os.environ, **env), stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, timeout=60, check=False).stdout.decode()


def names_on_host(program):
    """Of its tests, in order; a program that runs one group several times says each once."""
    return list(dict.fromkeys(run_program(program, TEST_LIST="1").split()))


def host_only():
    lines = (TESTS / "target" / "host-only").read_text(encoding="ascii").splitlines()
    return {line.split()[0] for line in lines if line and line[0] != "#"}


def boot_selftest(boot, which="1", more="bench=none records=all verbose=1 meta_poison=1", **kwargs):
    kwargs.setdefault("memory", "64M")
    kwargs.setdefault("icount", False)
    return boot(bootargs=f"{more} selftest={which}", timeout=TIMEOUT_S, **kwargs)


def suites(results):
    """Results of the suites by phase, the check of the allocator not among them."""
    found = {}
    for phase in results:
        if phase.tests is not None:
            *found[phase.name], last = phase.tests
            assert last.name == UNCHANGED and last.tests is None
    return found


def lacks_memory(test):
    """Skipped for want of so much memory that no other test can be to blame."""
    found = re.fullmatch(r"no ([0-9]+) bytes left of the ([0-9]+) for tests", test.reason)
    return found and 2 * int(found[1]) > int(found[2])


def passed(run):
    """All is well. Returns the results."""
    check.success(run)
    results = ktap.read(run.payload_console)
    assert [phase.name for phase in results] == PHASES
    for path, test in ktap.tests(results):
        if path[1:]:
            assert test.verdict == "pass" or test.verdict == "skip" and lacks_memory(test), \
                (path, test)
        else:
            assert (test.verdict, test.reason) == ("skip", "no suite was asked for")
    return results


def failed(run, message="^fatal: self-tests have failed$"):
    check.failure(run, message)
    return ktap.read(run.payload_console)


def test_all(boot, programs):
    """Every program of the host that is not left out by name, with every test that it has."""
    run = boot_selftest(boot, memory="64G")
    results = passed(run)
    found = suites(results)
    names = {suite.name: phase for phase in found for suite in found[phase]}
    assert sorted(names) == sorted(suite.name for phase in found for suite in found[phase])
    everything = {path.stem for folder in ("unit", "phase")
                  for path in (TESTS / folder).glob("test_*.c")}
    assert set(names) == everything - host_only() | {f"{name}_zb" for name in HOT}
    assert PHASE_OF.items() <= names.items()
    for phase in found.values():
        for suite in phase:
            assert [test.name for test in suite.tests] == \
                names_on_host(programs / suite.name.removesuffix("_zb"))
    assert sum(test.verdict == "skip" for path, test in ktap.tests(results) if path[1:]) <= 1


def test_in_little_memory(boot, tmp_path):
    """Full of garbage; with the older firmware, where there is one. Most others want more memory."""
    ram = tmp_path / "ram"
    ram.write_bytes(random.Random(1).randbytes(64 << 20))
    bios = boot.bios_distro if boot.bios_distro.exists() else boot.bios
    run = boot_selftest(boot, "mem", ram_file=ram, bios=bios)
    ram.unlink()
    assert sum(test.verdict == "pass" for _, test in ktap.tests(passed(run))) > 200


@pytest.mark.parametrize("hart", [{"more": "bench=none records=all zb=off"},
                                  {"extra": ["-cpu", "rv64,zba=off,zbb=off,zbs=off"]}])
def test_without_zb(boot, hart):
    """The suites for the second build are left out where it may not run."""
    found = suites(passed(boot_selftest(boot, "buddy", memory="1G", **hart)))
    names = {suite.name for phase in found.values() for suite in phase}
    assert names >= HOT and not any(name.endswith("_zb") for name in names)


@pytest.mark.parametrize("memory", ["36M", "1G", "20G", "4T"])
def test_sizes(boot, memory):
    """The tests of what is live. Banks above all memory of a host are sampled, not gone through."""
    found = suites(passed(boot_selftest(boot, "live", memory=memory)))
    assert {suite.name for phase in found.values() for suite in phase} >= {
        "test_live_memblock", "test_live_handover", "test_live_buddy"}


@pytest.mark.parametrize("machine, smp", [("virt", 4), ("spike", 1), ("sifive_u", 5)])
def test_machines(boot, firmware, machine, smp):
    if machine == "spike" and firmware == boot.bios_distro:
        pytest.skip("spike does not shut down with that firmware")
    passed(boot_selftest(boot, "live", machine=machine, smp=smp, bios=firmware, memory="256M"))


@pytest.mark.parametrize("name", ["holes", "nomap", "numa", "overlaps", "memreserve"])
def test_maps(boot, name):
    passed(boot_selftest(boot, "live", memory="1G", dtb=trees.compile_file(name, boot.folder)))


def test_banks_apart(boot):
    """A suite's memory is in one piece: blocks of different banks are not."""
    banks = [(base, base + 0x4000000) for base in (0x80000000, 0x90000000, 0xa0000000)]
    source = "".join(trees.memory(bank, name=f"memory{i}") for i, bank in enumerate(banks))
    dtb = trees.compile_text(trees.virt(source), boot.folder)
    passed(boot_selftest(boot, "test_selftest", memory="1G", dtb=dtb))


def test_ten_thousand_reservations(boot):
    run = boot_selftest(boot, "live", memory="1G", more="bench=none records=all",
                        dtb=trees.generate(boot.folder, "reserved", 10000))
    passed(run)


@pytest.mark.parametrize("more", ["", "selftest=0", "selftest=1 selftest=0"])
def test_none(boot, more):
    run = boot(memory="64M", bootargs=f"bench=none records=all {more}")
    check.success(run)
    assert "KTAP" not in run.console and "# " not in run.payload_console


@pytest.mark.parametrize("which", ["bitops", "memblock_a", "1 selftest=test_memblock_dump"])
def test_filter(boot, which):
    part = which.rpartition("=")[2]
    found = suites(passed(boot_selftest(boot, which)))
    names = [suite.name for suite in found["memblock"]]
    assert names and all(part in name for name in names)
    assert list(found) == ["memblock"]


def test_costs_nothing(boot):
    """What the tests take is no part of the boot's phases, and the figures are the same without."""
    runs = [boot(memory="1G", bootargs=f"bench=none records=all {more}")
            for more in ("", "selftest=live")]
    phases = [{r["name"]: r.number("ins") for r in run.find("phase")} for run in runs]
    assert all(run.record("run")["ins"] == "exact" for run in runs)
    for name in ("fdt", "memblock", "plan", "handover"):
        assert phases[0][name] == phases[1][name], name
    assert abs(phases[0]["ready"] - phases[1]["ready"]) < 2000


# ---- what fails is seen ----

def verdicts_on_host(program):
    """Of cmocka itself, from the same source."""
    verdicts = {}
    for line in run_program(program, CMOCKA_MESSAGE_OUTPUT="TAP").splitlines():
        found = re.match(r"(not )?ok \d+ (- |# SKIP )(\w+)", line)
        if found:
            verdicts[found[3]] = ("skip" if found[2] == "# SKIP " else
                                  "fail" if found[1] else "pass")
    return verdicts


def test_verdicts_are_cmockas(boot, programs):
    """All ways to fail, and what must not fail, with file, line and values."""
    run = boot_selftest(boot, "suite_fail")
    *_, buddy = failed(run)
    suite, unchanged = buddy.tests
    assert unchanged.verdict == "pass"
    verdicts = {test.name: test.verdict for test in suite.tests}
    assert verdicts == verdicts_on_host(programs / "suite_fail")
    assert list(verdicts) == names_on_host(programs / "suite_fail")
    assert set(verdicts.values()) == {"pass", "fail", "skip"}
    notes = {test.name: " / ".join(test.notes) for test in suite.tests}
    where = r"tests/target/suite_fail\.c:[0-9]+: "
    for name, text in {
            "fails_true": r"nr_torn_down > 100",
            "fails_int_equal": r"0xffffffffffffffff != 0xffffffff \(-1, 4294967295\)",
            "fails_below_range": r"6 is not in the range 7-9",
            "fails_string_equal": r'"two / lines" != "two / line"',
            "fails_memory_equal": r"byte 2 of 4 at 0x\w+ and 0x\w+: 0x63 != 0x58",
            "fails_with_words": r"5 words and\? # ok 1 more",
    }.items():
        assert re.fullmatch(where + text, notes[name]), notes[name]
    assert all(notes[test.name] for test in suite.tests if test.verdict == "fail")
    assert "# suite_fail: pass:" in run.console and "# Totals: pass:" in run.console


def test_trap(boot):
    """The run ends at once, as failed, and nobody takes the results for complete."""
    run = boot_selftest(boot, "suite_trap")
    check.failure(run, "^trap: ")
    assert "ok 1 comes_before" in run.console and "comes_after" not in run.console
    with pytest.raises(ktap.Malformed):
        ktap.read(run.payload_console)


@pytest.mark.parametrize("name, phase, message, notes", [
    ("suite_keep_memory", 0, "^fatal: self-tests have failed$", ["memblock's map has changed"]),
    ("suite_keep_page", 3, "^fatal: the books do not balance$", ["pages lost: 1, before the tests 0"])])
def test_what_is_kept(boot, name, phase, message, notes):
    """Tests that pass, and leave the live allocator another one than they found."""
    results = failed(boot_selftest(boot, name), message)
    suite, unchanged = results[phase].tests
    assert (suite.name, suite.verdict) == (name, "pass")
    assert (unchanged.name, unchanged.verdict) == (UNCHANGED, "fail")
    assert set(notes) <= set(unchanged.notes)


def test_misuse(boot):
    """No sanitizer watches here, but the guards behind each block do."""
    *_, buddy = failed(boot_selftest(boot, "suite_misuse"))
    innocent, *misuses = buddy.tests[0].tests
    assert innocent.verdict == "pass"
    assert [(test.verdict, test.notes[-1]) for test in misuses] == [
        ("fail", "the set-up has failed"), ("fail", "the tear-down has failed"),
        ("fail", "memory around a block of malloc's was overwritten")]


def test_no_such_suite(boot):
    run = boot_selftest(boot, "nonsense")
    check.failure(run, '^selftest: no suite has "nonsense" in its name$',
                  "^fatal: self-tests have failed$")
    assert "KTAP" not in run.console


@pytest.mark.parametrize("value", ["", "x" * 48, "x" * 90])
def test_bad_value(boot, value):
    run = boot_selftest(boot, value)
    check.failure(run, "^fatal: bad boot arguments$",
                  f"^bootargs: selftest={value} is not understood; 0, 1 or a part of a suite's name")
