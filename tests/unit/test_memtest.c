/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory test on simulated memory with stuck bits and stretches that do not answer. In the
 * drawings # is good memory, x bad, . absent, R reserved, A memblock's own array, B reserved as bad.
 */
#include "helper_memblock.h"
#include "helper_memsim.h"

#include <stdio.h>
#include <string.h>

#define RAM GIB(2)
#define BAD RSRV(CAUSE_BAD)

/* A machine with memory at RAM, and its map. */
static void setup_ram(void **state, struct memsim **s, struct helper_memblock **h, uint64_t size)
{
	helper_memsim_map(state, s, h);
	helper_memsim_add(*s, RAM, size);
	assert_int_equal(memblock_add(&(*h)->mb, RAM, size), 0);
}

static struct memtest_result run(struct memsim *s, struct helper_memblock *h, unsigned int n)
{
	struct memtest_result result;

	assert_int_equal(helper_memsim_memtest(s, h, n, NULL, &result), 0);
	return result;
}

/* Nothing is said, nothing is reserved, what was free reads as 0. */
static void test_good_memory(void **state)
{
	struct memsim *s;
	struct helper_memblock *h;
	struct memtest_result result;

	setup_ram(state, &s, &h, MIB(1));
	memblock_reserve(&h->mb, RAM, 0x1804);
	memblock_reserve(&h->mb, RAM + 0x1809, 2);
	memblock_mark_nomap(&h->mb, RAM + 0x10000, 0x2000);
	for (phys_addr_t pa = RAM; pa < RAM + MIB(1); pa += 8)
		*helper_memsim_word(s, pa) = pa;
	result = run(s, h, 3);
	for (phys_addr_t pa = RAM; pa < RAM + MIB(1); pa += 8) {
		bool in_use = pa < RAM + 0x1810 || (pa >= RAM + 0x10000 && pa < RAM + 0x12000);

		assert_int_equal(*helper_memsim_word(s, pa), in_use ? pa : 0);
	}
	assert_int_equal(result.tested_bytes, MIB(1) - 0x2000 - 0x1804 - 2);
	assert_int_equal(result.bad_ranges + result.bad_pages + result.good_pages, 0);
	assert_int_equal(s->told_bytes, result.tested_bytes * 6);
	assert_int_equal(s->told_total, result.tested_bytes * 6);
	assert_string_equal(h->out.text, "");
	expect_map(&h->mb, reserved, { RAM, 0x1804, 0, NONE }, { RAM + 0x1809, 2, 0, NONE });
	helper_memsim_done(s, h);
}

/* Linux's patterns, from the last one wanted down to 0; beyond seventeen they come again. */
static void test_patterns(void **state)
{
	static const uint64_t all[] = {
		0x7a6c7258554e494c, 0xeeeeeeeeeeeeeeee, 0xdddddddddddddddd, 0xbbbbbbbbbbbbbbbb,
		0x7777777777777777, 0xcccccccccccccccc, 0x9999999999999999, 0x6666666666666666,
		0x3333333333333333, 0x8888888888888888, 0x4444444444444444, 0x2222222222222222,
		0x1111111111111111, 0xaaaaaaaaaaaaaaaa, 0x5555555555555555, 0xffffffffffffffff,
		0x0000000000000000,
	};
	struct memsim *s;
	struct helper_memblock *h;

	setup_ram(state, &s, &h, 0x3000);
	for (unsigned int n = 0; n <= 20; n++) {
		run(s, h, n);
		assert_int_equal(s->nr_patterns, n);
		for (unsigned int i = 0; i < n; i++)
			assert_int_equal(s->patterns[n - 1 - i],
					 all[ARRAY_SIZE(all) - 1 - i % ARRAY_SIZE(all)]);
	}
	run(s, h, MEMTEST_MAX_PATTERNS);
	assert_int_equal(s->nr_calls, 2 * MEMTEST_MAX_PATTERNS);
	helper_memsim_done(s, h);
}

/*
 * #x##xx#R(x)##x     a page each; next to each other they are one range
 *  B  BB       B
 */
