/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What goes to the page allocator after the handover: reserved ranges that are no longer needed,
 * and in the end memblock's own arrays.
 *
 * From the handover on the map tells which pages were ever given to the buddy: those that are
 * memory and not reserved. So nothing else may change it any more: what memblock_free() releases
 * then is lost, and what memblock_reserve() reserves is managed all the same.
 */
#ifndef EARLYMM_RESERVED_AREA_H
#define EARLYMM_RESERVED_AREA_H

#include <earlymm/memblock.h>
#include <earlymm/mm_init.h>
#include <earlymm/page_alloc.h>

/*
 * free_reserved_area() - the whole pages inside [base, base + size) leave the reserved map and
 * become free; mm->managed_pages grows by *nr_pages (may be NULL), which are fewer than there are
 * pages in the range where it begins or ends within a page (those at the edges stay reserved, as
 * somebody else may have the rest), or where two entries of the memory map meet within a page.
 * Frame 0 stays reserved, always. The pages may be reserved with any cause, or several.
 *
 * The pages themselves are not touched. Works on the first hart of @mm, whose program calls it.
 * The arrays of @mb must not grow after the handover, since the memory that they would take is the
 * buddy's: the first call forbids it. O(regions + levels of the tree * memory regions covered).
 *
 * returns: 0, with no page too; and with nothing changed -EMM_EINVAL (the range passes the top of
 * the address space), -EMM_ESTATE (before the handover), -EMM_ERANGE (a page of it is not memory,
 * or no-map, or outside the limits or the trees of @mm), -EMM_EDOUBLE (a page of it is not wholly
 * reserved: it is free or in use already), -EMM_EBUSY (memblock's arrays in use, or the metadata
 * of @mm), -EMM_ENOSPC (an entry is to be cut in two, and the array is full: free it from one
 * end, or raise INIT_MEMBLOCK_REGIONS).
 * Linux: free_reserved_area, free_initmem_default, memblock_free_late.
 */
int free_reserved_area(struct mm *mm, struct memblock *mb, phys_addr_t base, phys_addr_t size,
		       uint64_t *nr_pages);

/*
 * memblock_discard() - gives the pages of memblock's grown arrays to the buddy. @mb is empty and
 * valid afterwards, knows no memory, and will not grow: whatever is asked of it is not there. What
 * is reserved can then no longer be freed; the books are balanced by mm_audit_again(). Keeping the
 * map is the default for good reason: Linux does so, too, where ARCH_KEEP_MEMBLOCK is set.
 * A page that an array shares with something else stays as it was. No other hart may allocate
 * meanwhile: the arrays are read until the end. O(regions).
 * returns: 0; and with nothing changed -EMM_ESTATE (before the handover), -EMM_ERANGE (an array
 * lies outside the limits or the trees of @mm). Linux: memblock_discard.
 */
int memblock_discard(struct mm *mm, struct memblock *mb);

/*
 * page_alloc_free_reserved() - free_reserved_area() for a range that may lie in several zones, whose
 * managed_pages grow; watermarks stay as they are. On the first context of each zone: the first
 * hart calls it. O(zones * what that takes). returns: as free_reserved_area(); also -EMM_ERANGE (a
 * page that is lent, or in no zone), -EMM_EBUSY (metadata of any zone).
 */
int page_alloc_free_reserved(struct page_alloc *pa, struct memblock *mb, phys_addr_t base,
			     phys_addr_t size, uint64_t *nr_pages);

/* page_alloc_discard() - memblock_discard() for arrays that may lie in any zones. The same errors. */
int page_alloc_discard(struct page_alloc *pa, struct memblock *mb);

#endif
