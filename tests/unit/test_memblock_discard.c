/* SPDX-License-Identifier: BSD-2-Clause */
/* memblock's own arrays go to the buddy, and the books balance without the map. */
#include "helper_handover.h"

#define RAM GIB(2)

static bool page_is_free(const struct helper_handover *f, phys_addr_t pa)
{
	return buddy_page_is_free(&f->mm.buddy, PFN_DOWN(pa));
}

/* Grows both arrays, which do not fit into the banks of a page, and hands over. */
static void handover_grown(struct helper_handover *f)
{
	struct memblock *mb = &f->h->mb;

	memblock_allow_resize(mb);
	for (unsigned int i = 0; i < 300; i++) {
		assert_int_equal(memblock_add(mb, GIB(64) + i * MIB(64), 0x1000), 0);
		assert_int_equal(memblock_reserve(mb, GIB(64) + i * MIB(64), 0x1000), 0);
	}
	assert_true(mb->memory_array.size && mb->reserved_array.size);
	helper_handover(f);
	helper_expect_balance(f, 0);
}

static void test_arrays_are_busy(void **state)
{
	struct helper_handover *f = *state;

	helper_add_ram(f, RAM, MIB(64), NONE);
	handover_grown(f);
	helper_expect_refused(f, f->h->mb.memory_array.base, 0x1000, -EMM_EBUSY);
	helper_expect_refused(f, f->h->mb.reserved_array.base, f->h->mb.reserved_array.size,
			      -EMM_EBUSY);
}

/*
 *   | ... free ... |memory[]|reserved[]|      both go, and with them the map
 */
static void test_discard(void **state)
{
	struct helper_handover *f = *state;
	struct memblock *mb = &f->h->mb;
	struct mm_audit audit, before;
	struct memblock_array arrays[2];
	uint64_t nr_pages;
	phys_addr_t pa;

	helper_add_ram(f, RAM, MIB(64), NONE);
	assert_int_equal(memblock_discard(&f->mm, mb), -EMM_ESTATE);
	assert_int_equal(mm_audit_again(&f->mm, 0, &audit), -EMM_ESTATE);
	handover_grown(f);
	assert_int_equal(mm_audit(&f->mm, mb, 0, &audit), 0);
	before = audit;
	nr_pages = audit.reserved[CAUSE_MEMBLOCK];
	assert_int_equal(nr_pages, PFN_UP(mb->memory_array.size) + PFN_UP(mb->reserved_array.size));
	arrays[0] = mb->memory_array;
	arrays[1] = mb->reserved_array;
	assert_int_equal(memblock_discard(&f->mm, mb), 0);

	expect_empty(mb, memory);
	expect_empty(mb, reserved);
	assert_int_equal(mm_audit_again(&f->mm, 0, &audit), 0);
	assert_int_equal(audit.managed, before.managed + nr_pages);
	assert_int_equal(audit.present, before.present);
	assert_int_equal(audit.reserved[CAUSE_MEMBLOCK], 0);
	assert_int_equal(audit.reserved[CAUSE_METADATA], before.reserved[CAUSE_METADATA]);
	assert_int_equal(audit.free, before.free + nr_pages);
	assert_true(buddy_is_valid(&f->mm.buddy));
	for (unsigned int i = 0; i < 2; i++)
		for (pa = arrays[i].base; pa < arrays[i].base + arrays[i].size; pa += PAGE_SIZE)
			assert_true(page_is_free(f, pa));

	/* Again and again; with pages in use and in a cache; and what is missing is seen. */
	assert_true(buddy_alloc(f->mm.buddy.harts, 0) > 0);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(mm_audit_again(&f->mm, 1, &audit), 0);
		assert_int_equal(audit.held, buddy_nr_held(f->mm.buddy.harts));
	}
	assert_true(buddy_alloc(f->mm.buddy.harts, 9) > 0);
	assert_int_equal(mm_audit_again(&f->mm, 513, &audit), 0);
	assert_int_equal(mm_audit_again(&f->mm, 512, &audit), -EMM_EINVAL);
	assert_int_equal(audit.lost, 1);
	assert_int_equal(mm_audit(&f->mm, mb, 513, &audit), -EMM_EINVAL);
	/* Nothing can be asked of it any more, and nothing goes wrong. */
	assert_int_equal(free_reserved_area(&f->mm, mb, f->mm.meta_pa, 0x1000, NULL), -EMM_ERANGE);
	assert_int_equal(memblock_phys_alloc(mb, 8, 8, 0, PHYS_ADDR_MAX, NONE, CAUSE_ALLOC, &pa),
			 -EMM_ENOMEM);
	assert_int_equal(memblock_discard(&f->mm, mb), 0);
	assert_false(mb->can_resize);
}