static void test_stuck_bits(void **state)
{
	struct memsim *s;
	struct helper_memblock *h;
	struct memtest_result result;

	setup_ram(state, &s, &h, MIB(1));
	memblock_reserve(&h->mb, RAM + 0x10000, 0x1000);
	helper_memsim_stuck(s, RAM + 0x1000, 1, 1);
	helper_memsim_stuck(s, RAM + 0x4ff8, 1ULL << 63, 0);
	helper_memsim_stuck(s, RAM + 0x5000, 1ULL << 63, 0);
	helper_memsim_stuck(s, RAM + 0x5100, 1ULL << 62, 0);
	helper_memsim_stuck(s, RAM + 0x10100, ~0ULL, 0);
	helper_memsim_stuck(s, RAM + MIB(1) - 8, 4, 4);
	/* The pattern 0 alone sees the bits that are stuck at 1. */
	result = run(s, h, 1);
	expect_map(&h->mb, reserved, { RAM + 0x1000, 0x1000, BAD, NONE },
		   { RAM + 0x10000, 0x1000, 0, NONE },
		   { RAM + MIB(1) - 0x1000, 0x1000, BAD, NONE });
	assert_int_equal(result.bad_ranges, 2);
	assert_int_equal(result.bad_pages, 2);
	result = run(s, h, 2);
	expect_map(&h->mb, reserved, { RAM + 0x1000, 0x1000, BAD, NONE },
		   { RAM + 0x4000, 0x2000, BAD, NONE }, { RAM + 0x10000, 0x1000, 0, NONE },
		   { RAM + MIB(1) - 0x1000, 0x1000, BAD, NONE });
	assert_int_equal(result.bad_ranges, 1);
	assert_int_equal(result.bad_pages, 2);
	assert_int_equal(result.tested_bytes, MIB(1) - 0x3000);
	assert_string_equal(h->out.text,
			    "memtest: [0x0000000080001000-0x0000000080001fff] fails pattern "
			    "0x0000000000000000: reserved\n"
			    "memtest: [0x00000000800ff000-0x00000000800fffff] fails pattern "
			    "0x0000000000000000: reserved\n"
			    "memtest: [0x0000000080004000-0x0000000080005fff] fails pattern "
			    "0xffffffffffffffff: reserved\n");
	helper_memsim_done(s, h);
}

/* Sixteen lines, then a count. */
static void test_lines(void **state)
{
	for (unsigned int nr = 16; nr <= 18; nr++) {
		unsigned int lines = 0;
		struct memsim *s;
		struct helper_memblock *h;
		char more[60] = "";

		setup_ram(state, &s, &h, MIB(1));
		for (unsigned int i = 0; i < nr; i++)
			helper_memsim_stuck(s, RAM + 0x2000 * i, 2, 2);
		assert_int_equal(run(s, h, 1).bad_ranges, nr);
		for (const char *c = h->out.text; *c; c++)
			lines += *c == '\n';
		assert_int_equal(lines, nr == 16 ? 16 : 17);
		if (nr > 16)
			snprintf(more, sizeof(more), "memtest: ... and %u more bad ranges\n",
				 nr - 16);
		assert_non_null(strstr(h->out.text, more));
		helper_memsim_done(s, h);
	}
}

/* Every single bit, stuck at either value, is seen by the patterns 0 and all ones. */
static void test_each_bit(void **state)
{
	struct memsim *s;
	struct helper_memblock *h;

	for (unsigned int bit = 0; bit < 128; bit++) {
		setup_ram(state, &s, &h, 0x3000);
		helper_memsim_stuck(s, RAM + 0x1000 + bit * 24, 1ULL << bit / 2,
				    bit % 2 ? ~0ULL : 0);
		assert_int_equal(run(s, h, 2).bad_pages, 1);
		expect_map(&h->mb, reserved, { RAM + 0x1000, 0x1000, BAD, NONE });
		helper_memsim_done(s, h);
	}
}

/*
 *  page:  RRRRxx##      of a page that is in use, too, the free part is reserved
 *             BBBB
 */
