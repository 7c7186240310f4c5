# SPDX-License-Identifier: BSD-2-Clause
"""The reader that the other tests rely on: it must see what is wrong with a record."""

import pytest

import records

HOST = "@PB1 0 host engine=tcg icount=0 qemu=7.2.22 run=42 *ebb7"


def line(seq, kind, *fields):
    body = " ".join(["@PB1", str(seq), kind, *fields])
    return f"{body} *{records.crc16(body):04x}"


def console(*lines):
    return "\n".join(["OpenSBI", *lines, ""])


WHOLE = [line(0, "run", "id=0"), line(1, "mem", "free=5"), line(2, "end", "status=ok", "nrec=3")]


def test_crc():
    assert records.crc16("123456789") == 0x29B1


def test_host_record():
    host = records.parse(HOST)
    assert (host.seq, host.type) == (0, "host")
    assert host == {"engine": "tcg", "icount": "0", "qemu": "7.2.22", "run": "42"}


def test_whole_run():
    run = records.read(console(*WHOLE))
    assert [record.type for record in run] == ["run", "mem", "end"]
    assert run[1].number("free") == 5


@pytest.mark.parametrize("text", [
    HOST.replace("tcg", "kvm"),
    HOST.replace("ebb7", "ebb8"),
    HOST.replace("ebb7", "EBB7"),
    HOST.replace("@PB1", "@PB2"),
    HOST.replace("@PB1 0", "@PB1  0"),
    HOST[:-6],
    HOST + " ",
    line("00", "host"),
    line(0, "run", "id"),
    line(0, "run", "id="),
    line(0, "run", "id=1", "id=2"),
    line(0, "run", "board=a\tb"),
    line(0, "run", "board=" + "x" * 200),
])
def test_bad_line(text):
    with pytest.raises(records.RecordError):
        records.parse(text)


def test_longest_line():
    spare = records.MAX_CHARS - len(line(0, "run", "board="))
    assert records.parse(line(0, "run", "board=" + "x" * spare))
    with pytest.raises(records.RecordError, match="201 characters"):
        records.parse(line(0, "run", "board=" + "x" * (spare + 1)))


@pytest.mark.parametrize("lines, error", [
    ([], "no records"),
    (WHOLE[:1] + WHOLE[2:], "seq 2 where 1 is due"),
    ([WHOLE[0], WHOLE[0], *WHOLE[1:]], "seq 0 where 1 is due"),
    (WHOLE[:2], "0 end records"),
    ([*WHOLE, line(3, "mem")], "the last record is a mem"),
    ([*WHOLE[:2], line(2, "end", "nrec=4")], "3 records where end says 4"),
    ([WHOLE[0], "text " + WHOLE[1], WHOLE[2]], "not on a line of its own"),
    ([line(0, "mem"), *WHOLE[1:]], "the first is a mem"),
    ([WHOLE[0][:-1], *WHOLE[1:]], "not in the form"),
])
def test_incomplete_run(lines, error):
    with pytest.raises(records.RecordError, match=error):
        records.read(console(*lines))


def test_number():
    record = records.parse(line(0, "res", "net_x100=na", "chk=00ff", "x=-3"))
    assert record.number("x") == -3
    for key in ("net_x100", "chk"):
        with pytest.raises(records.RecordError):
            record.number(key)
