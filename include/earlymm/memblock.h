/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memblock: the boot-time map of memory and the first allocator, on two sorted arrays of ranges.
 * Invariant: memblock_is_valid(). All state is in the struct; physical = virtual is not assumed
 * (see struct phys_map). Complexity: n is the number of regions of the array concerned.
 */
#ifndef EARLYMM_MEMBLOCK_H
#define EARLYMM_MEMBLOCK_H

#include <earlymm/types.h>

/* Entries that each of the two arrays starts with, at least 1. Settable at build time. */
#ifndef INIT_MEMBLOCK_REGIONS
#define INIT_MEMBLOCK_REGIONS 128
#endif

/* Region flags, with Linux's values. */
enum memblock_flags {
	MEMBLOCK_NONE = 0x0,
	MEMBLOCK_HOTPLUG = 0x1,
	MEMBLOCK_MIRROR = 0x2,
	MEMBLOCK_NOMAP = 0x4,
	MEMBLOCK_DRIVER_MANAGED = 0x8,
	MEMBLOCK_RSRV_NOINIT = 0x10,
	MEMBLOCK_RSRV_KERN = 0x20,
	MEMBLOCK_FLAGS_MASK = 0xff,
	/* Memory that no allocator of this library may have. */
	MEMBLOCK_NOT_FREE = MEMBLOCK_NOMAP | MEMBLOCK_DRIVER_MANAGED,
};

/*
 * Why a range is reserved. Kept in bits 8-15 of a reserved region's flags, so that regions with
 * different causes never merge, and a byte that is reserved twice keeps the cause it had first:
 * the audit can attribute every page to exactly one cause. Linux has no such thing; the dump
 * prints it as a word after the flags.
 */
enum memblock_cause {
	CAUSE_OTHER, /* memblock_reserve() without a cause */
	CAUSE_IMAGE, /* the running image: text, data, bss, stacks */
	CAUSE_FDT, /* the device tree blob */
	CAUSE_INITRD,
	CAUSE_MEMRESERVE, /* the tree's /memreserve/ entries */
	CAUSE_RESERVED_MEMORY, /* a child of /reserved-memory, mapped */
	CAUSE_NOMAP, /* no-map: never a reserved region's cause, only the audit's */
	CAUSE_MEMBLOCK, /* memblock's own grown arrays */
	CAUSE_METADATA, /* the page allocator's metadata */
	CAUSE_ALLOC, /* memblock allocations of the boot program */
	CAUSE_INIT, /* init-only text and data of the image: given back after the boot */
	CAUSE_BOOTMEM, /* bootmem's bitmaps, until its handover */
	CAUSE_HUGEPAGES, /* gigantic pages set aside before the handover */
	CAUSE_HARTS, /* stacks of harts besides the boot hart, and what else each has to itself */
	CAUSE_BAD, /* memory that failed a test */
	CAUSE_PARTIAL, /* less than a page between two reservations; only the audit's */
	NR_CAUSES
};
#define MEMBLOCK_CAUSE_SHIFT  8
#define MEMBLOCK_CAUSE(flags) ((enum memblock_cause)(((flags) >> MEMBLOCK_CAUSE_SHIFT) & 0xff))

struct memblock_region {
	phys_addr_t base;
	phys_addr_t size;
	uint32_t flags; /* enum memblock_flags | cause << MEMBLOCK_CAUSE_SHIFT */
	int32_t nid;
};

struct memblock_type {
	unsigned long cnt;
	unsigned long max;
	phys_addr_t total_size;
	struct memblock_region *regions;
	const char *name;
};

/* Where an array that is no longer the struct's own lies; size 0: the initial array is in use. */
struct memblock_array {
	phys_addr_t base;
	phys_addr_t size;
};

struct memblock {
	bool bottom_up;
	phys_addr_t current_limit;
	struct memblock_type memory;
	struct memblock_type reserved;
	/* ---- beyond Linux's struct: what Linux keeps in globals ---- */
	bool can_resize;
	bool movable_node; /* movable_node: free ranges leave out HOTPLUG memory */
	const struct phys_map *map;
	const struct printer *debug; /* memblock=debug: prints each call; NULL: silent */
	const struct printer
		*warn; /* what the user should see: remedies, fall-backs; NULL: silent */
	struct memblock_array memory_array;
	struct memblock_array reserved_array;
	struct memblock_region memory_init_regions[INIT_MEMBLOCK_REGIONS];
	struct memblock_region reserved_init_regions[INIT_MEMBLOCK_REGIONS];
};

