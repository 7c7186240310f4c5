/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Probing of RAM ends, on machines that have less than their tree claims. In the drawings # is
 * memory that answers, . what is claimed and does not, R reserved, N no-map.
 */
#include "helper_memblock.h"
#include "helper_memsim.h"

#include <stdlib.h>
#include <string.h>

#define RAM GIB(2)

static void expect_text(const struct helper_memblock *h, const char *text)
{
	if (strcmp(h->out.text, text))
		fail_msg("printed:\n%sinstead of:\n%s", h->out.text, text);
}

/*
 *  R ############
 * Nine accesses, nothing printed, nothing changed, every byte as it was.
 */
static void test_good_bank(void **state)
{
	struct memsim *s;
	struct helper_memblock *h;
	struct helper_snapshot before;
	struct memprobe_result result;
	phys_addr_t words[] = { RAM + MIB(2) + 0xff8, RAM + GIB(1) - 8, RAM + MIB(2) + 0x7f8,
				RAM + GIB(1) - 0x808 };

	helper_memsim_map(state, &s, &h);
	helper_memsim_add(s, RAM, GIB(1));
	memblock_add(&h->mb, RAM, GIB(1));
	memblock_reserve(&h->mb, RAM, MIB(2));
	for (unsigned int i = 0; i < ARRAY_SIZE(words); i++)
		*helper_memsim_word(s, words[i]) = 0x1111 * i;
	helper_snapshot_take(&before, &h->mb);
	result = helper_memsim_probe(s, h);
	helper_snapshot_check(&before, &h->mb);
	assert_int_equal(result.nr_banks, 1);
	assert_int_equal(result.nr_accesses, 9);
	assert_int_equal(result.nr_cut + result.nr_removed + result.removed_bytes, 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(words); i++)
		assert_int_equal(*helper_memsim_word(s, words[i]), 0x1111 * i);
	expect_text(h, "");
	helper_memsim_done(s, h);
}

/*
 *  R ######......
 *          cut to the page, whatever the bus does beyond
 */
static void test_claims_too_much(void **state)
{
	static const enum memsim_kind kinds[] = { MEMSIM_FAULT, MEMSIM_ROM, MEMSIM_ZERO,
						  MEMSIM_ONES, MEMSIM_BUS };
	const phys_addr_t there[] = { MIB(2) + 0x1000, MIB(3), MIB(512), MIB(512) + 0x7000,
				      GIB(1) - 0x1000 };
	struct memsim *s;
	struct helper_memblock *h;

	for (unsigned int i = 0; i < ARRAY_SIZE(kinds) * ARRAY_SIZE(there); i++) {
		phys_addr_t end = RAM + there[i / ARRAY_SIZE(kinds)];
		struct memprobe_result result;

		helper_memsim_map(state, &s, &h);
		helper_memsim_add(s, RAM, GIB(1));
		helper_memsim_odd(s, end, RAM + GIB(1), kinds[i % ARRAY_SIZE(kinds)]);
		memblock_add(&h->mb, RAM, GIB(1));
		memblock_reserve(&h->mb, RAM, MIB(2));
		*helper_memsim_word(s, end - 8) = 0x123456789abcdef0;
		result = helper_memsim_probe(s, h);
		expect_map(&h->mb, memory, { RAM, end - RAM, 0, NONE });
		expect_map(&h->mb, reserved, { RAM, MIB(2), 0, NONE });
		assert_int_equal(result.nr_cut, 1);
		assert_int_equal(result.nr_removed, 0);
		assert_int_equal(result.removed_bytes, RAM + GIB(1) - end);
		assert_in_range(result.nr_accesses, 9, 9 + (2 + 18) * 12);
		assert_int_equal(*helper_memsim_word(s, end - 8), 0x123456789abcdef0);
		helper_memsim_done(s, h);
	}
}

