/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dt: from a flattened device tree to the memory map. dt_check(), dt_walk(), dt_to_memblock() and
 * dt_place_dynamic() are called in this order, once each; the tree is not trusted. No memory is
 * allocated and nothing is printed but through a struct printer; messages name the node, the
 * property and the address.
 * docs/memory-map.md has the rules. Built on libfdt.
 */
#ifndef DT_H
#define DT_H

#include <earlymm/memblock.h>
#include <earlymm/types.h>

/* Bounds on the input: larger, deeper or longer is refused with a message. */
#define DT_MAX_SIZE   (16U << 20) /* bytes of a blob */
#define DT_MAX_DEPTH  32 /* nested nodes, the root included */
#define DT_MAX_STRING 4096 /* bytes of a string property, its NUL included */
#define DT_MAX_NID    1023 /* numa-node-id */
#define DT_MAX_USABLE 8 /* ranges of linux,usable-memory-range */

/* Ranges of one alloc-ranges that are tried; more are reported and left out. */
#define DT_MAX_ALLOC_RANGES 16

/* Memory nodes between which distances are known; others have the defaults. */
#define DT_MAX_NODES 16

/*
 * Overlaps reported with both names, ranges that one region does not fit in, and all messages of
 * one call; beyond, only a count.
 */
#define DT_MAX_OVERLAP_LINES 4
#define DT_MAX_RANGE_LINES   4
#define DT_MAX_LINES         24

/* What a CMA area's base and size must be aligned to: Linux's CMA_MIN_ALIGNMENT_BYTES. */
#define DT_CMA_GRANULE (PAGE_SIZE << 9)

/* Memory in use that the tree does not tell of: the image, its stacks. */
struct dt_fixed {
	phys_addr_t base;
	phys_addr_t size;
	enum memblock_cause cause;
	const char *name;
};

/* #address-cells and #size-cells, 1 or 2 each. */
struct dt_cells {
	uint32_t addr;
	uint32_t size;
};

/* First and last node of a kind among the root's children, as structure block offsets; -1: none. */
struct dt_span {
	int first;
	int last;
};

/* Where a property's value lies, in bytes from the start of the blob. len 0: not there. */
struct dt_value {
	uint32_t offset;
	uint32_t len;
};

/* What a region of /reserved-memory is to its users. */
enum dt_region_flags {
	DT_REGION_DYNAMIC = 0x1, /* placed by dt_place_dynamic(); else static */
	DT_REGION_NOMAP = 0x2, /* not memory: never to be touched */
	DT_REGION_REUSABLE = 0x4, /* the tree says so */
	DT_REGION_DMA_POOL = 0x8, /* compatible with shared-dma-pool */
	/* Reusable, one bank's mapped memory, no byte of it anybody else's: may be lent. */
	DT_REGION_LENDABLE = 0x10,
	/* Lendable, a DMA pool, aligned to DT_CMA_GRANULE. */
	DT_REGION_CMA = 0x20,
	DT_REGION_CMA_DEFAULT = 0x40, /* linux,cma-default: one CMA area at most */
	DT_REGION_DMA_DEFAULT = 0x80, /* linux,dma-default: one pool at most, not reusable */
};

/* A range of /reserved-memory: a reg entry of a static child, or a dynamic child. */
struct dt_region {
	const char *name; /* the node's, in the tree: may hold any byte, print with care */
	phys_addr_t base; /* static: as the tree says, no-map to whole pages */
	phys_addr_t size;
	int nid; /* of the memory at base, NUMA_NO_NODE if there is none */
	uint32_t flags; /* enum dt_region_flags */
};

/* Extensions that code may be built for, a bit each. */
enum dt_isa {
	DT_ISA_ZBA = 0x1,
	DT_ISA_ZBB = 0x2,
	DT_ISA_ZBS = 0x4,
	DT_ISA_ZB = DT_ISA_ZBA | DT_ISA_ZBB | DT_ISA_ZBS,
};

/* A hart that may be used. */
struct dt_hart {
	uint64_t id; /* reg */
	int nid; /* numa-node-id; NUMA_NO_NODE if it has none, or none that can be */
};

