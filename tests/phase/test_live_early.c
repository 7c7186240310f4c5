/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The early allocator at the moment when it is live, of whatever kind: it finds what lies lowest in
 * the map, keeps memblock's ledger, and what is taken and given back leaves both as they were.
 */
#include "live.h"

#include <earlymm/early.h>

/* Of more pages than that a sample is looked at. */
#define ALL_PAGES (1UL << 18)

/* What must not change: the map, and bootmem's bits. */
struct early_state {
	struct helper_snapshot map;
	uint64_t nr_reserved[8];
};

static bool bit_is_set(const struct bootmem_data *d, uint64_t pfn)
{
	uint64_t bit = pfn - PFN_DOWN(d->node_boot_start);

	return d->node_bootmem_map[bit / 64] >> bit % 64 & 1;
}

static uint64_t nr_bits_set(const struct bootmem_data *d)
{
	uint64_t nr = 0, bits = d->node_low_pfn - PFN_DOWN(d->node_boot_start);

	for (uint64_t i = 0; i < bits / 64; i++)
		nr += (uint64_t)__builtin_popcountll(d->node_bootmem_map[i]);
	for (uint64_t i = bits & ~63UL; i < bits; i++)
		nr += d->node_bootmem_map[i / 64] >> i % 64 & 1;
	return nr;
}

static struct early *begin(void **state, struct early_state *s)
{
	struct selftest_env *env = *state;

	if (!env->early)
		skip();
	helper_snapshot_take(&s->map, env->mb);
	if (env->early->kind != EARLY_BOOTMEM)
		return env->early;
	for (uint32_t i = 0; i < env->early->bootmem.nr_nodes && i < ARRAY_SIZE(s->nr_reserved);
	     i++)
		s->nr_reserved[i] = nr_bits_set(&env->early->bootmem.bdata[i]);
	return env->early;
}

static void end(struct early *e, struct early_state *s)
{
	helper_snapshot_check(&s->map, e->mb);
	if (e->kind != EARLY_BOOTMEM)
		return;
	for (uint32_t i = 0; i < e->bootmem.nr_nodes && i < ARRAY_SIZE(s->nr_reserved); i++)
		assert_int_equal(nr_bits_set(&e->bootmem.bdata[i]), s->nr_reserved[i]);
}

/* A whole page of memory that may be had, of which no byte is reserved. */
static bool page_is_free(const struct memblock *mb, uint64_t pfn)
{
	const struct memblock_region *r = memblock_search(&mb->memory, PFN_PHYS(pfn));

	return r && !(r->flags & MEMBLOCK_NOT_FREE) &&
	       PFN_PHYS(pfn) + PAGE_SIZE - 1 - r->base < r->size &&
	       !memblock_is_region_reserved(mb, PFN_PHYS(pfn), PAGE_SIZE);
}

static phys_addr_t round_up(phys_addr_t pa, phys_addr_t align)
{
	return (pa + align - 1) & ~(align - 1);
}

/* The lowest place by the map, 0 if there is none. */
static phys_addr_t lowest_fit(const struct memblock *mb, phys_addr_t size, phys_addr_t align,
			      phys_addr_t goal, phys_addr_t limit)
{
	struct memblock_iter it;
	phys_addr_t start, stop;

	memblock_iter_free_init(&it, mb, NONE, 0);
	while (memblock_next_free(&it, &start, &stop)) {
		start = round_up(start < goal ? goal : start,
				 align < PAGE_SIZE ? PAGE_SIZE : align);
		stop = (stop < limit ? stop : limit) & PAGE_MASK;
		if (start && start < stop && stop - start >= round_up(size, PAGE_SIZE))
			return start;
	}
	return 0;
}

static void kind_is_known(void **state)
{
	struct early_state s;
	struct early *e = begin(state, &s);

	assert_in_range(e->kind, 0, NR_EARLY_KINDS - 1);
	assert_ptr_equal(e->mb, ((struct selftest_env *)*state)->mb);
	assert_true(early_metadata_bytes(e) > 0);
	assert_string_not_equal(early_name(e->kind), "unknown");
	assert_false(e->handed_over);
	if (e->kind == EARLY_BOOTMEM)
		assert_true(e->bootmem.nr_nodes > 0);
	end(e, &s);
}

/* Page by page, or a sample of them: a bit is clear where the map has a free page. */
static void bits_follow_the_map(void **state)
{
	struct early_state s;
	struct early *e = begin(state, &s);
	const uint32_t nr = e->kind == EARLY_BOOTMEM ? e->bootmem.nr_nodes : 0;

	for (uint32_t i = 0; i < nr; i++) {
		const struct bootmem_data *d = &e->bootmem.bdata[i];
		const uint64_t first = PFN_DOWN(d->node_boot_start);
		const uint64_t step = 1 + (d->node_low_pfn - first) / ALL_PAGES;

		for (uint64_t pfn = first; pfn < d->node_low_pfn; pfn += step)
			if (bit_is_set(d, pfn) == page_is_free(e->mb, pfn))
				fail_msg("pfn %#lx: the bit does not follow memblock",
					 (unsigned long)pfn);
	}
	end(e, &s);
}

