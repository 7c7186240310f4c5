/* SPDX-License-Identifier: BSD-2-Clause */
/* The books of several zones; and what becomes free late, in whichever zone it is. */
#include "helper_pages.h"

#include <string.h>

#include <earlymm/error.h>
#include <earlymm/page_audit.h>
#include <earlymm/reserved_area.h>

#define FOUR_GIB 0x100000000

/* 64 MiB below 4 GiB and as much above, on one node; another node with 32 MiB. */
static void machine(struct helper_pages *f)
{
	helper_pages_ram(f, FOUR_GIB - MIB(64), MIB(128), 0);
	helper_pages_ram(f, FOUR_GIB + MIB(128), MIB(32), 1);
}

static void keep(struct helper_pages *f, phys_addr_t base, uint64_t size, enum memblock_cause cause)
{
	assert_int_equal(memblock_reserve_cause(&f->h->mb, base, size, cause), 0);
}

/* The sums are those of the zones, and each zone's books balance. */
static void expect_sums(const struct helper_pages *f, const struct page_audit *a)
{
	uint64_t present = 0, managed = 0, reserved = 0, used = 0;

	for (uint32_t i = 0; i < f->pa.nr_zones; i++) {
		const struct mm_audit *z = &a->zone[i];

		assert_int_equal(z->lost, 0);
		assert_int_equal(z->present, z->managed + mm_audit_reserved(z));
		assert_int_equal(z->managed, z->free + z->held + z->used);
		present += z->present;
		managed += z->managed;
		reserved += mm_audit_reserved(z);
		used += z->used;
	}
	assert_int_equal(a->total.present, present);
	assert_int_equal(a->total.managed, managed);
	assert_int_equal(mm_audit_reserved(&a->total), reserved);
	assert_int_equal(a->total.used, used);
}

static void test_sums(void **state)
{
	struct helper_pages *f = *state;
	struct page_audit audit;
	int64_t pfn;

	machine(f);
	keep(f, FOUR_GIB - MIB(1), MIB(2), CAUSE_IMAGE);
	helper_pages_start(f);
	assert_int_equal(f->pa.nr_zones, 3);
	assert_int_equal(page_alloc_audit(&f->pa, &f->h->mb, 0, &audit), 0);
	expect_sums(f, &audit);
	assert_int_equal(audit.total.present, MIB(160) >> PAGE_SHIFT);
	/* Half of what is reserved lies in each of two zones. */
	assert_int_equal(audit.zone[0].reserved[CAUSE_IMAGE], 256);
	assert_int_equal(audit.zone[1].reserved[CAUSE_IMAGE], 256);

	pfn = alloc_pages(f->pa.harts, __GFP_DMA32, 3);
	assert_true(pfn >= 0);
	assert_int_equal(page_alloc_audit(&f->pa, &f->h->mb, 8, &audit), 0);
	expect_sums(f, &audit);
	assert_int_equal(audit.zone[0].used, 8);
	assert_true(audit.zone[0].held > 0);
	/* Users who say anything else are wrong. */
	assert_int_equal(page_alloc_audit(&f->pa, &f->h->mb, 7, &audit), -EMM_EINVAL);
	assert_int_equal(audit.total.lost, 1);
	/* So are counters that do not say what the trees do. */
	f->pa.zones[0].harts[0].freed_pages += 5;
	assert_int_equal(page_alloc_audit(&f->pa, &f->h->mb, 8, &audit), -EMM_EINVAL);
	assert_int_equal(audit.zone[0].lost, 5);
	f->pa.zones[0].harts[0].freed_pages -= 5;
	/* And a page that is reserved behind the allocator's back. */
	keep(f, FOUR_GIB + MIB(32), PAGE_SIZE, CAUSE_OTHER);
	assert_int_equal(page_alloc_audit(&f->pa, &f->h->mb, 8, &audit), -EMM_EINVAL);
	assert_int_equal(audit.zone[1].lost, 1);
	assert_int_equal(audit.zone[0].lost + audit.zone[2].lost, 0);
}

