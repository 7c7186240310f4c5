/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bootmem: the boot-time allocator that memblock replaced, with the calls and the semantics of
 * Linux 2.6.15. A bitmap a node, one bit a page, set = reserved. What it costs: a bit a page of
 * every node, gaps inside a node included; a pass that sets all bits, one that clears what is free,
 * and one over all bits at the handover: all proportional to memory, where memblock is to ranges.
 *
 * nobootmem is the same calls on top of memblock. Linux gave them the same names so that the
 * callers, all over the architectures and drivers, did not have to change while one architecture
 * after the other moved from bootmem to memblock (CONFIG_NO_BOOTMEM built mm/nobootmem.c in place
 * of mm/bootmem.c). Here the struct decides: nobootmem_init() makes one whose calls end in
 * memblock, all others work on bitmaps.
 *
 * All state is in the caller's struct bootmem; bitmaps are reached through its struct phys_map.
 */
#ifndef EARLYMM_BOOTMEM_H
#define EARLYMM_BOOTMEM_H

#include <earlymm/memblock.h>

struct mm;

/* Below it memory is spared for those who need it: the default goal of an allocation. */
#ifndef MAX_DMA_ADDRESS
#define MAX_DMA_ADDRESS ((phys_addr_t)1 << 32)
#endif

/* A gap that takes a page of bitmap: as much as a node of its own takes at least. */
#define BOOTMEM_GAP_PAGES (8 * PAGE_SIZE)

/* As many struct mm can share one bootmem: the zones that it is handed over to. */
#define BOOTMEM_MAX_ZONES 32

/* One node: a range of frames with a bitmap. The first six fields are Linux's. */
struct bootmem_data {
	phys_addr_t node_boot_start; /* its first byte, a multiple of the page size */
	uint64_t node_low_pfn; /* the frame behind its last */
	uint64_t *node_bootmem_map; /* bit i: frame PFN_DOWN(node_boot_start) + i is reserved */
	uint64_t last_offset; /* bytes in use of the page last_pos; 0: no room is left there */
	uint64_t last_pos; /* the last page of the allocation before, from the node's first */
	phys_addr_t last_success; /* where that allocation began, in bytes from node_boot_start */
	/* ---- beyond Linux's struct ---- */
	int32_t nid;
	uint32_t flags; /* of its memory: MEMBLOCK_HOTPLUG, MEMBLOCK_MIRROR */
	uint64_t map_pfn; /* the frames that the bitmap takes, */
	uint64_t map_pages; /* given back after the handover */
	uint64_t handed_pfn; /* frames below it have been handed over */
	uint64_t hole_start; /* around the bitmap: frames that were not */
	uint64_t hole_end;
	phys_addr_t remap_base; /* what is left of the node's remap space; the caller's to set */
	phys_addr_t remap_end;
};

struct bootmem {
	struct bootmem_data *bdata; /* ascending, disjoint */
	uint32_t nr_nodes;
	uint32_t max_nodes;
	struct memblock *mb; /* the map that it follows, or that it is (nobootmem); or NULL */
	bool nobootmem;
	bool handed_over; /* at least in part: nothing can be allocated any more */
	const struct phys_map *map;
	const struct printer *printer; /* failures, hash tables; at first mb->warn; NULL: silent */
	phys_addr_t max_dma_address; /* the default goal */
	uint64_t min_low_pfn; /* the first frame; after init_bootmem() the bitmap's, as in Linux */
	uint64_t max_low_pfn; /* the frame behind the last */
	uint64_t max_pfn; /* the same: all memory is low here */
	uint64_t saved_max_pfn; /* max_pfn before the user's limits, for a crash dump's reader */
	uint64_t nr_all_pages; /* pages of memory, for alloc_large_system_hash() */
	struct mm *zones[BOOTMEM_MAX_ZONES]; /* that it was handed over to */
	uint32_t nr_zones;
};

