/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The early allocator, of three kinds: memblock, bootmem (bitmaps beside it), nobootmem (bootmem's
 * calls on memblock). All hand out the lowest fit in whole pages, so that the same map and the
 * same calls lead to the same pages and to the same buddy, whichever it is. memblock is the ledger
 * of causes in all three.
 */
#ifndef EARLYMM_EARLY_H
#define EARLYMM_EARLY_H

#include <earlymm/bootmem.h>
#include <earlymm/memblock.h>
#include <earlymm/mm_init.h>

enum early_kind { EARLY_MEMBLOCK, EARLY_BOOTMEM, EARLY_NOBOOTMEM, NR_EARLY_KINDS };

/*
 * The reservations that early_init() makes room for, if memblock may grow: up to so many the three
 * kinds agree on every page. Beyond, memblock's larger arrays may lie on other pages, since bitmaps
 * take room at the top.
 */
#define EARLY_REGIONS 16

struct early {
	struct memblock *mb;
	struct bootmem bootmem; /* not for EARLY_MEMBLOCK; its calls may be used beside these */
	uint64_t metadata_bytes; /* at its peak */
	enum early_kind kind;
	bool handed_over;
};

/*
 * early_init() - an early allocator of @kind on the map of @mb, in which everything that lives is
 * reserved by now, and which nothing but these calls and those of e->bootmem may change until
 * early_free_all(). Frame 0, where it is memory, is reserved (CAUSE_OTHER). @e need not be zero.
 * O(regions); EARLY_BOOTMEM: as do_init_bootmem(). Returns 0, -EMM_EINVAL (@kind), -EMM_ENOENT (no
 * whole page of memory), or an error of memblock's or do_init_bootmem()'s; on failure @mb has no
 * reservation more, but for a larger array.
 */
int early_init(struct early *e, enum early_kind kind, struct memblock *mb);

/*
 * early_alloc() - the lowest fit, in whole pages: @size is rounded up, @align is a power of two (0,
 * and less than a page: a page). @goal is a preference, @limit (exclusive; PHYS_ADDR_MAX: none)
 * and memblock's current_limit are bounds. @nid (NUMA_NO_NODE: any) is preferred to other nodes,
 * and given up before @goal, as in memblock_phys_alloc(); mirrored memory comes first. The memory
 * is not touched. @cause is recorded.
 * O(regions); EARLY_BOOTMEM: O(words of bitmap). Returns 0 and *@pa, -EMM_EINVAL (@size 0, @align,
 * @nid < -1, @cause none or an allocator's own), -EMM_ENOMEM, -EMM_ESTATE (after the handover),
 * -EMM_ENOSPC, -EMM_EFAULT. On failure nothing has changed.
 */
int early_alloc(struct early *e, phys_addr_t size, phys_addr_t align, phys_addr_t goal,
		phys_addr_t limit, int nid, enum memblock_cause cause, phys_addr_t *pa);

/*
 * early_free() - gives back (some pages of) what is reserved with one cause: @base is aligned to a
 * page, @size is rounded up to pages. O(regions). Returns 0, -EMM_EINVAL (@size 0, @base, beyond
 * the address space), -EMM_ERANGE (not all of it is memory that may be had), -EMM_EDOUBLE (not all
 * of it is reserved), -EMM_EBUSY (of several causes, or an allocator's own), -EMM_ESTATE,
 * -EMM_ENOSPC, -EMM_EFAULT. On failure nothing has changed.
 */
int early_free(struct early *e, phys_addr_t base, phys_addr_t size);

/*
 * early_free_all() - the handover of what lies inside the limits of @mm: memblock_free_all() or
 * free_all_bootmem(), with their errors. Zones in ascending order, a call each.
 */
int early_free_all(struct early *e, struct mm *mm);

/*
 * Bytes that the allocator's own records took at their peak: memblock's two arrays (in the struct,
 * or grown), or the bitmaps and nodes, in whole pages, without the ledger beside them.
 */
uint64_t early_metadata_bytes(const struct early *e);

/* "memblock", "bootmem", "nobootmem"; "unknown" for what is none. */
const char *early_name(enum early_kind kind);

#endif