static void test_before_the_handover(void **state)
{
	struct helper_pages *f = *state;
	struct page_audit audit;

	f->cfg.highmem_pfn = PFN_DOWN(FOUR_GIB + MIB(128));
	machine(f);
	assert_int_equal(page_alloc_plan(&f->pa, &f->h->mb, &f->cfg), 0);
	assert_int_equal(page_alloc_audit(&f->pa, &f->h->mb, 0, &audit), -EMM_ESTATE);
	helper_pages_start(f);
	assert_int_equal(page_alloc_audit(&f->pa, &f->h->mb, 0, &audit), -EMM_ESTATE);
	assert_int_equal(page_alloc_audit_again(&f->pa, 0, &audit), -EMM_ESTATE);
	assert_int_equal(free_highpages(&f->pa, &f->h->mb), MIB(32) >> PAGE_SHIFT);
	assert_int_equal(page_alloc_audit(&f->pa, &f->h->mb, 0, &audit), 0);
	expect_sums(f, &audit);
	/* Handed over by somebody else, or again: the watermarks are set, that is all. */
	assert_int_equal(free_highpages(&f->pa, &f->h->mb), MIB(32) >> PAGE_SHIFT);
	assert_int_equal(page_alloc_audit(&f->pa, &f->h->mb, 0, &audit), 0);
}

/* A page that is lent is there once: in the area, not in the zone around it. */
static void test_lent(void **state)
{
	const struct pfn_range areas[] = {
		{ PFN_DOWN(FOUR_GIB - MIB(32)), PFN_DOWN(FOUR_GIB - MIB(28)) },
		{ PFN_DOWN(FOUR_GIB + MIB(8)), PFN_DOWN(FOUR_GIB + MIB(16)) },
	};
	struct helper_pages *f = *state;
	struct page_audit audit;

	machine(f);
	f->cfg.cma = areas;
	f->cfg.nr_cma = 2;
	for (unsigned int i = 0; i < 2; i++)
		keep(f, PFN_PHYS(areas[i].start), PFN_PHYS(areas[i].end - areas[i].start),
		     CAUSE_RESERVED_MEMORY);
	/* Reserved for a region, and not lent. */
	keep(f, FOUR_GIB - MIB(28), 3 * PAGE_SIZE, CAUSE_RESERVED_MEMORY);
	helper_pages_start(f);
	assert_int_equal(f->pa.nr_zones, 5);
	assert_int_equal(page_alloc_audit(&f->pa, &f->h->mb, 0, &audit), 0);
	expect_sums(f, &audit);
	assert_int_equal(audit.total.present, MIB(160) >> PAGE_SHIFT);
	assert_int_equal(audit.total.reserved[CAUSE_RESERVED_MEMORY], 3);
	assert_int_equal(audit.zone[0].present, MIB(60) >> PAGE_SHIFT);
	assert_int_equal(audit.zone[0].reserved[CAUSE_RESERVED_MEMORY], 3);
	assert_int_equal(audit.zone[1].present, MIB(56) >> PAGE_SHIFT);
	assert_int_equal(audit.zone[3].managed, MIB(4) >> PAGE_SHIFT);
	assert_int_equal(audit.zone[4].managed, MIB(8) >> PAGE_SHIFT);
	assert_int_equal(mm_audit_reserved(&audit.zone[3]), 0);
}

/* No-map memory that fills what would be a zone is in the sums all the same. */
static void test_outside(void **state)
{
	struct helper_pages *f = *state;
	struct page_audit audit;

	machine(f);
	assert_int_equal(memblock_mark_nomap(&f->h->mb, FOUR_GIB - MIB(1), MIB(65)), 0);
	helper_pages_start(f);
	assert_int_equal(f->pa.nr_zones, 2);
	assert_int_equal(page_alloc_audit(&f->pa, &f->h->mb, 0, &audit), 0);
	assert_int_equal(audit.zone[0].reserved[CAUSE_NOMAP], 256);
	assert_int_equal(audit.total.reserved[CAUSE_NOMAP], MIB(65) >> PAGE_SHIFT);
	assert_int_equal(audit.total.present, MIB(160) >> PAGE_SHIFT);
	assert_int_equal(page_alloc_discard(&f->pa, &f->h->mb), 0);
	assert_int_equal(page_alloc_audit_again(&f->pa, 0, &audit), 0);
	assert_int_equal(audit.total.reserved[CAUSE_NOMAP], MIB(65) >> PAGE_SHIFT);
	assert_int_equal(audit.total.present, MIB(160) >> PAGE_SHIFT);
}

