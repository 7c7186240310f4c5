/* SPDX-License-Identifier: BSD-2-Clause */
/* Splitting a command line. */
#include "test.h"

#include "dt.h"

#include <earlymm/error.h>
#include <string.h>

struct argument {
	int ret;
	const char *key;
	const char *val;
};

static void expect_arguments(const char *line, const struct argument *want)
{
	const char *pos = line;
	char key[8], val[8];
	int ret;

	do {
		memset(key, 'x', sizeof(key));
		memset(val, 'x', sizeof(val));
		ret = dt_bootarg_next(&pos, key, sizeof(key), val, sizeof(val));
		assert_int_equal(ret, want->ret);
		assert_string_equal(key, want->key);
		assert_string_equal(val, want->val);
		want++;
	} while (ret);
	assert_ptr_equal(pos, line + strlen(line));
}

#define check(line, ...) \
	expect_arguments(line, (const struct argument[]){ __VA_ARGS__, { 0, "", "" } })

static void test_nothing(void **state)
{
	(void)state;
	expect_arguments("", (const struct argument[]){ { 0, "", "" } });
	expect_arguments(" \t\n\v\f\r ", (const struct argument[]){ { 0, "", "" } });
}

static void test_keys_and_values(void **state)
{
	(void)state;
	check("quiet", { 1, "quiet", "" });
	check("a=b", { 2, "a", "b" });
	check(" a=b\tc  d=e\n", { 2, "a", "b" }, { 1, "c", "" }, { 2, "d", "e" });
	check("a=b=c", { 2, "a", "b=c" });
	check("a=", { 2, "a", "" });
	check("=b", { 2, "", "b" });
	check("=", { 2, "", "" });
	check("--", { 1, "--", "" });
}

static void test_quotes(void **state)
{
	(void)state;
	check("a=\"b c\" d", { 2, "a", "b c" }, { 1, "d", "" });
	check("\"a=b c\" d", { 2, "a", "b c" }, { 1, "d", "" });
	check("\"a b\"=c", { 2, "a b", "c" });
	check("a=\"\"", { 2, "a", "" });
	check("\"\" b", { 1, "", "" }, { 1, "b", "" });
	check("a=b\" \"c", { 2, "a", "b c" });
	check("a=\"b c", { 2, "a", "b c" });
	check("\"", { 1, "", "" });
}

/* What does not fit is cut, said, and passed over. */
static void test_cut(void **state)
{
	(void)state;
	check("1234567=7654321 b", { 2, "1234567", "7654321" }, { 1, "b", "" });
	check("12345678 b", { -EMM_ENOSPC, "1234567", "" }, { 1, "b", "" });
	check("a=12345678 b", { -EMM_ENOSPC, "a", "1234567" }, { 1, "b", "" });
	check("12345678=x b", { -EMM_ENOSPC, "1234567", "x" }, { 1, "b", "" });
}

static void test_smallest_buffers(void **state)
{
	const char *pos = "a=b c";
	char key[1] = "x", val[1] = "x";

	(void)state;
	assert_int_equal(dt_bootarg_next(&pos, key, 1, val, 1), -EMM_ENOSPC);
	assert_int_equal(key[0], 0);
	assert_int_equal(val[0], 0);
	assert_string_equal(pos, " c");
}

/* Bytes above 127 are no white space, whatever char is. */
static void test_other_bytes(void **state)
{
	(void)state;
	check("\xff=\xa0 \x85", { 2, "\xff", "\xa0" }, { 1, "\x85", "" });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),          cmocka_unit_test(test_keys_and_values),
		cmocka_unit_test(test_quotes),           cmocka_unit_test(test_cut),
		cmocka_unit_test(test_smallest_buffers), cmocka_unit_test(test_other_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