static void test_report(void **state)
{
	struct memsim *s;
	struct helper_memblock *h;

	helper_memsim_map(state, &s, &h);
	helper_memsim_add(s, RAM, MIB(64));
	helper_memsim_odd(s, RAM + MIB(16), RAM + MIB(64), MEMSIM_FAULT);
	memblock_add(&h->mb, RAM, MIB(64));
	memblock_add(&h->mb, RAM + GIB(1), MIB(64));
	helper_memsim_probe(s, h);
	expect_text(h, "memory: bank [0x0000000080000000-0x0000000083ffffff] is cut to "
		       "[0x0000000080000000-0x0000000080ffffff]: the rest does not answer\n"
		       "memory: bank [0x00000000c0000000-0x00000000c3ffffff] is removed: "
		       "nothing of it answers\n");
	helper_memsim_done(s, h);
}

/*
 *   ....####     ....R###     .R..####
 *   the bank begins where it answers; reservations stay
 */
static void test_front_is_absent(void **state)
{
	for (phys_addr_t at = 0; at < MIB(60); at += MIB(60) / 7 & PAGE_MASK) {
		phys_addr_t there = RAM + (at ? at : PAGE_SIZE);
		struct memprobe_result result;
		struct helper_memblock *h;
		struct memsim *s;

		helper_memsim_map(state, &s, &h);
		helper_memsim_add(s, RAM, MIB(64));
		helper_memsim_odd(s, RAM, there, at % MIB(2) ? MEMSIM_FAULT : MEMSIM_ZERO);
		memblock_add(&h->mb, RAM, MIB(64));
		memblock_reserve(&h->mb, RAM + MIB(20), MIB(1));
		result = helper_memsim_probe(s, h);
		if (there >= RAM + MIB(20) && there < RAM + MIB(21))
			there = RAM + MIB(21);
		expect_map(&h->mb, memory, { there, RAM + MIB(64) - there, 0, NONE });
		expect_map(&h->mb, reserved, { RAM + MIB(20), MIB(1), 0, NONE });
		assert_int_equal(result.nr_cut, 1);
		assert_int_equal(result.removed_bytes, there - RAM);
		helper_memsim_done(s, h);
	}
}

/*
 *   ...###......     ............
 *   cut on both sides; or removed, and nothing is left
 */
static void test_both_ends_are_absent(void **state)
{
	struct memsim *s;
	struct helper_memblock *h;
	struct memprobe_result result;

	helper_memsim_map(state, &s, &h);
	helper_memsim_add(s, RAM + 0x5000, MIB(8));
	memblock_add(&h->mb, RAM, GIB(1));
	result = helper_memsim_probe(s, h);
	expect_map(&h->mb, memory, { RAM + 0x5000, MIB(8), 0, NONE });
	assert_int_equal(result.nr_cut, 1);
	assert_int_equal(result.removed_bytes, GIB(1) - MIB(8));
	expect_text(h, "memory: bank [0x0000000080000000-0x00000000bfffffff] is cut to "
		       "[0x0000000080005000-0x0000000080804fff]: the rest does not answer\n");

	memblock_add(&h->mb, GIB(8), GIB(4));
	memblock_reserve(&h->mb, GIB(9), MIB(1));
	result = helper_memsim_probe(s, h);
	expect_map(&h->mb, memory, { RAM + 0x5000, MIB(8), 0, NONE });
	expect_map(&h->mb, reserved, { GIB(9), MIB(1), 0, NONE });
	assert_int_equal(result.nr_banks, 2);
	assert_int_equal(result.nr_cut, 0);
	assert_int_equal(result.nr_removed, 1);
	assert_int_equal(result.removed_bytes, GIB(4));

	/* The hook fails everywhere. */
	helper_memsim_reset(s);
	helper_memsim_probe(s, h);
	expect_empty(&h->mb, memory);
	helper_memsim_done(s, h);
}

/*
 * A word that swallows all stores, and has the very pattern that it would get, or its complement:
 * the first page's, the last one's, both.
 */
