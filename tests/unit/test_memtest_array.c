/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory test where memblock's array of reservations is full: it grows to a place that is good,
 * or bad pages are joined. # is good memory, x bad, R reserved, A the array, B reserved as bad.
 */
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

/* Pages of it that fault as a whole. */
static bool lower_part_pages(phys_addr_t pa)
{
	return pa < RAM + MIB(2) && pa % 0x2000 >= 0x1000;
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

	for (unsigned int i = 0; i < 4; i++) {
		unsigned int top = i / 2;
		phys_addr_t array = RAM + MIB(3) - (top ? 0x5000 : 0x3000);

		setup_ram(state, &s, &h, MIB(3));
		s->is_bad = top ? lower_part_and_top : lower_part;
		memblock_allow_resize(&h->mb);
		result = run(s, h, 1 + i % 2);
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
		/* That there is no place is found out once. */
		assert_true(s->nr_calls < 2 * 256 + 2 * 20);
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

/*
 * RRR(B)##x##(B)RRR     what is next to the range is taken for what it is: another reservation is no
 *                       bad memory to join, and a gap or another bank is in between
 */
static void test_neighbours(void **state)
{
	struct memsim *s;
	struct helper_memblock *h;
	struct memtest_result result;

	/* A reservation before it, bad memory behind it. */
	setup_ram(state, &s, &h, MIB(1));
	memblock_reserve(&h->mb, RAM, 0x2000);
	memblock_reserve_cause(&h->mb, RAM + 0x8000, 0x1000, CAUSE_BAD);
	helper_memblock_fill_reserved(h, GIB(1), MIB(1), INIT_MEMBLOCK_REGIONS - 2);
	helper_memsim_stuck(s, RAM + 0x5000, 1, 1);
	result = run(s, h, 1);
	assert_int_equal(result.good_pages, 2);
	assert_int_equal(memblock_search(&h->mb.reserved, RAM + 0x5000)->size, 0x4000);
	helper_memsim_done(s, h);

	/* Bad memory in the banks below and above, but not next to this one. */
	for (unsigned int below = 0; below < 2; below++) {
		setup_ram(state, &s, &h, MIB(1));
		helper_memsim_add(s, GIB(8), MIB(1));
		memblock_add(&h->mb, GIB(8), MIB(1));
		helper_memblock_fill_reserved(h, GIB(1), MIB(1), INIT_MEMBLOCK_REGIONS - 1);
		memblock_reserve_cause(&h->mb, below ? RAM + MIB(1) - 0x1000 : GIB(8), 0x1000,
				       CAUSE_BAD);
		helper_memsim_stuck(s, below ? GIB(8) + 0x5000 : RAM + 0x5000, 1, 1);
		assert_int_equal(helper_memsim_memtest(s, h, 1, NULL, &result), -EMM_ENOSPC);
		assert_int_equal(result.bad_pages, 0);
		helper_memsim_done(s, h);
	}
}

/* More than the array has after it has grown once: it grows again. */
static bool very_many(phys_addr_t pa)
{
	return pa < RAM + MIB(5) && every_second_page(pa);
}

static void test_array_grows_twice(void **state)
{
	struct memsim *s;
	struct helper_memblock *h;
	struct memtest_result result;

	setup_ram(state, &s, &h, MIB(6));
	s->is_bad = very_many;
	memblock_allow_resize(&h->mb);
	result = run(s, h, 1);
	assert_int_equal(result.bad_pages, 640);
	assert_int_equal(result.good_pages, 0);
	assert_int_equal(h->mb.reserved.max, 1024);
	assert_int_equal(h->mb.reserved_array.size, 0x6000);
	expect_bad_pages(h, very_many, RAM + MIB(6));
	helper_memsim_done(s, h);
}

/* Pages that fault are found while the range is being filled: not over the array's new place. */
static void test_array_grows_while_filling(void **state)
{
	for (unsigned int n = 1; n < 3; n++) {
		struct memsim *s;
		struct helper_memblock *h;
		struct memtest_result result;

		setup_ram(state, &s, &h, MIB(3));
		s->is_absent = lower_part_pages;
		memblock_allow_resize(&h->mb);
		result = run(s, h, n);
		assert_int_equal(result.bad_pages, 256);
		assert_int_equal(result.bad_ranges, 256);
		assert_int_equal(h->mb.reserved.cnt, 257);
		expect_bad_pages(h, lower_part_pages, RAM + MIB(3));
		helper_memsim_done(s, h);
	}
}

/*
 * x#x#...x#x####0#      the last pattern finds what is stuck at 1, and the array has to grow: its place
 *               AAA     is tried with all patterns, and the page that is stuck at 0 is reserved
 */
static void test_place_sees_all_patterns(void **state)
{
	struct memsim *s;
	struct helper_memblock *h;
	struct memtest_result result;

	for (unsigned int n = 1; n < 3; n++) {
		setup_ram(state, &s, &h, MIB(3));
		s->is_bad = lower_part;
		s->bad_is_1 = true;
		/* Good when the test comes by with the first pattern, bad from then on. */
		helper_memsim_stuck(s, RAM + MIB(3) - 0x1800, 4, n == 2 ? 0 : 4);
		s->stuck_from_call = n == 2 ? 3 : 0;
		memblock_allow_resize(&h->mb);
		result = run(s, h, n);
		assert_int_equal(result.bad_pages, 257);
		assert_int_equal(h->mb.reserved_array.base, RAM + MIB(3) - 0x5000);
		assert_int_equal(memblock_search(&h->mb.reserved, RAM + MIB(3) - 0x1800)->flags,
				 BAD);
		helper_memsim_done(s, h);
	}
}

/* What an array leaves is tried with all patterns, too: two of its pages are stuck at 0. */
static void test_left_place_sees_all_patterns(void **state)
{
	const phys_addr_t old = RAM + MIB(2) + 0x4000;
	struct memsim *s;
	struct helper_memblock *h;
	struct memtest_result result;

	setup_ram(state, &s, &h, MIB(3));
	s->is_bad = lower_part;
	s->bad_is_1 = true;
	memblock_allow_resize(&h->mb);
	assert_int_equal(memblock_place_array(&h->mb, &h->mb.reserved, old, 682), 0);
	assert_int_equal(memblock_reserve_kern(&h->mb, old, 682 * 24, CAUSE_MEMBLOCK), 0);
	helper_memblock_fill_reserved(h, GIB(1), 0x1000, 600);
	helper_memsim_stuck(s, old + 0x1000, 4, 0);
	helper_memsim_stuck(s, old + 0x3008, 4, 0);
	/* The array is in the way when the ones come by. */
	assert_int_equal(helper_memsim_memtest(s, h, 2, &h->mb.reserved_array, &result), 0);
	assert_int_equal(result.bad_pages, 256 + 2);
	assert_int_equal(memblock_search(&h->mb.reserved, old + 0x1000)->flags, BAD);
	assert_int_equal(memblock_search(&h->mb.reserved, old + 0x3000)->flags, BAD);
	assert_null(memblock_search(&h->mb.reserved, old));
	assert_null(memblock_search(&h->mb.reserved, old + 0x2000));
	helper_memsim_done(s, h);
}

/* The page that the last entry is wanted for is where the array would go; and there is a limit. */
static void test_place_is_clear(void **state)
{
	struct memsim *s;
	struct helper_memblock *h;
	struct memtest_result result;

	for (unsigned int limit = 0; limit < 2; limit++) {
		setup_ram(state, &s, &h, MIB(1));
		helper_memblock_fill_reserved(h, GIB(1), MIB(1), INIT_MEMBLOCK_REGIONS);
		helper_memsim_stuck(s, RAM + MIB(1) - 0x1000, 1, 1);
		memblock_allow_resize(&h->mb);
		if (limit)
			memblock_set_current_limit(&h->mb, RAM + 0x80000);
		result = run(s, h, 1);
		assert_int_equal(result.bad_pages, 1);
		assert_int_equal(result.bad_ranges, 1);
		assert_int_equal(h->mb.reserved_array.base,
				 limit ? RAM + 0x80000 - 0x3000 : RAM + MIB(1) - 0x4000);
		helper_memsim_done(s, h);
	}
}

/* The reason that a place was not good is told with its own pattern. */
static void test_place_is_reported(void **state)
{
	struct memsim *s;
	struct helper_memblock *h;

	setup_ram(state, &s, &h, MIB(1));
	helper_memblock_fill_reserved(h, GIB(1), MIB(1), INIT_MEMBLOCK_REGIONS);
	helper_memsim_stuck(s, RAM + 0x1000, 1, 0);
	helper_memsim_stuck(s, RAM + MIB(1) - 8, 1, 1);
	memblock_allow_resize(&h->mb);
	assert_int_equal(run(s, h, 2).bad_pages, 2);
	assert_string_equal(h->out.text,
			    "memtest: [0x00000000800ff000-0x00000000800fffff] fails pattern "
			    "0x0000000000000000: reserved\n"
			    "memtest: [0x0000000080001000-0x0000000080001fff] fails pattern "
			    "0xffffffffffffffff: reserved\n");
	helper_memsim_done(s, h);
}

static int lying_hook(void *ctx, phys_addr_t pa, uint64_t nr, uint64_t pattern, uint64_t *done)
{
	(void)ctx;
	(void)pa;
	(void)pattern;
	*done = nr + 5;
	return -EMM_EINVAL;
}

/* All fails, and is said to fail behind its end. */
static void test_lies(void **state)
{
	struct memsim *s;
	struct helper_memblock *h;
	struct memtest_result result;

	setup_ram(state, &s, &h, MIB(1));
	for (unsigned int i = 0; i < 100; i++)
		memblock_reserve(&h->mb, RAM + i * 0x2000, 0x1000);
	memblock_allow_resize(&h->mb);
	s->access.verify = lying_hook;
	assert_int_equal(early_memtest(&h->mb, &s->access, 1, NULL, &result), -EMM_ENOSPC);
	assert_true(memblock_is_valid(&h->mb));
	for (unsigned long i = 0; i < h->mb.reserved.cnt; i++)
		assert_true(h->mb.reserved.regions[i].base < RAM + MIB(1));
	helper_memsim_done(s, h);
}

/* Progress never passes the end, also where ranges are tested anew. */
static int fails_now_and_then(void *ctx, phys_addr_t pa, uint64_t nr, uint64_t pattern,
			      uint64_t *done)
{
	const phys_addr_t step = MIB(128);
	phys_addr_t next = (pa + step - 1) / step * step;

	(void)ctx;
	(void)pattern;
	*done = (next - pa) / 8;
	return *done < nr && next >= RAM + step ? -EMM_EINVAL : 0;
}

static int never_fails(void *ctx, phys_addr_t pa, uint64_t nr, uint64_t pattern, uint64_t *done)
{
	(void)ctx;
	(void)pa;
	(void)nr;
	(void)pattern;
	(void)done;
	return 0;
}

static void test_progress_and_growth(void **state)
{
	struct memsim *s;
	struct helper_memblock *h;
	struct memtest_result result;

	setup_ram(state, &s, &h, MIB(1));
	memblock_add(&h->mb, RAM + MIB(1), GIB(32));
	memblock_set_current_limit(&h->mb, RAM + MIB(1));
	memblock_allow_resize(&h->mb);
	s->access.fill = never_fails;
	s->access.verify = fails_now_and_then;
	s->told_bytes = 0;
	assert_int_equal(early_memtest(&h->mb, &s->access, 1, NULL, &result), 0);
	assert_int_equal(result.bad_pages, 256);
	assert_int_equal(h->mb.reserved.max, 512);
	assert_int_equal(s->told_bytes, 2 * (GIB(32) + MIB(1)));
	helper_memsim_done(s, h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		memsim_test(test_array_grows),
		memsim_test(test_array_leaves_bad_place),
		memsim_test(test_array_is_full),
		memsim_test(test_no_entry_left),
		memsim_test(test_neighbours),
		memsim_test(test_array_grows_twice),
		memsim_test(test_array_grows_while_filling),
		memsim_test(test_place_sees_all_patterns),
		memsim_test(test_left_place_sees_all_patterns),
		memsim_test(test_place_is_clear),
		memsim_test(test_place_is_reported),
		memsim_test(test_lies),
		memsim_test(test_progress_and_growth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
