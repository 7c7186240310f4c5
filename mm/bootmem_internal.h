/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of bootmem, nobootmem and early share. */
#ifndef MM_BOOTMEM_INTERNAL_H
#define MM_BOOTMEM_INTERNAL_H

#include <earlymm/bootmem.h>
#include "memblock_internal.h"

/* ---- bootmem_bitmap.c: bits [from, to) of a bitmap, a word at a time ---- */

#define BITMAP_WORD_BITS 64U

void bitmap_set(uint64_t *map, uint64_t from, uint64_t to);
void bitmap_clear(uint64_t *map, uint64_t from, uint64_t to);
/* The first bit in [from, to) that is set, or clear; @to if there is none. */
uint64_t bitmap_next_set(const uint64_t *map, uint64_t from, uint64_t to);
uint64_t bitmap_next_clear(const uint64_t *map, uint64_t from, uint64_t to);
/* One more than the last clear bit in [0, to); 0 if there is none. */
uint64_t bitmap_after_last_clear(const uint64_t *map, uint64_t to);

/* ---- nodes ---- */

static inline uint64_t node_first_pfn(const struct bootmem_data *bdata)
{
	return PFN_DOWN(bdata->node_boot_start);
}

static inline bool node_is_on(const struct bootmem_data *bdata, int nid)
{
	return nid == NUMA_NO_NODE || nid == bdata->nid;
}

static inline uint64_t max_pfn_of(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static inline uint64_t min_pfn_of(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Bytes of a node's bitmap, in whole words. */
static inline uint64_t bitmap_bytes(uint64_t pages)
{
	return (pages / BITMAP_WORD_BITS + (pages % BITMAP_WORD_BITS != 0)) * sizeof(uint64_t);
}

/* ---- bootmem.c ---- */

/* What init_bootmem_core() does once its arguments are checked; the bitmap is not written. */
int bootmem_add_node(struct bootmem *bm, int nid, uint32_t flags, phys_addr_t map_base,
		     uint64_t start_pfn, uint64_t end_pfn);

/* Makes frames free that lie in the node: their bits, and what the node remembers of them. */
void bootmem_clear_frames(struct bootmem_data *bdata, uint64_t start_pfn, uint64_t end_pfn);

/* ---- bootmem_alloc.c ---- */

struct bootmem_want {
	uint64_t nr_pages;
	uint64_t align_pages; /* a power of two */
	uint64_t start_pfn;
	uint64_t end_pfn; /* exclusive */
};

/* The lowest fit in the node. False if there is none. */
bool bootmem_find(const struct bootmem_data *bdata, const struct bootmem_want *want, uint64_t *pfn);

/* Can memory of the node be allocated? */
bool bootmem_may_alloc(const struct bootmem *bm, const struct bootmem_data *bdata);

/*
 * The lowest fit, as memblock_phys_alloc() bottom-up: @size and @align in whole pages, page 0 never,
 * current_limit respected, nothing zeroed. returns: 0 and *@pa, -EMM_ENOMEM, the ledger's errors.
 */
int bootmem_alloc_lowest(struct bootmem *bm, phys_addr_t size, phys_addr_t align, phys_addr_t goal,
			 phys_addr_t limit, int nid, enum memblock_cause cause, phys_addr_t *pa);

/* ---- bootmem_memblock.c: the ledger ---- */

/*
 * Reserves or frees frames in the memblock that @bm follows, if any, and, where its array moved by
 * that, the bits of the arrays. The frames' own bits are the caller's.
 */
int bootmem_record(struct bootmem *bm, uint64_t start_pfn, uint64_t end_pfn, uint32_t flags);
int bootmem_erase(struct bootmem *bm, uint64_t start_pfn, uint64_t end_pfn);

/* The bits of [start_pfn, end_pfn) as the memblock has it. O(regions covered + words). */
void bootmem_follow(struct bootmem *bm, uint64_t start_pfn, uint64_t end_pfn);

/*
 * Whether [base, end) may be freed: memory that may be had, not frame 0, nothing reserved for
 * bitmaps or memblock's arrays. returns: 0, -EMM_ERANGE, -EMM_EBUSY.
 */
int memblock_may_free(const struct memblock *mb, phys_addr_t base, phys_addr_t end);

/* Reserves frame 0 if it is memory and nothing of it is reserved; *@done says whether it did. */
int memblock_reserve_frame_0(struct memblock *mb, bool *done);

/* ---- nobootmem.c ---- */

int nobootmem_reserve(struct bootmem *bm, phys_addr_t addr, phys_addr_t size);
int nobootmem_free(struct bootmem *bm, phys_addr_t addr, phys_addr_t size);
/* On @nid if possible. @zero: through the map, which must then reach it. */
int nobootmem_alloc(struct bootmem *bm, phys_addr_t size, phys_addr_t align, phys_addr_t goal,
		    phys_addr_t limit, int nid, enum memblock_cause cause, bool zero,
		    phys_addr_t *pa);
int nobootmem_free_all(struct bootmem *bm, struct mm *mm);

#endif