static void test_pattern_is_there(void **state)
{
	const phys_addr_t words[2] = { RAM + 0xff8, RAM + MIB(1) - 8 };
	const uint64_t pattern = words[0] * 0x9e3779b97f4a7c15;
	struct memsim *s;
	struct helper_memblock *h;

	for (unsigned int i = 1; i < 16; i++) {
		bool bad_first = i & 5, bad_last = i & 10;

		helper_memsim_map(state, &s, &h);
		helper_memsim_add(s, RAM, MIB(1));
		memblock_add(&h->mb, RAM, MIB(1));
		for (unsigned int j = 0; j < 2; j++) {
			uint64_t value = (i >> j & 1 ? pattern : 0) ^ (j ? ~0ULL : 0);

			*helper_memsim_word(s, words[j]) = value;
			if (j ? bad_last : bad_first)
				helper_memsim_stuck(s, words[j], ~0ULL, value);
		}
		helper_memsim_probe(s, h);
		expect_map(&h->mb, memory,
			   { RAM + (bad_first ? PAGE_SIZE : 0),
			     MIB(1) - (bad_first ? PAGE_SIZE : 0) - (bad_last ? PAGE_SIZE : 0), 0,
			     NONE });
		helper_memsim_done(s, h);
	}
}

/* One end is absent, so both are probed with two words: the other one has a bad neighbour. */
static void test_second_word(void **state)
{
	struct memsim *s;
	struct helper_memblock *h;

	helper_memsim_map(state, &s, &h);
	helper_memsim_add(s, RAM, MIB(1));
	helper_memsim_odd(s, RAM + MIB(1) - 0x1000, RAM + MIB(1), MEMSIM_FAULT);
	helper_memsim_stuck(s, RAM + 0x7f8, ~0ULL, 0x5555);
	memblock_add(&h->mb, RAM, MIB(1));
	helper_memsim_probe(s, h);
	expect_map(&h->mb, memory, { RAM + PAGE_SIZE, MIB(1) - 2 * PAGE_SIZE, 0, NONE });
	helper_memsim_done(s, h);
}

/*
 *   R######RRRR    ####NNNN|####N    RRRR   (node 0 | node 1)
 *   ends that are reserved are not touched; no-map beyond the border goes, too
 */
static void test_ends_not_free(void **state)
{
	struct memsim *s;
	struct helper_memblock *h;
	struct memprobe_result result;

	helper_memsim_map(state, &s, &h);
	helper_memsim_add(s, RAM, MIB(8));
	memblock_add(&h->mb, RAM, MIB(16));
	memblock_reserve(&h->mb, RAM, 0x1800);
	memblock_reserve(&h->mb, RAM + MIB(8) - 0x800, MIB(8));
	result = helper_memsim_probe(s, h); /* what is absent is reserved: not seen */
	assert_int_equal(result.nr_accesses, 9);
	expect_map(&h->mb, memory, { RAM, MIB(16), 0, NONE });

	/* No free page: nothing is done. */
	memblock_add(&h->mb, RAM + MIB(32), MIB(1));
	memblock_reserve(&h->mb, RAM + MIB(32) + 0x10, MIB(1));
	memblock_add(&h->mb, RAM + MIB(64), 0x1800);
	memblock_reserve(&h->mb, RAM + MIB(64), 8);
	result = helper_memsim_probe(s, h);
	assert_int_equal(result.nr_banks, 1);
	assert_int_equal(result.nr_accesses, 9);
	assert_int_equal(h->mb.memory.cnt, 3);
	helper_memsim_done(s, h);

	helper_memsim_map(state, &s, &h);
	memblock_add_node(&h->mb, RAM, MIB(8), 0, 0);
	memblock_mark_nomap(&h->mb, RAM + MIB(4), MIB(4));
	memblock_add_node(&h->mb, RAM + MIB(8), MIB(8), 1, 0);
	memblock_mark_nomap(&h->mb, RAM + MIB(15), MIB(1));
	helper_memsim_reset(s);
	helper_memsim_add(s, RAM, MIB(12));
	helper_memsim_odd(s, RAM + MIB(3), RAM + MIB(8), MEMSIM_FAULT);
	result = helper_memsim_probe(s, h);
	assert_int_equal(result.nr_banks, 2);
	expect_map(&h->mb, memory, { RAM, MIB(3), 0, 0 }, { RAM + MIB(8), MIB(4), 0, 1 });
	helper_memsim_done(s, h);
}

