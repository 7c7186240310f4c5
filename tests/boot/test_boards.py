# SPDX-License-Identifier: BSD-2-Clause
"""One image on each board, behind each OpenSBI, and the status that a run ends with."""

import re

import pytest

import check
from memory_map import RAM_BASE

# Decimal in the record, as SBI answers: major << 16 | minor.
OPENSBI_1_1, OPENSBI_1_6 = 0x10001, 0x10006
# Pages that OpenSBI reserves for itself on these boards. Only the older one knows what it maps.
FIRMWARE = {
    (OPENSBI_1_1, "virt"): ("reserved-memory", 128),
    (OPENSBI_1_1, "spike"): ("reserved-memory", 128),
    (OPENSBI_1_1, "sifive_u"): ("no-map", 128),
    (OPENSBI_1_6, "virt"): ("no-map", 96),
    (OPENSBI_1_6, "spike"): ("no-map", 96),
    (OPENSBI_1_6, "sifive_u"): ("no-map", 96),
}

# machine, smp, memory; board, usable harts, timebase, pages
BOARDS = [
    pytest.param("virt", None, None, "virt", 1, 10000000, 32768, id="virt"),
    pytest.param("virt", 4, "1G", "virt", 4, 10000000, 262144, id="virt-smp4"),
    pytest.param("spike", None, None, "spike", 1, 10000000, 32768, id="spike"),
    pytest.param("spike", None, "1G", "spike", 1, 10000000, 262144, id="spike-1G"),
    # Its first hart has no S-mode and does not count.
    pytest.param("sifive_u", None, None, "sifive_u", 1, 1000000, 32768, id="sifive_u"),
    pytest.param("sifive_u", 5, "8G", "sifive_u", 4, 1000000, 2097152, id="sifive_u-smp5-8G"),
]


@pytest.mark.parametrize("machine, smp, memory, board, harts, tb_hz, pages", BOARDS)
def test_boot(boot, firmware, machine, smp, memory, board, harts, tb_hz, pages):
    run = boot(machine=machine, smp=smp, memory=memory, bios=firmware)
    books = check.success(run)
    about = run.record("run", board=board, harts=harts, tb_hz=tb_hz, sbi_impl=1)
    assert books.present == pages
    assert about.number("mem_kib") == pages * 4
    assert about["ins"] == ("exact" if "-icount" in run.command else "noisy")
    assert run.map.ram == [(RAM_BASE, RAM_BASE + pages * 4096)]
    assert run.map.claimed == {}
    known = FIRMWARE.get((about.number("sbi_ver"), board))
    if known:
        kinds = ("no-map", "reserved-memory")
        found = {kind: run.map.firmware_pages(kind) for kind in kinds}
        assert found == {**dict.fromkeys(kinds, 0), known[0]: known[1]}
    boot_hart = re.search(r"^Boot HART ID +: (\d+)$", run.console, re.MULTILINE)[1]
    assert re.search(rf"^earlymm \S+ on .* \({board}\), hart {boot_hart} of {harts}\nrv64\S+$",
                     run.console, re.MULTILINE)


def test_firmware_versions(boot):
    """The two images do bring two OpenSBIs, else half of these tests are in vain."""
    found = [boot(bios=bios).record("run").number("sbi_ver")
             for bios in (boot.bios, boot.bios_distro) if bios.exists()]
    assert len(set(found)) == len(found)


def test_literal_command(boot):
    """Nothing else on the command line: QEMU's default machine, the whole benchmark."""
    run = boot.literally("-nographic", "-bios", str(boot.build / "payload.bin"))
    check.success(run)
    assert run.record("run")["board"] == "spike"
    assert "\nverified: " in run.console


@pytest.mark.parametrize("machine, smp, memory", [
    ("virt", None, "1G"), ("virt", 4, "1G"), ("spike", None, None), ("sifive_u", None, None),
    ("sifive_u", 5, "8G")])
def test_bench_in_real_time(boot, firmware, machine, smp, memory):
    """Without icount: figures are noisy, the verification is not."""
    run = boot(machine=machine, smp=smp, memory=memory, icount=False, bios=firmware,
               bootargs="bench=churn,bulk,exhaust reps=1 records=all meta_poison=1")
    check.success(run)
    assert run.record("run")["ins"] == "noisy"
    assert "\nverified: " in run.console
    assert all(record["unit"] == "ns" for record in run.find("res"))


@pytest.mark.parametrize("smp", [2, 8])
def test_any_boot_hart(boot, smp):
    """Which hart it is changes from run to run; all of these must do."""
    for _ in range(4):
        run = boot(smp=smp)
        check.success(run)
        hart, harts = map(int, re.search(r", hart (\d+) of (\d+)$", run.console,
                                         re.MULTILINE).groups())
        assert hart < harts == smp


# What a failed run ends with where there is semihosting, and where there is not: sifive_u has
# nothing else that takes a status, and no power switch.
@pytest.mark.parametrize("machine, semihosting, status", [
    ("virt", True, 1), ("virt", False, 1), ("spike", True, 1), ("spike", False, 1),
    ("sifive_u", True, 1), ("sifive_u", False, 0)])
def test_status(boot, firmware, machine, semihosting, status):
    good = boot(machine=machine, bios=firmware, semihosting=semihosting, bootargs="bench=none")
    check.success(good)
    bad = boot(machine=machine, bios=firmware, semihosting=semihosting, bootargs="bench=nonsense")
    check.failure(bad, "^fatal: bad boot arguments$", status=status)
    if not semihosting and machine == "sifive_u":
        check.says(good, "exit: status 0; the power stays on, so this is a reset")
        check.says(bad, "exit: status 1; the power stays on, so this is a reset")


@pytest.mark.parametrize("machine", [
    "virt,aclint=on", "virt,aia=aplic", "virt,aia=aplic-imsic,aia-guests=1"])
def test_variants(boot, machine):
    check.success(boot(machine=machine))


@pytest.mark.parametrize("cpu", [
    "sifive-u54", "rv64,zba=false,zbb=false,zbs=false,zbc=false", "rv64,v=true", "rv64,sstc=false"])
def test_cpus(boot, cpu):
    check.success(boot(memory="1G", bootargs="bench=churn", extra=["-cpu", cpu]))


def test_numa(boot):
    """Two nodes as QEMU describes them."""
    extra = []
    for node in (0, 1):
        extra += ["-object", f"memory-backend-ram,id=m{node},size=512M",
                  "-numa", f"node,nodeid={node},memdev=m{node},cpus={2 * node}-{2 * node + 1}"]
    run = boot(memory="1G", smp=4, extra=[*extra, "-numa", "dist,src=0,dst=1,val=20"],
               bootargs="bench=churn,exhaust records=all verbose=1")
    books = check.success(run)
    assert books.present == 262144
    mapped = [bank.end for bank in run.map.banks if bank.kind == "memory"]
    assert mapped == [0xa0000000, 0xc0000000]
