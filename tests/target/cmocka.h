/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The part of cmocka's interface that the unit tests use, for the payload: names, arguments and
 * verdicts are cmocka's, so that one source is a program of the host and a self-test of the image.
 * A failed assertion ends its test by longjmp. No mock functions, no expectations, one group of
 * tests a source file. Documented in full at https://api.cmocka.org.
 */
#ifndef CMOCKA_H_
#define CMOCKA_H_

#include <stdbool.h>

typedef uintmax_t LargestIntegralType;

typedef void (*CMUnitTestFunction)(void **state);
typedef int (*CMFixtureFunction)(void **state);

struct CMUnitTest {
	const char *name;
	CMUnitTestFunction test_func;
	CMFixtureFunction setup_func;
	CMFixtureFunction teardown_func;
	void *initial_state;
};

/* clang-format off */
#define cmocka_unit_test(f)                    { #f, f, NULL, NULL, NULL }
#define cmocka_unit_test_setup(f, setup)       { #f, f, setup, NULL, NULL }
#define cmocka_unit_test_teardown(f, teardown) { #f, f, NULL, teardown, NULL }
#define cmocka_unit_test_setup_teardown(f, setup, teardown) { #f, f, setup, teardown, NULL }
#define cmocka_unit_test_prestate(f, state)    { #f, f, NULL, NULL, state }
/* clang-format on */

#define cmocka_run_group_tests(tests, setup, teardown) \
	cmocka_run_group_tests_name(#tests, tests, setup, teardown)
#define cmocka_run_group_tests_name(name, tests, setup, teardown) \
	_cmocka_run_group_tests(name, tests, sizeof(tests) / sizeof((tests)[0]), setup, teardown)

/* Returns how many tests have failed. */
int _cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t nr,
			    CMFixtureFunction setup, CMFixtureFunction teardown);

#define as_integer(x)          ((LargestIntegralType)(x))
#define as_address(x)          ((LargestIntegralType)(uintptr_t)(x))

#define assert_true(c)         _assert_true(as_integer(c), #c, __FILE__, __LINE__)
#define assert_false(c)        _assert_true(!as_integer(c), "!(" #c ")", __FILE__, __LINE__)
#define assert_non_null(p)     _assert_true(as_address(p), #p, __FILE__, __LINE__)
#define assert_null(p)         _assert_true(!as_address(p), "!(" #p ")", __FILE__, __LINE__)
#define assert_int_equal(a, b) _assert_int_equal(as_integer(a), as_integer(b), __FILE__, __LINE__)
#define assert_int_not_equal(a, b) \
	_assert_int_not_equal(as_integer(a), as_integer(b), __FILE__, __LINE__)
#define assert_ptr_equal(a, b) _assert_int_equal(as_address(a), as_address(b), __FILE__, __LINE__)
#define assert_ptr_not_equal(a, b) \
	_assert_int_not_equal(as_address(a), as_address(b), __FILE__, __LINE__)
#define assert_in_range(value, min, max)                                                      \
	_assert_in_range(as_integer(value), as_integer(min), as_integer(max), true, __FILE__, \
			 __LINE__)
#define assert_not_in_range(value, min, max)                                                   \
	_assert_in_range(as_integer(value), as_integer(min), as_integer(max), false, __FILE__, \
			 __LINE__)
#define assert_string_equal(a, b)        _assert_string(a, b, true, __FILE__, __LINE__)
#define assert_string_not_equal(a, b)    _assert_string(a, b, false, __FILE__, __LINE__)
#define assert_memory_equal(a, b, n)     _assert_memory(a, b, n, true, __FILE__, __LINE__)
#define assert_memory_not_equal(a, b, n) _assert_memory(a, b, n, false, __FILE__, __LINE__)

#define fail()                           _fail(__FILE__, __LINE__)
#define fail_msg(msg, ...)               _fail_msg(__FILE__, __LINE__, msg, ##__VA_ARGS__)
#define skip()                           _skip(__FILE__, __LINE__)

void _assert_true(LargestIntegralType value, const char *expression, const char *file, int line);
void _assert_int_equal(LargestIntegralType a, LargestIntegralType b, const char *file, int line);
void _assert_int_not_equal(LargestIntegralType a, LargestIntegralType b, const char *file,
			   int line);
void _assert_in_range(LargestIntegralType value, LargestIntegralType min, LargestIntegralType max,
		      bool inside, const char *file, int line);
void _assert_string(const char *a, const char *b, bool equal, const char *file, int line);
void _assert_memory(const void *a, const void *b, size_t bytes, bool equal, const char *file,
		    int line);
_Noreturn void _fail(const char *file, int line);
__attribute__((format(printf, 3, 4))) _Noreturn void _fail_msg(const char *file, int line,
							       const char *fmt, ...);
_Noreturn void _skip(const char *file, int line);

/* Lines of the log, as diagnostics of the test that runs. */
__attribute__((format(printf, 1, 2))) void print_message(const char *fmt, ...);
__attribute__((format(printf, 1, 2))) void print_error(const char *fmt, ...);

#endif