/* Banks of one page and of two, frame 0, and the top of the address space. */
static void test_corners(void **state)
{
	const phys_addr_t top = PHYS_ADDR_MAX - MIB(4) + 1;
	struct memsim *s;
	struct helper_memblock *h;
	struct memprobe_result result;

	helper_memsim_map(state, &s, &h);
	helper_memsim_add(s, 0, PAGE_SIZE);
	helper_memsim_add(s, MIB(1), 2 * PAGE_SIZE);
	helper_memsim_add(s, top, MIB(4));
	memblock_add(&h->mb, 0, PAGE_SIZE);
	memblock_add(&h->mb, MIB(1), 2 * PAGE_SIZE);
	memblock_add(&h->mb, top, MIB(4));
	result = helper_memsim_probe(s, h);
	assert_int_equal(result.nr_banks, 3);
	assert_int_equal(result.nr_cut + result.nr_removed, 0);
	expect_map(&h->mb, memory, { 0, PAGE_SIZE, 0, NONE }, { MIB(1), 2 * PAGE_SIZE, 0, NONE },
		   { top, MIB(4) - 1, 0, NONE });

	helper_memsim_odd(s, 0, PAGE_SIZE, MEMSIM_ONES);
	helper_memsim_odd(s, MIB(1) + PAGE_SIZE, MIB(1) + 2 * PAGE_SIZE, MEMSIM_BUS);
	helper_memsim_odd(s, top + 0x3000, PHYS_ADDR_MAX, MEMSIM_FAULT);
	result = helper_memsim_probe(s, h);
	assert_int_equal(result.nr_cut, 2);
	assert_int_equal(result.nr_removed, 1);
	expect_map(&h->mb, memory, { MIB(1), PAGE_SIZE, 0, NONE }, { top, 0x3000, 0, NONE });

	helper_memsim_odd(s, MIB(1), MIB(2), MEMSIM_BUS);
	helper_memsim_odd(s, top, top + 0x1000, MEMSIM_FAULT);
	helper_memsim_probe(s, h);
	expect_map(&h->mb, memory, { top + 0x1000, 0x2000, 0, NONE });
	helper_memsim_done(s, h);
}

/* No end of memory in sight: 2^52 pages, of which half answer. */
static void test_whole_address_space(void **state)
{
	struct memsim *s;
	struct helper_memblock *h;
	struct memprobe_result result;
	phys_addr_t end = (phys_addr_t)0x7654321 << 24;

	helper_memsim_map(state, &s, &h);
	memblock_add(&h->mb, 0, PHYS_ADDR_MAX);
	helper_memsim_add(s, 0, (phys_addr_t)1 << 40);
	helper_memsim_odd(s, end, PHYS_ADDR_MAX, MEMSIM_ZERO);
	s->mirror_base = 0x1000; /* so that there is something everywhere */
	s->mirror_period = ((phys_addr_t)1 << 40) - 0x3000;
	result = helper_memsim_probe(s, h);
	expect_map(&h->mb, memory, { 0, end, 0, NONE });
	assert_in_range(result.nr_accesses, 100, 9 + 54 * 12);
	helper_memsim_done(s, h);
}

/* The array is full and may not grow: a bank that is cut needs no entry. */
static void test_needs_no_entry(void **state)
{
	struct memsim *s;
	struct helper_memblock *h;
	struct memprobe_result result;
	unsigned int lines = 0;

	helper_memsim_map(state, &s, &h);
	helper_memsim_add(s, GIB(1), GIB(2));
	for (unsigned long i = 0; i < INIT_MEMBLOCK_REGIONS; i++) {
		phys_addr_t base = GIB(1) + i * MIB(8);

		assert_int_equal(memblock_add(&h->mb, base, MIB(4)), 0);
		if (i % 2 && s->nr_odd < MEMSIM_MAX)
			helper_memsim_odd(s, base, base + MIB(1) * (1 + i % 4), MEMSIM_FAULT);
	}
	result = helper_memsim_probe(s, h);
	assert_int_equal(result.nr_banks, INIT_MEMBLOCK_REGIONS);
	assert_int_equal(result.nr_cut, INIT_MEMBLOCK_REGIONS / 4);
	assert_int_equal(result.nr_removed, INIT_MEMBLOCK_REGIONS / 4);
	for (const char *c = h->out.text; *c; c++)
		lines += *c == '\n';
	assert_int_equal(lines, 9);
	assert_non_null(strstr(h->out.text, "memory: ... and 56 more banks are cut or removed\n"));
	helper_memsim_done(s, h);
}

