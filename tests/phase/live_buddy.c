/* SPDX-License-Identifier: BSD-2-Clause */
#include "live_buddy.h"

void buddy_state_take(struct buddy_state *s, const struct selftest_env *env)
{
	buddy_drain(env->hart);
	buddy_nr_blocks(&env->mm->buddy, s->blocks);
	s->nr_free = buddy_nr_free(&env->mm->buddy);
}

void buddy_state_check(const struct buddy_state *was, const struct selftest_env *env)
{
	struct buddy_state is;
	struct mm_audit audit;

	buddy_state_take(&is, env);
	assert_int_equal(is.nr_free, was->nr_free);
	for (unsigned int order = 0; order <= BUDDY_MAX_ORDER; order++)
		assert_int_equal(is.blocks[order], was->blocks[order]);
	assert_true(buddy_is_valid(&env->mm->buddy));
	assert_int_equal(mm_audit(env->mm, env->mb, env->own_pages, &audit), 0);
}

bool map_has_free(const struct selftest_env *env, uint64_t pfn)
{
	const struct memblock *mb = env->mb;
	const phys_addr_t pa = PFN_PHYS(pfn), last = pa + PAGE_SIZE - 1;
	const struct memblock_region *r = memblock_search(&mb->memory, pa);

	/* A page that two entries of the map share goes to nobody. */
	return r && !(r->flags & MEMBLOCK_NOT_FREE) && last - r->base < r->size &&
	       !memblock_is_region_reserved(mb, pa, PAGE_SIZE);
}

uint64_t nr_blocks_of(const struct buddy_state *s, unsigned int order)
{
	uint64_t nr = 0;

	for (unsigned int i = order; i <= BUDDY_MAX_ORDER; i++)
		nr += s->blocks[i] << (i - order);
	return nr;
}