/*
 * Common to all calls. Addresses and sizes are physical, in bytes. @nid is a node's number, or
 * NUMA_NO_NODE for all nodes; several bdata may have the same. Nothing is thread-safe: early boot
 * has one hart. Frame 0 is never handed out, neither by an allocation nor at the handover.
 *
 * Where the struct follows a memblock (do_init_bootmem()), every page that is reserved, allocated
 * or freed here is so there too: memblock stays the ledger of causes. Its array may grow by that;
 * -EMM_ENOSPC and -EMM_EFAULT are then memblock's. That memblock must not be changed otherwise
 * until the handover. n is the number of nodes, W the words of their bitmaps.
 */

/* ---- set-up ---- */

/*
 * do_init_bootmem() - nodes and bitmaps for a memblock map. A node ends where the NUMA node or the
 * flags change and before a gap of more than BOOTMEM_GAP_PAGES. The bitmaps, and the array of
 * nodes, are taken from @mb, top-down (out of the way of the page allocator's metadata, which
 * goes as low as it fits), with CAUSE_BOOTMEM. Then memory is freed, rounded inwards to pages, and
 * what is reserved is reserved, rounded outwards. NOMAP and DRIVER_MANAGED memory and frame 0 stay
 * reserved. HOTPLUG memory is in the bitmaps and goes to the buddy, but is not allocated from if
 * mb->movable_node.
 * O(W + regions * log regions). Returns 0, -EMM_ENOENT (no whole page
 * of memory), -EMM_ENOMEM, -EMM_ENOSPC, -EMM_EFAULT; @mb has then no reservation more.
 * Linux 2.6.15: do_init_bootmem of arch/powerpc/mm/mem.c.
 */
int do_init_bootmem(struct bootmem *bm, struct memblock *mb);

/*
 * nobootmem_init() - the same calls, on @mb itself. There are no nodes of its own: the _core calls
 * answer -EMM_EINVAL. What differs: memblock knows bytes, so nothing is rounded to pages; its
 * direction (mb->bottom_up) decides which end of a range an allocation comes from; @goal and
 * @nid are given up as in memblock_phys_alloc(). O(1).
 */
void nobootmem_init(struct bootmem *bm, struct memblock *mb);

/*
 * bootmem_init() - one without nodes, for init_bootmem_node() and its like: @bdata has room for
 * @max_nodes. No memblock stands behind it: bitmaps, image and the like are the caller's to
 * reserve. Neither array nor struct needs to be zero. O(1).
 */
void bootmem_init(struct bootmem *bm, const struct phys_map *map, struct bootmem_data *bdata,
		  uint32_t max_nodes);

/* Pages that the bitmap of @pages pages takes. No overflow up to 2^63. */
uint64_t bootmem_bootmap_pages(uint64_t pages);

/*
 * init_bootmem_core() - a node [start_pfn, end_pfn) behind the ones that are there, all of it
 * reserved. @map_base: where its bitmap lies, 8-byte aligned. @bytes (may be NULL): the bitmap's.
 * O(its words). Returns 0, -EMM_EINVAL (empty, beyond the address space, @map_base unaligned, @nid
 * < -1, @flags others than HOTPLUG and MIRROR), -EMM_EOVERLAP (not above the last node),
 * -EMM_ENOSPC (no room in the array), -EMM_EFAULT, -EMM_ESTATE (after the handover).
 */
int init_bootmem_core(struct bootmem *bm, int nid, uint32_t flags, phys_addr_t map_base,
		      uint64_t start_pfn, uint64_t end_pfn, uint64_t *bytes);

/* The same with the bitmap at frame @map_pfn. */
int init_bootmem_node(struct bootmem *bm, int nid, uint64_t map_pfn, uint64_t start_pfn,
		      uint64_t end_pfn, uint64_t *bytes);