/*
 * @max_addr of an allocation: no bound but current_limit. Not 0 as in Linux: an empty range that
 * was computed would then mean all of memory.
 */
#define MEMBLOCK_ALLOC_ACCESSIBLE PHYS_ADDR_MAX
#define MEMBLOCK_ALLOC_ANYWHERE   PHYS_ADDR_MAX

/* The highest address memblock_alloc_low() may use (inclusive). */
#ifndef ARCH_LOW_ADDRESS_LIMIT
#define ARCH_LOW_ADDRESS_LIMIT ((phys_addr_t)0xffffffff)
#endif

/*
 * Common to all calls. Addresses and sizes are physical, in bytes, of any alignment. A range that
 * passes the top of the address space is cut there: PHYS_ADDR_MAX is the largest exclusive end,
 * so the very last byte is never covered. A range of size 0 changes nothing and is no error
 * (except in an allocation). Nothing is thread-safe: early boot has one hart. The struct may not
 * be copied or moved: the arrays it starts with lie inside it.
 *
 * -EMM_ENOSPC and -EMM_EFAULT of a call that changes a map: it needs more entries than the array
 * has, and the array may not grow (memblock_allow_resize() not called yet, no memory registered,
 * no free memory for it: mb->warn gets the remedy), or phys_to_virt does not reach the new array.
 * Such a call has changed nothing.
 */

/* ---- the maps ---- */

/*
 * Makes @mb empty: no limit, top-down, no resizing, silent. @map may be NULL where neither growth
 * nor an allocation by pointer is wanted. O(1): the arrays need not be zero.
 */
void memblock_init(struct memblock *mb, const struct phys_map *map);

/*
 * Adds [base, base + size) to the memory map, without a node and without flags. Parts that are
 * memory already keep their flags and node; only the gaps are added. Neighbours with equal flags
 * and node merge. O(log n + entries moved).
 * returns: 0, -EMM_ENOSPC, -EMM_EFAULT. Linux: memblock_add.
 */
int memblock_add(struct memblock *mb, phys_addr_t base, phys_addr_t size);

/*
 * As memblock_add(), on node @nid (NUMA_NO_NODE: none) with @flags, a set of MEMBLOCK_HOTPLUG,
 * MIRROR, NOMAP, DRIVER_MANAGED.
 * returns: 0, -EMM_EINVAL (@nid < -1, other flags), -EMM_ENOSPC, -EMM_EFAULT.
 * Linux: memblock_add_node.
 */
int memblock_add_node(struct memblock *mb, phys_addr_t base, phys_addr_t size, int nid,
		      uint32_t flags);

/*
 * Takes [base, base + size) out of the memory map; what is not there is skipped. Entries are cut
 * or split and keep their flags and node. Reservations stay. O(log n + entries moved).
 * returns: 0, -EMM_ENOSPC and -EMM_EFAULT (only where one entry is split in two).
 * Linux: memblock_remove.
 */
int memblock_remove(struct memblock *mb, phys_addr_t base, phys_addr_t size);

/*
 * Reserves [base, base + size), whether it is memory or not. A byte that is reserved already
 * keeps its cause and flags. memblock_reserve() has the cause CAUSE_OTHER; memblock_reserve_kern()
 * has the flag MEMBLOCK_RSRV_KERN, which memblock's own allocations have too. O(log n + entries
 * moved).
 * returns: 0, -EMM_EINVAL (@cause is none), -EMM_ENOSPC, -EMM_EFAULT.
 * Linux: memblock_reserve, memblock_reserve_kern.
 */
int memblock_reserve(struct memblock *mb, phys_addr_t base, phys_addr_t size);
int memblock_reserve_cause(struct memblock *mb, phys_addr_t base, phys_addr_t size,
			   enum memblock_cause cause);