struct dt_info {
	/*
	 * Facts. Strings point into the tree, end within it and within DT_MAX_STRING bytes, and are
	 * "" where the tree has none: never NULL. They may hold any byte: print with care.
	 */
	const char *model;
	const char *compatible; /* the first of the root's list */
	const char *isa; /* riscv,isa (or riscv,isa-base) of the boot hart */
	const char *mmu_type; /* of the boot hart */
	const char *isa_lacks; /* node of the first usable hart without all of DT_ISA_ZB; or "" */
	const char *bootargs;
	const char *stdout_path;
	uint64_t boot_hart;
	int boot_hart_nid; /* its numa-node-id; NUMA_NO_NODE if it has none */
	uint64_t timebase_hz; /* 0: the tree does not say */
	uint32_t nr_harts; /* with a status of okay, ok or none */
	uint32_t nr_harts_total;
	uint32_t totalsize; /* of the tree, in bytes */
	/*
	 * enum dt_isa: what every usable hart, the boot hart among them, is said to have in
	 * riscv,isa-extensions or else riscv,isa. 0 if anything about it is missing or odd.
	 */
	uint32_t isa_extensions;

	/* size 0: none; dt_to_memblock() sets it to 0 when the initrd must not be used. */
	phys_addr_t initrd_base;
	phys_addr_t initrd_size;
	phys_addr_t elfcorehdr_base;
	phys_addr_t elfcorehdr_size;

	/* Counts of what is there, from dt_walk(). */
	uint32_t nr_memory_nodes; /* enabled ones */
	uint32_t nr_banks; /* their reg entries */
	uint32_t nr_hotpluggable; /* entries in hotpluggable nodes */
	uint32_t nr_memreserve;
	uint32_t nr_static; /* /reserved-memory children with reg */
	uint32_t nr_pools; /* those that are reusable, a shared-dma-pool, or a default pool */
	uint32_t nr_static_ranges; /* their reg entries, no-map or not */
	uint32_t nr_nomap_ranges; /* those of no-map children */
	uint32_t nr_dynamic; /* children with size but no reg, valid or not */
	uint32_t nr_dynamic_nomap; /* no-map ones of them */
	uint32_t nr_iommu; /* children with iommu-addresses only: they reserve no memory */
	uint32_t nr_disabled; /* children of /reserved-memory with a status other than okay */

	/* What became of it, from dt_to_memblock(). */
	uint32_t nr_banks_skipped; /* empty, less than a page, or outside the usable ranges */
	uint32_t nr_dynamic_bad; /* of nr_dynamic: invalid, never to be placed */
	uint32_t nr_nomap_refused; /* no-map ranges that hit memory in use */
	uint32_t fixed_claimed; /* bit i: another claim than its own entry meets fixed range i */
	uint32_t nr_overlaps; /* ranges that overlap one before them */
	uint32_t nr_seed_bytes; /* wiped */

	/* And from dt_place_dynamic(). nr_dynamic = nr_dynamic_bad + _placed + _failed. */
	uint32_t nr_dynamic_placed;
	uint32_t nr_dynamic_failed; /* valid, but there was no room */
	struct dt_region *regions; /* the caller's table */
	uint32_t nr_regions; /* in it */
	uint32_t nr_regions_dropped; /* for want of room in it; reserved all the same */

	/* Things the tree should not hold, each with a message; from all calls. */
	uint32_t nr_errors;

	/* For dt/ itself. */
	struct dt_cells root_cells;
	struct dt_span memory;
	struct dt_span reserved;
	struct dt_span cpus;
	struct dt_value seeds[2];
	struct dt_value usable; /* linux,usable-memory-range */
	uint32_t max_regions;
	int distance_map; /* structure block offset, -1: none */
	bool has_usable;
	bool pools_listed;
	bool static_listed;
};

/*
 * dt_check() - is there a device tree at @fdt, with a header that can be relied on? Reads the
 * header, and the last byte of the strings block; nothing is read beyond the header before
 * totalsize is known to be at most DT_MAX_SIZE. Demands 8-byte alignment and version 17 (and
 * compatible). O(1).
 * Returns 0 or -EMM_EBADTREE, after a message that gives the value found and its address.
 */
int dt_check(const void *fdt, const struct printer *out);

/*
 * dt_walk() - the one pass over the whole tree: checks the structure block up to its end and the
 * memory reservation block, and fills @info with facts, counts and offsets. @boot_hart: the hart
 * id whose ISA is wanted; if the tree does not have it, the first usable hart's is taken.
 * Precondition: dt_check() passed. O(totalsize).
 * Returns 0 or -EMM_EBADTREE (message: offset, node, what is wrong), and then @info is not to be
 * used. Errors in single properties are not fatal: they are reported and counted in nr_errors.
 */
int dt_walk(struct dt_info *info, const void *fdt, uint64_t boot_hart, const struct printer *out);

