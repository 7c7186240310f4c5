/* SPDX-License-Identifier: BSD-2-Clause */
/* The books of a page allocator: mm_audit() for each zone, and in all. */
#ifndef EARLYMM_PAGE_AUDIT_H
#define EARLYMM_PAGE_AUDIT_H

#include <earlymm/page_alloc.h>

/*
 * A CMA area is a zone of its own: its pages are present and managed there, and neither present
 * nor reserved in the zone around it, though memblock has them as reserved. What is used of a zone
 * is what is neither free nor held.
 */
struct page_audit {
	struct mm_audit zone[PAGE_ALLOC_MAX_ZONES]; /* as zones[] */
	/* All of the machine: also no-map memory that no zone covers. Used: as the caller says. */
	struct mm_audit total;
};

/*
 * page_alloc_audit() - balances the books of each zone, and those of all: besides mm_audit()'s two
 * equations the pages that a zone's counters have as free must be free in its trees. @used_pages:
 * what the users of the allocator say they hold, on all zones together. For a quiet moment.
 * O(zones * regions + words that hold something). Returns 0 if nothing is lost, -EMM_EINVAL if
 * something is (total.lost says how much, zone[].lost where), -EMM_ESTATE before the handover of
 * all zones.
 */
int page_alloc_audit(const struct page_alloc *pa, const struct memblock *mb, uint64_t used_pages,
		     struct page_audit *audit);

/* page_alloc_audit_again() - the same without a memory map, as mm_audit_again(). */
int page_alloc_audit_again(const struct page_alloc *pa, uint64_t used_pages,
			   struct page_audit *audit);

#endif
