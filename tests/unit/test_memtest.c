/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory test on simulated memory with stuck bits and stretches that do not answer. In the
 * drawings # is good memory, x bad, . absent, R reserved, A memblock's own array, B reserved as bad.
 */
#include "helper_memblock.h"
#include "helper_memsim.h"

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

static bool every_second_page(phys_addr_t pa)
{
	return pa % 0x2000 == 0x1238;
}

/* Bad below 2 MiB, every second page. */
static bool lower_part(phys_addr_t pa)
{
	return pa < RAM + MIB(2) && every_second_page(pa);
}

/* The same, and a page at the very top, where an array would go. */
static bool lower_part_and_top(phys_addr_t pa)
{
	return lower_part(pa) || pa == RAM + MIB(3) - 0x1800;
}

static void expect_bad_pages(const struct helper_memblock *h, bool (*is_bad)(phys_addr_t pa),
			     phys_addr_t end)
{
	for (phys_addr_t page = RAM; page < end; page += PAGE_SIZE) {
		const struct memblock_region *r = memblock_search(&h->mb.reserved, page);
		bool bad = false;

		for (phys_addr_t pa = page; pa < page + PAGE_SIZE; pa += 8)
			bad |= is_bad(pa);
		if (bad != (r && r->flags == BAD))
			fail_msg("page 0x%llx", (unsigned long long)page);
	}
}

/*
 * x#x#x#...x#x####(x)#     256 bad pages do not fit into the initial array: it moves to the top,
 *                 AAA      clear of what is bad there
 */
static void test_array_grows(void **state)
{
	struct memsim *s;
	struct helper_memblock *h;
	struct memtest_result result;

	for (unsigned int top = 0; top < 2; top++) {
		phys_addr_t array = RAM + MIB(3) - (top ? 0x5000 : 0x3000);

		setup_ram(state, &s, &h, MIB(3));
		s->is_bad = top ? lower_part_and_top : lower_part;
		memblock_allow_resize(&h->mb);
		result = run(s, h, 2);
		assert_int_equal(result.bad_pages, 256 + top);
		assert_int_equal(result.bad_ranges, 256 + top);
		assert_int_equal(result.good_pages, 0);
		assert_int_equal(h->mb.reserved.cnt, 257 + top);
		assert_int_equal(h->mb.reserved.max, 512);
		assert_int_equal(h->mb.reserved_array.base, array);
		assert_int_equal(h->mb.reserved_array.size, 0x3000);
		assert_int_equal(memblock_search(&h->mb.reserved, array)->flags,
				 ALLOC(CAUSE_MEMBLOCK));
		assert_int_equal(memblock_search(&h->mb.reserved, array)->size, 0x3000);
		assert_true(h->mb.can_resize);
		expect_bad_pages(h, s->is_bad, RAM + MIB(3));
		assert_non_null(strstr(h->out.text, top ? "... and 241 more bad ranges\n"
							: "... and 240 more bad ranges\n"));
		helper_memsim_done(s, h);
	}
}

/*
 * AA###x###     the array grows while it is in memory already: its first place is free then, and
 * RR            tested; a page of it is bad
 */
static void test_array_leaves_bad_place(void **state)
{
	struct memsim *s;
	struct helper_memblock *h;
	struct memtest_result result;
	const phys_addr_t old = RAM + MIB(2) + 0x4000;

	setup_ram(state, &s, &h, MIB(3));
	s->is_bad = lower_part;
	memblock_allow_resize(&h->mb);
	assert_int_equal(memblock_place_array(&h->mb, &h->mb.reserved, old, 256), 0);
	assert_int_equal(memblock_reserve_kern(&h->mb, old, 256 * 24, CAUSE_MEMBLOCK), 0);
	/* The array's second half is bad, where nothing lies yet: it must not be reached. */
	for (unsigned int i = 0; i < 8; i++)
		helper_memsim_stuck(s, old + 0x1700 + i * 8, 1, 1);
	assert_int_equal(helper_memsim_memtest(s, h, 2, &h->mb.reserved_array, &result), 0);
	assert_int_equal(result.bad_pages, 256 + 1);
	assert_true(h->mb.reserved_array.base > old);
	assert_int_equal(memblock_search(&h->mb.reserved, old + 0x1000)->flags, BAD);
	assert_int_equal(memblock_search(&h->mb.reserved, old + 0x1000)->base, old + 0x1000);
	assert_null(memblock_search(&h->mb.reserved, old));
	assert_null(memblock_search(&h->mb.reserved, old + 0x2000));
	helper_memsim_done(s, h);
}

/*
 * R#x#x#x###      no entry left, no growth: bad pages are joined with the good ones between them
 *   BBBBB
 */
