/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Right after the handover, when nobody has a page yet: the buddy against memblock, page by page,
 * and the books.
 */
#include "live_buddy.h"

/* Of more pages than that the borders and a sample are looked at. */
#define ALL_PAGES (1UL << 18)
#define SAMPLE    (1UL << 16)

static void check_page(const struct selftest_env *env, uint64_t pfn)
{
	const bool own = pfn - env->own_pfn < env->own_pages;
	const bool is_free = buddy_page_is_free(&env->mm->buddy, pfn);

	if (is_free != (map_has_free(env, pfn) && !own))
		fail_msg("pfn %#lx is %s", (unsigned long)pfn,
			 is_free ? "free, and is not the buddy's" : "not free, and nobody's");
}

static bool is_in_tree(const struct buddy *b, uint64_t pfn)
{
	for (uint32_t i = 0; i < b->nr_trees; i++)
		if (pfn >= b->trees[i].start_pfn && pfn < b->trees[i].end_pfn)
			return true;
	return false;
}

/* Frames on both sides of an address. */
static void check_border(const struct selftest_env *env, phys_addr_t at)
{
	for (int i = -2; i <= 2; i++) {
		uint64_t pfn = PFN_DOWN(at) + (uint64_t)(int64_t)i;

		if (is_in_tree(&env->mm->buddy, pfn))
			check_page(env, pfn);
	}
}

static void borders_of_the_map(void **state)
{
	const struct selftest_env *env = *state;
	const struct memblock_type *types[] = { &env->mb->memory, &env->mb->reserved };

	for (unsigned int t = 0; t < ARRAY_SIZE(types); t++) {
		for (unsigned long i = 0; i < types[t]->cnt; i++) {
			const struct memblock_region *r = &types[t]->regions[i];

			check_border(env, r->base);
			check_border(env, r->base + r->size);
		}
	}
}

static void every_page(void **state)
{
	const struct selftest_env *env = *state;
	const struct buddy *b = &env->mm->buddy;
	uint64_t rng = 42;

	for (uint32_t i = 0; i < b->nr_trees; i++) {
		const struct buddy_tree *t = &b->trees[i];
		const uint64_t nr = t->end_pfn - t->start_pfn;

		if (nr <= ALL_PAGES) {
			for (uint64_t pfn = t->start_pfn; pfn < t->end_pfn; pfn++)
				check_page(env, pfn);
			continue;
		}
		for (uint64_t n = 0; n < SAMPLE; n++) {
			rng ^= rng << 13;
			rng ^= rng >> 7;
			rng ^= rng << 17;
			check_page(env, t->start_pfn + rng % nr);
		}
	}
}

/* Counted from the map, and seen if they were wrong. */
static void books_balance(void **state)
{
	const struct selftest_env *env = *state;
	struct mm_audit audit;
	uint64_t nr_pages = 0;

	for (unsigned long i = 0; i < env->mb->memory.cnt; i++) {
		const struct memblock_region *r = &env->mb->memory.regions[i];
		uint64_t pfn = PFN_UP(r->base), end = PFN_DOWN(r->base + r->size);

		/* There may be other zones. */
		if (pfn < env->mm->start_pfn)
			pfn = env->mm->start_pfn;
		if (end > env->mm->end_pfn)
			end = env->mm->end_pfn;
		if (!(r->flags & MEMBLOCK_NOMAP) && pfn < end)
			nr_pages += end - pfn;
	}
	assert_int_equal(mm_audit(env->mm, env->mb, env->own_pages, &audit), 0);
	assert_int_equal(audit.lost, 0);
	assert_int_equal(audit.used, env->own_pages);
	assert_int_equal(audit.managed, audit.free + audit.held + env->own_pages);
	assert_int_equal(audit.managed + mm_audit_reserved(&audit), audit.present);
	assert_int_equal(nr_pages, audit.managed + mm_audit_reserved(&audit) -
					   audit.reserved[CAUSE_NOMAP] -
					   audit.reserved[CAUSE_PARTIAL]);
	assert_int_equal(mm_audit(env->mm, env->mb, env->own_pages + 1, &audit), -EMM_EINVAL);
	assert_int_equal(audit.lost, 1);
}

/* Frame 0, the metadata, and what the buddy knows nothing of. */
static void what_nobody_may_have(void **state)
{
	const struct selftest_env *env = *state;
	const struct mm *mm = env->mm;

	assert_int_equal(MEMBLOCK_CAUSE(memblock_search(&env->mb->reserved, mm->meta_pa)->flags),
			 CAUSE_METADATA);
	for (uint64_t pfn = PFN_DOWN(mm->meta_pa); pfn < PFN_UP(mm->meta_pa + mm->meta_bytes);
	     pfn++)
		assert_false(buddy_page_is_free(&mm->buddy, pfn));
	if (is_in_tree(&mm->buddy, 0))
		assert_false(buddy_page_is_free(&mm->buddy, 0));
	assert_int_equal(memblock_free_all(env->mm, env->mb), -EMM_ESTATE);
}

/* A block of each order comes from free memory, aligned, and goes back. */
static void a_block_of_each_order(void **state)
{
	const struct selftest_env *env = *state;
	struct buddy_state s;

	buddy_state_take(&s, env);
	for (unsigned int order = 0; order <= BUDDY_MAX_ORDER; order++) {
		int64_t pfn = buddy_alloc(env->hart, order);

		if (!nr_blocks_of(&s, order)) {
			assert_int_equal(pfn, -EMM_ENOMEM);
			continue;
		}
		assert_true(pfn > 0);
		assert_int_equal((uint64_t)pfn & ((1UL << order) - 1), 0);
		assert_true(map_has_free(env, (uint64_t)pfn));
		assert_true(map_has_free(env, (uint64_t)pfn + (1UL << order) - 1));
		assert_false(buddy_page_is_free(&env->mm->buddy, (uint64_t)pfn));
		assert_int_equal(buddy_free(env->hart, (uint64_t)pfn, order), 0);
		buddy_state_check(&s, env);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(borders_of_the_map),    cmocka_unit_test(every_page),
		cmocka_unit_test(books_balance),         cmocka_unit_test(what_nobody_may_have),
		cmocka_unit_test(a_block_of_each_order),
	};

	return live_run(SELFTEST_HANDOVER, tests);
}
