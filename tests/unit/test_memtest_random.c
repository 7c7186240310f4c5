/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory test on random maps with random bad words. */
#include "helper_memsim.h"

#include <stdlib.h>

#define RAM GIB(2)
#define BAD RSRV(CAUSE_BAD)

static uint64_t next_random(uint64_t *rng)
{
	*rng ^= *rng << 13;
	*rng ^= *rng >> 7;
	*rng ^= *rng << 17;
	return *rng;
}

static uint64_t bad_seed;

/* A word in so many is bad, others next to it with it now and then. */
static bool randomly_bad(phys_addr_t pa)
{
	uint64_t x = (pa >> 12) * 0x9e3779b97f4a7c15 + bad_seed;

	x ^= x >> 29;
	x *= 0xbf58476d1ce4e5b9;
	x ^= x >> 32;
	return x % 100 < bad_seed % 40 && (pa & 0xff8) == (x >> 20 & 0xff8);
}

/*
 * Random maps and bad words, arrays from too small to grown: afterwards no free byte is bad, and
 * every page that was free and is good still is, unless the array took it.
 */
static void test_random(void **state)
{
	unsigned int nr_full = 0;
	uint64_t rng = 99;

	for (unsigned int round = 0; round < 40; round++) {
		const uint64_t size = MIB(1) + 0x1000 * (next_random(&rng) % 64);
		struct memsim *s;
		struct helper_memblock *h;
		struct memtest_result result;
		struct memblock *before;
		uint64_t taken = 0;

		helper_memsim_map(state, &s, &h);
		helper_memsim_add(s, RAM, size);
		assert_int_equal(memblock_add(&h->mb, RAM, size), 0);
		if (round % 3)
			memblock_allow_resize(&h->mb);
		helper_memblock_fill_reserved(h, GIB(1), MIB(1), next_random(&rng) % 100);
		for (uint64_t i = next_random(&rng) % 12; i > 0; i--)
			memblock_reserve(&h->mb, RAM + next_random(&rng) % size,
					 next_random(&rng) % 0x9000);
		bad_seed = next_random(&rng) >> 1;
		s->is_bad = randomly_bad;
		before = helper_memsim_copy(&h->mb);
		if (helper_memsim_memtest(s, h, 1 + round % 4, NULL, &result)) {
			assert_int_equal(h->mb.reserved.cnt, h->mb.reserved.max);
			nr_full++;
			free(before);
			helper_memsim_done(s, h);
			continue;
		}
		for (phys_addr_t pa = RAM; pa < RAM + size; pa += 8) {
			if (randomly_bad(pa) && !memblock_overlaps_region(&h->mb.reserved, pa, 8))
				fail_msg("round %u: 0x%llx is bad", round, (unsigned long long)pa);
		}
		for (phys_addr_t page = RAM; page < RAM + size; page += PAGE_SIZE) {
			const struct memblock_region *r = memblock_search(&h->mb.reserved, page);
			bool bad = false;

			for (phys_addr_t pa = page; pa < page + PAGE_SIZE; pa += 8)
				bad |= randomly_bad(pa);
			if (memblock_overlaps_region(&before->reserved, page, PAGE_SIZE) || !r ||
			    bad)
				continue;
			assert_int_equal(r->size % PAGE_SIZE, 0);
			taken += r->flags == BAD;
			if (r->flags != BAD && MEMBLOCK_CAUSE(r->flags) != CAUSE_MEMBLOCK)
				fail_msg("round %u: page 0x%llx", round, (unsigned long long)page);
		}
		assert_true(taken <= result.good_pages);
		assert_true(!result.good_pages || !h->mb.can_resize || result.bad_pages > 50);
		free(before);
		helper_memsim_done(s, h);
	}
	assert_in_range(nr_full, 1, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		memsim_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
