/* SPDX-License-Identifier: BSD-2-Clause */
/* Results in KTAP, as tests/target/ktap.c prints them. */
#include "helper_memblock.h"

#include <string.h>

#include "../target/ktap.c"

/* *state is a struct helper_memblock, whose printer keeps what is printed. */
static void expect_text(struct helper_memblock *h, const char *want)
{
	assert_string_equal(h->out.text, want);
	h->out.len = 0;
	h->out.text[0] = '\0';
}

/* The example that the kernel's documentation has for nested tests, with this project's names. */
static void nested(void **state)
{
	struct helper_memblock *h = *state;
	struct ktap k = { .out = &h->printer };

	ktap_begin(&k, KTAP_PHASES, NULL, 2);
	ktap_begin(&k, KTAP_SUITES, "memblock", 2);
	ktap_begin(&k, KTAP_TESTS, "test_x", 3);
	ktap_result(&k, KTAP_TESTS, 1, "a", PASSED, NULL);
	ktap_note(&k, "x.c:%d: %d != %d", 1, 2, 3);
	ktap_result(&k, KTAP_TESTS, 2, "b", FAILED, "no reason");
	ktap_result(&k, KTAP_TESTS, 3, "c", SKIPPED, "too little memory");
	ktap_result(&k, KTAP_SUITES, 1, "test_x", FAILED, NULL);
	ktap_note(&k, "in between");
	ktap_result(&k, KTAP_SUITES, 2, "test_y", SKIPPED, NULL);
	ktap_result(&k, KTAP_PHASES, 1, "memblock", FAILED, NULL);
	ktap_result(&k, KTAP_PHASES, 2, "buddy", PASSED, "no reason");
	expect_text(h, "KTAP version 1\n"
		       "1..2\n"
		       "  KTAP version 1\n"
		       "  # Subtest: memblock\n"
		       "  1..2\n"
		       "    KTAP version 1\n"
		       "    # Subtest: test_x\n"
		       "    1..3\n"
		       "    ok 1 a\n"
		       "    # x.c:1: 2 != 3\n"
		       "    not ok 2 b\n"
		       "    ok 3 c # SKIP too little memory\n"
		       "  not ok 1 test_x\n"
		       "  # in between\n"
		       "  ok 2 test_y # SKIP\n"
		       "not ok 1 memblock\n"
		       "ok 2 buddy\n");
}

/* Text of any kind stays text. */
static void notes(void **state)
{
	struct helper_memblock *h = *state;
	struct ktap k = { .out = &h->printer, .level = KTAP_SUITES };

	ktap_note(&k, "%s", "");
	expect_text(h, "");
	ktap_note(&k, "\n");
	expect_text(h, "  # \n");
	ktap_note(&k, "one\ntwo\n");
	expect_text(h, "  # one\n  # two\n");
	ktap_note(&k, "one\n\nok 1 three");
	expect_text(h, "  # one\n  # \n  # ok 1 three\n");
	ktap_note(&k, "\x1b[2J\r\t\x7f\xff~ !");
	expect_text(h, "  # ?[2J????~ !\n");
}

static void long_notes_are_cut(void **state)
{
	struct helper_memblock *h = *state;
	struct ktap k = { .out = &h->printer };
	char text[2000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ktap_note(&k, "%s", text);
	assert_memory_equal(h->out.text, "# xxx", 5);
	assert_in_range(h->out.len, 500, 520);
	assert_int_equal(h->out.text[h->out.len - 1], '\n');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		memblock_test(nested),
		memblock_test(notes),
		memblock_test(long_notes_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