/* Nodes that are not to be told apart. */
static void test_one_node(void **state)
{
	struct helper_pages *f = *state;
	struct page_audit audit;

	machine(f);
	f->cfg.one_node = true;
	helper_pages_start(f);
	assert_int_equal(f->pa.nr_zones, 2);
	assert_false(f->pa.by_node);
	assert_int_equal(f->pa.nr_nodes, 1);
	assert_int_equal(f->pa.zones[1].nid, 0);
	assert_int_equal(f->pa.zones[1].present_pages, MIB(96) >> PAGE_SHIFT);
	assert_int_equal(page_alloc_audit(&f->pa, &f->h->mb, 0, &audit), 0);
	expect_sums(f, &audit);
}

/* ---- late frees ---- */

static bool is_free(const struct helper_pages *f, phys_addr_t pa)
{
	return buddy_page_is_free(&page_zone(&f->pa, PFN_DOWN(pa))->mm.buddy, PFN_DOWN(pa));
}

/* A range over the border of two zones: each gets its part, and blocks merge in each. */
static void test_free_across_zones(void **state)
{
	struct helper_pages *f = *state;
	struct page_audit audit;
	uint64_t nr = 0, managed[2];

	machine(f);
	keep(f, FOUR_GIB - MIB(32), MIB(64), CAUSE_INIT);
	helper_pages_start(f);
	managed[0] = f->pa.zones[0].mm.managed_pages;
	managed[1] = f->pa.zones[1].mm.managed_pages;
	assert_int_equal(
		page_alloc_free_reserved(&f->pa, &f->h->mb, FOUR_GIB - MIB(1) - 1, MIB(2), &nr), 0);
	assert_int_equal(nr, 511); /* its ends lie within pages */
	assert_int_equal(f->pa.zones[0].mm.managed_pages, managed[0] + 256);
	assert_int_equal(f->pa.zones[1].mm.managed_pages, managed[1] + 255);
	assert_true(is_free(f, FOUR_GIB - PAGE_SIZE) && is_free(f, FOUR_GIB));
	assert_int_equal(page_alloc_audit(&f->pa, &f->h->mb, 0, &audit), 0);
	assert_int_equal(page_alloc_free_reserved(&f->pa, &f->h->mb, FOUR_GIB - MIB(2), MIB(2),
						  &nr),
			 -EMM_EDOUBLE);
	assert_int_equal(
		page_alloc_free_reserved(&f->pa, &f->h->mb, FOUR_GIB - MIB(32), MIB(31), &nr), 0);
	assert_int_equal(page_alloc_free_reserved(&f->pa, &f->h->mb, FOUR_GIB + MIB(1) - PAGE_SIZE,
						  MIB(31) + PAGE_SIZE, NULL),
			 0);
	assert_int_equal(page_alloc_audit(&f->pa, &f->h->mb, 0, &audit), 0);
	expect_sums(f, &audit);
	assert_int_equal(audit.total.reserved[CAUSE_INIT], 0);
	assert_int_equal(audit.zone[1].managed, MIB(64) >> PAGE_SHIFT);
	/* 64 MiB of one zone are one block again. */
	assert_true(alloc_pages(f->pa.harts, __GFP_MEMALLOC, 14) == (int64_t)PFN_DOWN(FOUR_GIB));
}