/* 10 000 banks in an array of their own; every third is absent. */
static void test_many_banks(void **state)
{
	const unsigned long nr = 10000, bytes = 20480 * sizeof(struct memblock_region);
	struct memsim *s;
	struct helper_memblock *h;
	struct memprobe_result result;

	helper_memsim_map(state, &s, &h);
	helper_memsim_add(s, GIB(1), bytes);
	assert_int_equal(memblock_place_array(&h->mb, &h->mb.memory, GIB(1), 20480), 0);
	helper_memsim_add(s, GIB(4), GIB(4));
	for (unsigned long i = 0; i < nr; i++)
		assert_int_equal(
			memblock_add(&h->mb, (i % 3 ? GIB(4) : GIB(8)) + i * 0x8000, 0x4000), 0);
	result = helper_memsim_probe(s, h);
	assert_int_equal(result.nr_banks, nr);
	assert_int_equal(result.nr_removed, (nr + 2) / 3);
	assert_int_equal(result.nr_cut, 0);
	assert_int_equal(h->mb.memory.cnt, nr - result.nr_removed);
	assert_true(h->out.len < 1000);
	helper_memsim_done(s, h);
}

/*
 *   ....##..........      two absent ends, and what answers is near the first one
 *   ###RRR...   ...RRR##  the border lies in what is reserved: that stays
 *   [hotpluggable]        is looked at, also where the boot may not have it
 */
static void test_more_borders(void **state)
{
	struct memsim *s;
	struct helper_memblock *h;

	helper_memsim_map(state, &s, &h);
	helper_memsim_add(s, RAM + 0x3000, 0x2000);
	memblock_add(&h->mb, RAM, MIB(64));
	helper_memsim_probe(s, h);
	expect_map(&h->mb, memory, { RAM + 0x3000, 0x2000, 0, NONE });
	helper_memsim_done(s, h);

	for (unsigned int front = 0; front < 2; front++) {
		helper_memsim_map(state, &s, &h);
		helper_memsim_add(s, RAM + (front ? 0x10000 : 0), 0x10000);
		memblock_add(&h->mb, RAM, 0x20000);
		memblock_reserve(&h->mb, RAM + 0xc000, 0x8000);
		helper_memsim_probe(s, h);
		expect_map(&h->mb, memory,
			   { RAM + (front ? 0x14000 : 0), front ? 0xc000 : 0x14000, 0, NONE });
		helper_memsim_done(s, h);
	}

	helper_memsim_map(state, &s, &h);
	h->mb.movable_node = true;
	memblock_add_node(&h->mb, GIB(8), MIB(4), NONE, MEMBLOCK_HOTPLUG);
	assert_int_equal(helper_memsim_probe(s, h).nr_removed, 1);
	expect_empty(&h->mb, memory);
	helper_memsim_done(s, h);
}

static uint64_t next_random(uint64_t *rng)
{
	*rng ^= *rng << 13;
	*rng ^= *rng >> 7;
	*rng ^= *rng << 17;
	return *rng;
}

static bool is_free(const struct memblock *mb, phys_addr_t page)
{
	return memblock_is_map_memory(mb, page) && memblock_is_map_memory(mb, page + 0xfff) &&
	       !memblock_overlaps_region(&mb->reserved, page, PAGE_SIZE);
}

/*
 * Banks of up to 64 pages with reservations anywhere and one stretch each that answers: of the free
 * pages just those that answer stay, all others go.
 */