/* The same for node 0, from frame 0 to @pages; sets min_low_pfn to @map_pfn. */
int init_bootmem(struct bootmem *bm, uint64_t map_pfn, uint64_t pages, uint64_t *bytes);

/* ---- ranges ---- */

/*
 * reserve_bootmem() - reserves [addr, addr + size), rounded outwards, over any nodes that touch;
 * reserve_bootmem_node() only on @nid, reserve_bootmem_core() only in @bdata.
 * O(n + words of the range). Returns 0, -EMM_EINVAL (size 0), -EMM_ERANGE (not inside the nodes),
 * -EMM_EBUSY (a page of it is reserved: Linux warned if CONFIG_DEBUG_BOOTMEM), -EMM_ESTATE,
 * -EMM_ENOSPC, -EMM_EFAULT. On failure nothing has changed, and bm->printer gets the page.
 */
int reserve_bootmem(struct bootmem *bm, phys_addr_t addr, phys_addr_t size);
int reserve_bootmem_node(struct bootmem *bm, int nid, phys_addr_t addr, phys_addr_t size);
int reserve_bootmem_core(struct bootmem *bm, struct bootmem_data *bdata, phys_addr_t addr,
			 phys_addr_t size);

/*
 * free_bootmem() - frees [addr, addr + size), rounded inwards: a page that is partly free counts
 * as reserved, and a range without a whole page changes nothing. The same over nodes.
 * O(n + words of the range). Returns 0, -EMM_EINVAL (size 0), -EMM_ERANGE (not inside the nodes;
 * or no memory, or frame 0, by the memblock that @bm follows), -EMM_EBUSY (bitmaps, memblock's
 * arrays), -EMM_EDOUBLE (a page of it is free: Linux stopped), -EMM_ESTATE, -EMM_ENOSPC,
 * -EMM_EFAULT. On failure nothing has changed, and bm->printer gets the page.
 */
int free_bootmem(struct bootmem *bm, phys_addr_t addr, phys_addr_t size);
int free_bootmem_node(struct bootmem *bm, int nid, phys_addr_t addr, phys_addr_t size);
int free_bootmem_core(struct bootmem *bm, struct bootmem_data *bdata, phys_addr_t addr,
		      phys_addr_t size);

/* ---- allocation ---- */

/*
 * Common to the allocations. Nodes are tried in their order. In a node: the first fit from @goal
 * upwards (from the last allocation, if that lies above @goal: last_success); if there is none, or
 * @goal lies outside the node, the first fit from its start. @limit (exclusive) is a hard bound,
 * PHYS_ADDR_MAX none (not 0, as in Linux: a bound that was computed would then mean none). @align
 * is a power of two, or 0 for SMP_CACHE_BYTES. Consecutive small allocations share pages: if the
 * run that was found follows the page that the allocation before ended in, and @align is less than
 * a page, what is left of that page is used first. The memory is zeroed.
 * O(n + W). Returns 0 and *@pa, -EMM_EINVAL (size 0, @align, @nid < -1), -EMM_ENOMEM (bm->printer
 * gets a line), -EMM_EFAULT (the block cannot be reached), -EMM_ESTATE (after the handover),
 * -EMM_ENOSPC. On failure *@pa is as before.
 * Unlike Linux's: an aligned run behind a failed one is not skipped, the hint counts bytes from
 * the node's start throughout, and a page that was freed is not packed into.
 */
int __alloc_bootmem_limit(struct bootmem *bm, phys_addr_t size, phys_addr_t align, phys_addr_t goal,
			  phys_addr_t limit, phys_addr_t *pa);

/* In the nodes with @nid, then in all. */
int __alloc_bootmem_node_limit(struct bootmem *bm, int nid, phys_addr_t size, phys_addr_t align,
			       phys_addr_t goal, phys_addr_t limit, phys_addr_t *pa);

/* In @bdata only. */
int __alloc_bootmem_core(struct bootmem *bm, struct bootmem_data *bdata, phys_addr_t size,
			 phys_addr_t align, phys_addr_t goal, phys_addr_t limit, phys_addr_t *pa);