/*
 * dt_to_memblock() - registers memory and all that is taken of it in @mb, in this order: @fixed,
 * the tree, the initrd, /memreserve/, linux,elfcorehdr, every static child of /reserved-memory.
 * What comes first keeps its cause where ranges overlap. Memory is rounded inward to whole pages,
 * no-map outward (and marked MEMBLOCK_NOMAP); other reservations are kept to the byte. Arrays that
 * the ranges would not fit in are placed first, in memory that none of them uses (CAUSE_MEMBLOCK),
 * preferably right above @fixed. Seeds in /chosen are zeroed in place.
 *
 * Decisions, each with a message: a /reserved-memory without ranges or with cells other than the
 * root's is honoured; no-map does not apply to pages in use by @fixed or the tree, which stay
 * reserved whole; no-map with reusable counts as no-map; an initrd that is not in memory, or that
 * shares a byte (with no-map: a page) with anything but a /memreserve/ entry of its own, is
 * disabled and not reserved, so no-map stands against it. Outside linux,usable-memory-range there
 * is no memory.
 * Dynamic regions (size without reg) are checked and counted; dt_place_dynamic() places them.
 * A reg or /memreserve/ entry that passes 2^64 is reported and cut there.
 *
 * @fdt_pa is where @fdt lies physically. @mb: fresh from memblock_init() (its debug, warn,
 * bottom_up and current_limit may be set), not allowed to resize yet. Precondition: dt_walk()
 * passed on the same, unchanged tree. O((n + m) log) steps over n banks and m reservations, plus
 * what memblock's insertions cost.
 * Returns 0; with nothing changed: -EMM_EINVAL (NULL), -EMM_ESTATE (@mb holds something); or, with
 * @mb empty again, the seeds gone, and a message: -EMM_ENOENT (no memory at all), -EMM_EBADTREE
 * (/reserved-memory with cells that cannot be read), -EMM_ENOSPC (more ranges than the arrays hold
 * and no room for larger ones), -EMM_EFAULT (phys_to_virt does not reach the larger ones' place).
 * Linux: early_init_dt_scan_memory, reserve_initrd_mem, early_init_fdt_scan_reserved_mem.
 */
int dt_to_memblock(struct dt_info *info, void *fdt, phys_addr_t fdt_pa,
		   const struct dt_fixed *fixed, unsigned int nr_fixed, struct memblock *mb,
		   const struct printer *out);

/*
 * dt_recheck_initrd() - for a caller that has cut the map since dt_to_memblock() (mem=, RAM that is
 * not there): an initrd that is no longer wholly in mapped memory is disabled with a message (in
 * @info, too), and its reservation ends, except where /memreserve/ has it. Call it before anything
 * is placed. O(n) over the reservations.
 * Returns 0, -EMM_EINVAL (NULL), -EMM_EBADTREE, or what memblock_reserve() does where /memreserve/
 * needs entries that the array has no room for.
 */
int dt_recheck_initrd(struct dt_info *info, const void *fdt, struct memblock *mb,
		      const struct printer *out);

/*
 * dt_place_dynamic() - gives each valid dynamic child of /reserved-memory its place, and lists
 * dynamic regions and pools (reusable, shared-dma-pool, linux,*-default) in @regions. Call it once,
 * after dt_to_memblock() and after the map has been cut, with everything reserved that is in use,
 * and before any other placement: @mb is all that it keeps clear of. memblock_allow_resize() should
 * have been called, though the arrays have room for the children of the tree itself.
 *
 * Places: in the tree's order (its author can see and change it, and Linux has the same), top-down
 * (bottom-up if mb->bottom_up) in free memory, within one entry of the memory map and so one node;
 * outside HOTPLUG memory if any of alloc-ranges allows it, in it otherwise (never if
 * mb->movable_node). alloc-ranges are hard bounds, tried in order. Page 0 is never used. The
 * alignment is that of the node, a page by default, and at least DT_CMA_GRANULE for CMA (reusable
 * and shared-dma-pool), a page for no-map. The size is reserved to the byte, as in Linux, except
 * that no-map is rounded up to pages and CMA to DT_CMA_GRANULE (dt_to_memblock() reported that).
 * no-map becomes MEMBLOCK_NOMAP, the others CAUSE_RESERVED_MEMORY. What cannot be placed is
 * reported and counted, and the others are placed all the same.
 *
 * @regions: the caller's, @max_regions of them, to be kept as long as @info; in the tree's order.
 * What does not fit is reserved all the same, counted, and reported (if @max_regions is not 0).
 * A reusable region is LENDABLE only if nothing else has a claim on it; what forbids that is
 * reported. Of two regions with linux,cma-default, or linux,dma-default, the first counts.
 *
 * Precondition: the tree is unchanged since dt_walk(). O(1) where there is nothing to place or to
 * list, else O((c + d r) (n + m)) for c reusable regions in a tree with overlaps, d dynamic regions
 * of r ranges (at most DT_MAX_ALLOC_RANGES), n + m entries of both maps.
 * Returns 0; with nothing changed -EMM_EINVAL (NULL), -EMM_ESTATE (no memory, or called before).
 * Linux: __reserved_mem_alloc_size, rmem_cma_setup, rmem_dma_setup.
 */