static void take(struct early *e, phys_addr_t size, phys_addr_t align, phys_addr_t goal,
		 phys_addr_t limit, phys_addr_t *pa)
{
	const phys_addr_t want = lowest_fit(e->mb, size, align, goal, limit);

	assert_true(want > 0);
	assert_int_equal(early_alloc(e, size, align, goal, limit, NONE, CAUSE_ALLOC, pa), 0);
	assert_int_equal(*pa, want);
	assert_int_equal(MEMBLOCK_CAUSE(memblock_search(&e->mb->reserved, *pa)->flags),
			 CAUSE_ALLOC);
	assert_true(memblock_is_reserved(e->mb, *pa + round_up(size, PAGE_SIZE) - 1));
	assert_false(page_is_free(e->mb, PFN_DOWN(*pa)));
}

static void lowest_fit_of_each_size(void **state)
{
	static const phys_addr_t sizes[] = { 1, PAGE_SIZE, PAGE_SIZE + 1, 17 * PAGE_SIZE };
	static const phys_addr_t aligns[] = { 0, 64, PAGE_SIZE, 8 * PAGE_SIZE };
	struct early_state s;
	struct early *e = begin(state, &s);

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes) * ARRAY_SIZE(aligns); i++) {
		const phys_addr_t size = sizes[i % ARRAY_SIZE(sizes)];
		phys_addr_t pa;

		take(e, size, aligns[i / ARRAY_SIZE(sizes)], 0, PHYS_ADDR_MAX, &pa);
		assert_int_equal(early_free(e, pa, size), 0);
	}
	end(e, &s);
}

/*
 * A goal in the middle of what is free, and a limit right behind a block there:
 *   free  start              goal              limit
 *         +------------------+-----------------+-----
 */
static void goal_and_limit(void **state)
{
	struct early_state s;
	struct early *e = begin(state, &s);
	const phys_addr_t size = 3 * PAGE_SIZE;
	const phys_addr_t start = lowest_fit(e->mb, 64 * PAGE_SIZE, 0, 0, PHYS_ADDR_MAX);
	const phys_addr_t goal = start + 32 * PAGE_SIZE;
	phys_addr_t pa[2];

	assert_true(start > 0);
	take(e, size, 0, goal, PHYS_ADDR_MAX, &pa[0]);
	assert_int_equal(pa[0], goal);
	take(e, size, 0, goal, goal + 2 * size, &pa[1]);
	assert_int_equal(pa[1], goal + size);
	assert_int_equal(early_free(e, pa[0], 2 * size), 0);
	assert_int_equal(early_alloc(e, size, 0, 0, PAGE_SIZE, NONE, CAUSE_ALLOC, pa), -EMM_ENOMEM);
	end(e, &s);
}

/* Several blocks at a time, given back in parts and in another order. */
static void blocks_in_parts(void **state)
{
	struct early_state s;
	struct early *e = begin(state, &s);
	phys_addr_t pa[3];

	for (unsigned int i = 0; i < ARRAY_SIZE(pa); i++)
		take(e, 4 * PAGE_SIZE, 0, 0, PHYS_ADDR_MAX, &pa[i]);
	assert_int_equal(early_free(e, pa[1] + PAGE_SIZE, 2 * PAGE_SIZE), 0);
	assert_true(page_is_free(e->mb, PFN_DOWN(pa[1]) + 1));
	assert_int_equal(early_free(e, pa[2], 4 * PAGE_SIZE), 0);
	assert_int_equal(early_free(e, pa[0], 4 * PAGE_SIZE), 0);
	assert_int_equal(early_free(e, pa[1] + 3 * PAGE_SIZE, PAGE_SIZE), 0);
	assert_int_equal(early_free(e, pa[1], PAGE_SIZE), 0);
	end(e, &s);
}

static void refused_calls_change_nothing(void **state)
{
	struct early_state s;
	struct early *e = begin(state, &s);
	const phys_addr_t more = memblock_phys_mem_size(e->mb) + PAGE_SIZE;
	phys_addr_t pa = 1, block;

#define alloc(size, align, cause) early_alloc(e, size, align, 0, PHYS_ADDR_MAX, NONE, cause, &pa)
	assert_int_equal(alloc(0, 0, CAUSE_ALLOC), -EMM_EINVAL);
	assert_int_equal(alloc(PAGE_SIZE, 3 * PAGE_SIZE, CAUSE_ALLOC), -EMM_EINVAL);
	assert_int_equal(alloc(PAGE_SIZE, 0, NR_CAUSES), -EMM_EINVAL);
	assert_int_equal(alloc(PAGE_SIZE, 0, CAUSE_BOOTMEM), -EMM_EINVAL);
	assert_int_equal(alloc(more, 0, CAUSE_ALLOC), -EMM_ENOMEM);
#undef alloc
	assert_int_equal(pa, 1);
	end(e, &s);
	begin(state, &s);
	take(e, PAGE_SIZE, 0, 0, PHYS_ADDR_MAX, &block);
	assert_int_equal(early_free(e, block, 0), -EMM_EINVAL);
	assert_int_equal(early_free(e, block + 8, PAGE_SIZE), -EMM_EINVAL);
	assert_int_equal(early_free(e, block, PAGE_SIZE), 0);
	assert_int_equal(early_free(e, block, PAGE_SIZE), -EMM_EDOUBLE);
	assert_int_equal(early_free(e, PHYS_ADDR_MAX & PAGE_MASK, PAGE_SIZE), -EMM_EINVAL);
	end(e, &s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kind_is_known),
		cmocka_unit_test(bits_follow_the_map),
		cmocka_unit_test(lowest_fit_of_each_size),
		cmocka_unit_test(goal_and_limit),
		cmocka_unit_test(blocks_in_parts),
		cmocka_unit_test(refused_calls_change_nothing),
	};

	return live_run(SELFTEST_BOOTMEM, tests);
}
