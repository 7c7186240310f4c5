/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Included before everything else into each source with tests (mk/selftest.mk): its main() becomes
 * an entry in the image's list of suites. Nothing of earlymm is included: a test may compile mm/
 * with parameters of its own.
 */
#ifndef TESTS_TARGET_SUITE_H
#define TESTS_TARGET_SUITE_H

struct suite {
	const char *file; /* tests/unit/test_x.c is the suite test_x */
	int (*main)(void);
};

/* From the linker script. */
extern const struct suite __suites[], __suites_end[];

#ifdef SUITE_FILE
static int suite_main(void);
static const struct suite suite
	__attribute__((used, section(".suites"))) = { SUITE_FILE, suite_main };
#define main suite_main
#endif

#endif