static void test_part_of_a_page(void **state)
{
	struct memsim *s;
	struct helper_memblock *h;
	struct memtest_result result;

	setup_ram(state, &s, &h, 0x8000);
	memblock_reserve(&h->mb, RAM + 0x1000, 0x0804);
	memblock_reserve(&h->mb, RAM + 0x1f03, 0x1000);
	memblock_reserve(&h->mb, RAM + 0x5003, 0x4);
	helper_memsim_stuck(s, RAM + 0x1808, 2, 2);
	helper_memsim_stuck(s, RAM + 0x2f08, 2, 2);
	helper_memsim_stuck(s, RAM + 0x5000, 2, 2); /* no whole free word: not tested */
	result = run(s, h, 1);
	expect_map(&h->mb, reserved, { RAM + 0x1000, 0x804, 0, NONE },
		   { RAM + 0x1804, 0x6ff, BAD, NONE }, { RAM + 0x1f03, 0x1000, 0, NONE },
		   { RAM + 0x2f03, 0xfd, BAD, NONE }, { RAM + 0x5003, 4, 0, NONE });
	assert_int_equal(result.bad_ranges, 2);
	assert_int_equal(result.bad_pages, 2);
	helper_memsim_done(s, h);

	/* Nor anything outside memory, where a bank begins and ends within a page. */
	helper_memsim_map(state, &s, &h);
	helper_memsim_add(s, RAM, 0x8000);
	memblock_add(&h->mb, RAM + 0x1804, 0x4000);
	helper_memsim_stuck(s, RAM + 0x1808, 2, 2);
	helper_memsim_stuck(s, RAM + 0x57f8, 2, 2);
	run(s, h, 1);
	expect_map(&h->mb, reserved, { RAM + 0x1804, 0x7fc, BAD, NONE },
		   { RAM + 0x5000, 0x804, BAD, NONE });
	helper_memsim_done(s, h);
}

/*
 * ##....##      what does not answer is reserved, and reported so; stores may fault, or loads
 */
static void test_absent(void **state)
{
	struct memsim *s;
	struct helper_memblock *h;
	struct memtest_result result;

	setup_ram(state, &s, &h, MIB(1));
	helper_memsim_odd(s, RAM + 0x3000, RAM + 0x5000, MEMSIM_FAULT);
	helper_memsim_odd(s, RAM + 0x5000, RAM + 0x6000, MEMSIM_ROM);
	helper_memsim_odd(s, RAM + 0x8000, RAM + 0x9000, MEMSIM_ONES);
	result = run(s, h, 2);
	expect_map(&h->mb, reserved, { RAM + 0x3000, 0x3000, BAD, NONE },
		   { RAM + 0x8000, 0x1000, BAD, NONE });
	assert_int_equal(result.bad_ranges, 2);
	assert_int_equal(result.bad_pages, 4);
	assert_string_equal(h->out.text,
			    "memtest: [0x0000000080003000-0x0000000080005fff] does not answer: "
			    "reserved\n"
			    "memtest: [0x0000000080008000-0x0000000080008fff] fails pattern "
			    "0x0000000000000000: reserved\n");
	helper_memsim_done(s, h);
}

/* A page whose loads fault next to one that fails: two ranges, each with its reason. */
static void test_two_reasons(void **state)
{
	struct memsim *s;
	struct helper_memblock *h;

	setup_ram(state, &s, &h, MIB(1));
	helper_memsim_odd(s, RAM + 0x3000, RAM + 0x4000, MEMSIM_NO_LOAD);
	helper_memsim_stuck(s, RAM + 0x4000, 2, 2);
	run(s, h, 1);
	expect_map(&h->mb, reserved, { RAM + 0x3000, 0x2000, BAD, NONE });
	assert_string_equal(h->out.text,
			    "memtest: [0x0000000080003000-0x0000000080003fff] does not answer: "
			    "reserved\n"
			    "memtest: [0x0000000080004000-0x0000000080004fff] fails pattern "
			    "0x0000000000000000: reserved\n");
	helper_memsim_done(s, h);
}

/*
 * .#.#.#(40).....##.####.(17).#.##...(40)RR     pages that answer are never lost in a step, as
 *                                                long as less than sixteen in a row do not
 */