int memblock_reserve_kern(struct memblock *mb, phys_addr_t base, phys_addr_t size,
			  enum memblock_cause cause);

/*
 * Ends the reservation of [base, base + size), of whatever cause; what is not reserved is
 * skipped. The range must not hold memblock's own grown arrays. O(log n + entries moved).
 * returns: 0, -EMM_ENOSPC and -EMM_EFAULT (only where one entry is split in two).
 * Linux: memblock_phys_free.
 */
int memblock_free(struct memblock *mb, phys_addr_t base, phys_addr_t size);

/* ---- flags and nodes ---- */

/*
 * Set or clear @flag (one or more of enum memblock_flags) on the parts of [base, base + size)
 * that are in @type, which is &mb->memory or &mb->reserved: entries are split at the ends of the
 * range and merge with neighbours that have become alike. Memory takes HOTPLUG, MIRROR, NOMAP,
 * DRIVER_MANAGED; reserved takes RSRV_NOINIT, RSRV_KERN. O(log n + entries moved).
 * returns: 0, -EMM_EINVAL (the type does not take @flag), -EMM_ENOSPC, -EMM_EFAULT.
 * Linux: memblock_setclr_flag.
 */
int memblock_set_flags(struct memblock *mb, struct memblock_type *type, phys_addr_t base,
		       phys_addr_t size, uint32_t flag);
int memblock_clear_flags(struct memblock *mb, struct memblock_type *type, phys_addr_t base,
			 phys_addr_t size, uint32_t flag);

/* The same by Linux's names: the first eight on memory, the last four on reserved. */
int memblock_mark_hotplug(struct memblock *mb, phys_addr_t base, phys_addr_t size);
int memblock_clear_hotplug(struct memblock *mb, phys_addr_t base, phys_addr_t size);
int memblock_mark_mirror(struct memblock *mb, phys_addr_t base, phys_addr_t size);
int memblock_clear_mirror(struct memblock *mb, phys_addr_t base, phys_addr_t size);
int memblock_mark_nomap(struct memblock *mb, phys_addr_t base, phys_addr_t size);
int memblock_clear_nomap(struct memblock *mb, phys_addr_t base, phys_addr_t size);
int memblock_mark_driver_managed(struct memblock *mb, phys_addr_t base, phys_addr_t size);
int memblock_clear_driver_managed(struct memblock *mb, phys_addr_t base, phys_addr_t size);
int memblock_reserved_mark_noinit(struct memblock *mb, phys_addr_t base, phys_addr_t size);
int memblock_reserved_clear_noinit(struct memblock *mb, phys_addr_t base, phys_addr_t size);
int memblock_reserved_mark_kern(struct memblock *mb, phys_addr_t base, phys_addr_t size);
int memblock_reserved_clear_kern(struct memblock *mb, phys_addr_t base, phys_addr_t size);

/*
 * Gives the parts of [base, base + size) that are in @type the node @nid (NUMA_NO_NODE: none),
 * with the same splits and merges. O(log n + entries moved).
 * returns: 0, -EMM_EINVAL (@type is not of @mb, @nid < -1), -EMM_ENOSPC, -EMM_EFAULT.
 * Linux: memblock_set_node.
 */
int memblock_set_node(struct memblock *mb, phys_addr_t base, phys_addr_t size,
		      struct memblock_type *type, int nid);

/* ---- the arrays ---- */

/*
 * From now on a full array grows: it is doubled (as often as the call at hand needs), rounded up
 * to pages, placed top-down in free memory clear of the range that the call is about, reserved
 * with CAUSE_MEMBLOCK, and the array it replaces is freed if it was a grown one. Call it when
 * every range that holds live data is reserved, not before. Linux: memblock_allow_resize.
 */
void memblock_allow_resize(struct memblock *mb);