static void test_random(void **state)
{
	static const enum memsim_kind kinds[] = { MEMSIM_FAULT, MEMSIM_ZERO, MEMSIM_ONES };
	uint64_t rng = 7;

	for (unsigned int round = 0; round < 1000; round++) {
		struct helper_memblock *h;
		struct memblock *before;
		struct memsim *s;
		uint64_t from = next_random(&rng) % 60, nr = 1 + next_random(&rng) % 64;
		phys_addr_t base = RAM + (next_random(&rng) % 4) * 0x1000, size = 0x40000;
		phys_addr_t first, last;

		helper_memsim_map(state, &s, &h);
		first = base + from * PAGE_SIZE;
		last = first + nr * PAGE_SIZE;
		helper_memsim_add(s, base, MIB(1));
		if (round % 4)
			helper_memsim_odd(s, base, first, kinds[round % 3]);
		else
			first = base;
		helper_memsim_odd(s, last, base + MIB(1), kinds[round % 3]);
		memblock_add(&h->mb, base, size);
		for (uint64_t i = next_random(&rng) % 6; i > 0; i--)
			memblock_reserve(&h->mb, base + next_random(&rng) % size,
					 next_random(&rng) % 0x8000);
		if (round % 5 == 0)
			memblock_mark_nomap(&h->mb, base + next_random(&rng) % 16 * 0x3000, 0x3000);
		before = helper_memsim_copy(&h->mb);
		for (phys_addr_t pa = base; pa < base + size; pa += 8)
			*helper_memsim_word(s, pa) = pa * 3;
		helper_memsim_probe(s, h);
		for (phys_addr_t pa = base; pa < base + size; pa += 8)
			if (*helper_memsim_word(s, pa) != pa * 3)
				fail_msg("0x%llx has changed", (unsigned long long)pa);
		for (phys_addr_t page = base; page < base + size; page += PAGE_SIZE) {
			bool was = is_free(before, page), is = is_free(&h->mb, page);
			bool answers = page >= first && page < last;

			/* Nothing found at doubling distances between two absent ends: all goes. */
			if (was && answers && !is && !h->mb.memory.cnt)
				continue;
			if (is != (was && answers))
				fail_msg("round %u: page 0x%llx", round, (unsigned long long)page);
		}
		free(before);
		helper_memsim_done(s, h);
	}
}

static void test_hooks(void **state)
{
	struct memsim *s;
	struct helper_memblock *h;
	struct memprobe_result result;
	struct mem_access none = { 0 };

	helper_memsim_map(state, &s, &h);
	assert_int_equal(memblock_probe_banks(&h->mb, &none, NULL, &result), -EMM_EINVAL);
	none = s->access;
	none.store = NULL;
	assert_int_equal(memblock_probe_banks(&h->mb, &none, NULL, &result), -EMM_EINVAL);
	none = s->access;
	none.load = NULL;
	assert_int_equal(memblock_probe_banks(&h->mb, &none, NULL, &result), -EMM_EINVAL);
	/* An empty map, and nobody to tell. */
	assert_int_equal(memblock_probe_banks(&h->mb, &s->access, NULL, &result), 0);
	assert_int_equal(result.nr_banks + result.nr_accesses, 0);
	memblock_add(&h->mb, RAM, MIB(1));
	assert_int_equal(memblock_probe_banks(&h->mb, &s->access, NULL, &result), 0);
	assert_int_equal(result.nr_removed, 1);
	helper_memsim_done(s, h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		memsim_test(test_good_bank),
		memsim_test(test_claims_too_much),
		memsim_test(test_report),
		memsim_test(test_front_is_absent),
		memsim_test(test_both_ends_are_absent),
		memsim_test(test_pattern_is_there),
		memsim_test(test_second_word),
		memsim_test(test_more_borders),
		memsim_test(test_ends_not_free),
		memsim_test(test_corners),
		memsim_test(test_whole_address_space),
		memsim_test(test_needs_no_entry),
		memsim_test(test_many_banks),
		memsim_test(test_random),
		memsim_test(test_hooks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
