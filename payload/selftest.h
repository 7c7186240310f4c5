/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Self-tests: the unit tests and tests of the live allocators, run in the payload at the moment the
 * allocator is live (boot argument selftest=). Results are KTAP on the console. The code is in
 * tests/target/, tests/phase/ and tests/unit/, and in the image's init sections.
 */
#ifndef PAYLOAD_SELFTEST_H
#define PAYLOAD_SELFTEST_H

#include <stdbool.h>
#include <stdint.h>

/* In the order of the boot; tests/target/phases.c says which suite runs in which. */
enum selftest_phase {
	SELFTEST_MEMBLOCK, /* the map is complete, its arrays may grow */
	SELFTEST_BOOTMEM, /* the early allocator of early= is live */
	SELFTEST_HANDOVER, /* memory has just gone to the buddy, nobody uses it yet */
	SELFTEST_BUDDY, /* the same, for tests that use it */
	NR_SELFTEST_PHASES
};

struct buddy_hart;
struct early;
struct memblock;
struct mm;

/* What is live. NULL: not yet. */
struct selftest_env {
	struct memblock *mb;
	struct early *early;
	struct mm *mm;
	struct buddy_hart *hart; /* the hart that runs, of mm's */
	uint64_t tb_hz; /* ticks of the time base a second; 0: not known */
	bool has_zb; /* the build of the hot files for Zba, Zbb and Zbs may run */
	const char *filter; /* only suites with this in their name; "" or NULL: all */
	/* Frames of the live allocator that the tests have: set by selftest_run() for the tests. */
	uint64_t own_pfn;
	uint64_t own_pages;
};

/*
 * selftest_run() - runs the tests of a phase: every phase once, in order. Memory for the tests
 * comes from the live allocator and goes back to it; that its state is then what it was is the last
 * test of each phase. A test that traps ends the run as failed (trap.c).
 * Returns whether no test has failed.
 */
bool selftest_run(enum selftest_phase phase, const struct selftest_env *env);

#endif