/*
 * Moves @type (&mb->memory or &mb->reserved) to an array of @max entries at @base, aligned to 8;
 * it takes max * sizeof(struct memblock_region) bytes. The caller has checked that nothing lives
 * there, and reserves exactly these bytes next, with CAUSE_MEMBLOCK: then growth frees them when
 * it outgrows them (bytes reserved with another cause stay reserved). The array that was in use
 * is freed if it was a grown one. O(n).
 * returns: 0, -EMM_EINVAL (@type is not of @mb, @base not aligned, @max < cnt or 0, the end
 * passes the top), -EMM_EOVERLAP (with an array in use), -EMM_ENOSPC (no spare entry to free the
 * old array with), -EMM_EFAULT.
 */
int memblock_place_array(struct memblock *mb, struct memblock_type *type, phys_addr_t base,
			 unsigned long max);

/* ---- allocation ---- */

/*
 * Common to the allocations. Top-down takes the highest address that fits, round_down(end - size,
 * align), bottom-up (mb->bottom_up) the lowest. @align is a power of two, or 0 for
 * SMP_CACHE_BYTES. The record has exactly the requested size, and the flag MEMBLOCK_RSRV_KERN.
 * @max_addr (exclusive) is a hard bound, itself bounded by current_limit. Page 0 is never handed
 * out; nor is NOMAP or DRIVER_MANAGED memory, nor HOTPLUG memory if mb->movable_node. Mirrored
 * memory comes first; where it does not do, ordinary memory is taken and mb->warn gets a line. A
 * result lies within one entry of the memory map, so within one node. O(n + m), n and m the
 * entries of the two maps.
 * returns: 0 and *@pa (or *@ptr); -EMM_EINVAL (@size 0, @align, @nid < -1, @cause); -EMM_ENOMEM;
 * -EMM_ENOSPC, -EMM_EFAULT. On failure *@pa and *@ptr are as before.
 */

/*
 * On node @nid within [min_addr, max_addr); else on any node; else the same two again without
 * @min_addr. The memory is not touched. Linux: memblock_phys_alloc_try_nid.
 */
int memblock_phys_alloc(struct memblock *mb, phys_addr_t size, phys_addr_t align,
			phys_addr_t min_addr, phys_addr_t max_addr, int nid,
			enum memblock_cause cause, phys_addr_t *pa);

/* As memblock_phys_alloc(), but never from another node than @nid. */
int memblock_phys_alloc_exact_nid(struct memblock *mb, phys_addr_t size, phys_addr_t align,
				  phys_addr_t min_addr, phys_addr_t max_addr, int nid,
				  enum memblock_cause cause, phys_addr_t *pa);

/* Both bounds hard, any node. Linux: memblock_phys_alloc_range. */
int memblock_phys_alloc_range(struct memblock *mb, phys_addr_t size, phys_addr_t align,
			      phys_addr_t start, phys_addr_t end, enum memblock_cause cause,
			      phys_addr_t *pa);

/*
 * Where memblock_phys_alloc_range() would place the block; nothing is recorded, so neither
 * -EMM_ENOSPC nor -EMM_EFAULT is possible. Linux: memblock_find_in_range.
 */
int memblock_find_in_range(const struct memblock *mb, phys_addr_t start, phys_addr_t end,
			   phys_addr_t size, phys_addr_t align, phys_addr_t *pa);

/*
 * By pointer, with CAUSE_ALLOC. The `raw` ones leave the memory as it was, the others zero it.
 * Also -EMM_EFAULT if phys_to_virt does not reach the block.
 */
int memblock_alloc_try_nid(struct memblock *mb, phys_addr_t size, phys_addr_t align,
			   phys_addr_t min_addr, phys_addr_t max_addr, int nid, void **ptr);
int memblock_alloc_try_nid_raw(struct memblock *mb, phys_addr_t size, phys_addr_t align,
			       phys_addr_t min_addr, phys_addr_t max_addr, int nid, void **ptr);
int memblock_alloc_exact_nid_raw(struct memblock *mb, phys_addr_t size, phys_addr_t align,
				 phys_addr_t min_addr, phys_addr_t max_addr, int nid, void **ptr);
int memblock_alloc(struct memblock *mb, phys_addr_t size, phys_addr_t align, void **ptr);
int memblock_alloc_raw(struct memblock *mb, phys_addr_t size, phys_addr_t align, void **ptr);
/* At @min_addr or above if possible. */
int memblock_alloc_from(struct memblock *mb, phys_addr_t size, phys_addr_t align,
			phys_addr_t min_addr, void **ptr);
