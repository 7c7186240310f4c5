# SPDX-License-Identifier: BSD-2-Clause
"""Reads the payload's self-tests off the console: KTAP, version 1, strictly.

A document is a version line, a plan, and as many results as planned, numbered from 1. Before a
result there may be diagnostics, and a document of its own, two blanks further in. Between results
at the outermost level, where the boot goes on, there may be anything else.
"""

import re
from typing import NamedTuple

VERSION = "KTAP version 1"
PLAN = re.compile(r"1\.\.(0|[1-9][0-9]*)")
RESULT = re.compile(r"(not )?ok ([1-9][0-9]*) (\w+)(?: # SKIP(?: (.+))?)?")
SUBTEST = re.compile(r"# Subtest: (\w+)")
LIKE_KTAP = re.compile(r" *(KTAP|TAP|1\.\.|ok|not ok|Bail out)\b")


class Malformed(Exception):
    """What was read is no such document."""


class Result(NamedTuple):
    name: str
    verdict: str  # pass, fail or skip
    reason: str  # of a skip
    notes: list  # lines without "# "
    tests: list  # of the document that belongs to it; None: there is none


class Reader:
    def __init__(self, lines):
        self.lines = lines
        self.at = 0

    def fail(self, text):
        line = self.lines[self.at] if self.at < len(self.lines) else "the end"
        raise Malformed(f"line {self.at + 1}: {text}, not {line!r}")

    def peek(self, level):
        """The line without its indentation; None if it has another one, or there is none."""
        if self.at == len(self.lines):
            return None
        line = self.lines[self.at]
        text = line[2 * level:]
        if line[:2 * level].strip(" ") or len(line) <= 2 * level or text[0] == " ":
            return None
        return text

    def take(self, level, pattern, what):
        text = self.peek(level)
        found = pattern.fullmatch(text) if text is not None else None
        if not found:
            self.fail(f"{what} expected at level {level}")
        self.at += 1
        return found

    def notes(self, level):
        found = []
        while (text := self.peek(level)) is not None and text.startswith("# "):
            found.append(text[2:])
            self.at += 1
        return found

    def boot_log(self):
        """What the payload says between phases."""
        while self.at < len(self.lines) and not LIKE_KTAP.match(self.lines[self.at]) \
                and not self.lines[self.at].startswith("# "):
            self.at += 1

    def document(self, level=0):
        """Its name, and its results."""
        self.take(level, re.compile(VERSION), "version")
        name = None
        if (text := self.peek(level)) is not None and SUBTEST.fullmatch(text):
            name = self.take(level, SUBTEST, "name")[1]
        planned = int(self.take(level, PLAN, "plan")[1])
        return name, [self.result(level, number) for number in range(1, planned + 1)]

    def result(self, level, number):
        if not level:
            self.boot_log()
        notes = self.notes(level)
        name = tests = None
        if self.peek(level + 1) == VERSION:
            name, tests = self.document(level + 1)
            notes += self.notes(level)
        found = self.take(level, RESULT, f"result {number}")
        if int(found[2]) != number:
            self.at -= 1
            self.fail(f"number {number} expected")
        skipped = " # SKIP" in found[0]
        if name is not None and name != found[3]:
            self.at -= 1
            self.fail(f"result of {name} expected")
        if skipped and found[1]:
            self.at -= 1
            self.fail("what is skipped has not failed")
        verdict = "skip" if skipped else "fail" if found[1] else "pass"
        result = Result(found[3], verdict, found[4] or "", notes, tests)
        if verdict != expected_verdict(result):
            self.at -= 1
            self.fail(f"{expected_verdict(result)} is what follows from the tests")
        return result


def expected_verdict(result):
    """Of what has tests inside."""
    if not result.tests:
        return result.verdict
    verdicts = {test.verdict for test in result.tests}
    return "fail" if "fail" in verdicts else "pass" if "pass" in verdicts else "skip"


def read(console):
    """The results of the one document on the console, and nothing like KTAP around it."""
    lines = console.splitlines()
    starts = [i for i, line in enumerate(lines) if line == VERSION]
    if len(starts) != 1:
        raise Malformed(f"{len(starts)} documents at the outermost level")
    reader = Reader(lines)
    reader.at = starts[0]
    _, results = reader.document()
    for i, line in enumerate(lines):
        if not starts[0] <= i < reader.at and LIKE_KTAP.match(line):
            raise Malformed(f"line {i + 1}: a stray {line!r}")
    return results


def tests(results):
    """All tests without tests inside, as (path, result)."""
    for result in results:
        if result.tests is None:
            yield (result.name,), result
        else:
            for path, test in tests(result.tests):
                yield (result.name, *path), test