/* More pages came from elsewhere than an audit can know: seen, not attributed. */
static void test_audit_again_sees(void **state)
{
	struct helper_handover *f = *state;
	struct mm_audit audit;

	helper_add_ram(f, RAM, MIB(64), NONE);
	memblock_reserve_cause(&f->h->mb, RAM, 0x3000, CAUSE_INIT);
	helper_handover(f);
	assert_int_equal(mm_audit(&f->mm, &f->h->mb, 0, &audit), 0);
	helper_expect_freed(f, RAM, 0x3000, 3);
	assert_int_equal(mm_audit_again(&f->mm, 0, &audit), -EMM_EINVAL);
	assert_int_equal(audit.lost, 3);
	assert_int_equal(audit.reserved[CAUSE_MEMBLOCK], 0);
}

/*
 * Arrays that were placed by hand, within pages:   [rrr|memory[]|reserved[]|rrr]
 * the pages that they share stay; the others go, in any order of the two
 */
static void test_discard_of_placed_arrays(void **state)
{
	(void)state;
	for (unsigned int swap = 0; swap < 2; swap++) {
		struct memblock_type *first, *second;
		struct mm_audit audit;
		struct memblock *mb;
		struct helper_handover *f;
		phys_addr_t at = RAM + MIB(1) + 0x100, next = at + 1000 * 24;
		uint64_t managed;

		helper_handover_setup((void **)&f);
		mb = &f->h->mb;
		helper_add_ram(f, RAM, MIB(64), NONE);
		first = swap ? &mb->reserved : &mb->memory;
		second = swap ? &mb->memory : &mb->reserved;
		assert_int_equal(memblock_place_array(mb, first, at, 1000), 0);
		memblock_reserve_cause(mb, at, 1000 * 24, CAUSE_MEMBLOCK);
		assert_int_equal(memblock_place_array(mb, second, next, 2000), 0);
		memblock_reserve_cause(mb, next, 0x2000, CAUSE_MEMBLOCK);
		/* Somebody had these pages before. */
		memblock_reserve_cause(mb, next + 0x2000, 0x3000, CAUSE_FDT);
		memblock_reserve_kern(mb, next + 0x5000, 2000 * 24 - 0x5000, CAUSE_MEMBLOCK);
		/* So that whole words are in the hole around both. */
		memblock_reserve(mb, RAM + 0x80000, MIB(2));
		helper_handover(f);
		managed = f->mm.managed_pages;
		assert_int_equal(mm_audit(&f->mm, mb, 0, &audit), 0);
		assert_int_equal(memblock_discard(&f->mm, mb), 0);
		assert_int_equal(mm_audit_again(&f->mm, 0, &audit), 0);
		assert_int_equal(f->mm.managed_pages - managed,
				 PFN_DOWN(next) - PFN_UP(at) + PFN_DOWN(next + 0x2000) -
					 PFN_UP(next) + PFN_DOWN(next + 2000 * 24) -
					 PFN_UP(next + 0x5000));
		assert_true(buddy_is_valid(&f->mm.buddy));
		assert_int_equal(buddy_nr_free(&f->mm.buddy), f->mm.managed_pages);
		helper_handover_teardown((void **)&f);
	}
}

/* An array outside the allocator's limits: all or nothing. */
static void test_discard_outside(void **state)
{
	struct helper_handover *f = *state;
	struct memblock *mb = &f->h->mb;
	struct helper_snapshot before;
	uint64_t managed;

	helper_add_ram(f, RAM, MIB(64), NONE);
	assert_int_equal(memblock_place_array(mb, &mb->reserved, RAM + MIB(1), 1024), 0);
	memblock_reserve_cause(mb, RAM + MIB(1), 1024 * 24, CAUSE_MEMBLOCK);
	assert_int_equal(memblock_place_array(mb, &mb->memory, RAM + MIB(40), 1024), 0);
	memblock_reserve_cause(mb, RAM + MIB(40), 1024 * 24, CAUSE_MEMBLOCK);
	helper_handover_limits(f, 0, PFN_DOWN(RAM + MIB(32)));
	managed = f->mm.managed_pages;
	helper_snapshot_take(&before, mb);
	assert_int_equal(memblock_discard(&f->mm, mb), -EMM_ERANGE);
	helper_snapshot_check(&before, mb);
	assert_int_equal(f->mm.managed_pages, managed);
	helper_expect_balance(f, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		handover_test(test_arrays_are_busy),
		handover_test(test_discard),
		handover_test(test_audit_again_sees),
		cmocka_unit_test(test_discard_of_placed_arrays),
		handover_test(test_discard_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
