/* SPDX-License-Identifier: BSD-2-Clause */
/* cmocka's functions: tests one after another, what they assert, and how a test is left early. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include "cmocka.h"

#include <stdio.h>
#include <string.h>

#include "exit.h"
#include "runner.h"

struct runner runner;

/* Why a test was left, as setjmp() returns it. */
enum left { NOT_LEFT, BY_FAILURE, BY_SKIP, FOR_MEMORY };

static jmp_buf way_out;
static char skip_reason[80];

static _Noreturn void leave(enum left why)
{
	/* Only a main() that asserts something by itself gets here. */
	if (!runner.in_test)
		payload_fail("%s: an assertion outside of a test has failed", runner.suite);
	longjmp(way_out, (int)why);
}

/* Either a test or a fixture. The only function that setjmp() returns to twice. */
static enum verdict call(CMUnitTestFunction test, CMFixtureFunction fixture, void **state)
{
	switch (setjmp(way_out)) {
	case NOT_LEFT:
		break;
	case BY_SKIP: /* no fixture's to ask for */
		return test ? SKIPPED : FAILED;
	case FOR_MEMORY:
		return SKIPPED;
	default:
		return FAILED;
	}
	if (test)
		test(state);
	else if (fixture(state))
		return FAILED;
	return PASSED;
}

static enum verdict call_fixture(CMFixtureFunction fixture, void **state, const char *what)
{
	enum verdict v = PASSED;

	if (fixture)
		v = call(NULL, fixture, state);
	if (v == FAILED)
		print_error("the %s has failed", what);
	return v;
}

/* As cmocka does it: no test and no tear-down without a set-up, else both. */
static enum verdict run_test(const struct CMUnitTest *t, void *state)
{
	enum verdict v;

	skip_reason[0] = '\0';
	v = call_fixture(t->setup_func, &state, "set-up");
	if (v == PASSED) {
		v = call(t->test_func, NULL, &state);
		if (call_fixture(t->teardown_func, &state, "tear-down") != PASSED)
			v = FAILED;
	}
	if (!heap_is_valid(&runner.heap)) {
		print_error("memory around a block of malloc's was overwritten");
		v = FAILED;
	}
	payload_check_stack();
	return v;
}

int _cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t nr,
			    CMFixtureFunction setup, CMFixtureFunction teardown)
{
	void *group_state = NULL;
	enum verdict ready;

	(void)name;
	if (runner.group_has_run)
		payload_fail("%s: there is more than one group of tests", runner.suite);
	runner.group_has_run = true;
	ktap_begin(&runner.ktap, KTAP_TESTS, runner.suite, (unsigned int)nr);
	runner.in_test = true;
	ready = call_fixture(setup, &group_state, "group's set-up");
	for (size_t i = 0; i < nr; i++) {
		void *state = group_state ? group_state : tests[i].initial_state;
		enum verdict v = ready == PASSED ? run_test(&tests[i], state) : ready;

		ktap_result(&runner.ktap, KTAP_TESTS, (unsigned int)i + 1, tests[i].name, v,
			    skip_reason);
		runner.results[v]++;
	}
	if (call_fixture(teardown, &group_state, "group's tear-down") != PASSED)
		runner.results[FAILED]++;
	runner.in_test = false;
	return (int)runner.results[FAILED];
}

bool suite_run(const struct suite *s)
{
	runner.group_has_run = false;
	s->main();
	if (!runner.group_has_run)
		payload_fail("%s: there is no group of tests", runner.suite);
	return !runner.results[FAILED];
}

/* ---- what has failed ---- */

void print_message(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	ktap_vnote(&runner.ktap, fmt, ap);
	va_end(ap);
}

void print_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	ktap_vnote(&runner.ktap, fmt, ap);
	va_end(ap);
}

void _fail(const char *file, int line)
{
	_fail_msg(file, line, "failed");
}

void _fail_msg(const char *file, int line, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	print_error("%s:%d: %s", file, line, text);
	leave(BY_FAILURE);
}

void _skip(const char *file, int line)
{
	snprintf(skip_reason, sizeof(skip_reason), "%s:%d", file, line);
	leave(BY_SKIP);
}

void test_lacks_memory(size_t bytes)
{
	snprintf(skip_reason, sizeof(skip_reason), "no %zu bytes left of the %zu for tests", bytes,
		 runner.heap.bytes);
	leave(FOR_MEMORY);
}

void _assert_true(LargestIntegralType value, const char *expression, const char *file, int line)
{
	if (!value)
		_fail_msg(file, line, "%s", expression);
}

void _assert_int_equal(LargestIntegralType a, LargestIntegralType b, const char *file, int line)
{
	if (a != b)
		_fail_msg(file, line, "%#lx != %#lx (%ld, %ld)", a, b, (long)a, (long)b);
}

void _assert_int_not_equal(LargestIntegralType a, LargestIntegralType b, const char *file, int line)
{
	if (a == b)
		_fail_msg(file, line, "%#lx == %#lx (%ld)", a, b, (long)a);
}

void _assert_in_range(LargestIntegralType value, LargestIntegralType min, LargestIntegralType max,
		      bool inside, const char *file, int line)
{
	if ((value >= min && value <= max) != inside)
		_fail_msg(file, line, "%lu is %sin the range %lu-%lu", value, inside ? "not " : "",
			  min, max);
}

void _assert_string(const char *a, const char *b, bool equal, const char *file, int line)
{
	if ((strcmp(a, b) == 0) != equal)
		_fail_msg(file, line, "\"%s\" %s \"%s\"", a, equal ? "!=" : "==", b);
}

void _assert_memory(const void *a, const void *b, size_t bytes, bool equal, const char *file,
		    int line)
{
	const uint8_t *x = a, *y = b;
	size_t i = 0;

	while (i < bytes && x[i] == y[i])
		i++;
	if ((i == bytes) == equal)
		return;
	if (equal)
		_fail_msg(file, line, "byte %zu of %zu at %p and %p: %#x != %#x", i, bytes, a, b,
			  x[i], y[i]);
	_fail_msg(file, line, "%zu bytes at %p and %p are equal", bytes, a, b);
}
