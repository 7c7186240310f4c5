/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The handover: every free range of memblock goes to the buddy in one pass; and the audit, which
 * accounts for each page afterwards.
 */
#ifndef EARLYMM_HANDOVER_H
#define EARLYMM_HANDOVER_H

#include <earlymm/memblock.h>
#include <earlymm/mm_init.h>

/*
 * memblock_free_all() - gives the free memory of @mb inside the limits of @mm to its buddy: ranges
 * rounded inwards to pages, no-map never. Neither the pages nor @mb are changed. High memory is
 * handed over by a second call with a struct mm of its own.
 * O(regions). Returns -EMM_ESTATE (not after mm_init(), or twice), -EMM_ERANGE (free memory where
 * mm_plan() saw none), after which the allocator must not be used.
 * Linux: memblock_free_all, free_low_memory_core_early, free_unused_memmap (there is no memmap).
 */
int memblock_free_all(struct mm *mm, const struct memblock *mb);

/*
 * Every page of the memory inside the limits of a struct mm, by what became of it. Pages.
 *   present = managed + the sum of reserved[] + lost
 *   managed = free + held + used
 */
struct mm_audit {
	uint64_t present; /* whole pages of memory, no-map included */
	uint64_t managed; /* given to the buddy */
	uint64_t reserved
		[NR_CAUSES]; /* each page under one cause: that of its first byte reserved */
	uint64_t free; /* in the trees, counted from the bits */
	uint64_t held; /* in the harts' caches */
	uint64_t used; /* by the users' own ledger: the caller says */
	uint64_t lost; /* what is missing or too many in either equation; 0 or something is wrong */
};

/*
 * mm_audit() - balances the books. @used_pages: what the users of the allocator say they hold.
 * For a quiet moment. O(regions + words that hold something). Returns 0 if nothing is lost,
 * -EMM_EINVAL if something is (audit->lost says how much), -EMM_ESTATE before the handover.
 */
int mm_audit(const struct mm *mm, const struct memblock *mb, uint64_t used_pages,
	     struct mm_audit *audit);

/*
 * mm_audit_again() - the same without a memory map, after memblock_discard(): present and
 * reserved[] are those of @audit, which mm_audit() filled right before, but that what the buddy has
 * got since comes from CAUSE_MEMBLOCK. Also for later looks, each with the @audit of the last one.
 * O(words that hold something). Returns as mm_audit().
 */
int mm_audit_again(const struct mm *mm, uint64_t used_pages, struct mm_audit *audit);

/* The sum of audit->reserved[]. */
uint64_t mm_audit_reserved(const struct mm_audit *audit);

#endif