int dt_place_dynamic(struct dt_info *info, const void *fdt, struct memblock *mb,
		     struct dt_region *regions, unsigned int max_regions,
		     const struct printer *out);

/*
 * dt_list_static() - adds the other static regions to the table of dt_place_dynamic(), for who
 * wants to see or to find all of them; any time later, once. O(children).
 * Returns 0, -EMM_EINVAL (NULL), -EMM_ESTATE (too early, or called before).
 */
int dt_list_static(struct dt_info *info, const void *fdt, const struct memblock *mb,
		   const struct printer *out);

/*
 * dt_reserved_name() - the name of the first static child of /reserved-memory that covers @addr,
 * of those that are no-map (@nomap) or of those that are not; else that of the dynamic one, if it
 * is in the table of dt_place_dynamic(). Cut to @n - 1 bytes, with bytes that do not print replaced
 * by '?'. For the printing of a few lines: O(children). Precondition: dt_walk() passed.
 * Returns 0, -EMM_ENOENT, -EMM_EINVAL (no room for a name).
 */
int dt_reserved_name(const void *fdt, const struct dt_info *info, phys_addr_t addr, bool nomap,
		     char *buf, size_t n);

/* Relative distances between memory nodes, as in ACPI and Linux: memory latency. */
#define DT_LOCAL_DISTANCE  10
#define DT_REMOTE_DISTANCE 20

struct dt_distances {
	uint8_t distance[DT_MAX_NODES][DT_MAX_NODES]; /* from, to */
};

/*
 * dt_read_distances() - fills @distances from the root's child that is compatible with
 * "numa-distance-map-v1": triples (from, to, distance) in any order. A node is DT_LOCAL_DISTANCE
 * from itself. Between two nodes the distance is 11 to 255; where only one direction is given the
 * other is the same, as the binding has it; two that differ are reported and kept, as in Linux;
 * where neither is given, or there is no such map, it is DT_REMOTE_DISTANCE. Of two entries for a
 * pair the first counts. Reported and ignored: other distances, nodes from DT_MAX_NODES on, a rest
 * that is no triple. Precondition: dt_walk() passed. O(entries).
 * Returns 0, -EMM_EINVAL (NULL), -EMM_EBADTREE. Linux: of_numa_parse_distance_map (which gives up
 * NUMA altogether on a wrong distance).
 */
int dt_read_distances(struct dt_info *info, const void *fdt, struct dt_distances *distances,
		      const struct printer *out);

/* The distance between any two node ids, also NUMA_NO_NODE. Linux: __node_distance. O(1). */
int dt_distance(const struct dt_distances *distances, int from, int to);

/*
 * dt_harts() - the usable harts, in the tree's order; at most @max are stored. A tree may have one
 * twice. O(size of /cpus). Precondition: dt_walk() passed. Returns how many there are
 * (info->nr_harts).
 */
unsigned int dt_harts(const void *fdt, const struct dt_info *info, struct dt_hart *harts,
		      unsigned int max);

/*
 * dt_find_compatible() - the first register range of the first enabled node (no disabled parent)
 * whose compatible list holds @compatible, as an address the CPU uses: through the ranges of its
 * parents. Precondition: dt_check() passed; dt_walk() need not have. O(totalsize).
 * Returns 0, -EMM_ENOENT (no such node, or none with an address that can be translated),
 * -EMM_EBADTREE.
 */
int dt_find_compatible(const void *fdt, const char *compatible, phys_addr_t *base,
		       phys_addr_t *size);

/*
 * dt_bootarg_next() - splits off the next argument of a command line. *@pos starts at the line and
 * moves on. Arguments are separated by white space; double quotes, which are dropped, keep it. The
 * key ends at the first '='. Linux: next_arg. O(length of the argument).
 * Returns 0 at the end, 1 for a key alone (@val is ""), 2 for key=value, or -EMM_ENOSPC when one
 * was cut to fit (*@pos has moved on all the same, so that the caller can continue).
 * Precondition: @keysz and @valsz are at least 1.
 */
int dt_bootarg_next(const char **pos, char *key, size_t keysz, char *val, size_t valsz);

#endif