static void test_array_is_full(void **state)
{
	struct memsim *s;
	struct helper_memblock *h;
	struct memtest_result result;

	for (unsigned int resize = 0; resize < 2; resize++) {
		setup_ram(state, &s, &h, MIB(2));
		s->is_bad = every_second_page; /* so there is no place for an array either */
		if (resize)
			memblock_allow_resize(&h->mb);
		helper_memblock_fill_reserved(h, GIB(1), MIB(1), INIT_MEMBLOCK_REGIONS - 2);
		result = run(s, h, 1);
		assert_int_equal(h->mb.reserved.cnt, INIT_MEMBLOCK_REGIONS);
		assert_int_equal(result.bad_pages, 256);
		assert_int_equal(result.good_pages, 254);
		/* The first two are on their own. */
		assert_int_equal(h->mb.reserved.regions[INIT_MEMBLOCK_REGIONS - 2].size, 0x1000);
		assert_int_equal(h->mb.reserved.regions[INIT_MEMBLOCK_REGIONS - 1].base,
				 RAM + 0x3000);
		assert_int_equal(h->mb.reserved.regions[INIT_MEMBLOCK_REGIONS - 1].size,
				 MIB(2) - 0x3000);
		assert_non_null(strstr(h->out.text, "[0x0000000080005000-0x0000000080005fff] fails "
						    "pattern 0x0000000000000000: reserved, and 1 "
						    "good pages next to it: the reserved array is "
						    "full\n"));
		helper_memsim_done(s, h);
	}
}

/*
 * R#x##(B)##R   the bad one before is missing: joined with the one behind; and where there is none
 *                in the same free range, there is no way
 */
static void test_no_entry_left(void **state)
{
	struct memsim *s;
	struct helper_memblock *h;
	struct memtest_result result;

	setup_ram(state, &s, &h, MIB(1));
	helper_memblock_fill_reserved(h, GIB(1), MIB(1), INIT_MEMBLOCK_REGIONS - 1);
	helper_memsim_stuck(s, RAM + 0x8000, 1, 1);
	run(s, h, 1);
	helper_memsim_stuck(s, RAM + 0x5000, 1, 1);
	result = run(s, h, 1);
	assert_int_equal(result.bad_pages, 1);
	assert_int_equal(result.good_pages, 2);
	assert_int_equal(h->mb.reserved.cnt, INIT_MEMBLOCK_REGIONS);
	assert_int_equal(h->mb.reserved.regions[INIT_MEMBLOCK_REGIONS - 1].base, RAM + 0x5000);
	assert_int_equal(h->mb.reserved.regions[INIT_MEMBLOCK_REGIONS - 1].size, 0x4000);
	helper_memsim_done(s, h);

	setup_ram(state, &s, &h, MIB(1));
	memblock_reserve(&h->mb, RAM + 0x6000, 0x1000);
	memblock_reserve_cause(&h->mb, RAM + 0x9000, 0x1000, CAUSE_BAD);
	helper_memblock_fill_reserved(h, GIB(1), MIB(1), INIT_MEMBLOCK_REGIONS - 2);
	helper_memsim_stuck(s, RAM + 0x5000, 1, 1);
	assert_int_equal(early_memtest(&h->mb, &s->access, 1, &h->printer, &result), -EMM_ENOSPC);
	assert_int_equal(result.bad_ranges, 0);
	assert_true(memblock_is_valid(&h->mb));
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
	assert_int_equal(s->told_total, 0);
	access = s->access;
	access.progress = NULL;
	assert_int_equal(early_memtest(&h->mb, &access, 2, NULL, &result), 0);
	/* Fails everywhere, and lies about where. */
	access.fill = broken_hook;
	assert_int_equal(early_memtest(&h->mb, &access, 2, NULL, &result), 0);
	expect_map(&h->mb, reserved, { RAM, 0x8000, BAD, NONE });
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
	s->told_bytes = s->told_step = 0;
	assert_int_equal(early_memtest(&h->mb, &s->access, 3, NULL, &result), 0);
	assert_int_equal(result.tested_bytes, GIB(100) + MIB(1) - 100 * 0x3210);
	assert_int_equal(s->told_bytes, 6 * result.tested_bytes);
	assert_in_range(s->told_step, 1, MIB(64));
	helper_memsim_done(s, h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		memsim_test(test_good_memory),
		memsim_test(test_patterns),
		memsim_test(test_stuck_bits),
		memsim_test(test_each_bit),
		memsim_test(test_part_of_a_page),
		memsim_test(test_absent),
		memsim_test(test_absent_for_long),
		memsim_test(test_array_grows),
		memsim_test(test_array_leaves_bad_place),
		memsim_test(test_array_is_full),
		memsim_test(test_no_entry_left),
		memsim_test(test_corners),
		memsim_test(test_hooks),
		memsim_test(test_progress),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