static void test_free_errors(void **state)
{
	const struct pfn_range area = { PFN_DOWN(FOUR_GIB + MIB(8)), PFN_DOWN(FOUR_GIB + MIB(16)) };
	struct helper_pages *f = *state;
	struct memblock *mb = &f->h->mb;
	struct page_audit audit;
	uint64_t nr = 77;

	machine(f);
	f->cfg.cma = &area;
	f->cfg.nr_cma = 1;
	keep(f, FOUR_GIB + MIB(4), MIB(4), CAUSE_INIT);
	keep(f, FOUR_GIB + MIB(8), MIB(8), CAUSE_RESERVED_MEMORY);
	assert_int_equal(page_alloc_plan(&f->pa, mb, &f->cfg), 0);
	assert_int_equal(page_alloc_free_reserved(&f->pa, mb, FOUR_GIB + MIB(4), MIB(4), &nr),
			 -EMM_ESTATE);
	helper_pages_start(f);
	/* Lent; partly lent; in no zone; free; any zone's metadata. */
	assert_int_equal(page_alloc_free_reserved(&f->pa, mb, FOUR_GIB + MIB(8), PAGE_SIZE, &nr),
			 -EMM_ERANGE);
	assert_int_equal(page_alloc_free_reserved(&f->pa, mb, FOUR_GIB + MIB(7), MIB(2), &nr),
			 -EMM_ERANGE);
	assert_int_equal(page_alloc_free_reserved(&f->pa, mb, FOUR_GIB + MIB(96), MIB(1), &nr),
			 -EMM_ERANGE);
	assert_int_equal(page_alloc_free_reserved(&f->pa, mb, FOUR_GIB + MIB(32), MIB(1), &nr),
			 -EMM_EDOUBLE);
	assert_int_equal(page_alloc_free_reserved(&f->pa, mb, PHYS_ADDR_MAX - 1, PAGE_SIZE, &nr),
			 -EMM_EINVAL);
	for (uint32_t i = 0; i < f->pa.nr_zones; i++)
		assert_int_equal(page_alloc_free_reserved(&f->pa, mb, f->pa.zones[i].mm.meta_pa,
							  PAGE_SIZE, &nr),
				 -EMM_EBUSY);
	assert_int_equal(nr, 77);
	assert_int_equal(page_alloc_audit(&f->pa, mb, 0, &audit), 0);
	assert_int_equal(page_alloc_free_reserved(&f->pa, mb, FOUR_GIB + MIB(4), MIB(4), &nr), 0);
	assert_int_equal(nr, 1024);
	assert_int_equal(page_alloc_audit(&f->pa, mb, 0, &audit), 0);
	expect_sums(f, &audit);
}

/* Arrays that were placed by hand, one in each of two zones, one of them across the border. */
static void test_discard(void **state)
{
	struct helper_pages *f = *state;
	struct memblock *mb = &f->h->mb;
	struct page_audit audit;
	uint64_t managed[2];

	machine(f);
	assert_int_equal(memblock_place_array(mb, &mb->memory, FOUR_GIB - 2 * PAGE_SIZE, 640), 0);
	assert_int_equal(memblock_place_array(mb, &mb->reserved, FOUR_GIB + MIB(130), 512), 0);
	keep(f, FOUR_GIB - 2 * PAGE_SIZE, 4 * PAGE_SIZE, CAUSE_MEMBLOCK);
	keep(f, FOUR_GIB + MIB(130), 3 * PAGE_SIZE, CAUSE_MEMBLOCK);
	helper_pages_start(f);
	managed[0] = f->pa.zones[0].mm.managed_pages;
	managed[1] = f->pa.zones[1].mm.managed_pages;
	assert_int_equal(page_alloc_audit(&f->pa, mb, 0, &audit), 0);
	assert_int_equal(page_alloc_discard(&f->pa, mb), 0);
	assert_int_equal(mb->memory.cnt, 0);
	assert_int_equal(f->pa.zones[0].mm.managed_pages, managed[0] + 2);
	/* 640 entries of 24 bytes do not fill the last page. */
	assert_int_equal(f->pa.zones[1].mm.managed_pages, managed[1] + 1);
	assert_true(is_free(f, FOUR_GIB - PAGE_SIZE) && is_free(f, FOUR_GIB));
	assert_true(is_free(f, FOUR_GIB + MIB(130)));
	assert_int_equal(page_alloc_audit_again(&f->pa, 0, &audit), 0);
	expect_sums(f, &audit);
	assert_int_equal(audit.total.present, MIB(160) >> PAGE_SHIFT);
	assert_int_equal(audit.total.reserved[CAUSE_MEMBLOCK], 1);
	assert_int_equal(page_alloc_audit_again(&f->pa, 1, &audit), -EMM_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		pages_test(test_sums),
		pages_test(test_before_the_handover),
		pages_test(test_lent),
		pages_test(test_outside),
		pages_test(test_one_node),
		pages_test(test_free_across_zones),
		pages_test(test_free_errors),
		pages_test(test_discard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
