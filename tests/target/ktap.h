/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Results in KTAP, version 1 (Documentation/dev-tools/ktap.rst of Linux): a plan, a line a test,
 * tests in tests indented by two blanks a level. Every call prints whole lines.
 */
#ifndef TESTS_TARGET_KTAP_H
#define TESTS_TARGET_KTAP_H

#include <earlymm/types.h>

enum verdict { PASSED, FAILED, SKIPPED, NR_VERDICTS };

/* The levels, from the outside. */
enum ktap_level { KTAP_PHASES, KTAP_SUITES, KTAP_TESTS };

struct ktap {
	const struct printer *out;
	enum ktap_level level; /* that lines are for at the moment */
};

/*
 * Begins a list of @nr tests at @level, which holds from now on, with the version, the name of what
 * is listed (NULL: not said) and the plan.
 */
void ktap_begin(struct ktap *k, enum ktap_level level, const char *name, unsigned int nr);

/*
 * The result of test @number, from 1 on, of the list at @level, which holds from now on. @reason of
 * a skipped test: may be NULL.
 */
void ktap_result(struct ktap *k, enum ktap_level level, unsigned int number, const char *name,
		 enum verdict verdict, const char *reason);

/*
 * Text about the test that runs: a line "# …" for each line of it. What does not print becomes '?'.
 * More than 500 characters at once are cut.
 */
__attribute__((format(printf, 2, 3))) void ktap_note(const struct ktap *k, const char *fmt, ...);
void ktap_vnote(const struct ktap *k, const char *fmt, va_list ap);

#endif