static bool here_and_there(phys_addr_t pa)
{
	uint64_t page = (pa - RAM) / PAGE_SIZE;

	if (page < 40)
		return page % 2 == 0;
	if (page < 60)
		return page < 45 || page == 47;
	/* Seventeen in a row, one good, one absent, two good, and forty to the end. */
	return (page >= 63 && page < 80) || page == 81 || (page >= 84 && page < 124);
}

static void test_absent_here_and_there(void **state)
{
	struct memsim *s;
	struct helper_memblock *h;

	setup_ram(state, &s, &h, 128 * PAGE_SIZE);
	memblock_reserve(&h->mb, RAM + 124 * PAGE_SIZE, 4 * PAGE_SIZE);
	s->is_absent = here_and_there;
	run(s, h, 1);
	for (phys_addr_t page = RAM; page < RAM + 124 * PAGE_SIZE; page += PAGE_SIZE)
		if (memblock_is_reserved(&h->mb, page) != here_and_there(page))
			fail_msg("page %llu", (unsigned long long)((page - RAM) / PAGE_SIZE));
	helper_memsim_done(s, h);
}

/* Hotpluggable memory is tested, also where the boot may not have it. */
static void test_hotplug(void **state)
{
	struct memsim *s;
	struct helper_memblock *h;

	setup_ram(state, &s, &h, MIB(1));
	memblock_mark_hotplug(&h->mb, RAM + 0x8000, 0x8000);
	h->mb.movable_node = true;
	helper_memsim_stuck(s, RAM + 0x9000, 2, 2);
	assert_int_equal(run(s, h, 1).tested_bytes, MIB(1));
	expect_map(&h->mb, reserved, { RAM + 0x9000, 0x1000, BAD, NONE });
	helper_memsim_done(s, h);
}

/* 64 GiB that are not there, between good pages: found out with few accesses, to the page. */
static void test_absent_for_long(void **state)
{
	struct memsim *s;
	struct helper_memblock *h;
	struct memtest_result result;

	setup_ram(state, &s, &h, MIB(1));
	helper_memsim_add(s, RAM + MIB(1) + GIB(64), MIB(1));
	memblock_add(&h->mb, RAM + MIB(1), GIB(64) + MIB(1));
	result = run(s, h, 1);
	expect_map(&h->mb, reserved, { RAM + MIB(1), GIB(64), BAD, NONE });
	assert_int_equal(result.bad_ranges, 1);
	assert_int_equal(result.bad_pages, GIB(64) / PAGE_SIZE);
	assert_in_range(s->nr_faults, 1000, 20000);
	assert_int_equal(s->told_bytes, s->told_total);

	/* Just so many in a row that the steps begin to double; each good page is kept. */
	helper_memsim_odd(s, RAM, RAM + 0x20000, MEMSIM_FAULT);
	helper_memsim_odd(s, RAM + 0x21000, RAM + 0x22000, MEMSIM_FAULT);
	run(s, h, 1);
	expect_map(&h->mb, reserved, { RAM, 0x20000, BAD, NONE },
		   { RAM + 0x21000, 0x1000, BAD, NONE }, { RAM + MIB(1), GIB(64), BAD, NONE });
	helper_memsim_done(s, h);
}

/* The last bytes of the address space, and free stretches of a few bytes. */
static void test_corners(void **state)
{
	const phys_addr_t top = PHYS_ADDR_MAX - 0x3fff;
	struct memsim *s;
	struct helper_memblock *h;
	struct memtest_result result;

	setup_ram(state, &s, &h, 0x3000);
	memblock_add(&h->mb, top, 0x4000);
	memblock_add(&h->mb, 0, 0x1000);
	helper_memsim_add(s, top, 0x4000);
	helper_memsim_add(s, 0, 0x1000);
	memblock_reserve(&h->mb, RAM, 0x2ffb);
	helper_memsim_stuck(s, PHYS_ADDR_MAX - 0xf, 1, 1);
	helper_memsim_stuck(s, 0, 1, 1);
	result = run(s, h, 1);
	assert_int_equal(result.bad_pages, 2);
	assert_int_equal(result.tested_bytes, 0x1000 + 5 + 0x3fff);
	expect_map(&h->mb, reserved, { 0, 0x1000, BAD, NONE }, { RAM, 0x2ffb, 0, NONE },
		   { top + 0x3000, 0xfff, BAD, NONE });

	/* The very last bytes, less than a word, at the top. */
	memblock_free(&h->mb, top, 0x4000);
	memblock_reserve(&h->mb, top, 0x3ffa);
	run(s, h, 1);
	helper_memsim_odd(s, top, PHYS_ADDR_MAX, MEMSIM_FAULT);
	memblock_free(&h->mb, top, 0x4000);
	result = run(s, h, 1);
	assert_int_equal(result.bad_pages, 4);
	assert_int_equal(memblock_search(&h->mb.reserved, top)->size, 0x3fff);
	helper_memsim_done(s, h);
}

