/* SPDX-License-Identifier: BSD-2-Clause */
/* selftest= on the command line. */
#include "test.h"

#include <earlymm/error.h>
#include "bootargs.h"

#define LONG_47 "12345678901234567890123456789012345678901234567"
#define LONG_48 LONG_47 "8"

struct line {
	const char *args;
	int err;
	bool selftest;
	const char *name;
};

static void values(void **state)
{
	static const struct line lines[] = {
		{ "", 0, false, "" },
		{ "verbose selftes=1 selftests=1", 0, false, "" },
		{ "selftest", 0, true, "" },
		{ "selftest=1", 0, true, "" },
		{ "selftest=0", 0, false, "" },
		{ "selftest=10", 0, true, "10" },
		{ "verbose selftest=memblock meta_poison", 0, true, "memblock" },
		{ "\"selftest=two words\"", 0, true, "two words" },
		{ "selftest=" LONG_47, 0, true, LONG_47 },
		{ "selftest=" LONG_48, -EMM_EINVAL, false, "" },
		{ "selftest=", -EMM_EINVAL, false, "" },
		/* The last one counts. */
		{ "selftest=a selftest=0", 0, false, "" },
		{ "selftest=a selftest=1", 0, true, "" },
		{ "selftest=a selftest", 0, true, "" },
		{ "selftest=0 selftest=a", 0, true, "a" },
		{ "selftest=longer selftest=b other=c", 0, true, "b" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		char name[MAX_SELFTEST_NAME + 1] = { [MAX_SELFTEST_NAME] = 'g' };
		struct boot_options opt;

		boot_options_init(&opt);
		assert_int_equal(boot_options_parse(&opt, lines[i].args, NULL), lines[i].err);
		assert_int_equal(opt.selftest, lines[i].selftest);
		boot_selftest_name(lines[i].args, name);
		assert_string_equal(name, lines[i].name);
		assert_int_equal(name[MAX_SELFTEST_NAME], 'g');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
