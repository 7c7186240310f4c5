/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The early allocator of early=, when it is live and nothing has been placed yet: what it gives
 * lies where it was asked for and is nobody's, and all of it goes back.
 */
#include "live.h"

#include <earlymm/early.h>

#define NR_BLOCKS 3

static struct early *live_early(void **state)
{
	return ((struct selftest_env *)*state)->early;
}

/* Nothing of [base, base + size) was reserved, and all of it is memory that may be had. */
static bool was_free(const struct helper_snapshot *s, phys_addr_t base, phys_addr_t size)
{
	struct memblock_type reserved = s->mb.reserved;

	reserved.regions = s->regions[1];
	return memblock_is_region_memory(&s->mb, base, size) &&
	       memblock_is_map_memory(&s->mb, base) &&
	       !memblock_overlaps_region(&reserved, base, size);
}

static void gives_free_memory(void **state)
{
	static const phys_addr_t align[NR_BLOCKS] = { 0, PAGE_SIZE, 8 * PAGE_SIZE };
	struct early *e = live_early(state);
	struct helper_snapshot s;
	phys_addr_t pa[NR_BLOCKS], reserved = e->mb->reserved.total_size, all = 0;

	helper_snapshot_take(&s, e->mb);
	for (unsigned int i = 0; i < NR_BLOCKS; i++) {
		const phys_addr_t size = (i + 1) * PAGE_SIZE;

		assert_int_equal(early_alloc(e, size, align[i], 0, PHYS_ADDR_MAX, NONE, CAUSE_ALLOC,
					     &pa[i]),
				 0);
		assert_true(pa[i]);
		assert_int_equal(pa[i] % (align[i] ? align[i] : PAGE_SIZE), 0);
		assert_true(was_free(&s, pa[i], size));
		for (unsigned int j = 0; j < i; j++)
			assert_true(pa[i] + size <= pa[j] || pa[j] + (j + 1) * PAGE_SIZE <= pa[i]);
		all += size;
	}
	assert_int_equal(e->mb->reserved.total_size, reserved + all);
	for (unsigned int i = 0; i < NR_BLOCKS; i++)
		assert_int_equal(early_free(e, pa[i], (i + 1) * PAGE_SIZE), 0);
	helper_snapshot_check(&s, e->mb);
}

/* The lowest fit: a second page lies above the first, which is had again once it is free. */
static void lowest_comes_first(void **state)
{
	struct early *e = live_early(state);
	struct helper_snapshot s;
	phys_addr_t first, second, again;

	helper_snapshot_take(&s, e->mb);
	assert_int_equal(early_alloc(e, 1, 0, 0, PHYS_ADDR_MAX, NONE, CAUSE_ALLOC, &first), 0);
	assert_int_equal(early_alloc(e, 1, 0, 0, PHYS_ADDR_MAX, NONE, CAUSE_ALLOC, &second), 0);
	assert_true(second > first);
	assert_int_equal(early_free(e, first, PAGE_SIZE), 0);
	assert_int_equal(early_alloc(e, 1, 0, 0, PHYS_ADDR_MAX, NONE, CAUSE_ALLOC, &again), 0);
	assert_int_equal(again, first);
	assert_int_equal(early_free(e, again, PAGE_SIZE), 0);
	assert_int_equal(early_free(e, second, PAGE_SIZE), 0);
	helper_snapshot_check(&s, e->mb);
}

/* Refused, and nothing has changed. */
static void refuses(void **state)
{
	struct early *e = live_early(state);
	const phys_addr_t end = memblock_end_of_DRAM(e->mb);
	struct helper_snapshot s;
	phys_addr_t pa = 1;

	helper_snapshot_take(&s, e->mb);
	assert_int_equal(early_alloc(e, 0, 0, 0, PHYS_ADDR_MAX, NONE, CAUSE_ALLOC, &pa),
			 -EMM_EINVAL);
	assert_int_equal(early_alloc(e, 1, 3, 0, PHYS_ADDR_MAX, NONE, CAUSE_ALLOC, &pa),
			 -EMM_EINVAL);
	assert_int_equal(early_alloc(e, end, 0, 0, PHYS_ADDR_MAX, NONE, CAUSE_ALLOC, &pa),
			 -EMM_ENOMEM);
	assert_int_equal(early_alloc(e, 1, 0, 0, 0, NONE, CAUSE_ALLOC, &pa), -EMM_ENOMEM);
	assert_int_equal(pa, 1);
	assert_int_equal(early_free(e, end & PAGE_MASK, PAGE_SIZE), -EMM_ERANGE);
	helper_snapshot_check(&s, e->mb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_free_memory),
		cmocka_unit_test(lowest_comes_first),
		cmocka_unit_test(refuses),
	};

	return live_run(SELFTEST_BOOTMEM, tests);
}