static int broken_hook(void *ctx, phys_addr_t pa, uint64_t nr, uint64_t pattern, uint64_t *done)
{
	(void)ctx;
	(void)pa;
	(void)pattern;
	*done = nr + 5;
	return -EMM_EFAULT;
}

static void test_hooks(void **state)
{
	struct memsim *s;
	struct helper_memblock *h;
	struct memtest_result result;
	struct mem_access access;

	setup_ram(state, &s, &h, 0x8000);
	assert_int_equal(early_memtest(&h->mb, &s->access, MEMTEST_MAX_PATTERNS + 1, NULL, &result),
			 -EMM_EINVAL);
	for (unsigned int i = 0; i < 3; i++) {
		access = s->access;
		if (i == 0)
			access.load = NULL;
		else if (i == 1)
			access.fill = NULL;
		else
			access.verify = NULL;
		assert_int_equal(early_memtest(&h->mb, &access, 1, NULL, &result), -EMM_EINVAL);
	}
	assert_int_equal(early_memtest(&h->mb, &s->access, 0, NULL, &result), 0);
	assert_int_equal(s->nr_loads + s->nr_stores + result.tested_bytes, 0);
	assert_int_equal(s->nr_told, 0);
	access = s->access;
	access.progress = NULL;
	assert_int_equal(early_memtest(&h->mb, &access, 2, NULL, &result), 0);
	/* Fails, and says that it was behind the end: taken as the last word. */
	access.fill = broken_hook;
	assert_int_equal(early_memtest(&h->mb, &access, 1, NULL, &result), 0);
	expect_map(&h->mb, reserved, { RAM + 0x7000, 0x1000, BAD, NONE });
	helper_memsim_done(s, h);
}

/* Chunks: no call is larger than 64 MiB, and progress is told in such steps. */
static int fast_hook(void *ctx, phys_addr_t pa, uint64_t nr, uint64_t pattern, uint64_t *done)
{
	(void)ctx;
	(void)pa;
	(void)pattern;
	(void)done;
	assert_true(nr * 8 <= MIB(64));
	return 0;
}

static void test_progress(void **state)
{
	struct memsim *s;
	struct helper_memblock *h;
	struct memtest_result result;

	setup_ram(state, &s, &h, MIB(1));
	memblock_add(&h->mb, RAM + MIB(1), GIB(100));
	for (unsigned int i = 0; i < 100; i++)
		memblock_reserve(&h->mb, RAM + i * MIB(13), 0x3210);
	s->access.fill = s->access.verify = fast_hook;
	s->told_bytes = s->told_step = s->nr_told = 0;
	assert_int_equal(early_memtest(&h->mb, &s->access, 3, NULL, &result), 0);
	assert_int_equal(result.tested_bytes, GIB(100) + MIB(1) - 100 * 0x3210);
	assert_int_equal(s->told_bytes, 6 * result.tested_bytes);
	assert_in_range(s->told_step, 1, MIB(64));
	assert_true(s->nr_told < 6 * result.tested_bytes / MIB(16));
	helper_memsim_done(s, h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		memsim_test(test_good_memory),
		memsim_test(test_patterns),
		memsim_test(test_stuck_bits),
		memsim_test(test_lines),
		memsim_test(test_each_bit),
		memsim_test(test_part_of_a_page),
		memsim_test(test_absent),
		memsim_test(test_two_reasons),
		memsim_test(test_absent_here_and_there),
		memsim_test(test_hotplug),
		memsim_test(test_absent_for_long),
		memsim_test(test_corners),
		memsim_test(test_hooks),
		memsim_test(test_progress),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