/* At or below ARCH_LOW_ADDRESS_LIMIT. */
int memblock_alloc_low(struct memblock *mb, phys_addr_t size, phys_addr_t align, void **ptr);
/* On @nid if possible. */
int memblock_alloc_node(struct memblock *mb, phys_addr_t size, phys_addr_t align, int nid,
			void **ptr);

/*
 * Ends the reservation of @size bytes at @ptr, which the calls above gave, or of a part of them. A
 * NULL @ptr, or size 0: nothing happens. The address is found by asking phys_to_virt for each entry
 * with CAUSE_ALLOC, as a whole: O(n). memblock_free() needs no search.
 * returns: 0, -EMM_ENOENT (no such entry holds all of it), -EMM_ENOSPC and -EMM_EFAULT (only where
 * an entry is split in two). Linux: memblock_free; memblock_free_ptr in 5.15.
 */
int memblock_free_ptr(struct memblock *mb, const void *ptr, phys_addr_t size);

/* ---- iteration ---- */

/*
 * A walk over one map, or over two at once. To be set by an init function; the maps must not
 * change during the walk. A whole walk takes O(n + m), one step O(1) and what it skips.
 */
struct memblock_iter {
	const struct memblock_region *mem; /* the next entry (backward: one past it) */
	const struct memblock_region *mem_stop;
	const struct memblock_region *rsv;
	const struct memblock_region *rsv_stop;
	phys_addr_t cur; /* how far the walk has come: an address, or a frame */
	uint32_t skip; /* entries with any of these flags are left out */
	uint32_t want; /* and those without all of these */
	int32_t nid;
};

/*
 * Free ranges (memory minus reserved) in ascending order, or, with the prev pair, descending.
 * Only node @nid unless NUMA_NO_NODE. NOMAP and DRIVER_MANAGED memory is always left out, HOTPLUG
 * memory if mb->movable_node and not @flags & MEMBLOCK_HOTPLUG, memory that is not MIRROR if
 * @flags & MEMBLOCK_MIRROR; other bits of @flags have no effect. A range ends where its entry of
 * the memory map ends: adjacent entries that differ in flags or node give two ranges.
 * next and prev: false, and nothing written, when the walk is over.
 * Linux: for_each_free_mem_range, for_each_free_mem_range_reverse.
 */
void memblock_iter_free_init(struct memblock_iter *it, const struct memblock *mb, int nid,
			     uint32_t flags);
bool memblock_next_free(struct memblock_iter *it, phys_addr_t *start, phys_addr_t *end);
void memblock_iter_free_init_reverse(struct memblock_iter *it, const struct memblock *mb, int nid,
				     uint32_t flags);
bool memblock_prev_free(struct memblock_iter *it, phys_addr_t *start, phys_addr_t *end);

/*
 * The entries of @type (&mb->memory or &mb->reserved), in ascending order; only node @nid unless
 * NUMA_NO_NODE. next: NULL when the walk is over. (Or index: type->regions[0 .. cnt - 1].)
 * Linux: for_each_mem_region, for_each_reserved_mem_region.
 */
void memblock_iter_region_init(struct memblock_iter *it, const struct memblock_type *type, int nid);
const struct memblock_region *memblock_next_region(struct memblock_iter *it);

/*
 * The same walk in frames. Memory is rounded inward, and an entry without a whole frame is left
 * out; NOMAP memory is included. Reserved is rounded outward, and a frame that several entries
 * share is reported once, with the first of them (whose flags tell the cause); ranges that touch
 * are not joined. @region may be NULL. [*start_pfn, *end_pfn) is half-open.
 * Linux: for_each_mem_pfn_range; memblock_region_reserved_base_pfn and _end_pfn.
 */
bool memblock_next_mem_pfn_range(struct memblock_iter *it, uint64_t *start_pfn, uint64_t *end_pfn,
				 const struct memblock_region **region);
bool memblock_next_reserved_pfn_range(struct memblock_iter *it, uint64_t *start_pfn,
				      uint64_t *end_pfn, const struct memblock_region **region);