static inline int __alloc_bootmem(struct bootmem *bm, phys_addr_t size, phys_addr_t align,
				  phys_addr_t goal, phys_addr_t *pa)
{
	return __alloc_bootmem_limit(bm, size, align, goal, PHYS_ADDR_MAX, pa);
}

static inline int __alloc_bootmem_node(struct bootmem *bm, int nid, phys_addr_t size,
				       phys_addr_t align, phys_addr_t goal, phys_addr_t *pa)
{
	return __alloc_bootmem_node_limit(bm, nid, size, align, goal, PHYS_ADDR_MAX, pa);
}

/*
 * The forms that programs use: `pages` is aligned to a page, else to a cache line; `low` has the
 * goal 0, else it is max_dma_address. Each with and without a limit.
 */
static inline int alloc_bootmem_limit(struct bootmem *bm, phys_addr_t size, phys_addr_t limit,
				      phys_addr_t *pa)
{
	return __alloc_bootmem_limit(bm, size, SMP_CACHE_BYTES, bm->max_dma_address, limit, pa);
}

static inline int alloc_bootmem_low_limit(struct bootmem *bm, phys_addr_t size, phys_addr_t limit,
					  phys_addr_t *pa)
{
	return __alloc_bootmem_limit(bm, size, SMP_CACHE_BYTES, 0, limit, pa);
}

static inline int alloc_bootmem_pages_limit(struct bootmem *bm, phys_addr_t size, phys_addr_t limit,
					    phys_addr_t *pa)
{
	return __alloc_bootmem_limit(bm, size, PAGE_SIZE, bm->max_dma_address, limit, pa);
}

static inline int alloc_bootmem_low_pages_limit(struct bootmem *bm, phys_addr_t size,
						phys_addr_t limit, phys_addr_t *pa)
{
	return __alloc_bootmem_limit(bm, size, PAGE_SIZE, 0, limit, pa);
}

static inline int alloc_bootmem_node_limit(struct bootmem *bm, int nid, phys_addr_t size,
					   phys_addr_t limit, phys_addr_t *pa)
{
	return __alloc_bootmem_node_limit(bm, nid, size, SMP_CACHE_BYTES, bm->max_dma_address,
					  limit, pa);
}

static inline int alloc_bootmem_pages_node_limit(struct bootmem *bm, int nid, phys_addr_t size,
						 phys_addr_t limit, phys_addr_t *pa)
{
	return __alloc_bootmem_node_limit(bm, nid, size, PAGE_SIZE, bm->max_dma_address, limit, pa);
}

static inline int alloc_bootmem_low_pages_node_limit(struct bootmem *bm, int nid, phys_addr_t size,
						     phys_addr_t limit, phys_addr_t *pa)
{
	return __alloc_bootmem_node_limit(bm, nid, size, PAGE_SIZE, 0, limit, pa);
}

static inline int alloc_bootmem(struct bootmem *bm, phys_addr_t size, phys_addr_t *pa)
{
	return alloc_bootmem_limit(bm, size, PHYS_ADDR_MAX, pa);
}

static inline int alloc_bootmem_low(struct bootmem *bm, phys_addr_t size, phys_addr_t *pa)
{
	return alloc_bootmem_low_limit(bm, size, PHYS_ADDR_MAX, pa);
}

static inline int alloc_bootmem_pages(struct bootmem *bm, phys_addr_t size, phys_addr_t *pa)
{
	return alloc_bootmem_pages_limit(bm, size, PHYS_ADDR_MAX, pa);
}

static inline int alloc_bootmem_low_pages(struct bootmem *bm, phys_addr_t size, phys_addr_t *pa)
{
	return alloc_bootmem_low_pages_limit(bm, size, PHYS_ADDR_MAX, pa);
}

static inline int alloc_bootmem_node(struct bootmem *bm, int nid, phys_addr_t size, phys_addr_t *pa)
{
	return alloc_bootmem_node_limit(bm, nid, size, PHYS_ADDR_MAX, pa);
}

static inline int alloc_bootmem_pages_node(struct bootmem *bm, int nid, phys_addr_t size,
					   phys_addr_t *pa)
{
	return alloc_bootmem_pages_node_limit(bm, nid, size, PHYS_ADDR_MAX, pa);
}

static inline int alloc_bootmem_low_pages_node(struct bootmem *bm, int nid, phys_addr_t size,
					       phys_addr_t *pa)
{
	return alloc_bootmem_low_pages_node_limit(bm, nid, size, PHYS_ADDR_MAX, pa);
}

/* A hash table of 2^shift buckets. */
struct system_hash {
	phys_addr_t table;
	phys_addr_t bytes;
	uint64_t mask; /* buckets - 1 */
	unsigned int shift;
};

/*
 * alloc_large_system_hash() - a hash table whose size goes with memory. @numentries buckets, or, if
 * that is 0, one for each 2^@scale bytes of memory (in whole MiB); rounded up to a power of two,
 * and at most @limit, or, if that is 0, what takes a sixteenth of memory. If there is no room a
 * table half as large is tried, down to a page. Zeroed; bm->printer gets Linux's line.
 * O(log of its size) allocations. Returns 0 and *@hash, -EMM_EINVAL (bucketsize 0, scale > 63),
 * -EMM_ENOMEM (also where not even one bucket is allowed), or an error of the allocation's.
 */
int alloc_large_system_hash(struct bootmem *bm, const char *tablename, uint64_t bucketsize,
			    uint64_t numentries, unsigned int scale, uint64_t limit,
			    struct system_hash *hash);

/*
 * alloc_remap() - from the remap space of the first node with @nid: memory that i386 kept for the
 * memory maps of nodes that it could not map one to one. The space is [remap_base, remap_end) of
 * the bdata, reserved and set by the caller. @size is rounded up to cache lines; zeroed. O(n).
 * Returns 0 and *@pa, -EMM_EINVAL (size 0), -EMM_ENOENT (the node has no such space, as everywhere
 * on riscv64: Linux's NULL), -EMM_ENOMEM (not enough is left), -EMM_EFAULT.
 */
int alloc_remap(struct bootmem *bm, int nid, phys_addr_t size, phys_addr_t *pa);

/* ---- the handover ---- */

/*
 * free_all_bootmem() - gives every free page inside the limits of @mm to its buddy: a pass over the
 * bitmaps, a word at a time, run by run. When all free frames of all nodes have been handed over,
 * the bitmaps' own pages follow, each to the struct mm in whose limits it lies, and leave memblock's
 * ledger; then @bm is good for nothing but zones without a free page. (A bitmap in no such limits, or one that is not
 * reserved, stays what it is.) Zones are handed over in ascending order, a call each; between the
 * first and the last call nothing may be added to them. mm->managed_pages and mm->state are set.
 * O(W + n + runs). Returns 0, -EMM_ESTATE (not after mm_init(), or twice), -EMM_ENOSPC (more than
 * BOOTMEM_MAX_ZONES; no entry for a split in the ledger), -EMM_EOVERLAP (a zone below or over an
 * earlier one), -EMM_ERANGE (free memory where mm_plan() saw none), after which the allocator must
 * not be used.
 */
int free_all_bootmem(struct bootmem *bm, struct mm *mm);

/*
 * free_all_bootmem_node() - the same for the nodes with @nid. @mm is handed over when nothing of
 * any node is left inside its limits; free_all_bootmem() takes the rest of them. -EMM_ESTATE if
 * @nid has nothing left. For nobootmem it does nothing, as in Linux: free_all_bootmem() takes all.
 */
int free_all_bootmem_node(struct bootmem *bm, struct mm *mm, int nid);

#endif