/* ---- queries ---- */

/* Bytes of memory, NOMAP included, and bytes reserved. O(1). */
phys_addr_t memblock_phys_mem_size(const struct memblock *mb);
phys_addr_t memblock_reserved_size(const struct memblock *mb);

/* The first byte of memory, and the end (exclusive) of the last entry; 0 for an empty map. O(1). */
phys_addr_t memblock_start_of_DRAM(const struct memblock *mb);
phys_addr_t memblock_end_of_DRAM(const struct memblock *mb);

/* The entry of @type that holds @addr, or NULL. O(log n). Linux: memblock_search. */
const struct memblock_region *memblock_search(const struct memblock_type *type, phys_addr_t addr);

/* Whether the byte at @addr is memory (NOMAP counts), mapped memory (it does not), reserved. */
bool memblock_is_memory(const struct memblock *mb, phys_addr_t addr);
bool memblock_is_map_memory(const struct memblock *mb, phys_addr_t addr);
bool memblock_is_reserved(const struct memblock *mb, phys_addr_t addr);

/*
 * Whether all of the range is memory (also across entries that touch), whether any of it is
 * reserved, whether any of it is in @type. An empty range: false. O(log n + entries covered).
 */
bool memblock_is_region_memory(const struct memblock *mb, phys_addr_t base, phys_addr_t size);
bool memblock_is_region_reserved(const struct memblock *mb, phys_addr_t base, phys_addr_t size);
bool memblock_overlaps_region(const struct memblock_type *type, phys_addr_t base, phys_addr_t size);

/*
 * The memory entry that holds the start of frame @pfn: its frames (both ends rounded down) and
 * its node. Unlike Linux's, a hit without a node is no failure. O(log n).
 * returns: 0, -EMM_ENOENT.
 */
int memblock_search_pfn_nid(const struct memblock *mb, uint64_t pfn, uint64_t *start_pfn,
			    uint64_t *end_pfn, int *nid);

/* ---- limits ---- */

/* current_limit: no allocation ends above @limit (exclusive). */
void memblock_set_current_limit(struct memblock *mb, phys_addr_t limit);
phys_addr_t memblock_get_current_limit(const struct memblock *mb);

/* The direction of the allocations from now on. */
void memblock_set_bottom_up(struct memblock *mb, bool enable);

/*
 * Cuts every memory entry inward to multiples of @align, a power of two; entries without one go.
 * O(n). returns: 0, -EMM_EINVAL. Linux: memblock_trim_memory.
 */
int memblock_trim_memory(struct memblock *mb, phys_addr_t align);

/*
 * Keeps the first @limit bytes of memory, counted over all entries, and drops all memory (NOMAP
 * too) and every reservation above; entries that hold an array in use stay, whole. 0, or more than
 * there is: nothing happens. O(n). Linux: memblock_enforce_memory_limit.
 */
void memblock_enforce_memory_limit(struct memblock *mb, phys_addr_t limit);

/*
 * Keeps memory inside [base, base + size), and NOMAP entries everywhere, whole; drops other
 * memory and every reservation outside; entries that hold an array in use stay, whole. Size 0, or
 * no memory: nothing happens. O(n). Linux: memblock_cap_memory_range.
 */
void memblock_cap_memory_range(struct memblock *mb, phys_addr_t base, phys_addr_t size);

/* memblock_enforce_memory_limit() with NOMAP kept. Linux: memblock_mem_limit_remove_map. */
void memblock_mem_limit_remove_map(struct memblock *mb, phys_addr_t limit);

/* ---- reports and checks ---- */

/* Prints both maps in Linux's format; a reservation with a cause has it as a word at the end. */
void memblock_dump(const struct memblock *mb, const struct printer *out);

/* One short word for @cause, without blanks; "unknown" for what is none. Never NULL. */
const char *memblock_cause_name(enum memblock_cause cause);

/*
 * The invariant: entries sorted, not empty, not overlapping, none that should have merged, flags
 * and nodes possible, totals right, an empty map's first entry zero. O(n).
 */
bool memblock_is_valid(const struct memblock *mb);

#endif
