/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the page allocator knows, in the formats that people know from Linux's boot log and /proc;
 * docs/reports.md shows each. All of them only read, and may run at any time after
 * page_alloc_init(); the figures are exact in a quiet moment, with no hart in an operation.
 * Lines are at most 80 columns wide; those of tables by order, which are buddyinfo and pagetypeinfo,
 * 132, unless the numbers themselves take more; mem_init_print_info()'s is as long as Linux's.
 *
 * A zone is called by its node and type; CMA areas have a zone each, CMA0, CMA1 and so on, by
 * address. Zones that wait for free_highpages() have no pages yet.
 */
#ifndef EARLYMM_REPORT_H
#define EARLYMM_REPORT_H

#include <earlymm/hugetlb.h>
#include <earlymm/page_alloc.h>

/* The parts of the running image. */
enum image_section {
	IMAGE_CODE,
	IMAGE_RODATA,
	IMAGE_DATA,
	IMAGE_BSS,
	IMAGE_INIT,
	NR_IMAGE_SECTIONS,
};

/* Where they lie, in bytes; size 0: there is none. */
struct report_image {
	struct {
		phys_addr_t base;
		uint64_t size;
	} section[NR_IMAGE_SECTIONS];
};

/*
 * mem_init_print_info() - the one line of the boot log. `available' is free in the trees,
 * `reserved' what no zone manages; both without CMA areas, which come after them. `highmem' is what
 * those zones manage, if there are any. O(zones * harts). Linux: mem_init_print_info.
 */
void mem_init_print_info(const struct page_alloc *pa, const struct report_image *image,
			 const struct printer *out);

/*
 * report_meminfo() - totals in KiB, CMA areas included, and the policy of overcommit. Free is what
 * is in the trees; what waits in the harts' stacks has a line of its own, HartStacks; and, with
 * PAGE_ALLOC_OWNER, what waits in their quarantines. @huge: the pools of huge pages, or NULL.
 * O(zones * harts + sizes). Linux: /proc/meminfo.
 */
void report_meminfo(const struct page_alloc *pa, const struct hugetlb *huge,
		    const struct printer *out);

/*
 * report_buddyinfo() - free maximal blocks by zone, a column an order, counted from the trees'
 * bits: without what waits in harts' stacks. Columns beyond order 10 end with the last that is not
 * 0 in all zones. O(words that hold something). Linux: /proc/buddyinfo.
 */
void report_buddyinfo(const struct page_alloc *pa, const struct printer *out);

/*
 * report_pagetypeinfo() - the same by the kind of allocation that takes them: what begins above the
 * lowest frame that any hart's movable context refills from is Movable, what is below Unmovable;
 * CMA areas are CMA. Memory has no type by block here. Then how many blocks of HUGETLB_PAGE_ORDER
 * that makes. O(zones * harts + words that hold something). Linux: /proc/pagetypeinfo.
 */
void report_pagetypeinfo(const struct page_alloc *pa, const struct printer *out);

/*
 * report_zoneinfo() - marks, sizes, and what harts keep in their stacks; harts that have never used
 * a zone are left out. Pages, but for what is below `earlymm', which Linux has not got. O(zones *
 * (harts + zones)). Linux: /proc/zoneinfo.
 */
void report_zoneinfo(const struct page_alloc *pa, const struct printer *out);

/*
 * report_vmstat() - counters since page_alloc_init(): sums under Linux's names, where it has one,
 * and by zone and order. pgalloc_* and pgfree are pages that callers got and gave back, not those
 * that a stack was filled with; a block in quarantine is not freed yet. O(zones * harts * orders).
 * Linux: /proc/vmstat.
 */
void report_vmstat(const struct page_alloc *pa, const struct printer *out);

/* A child of /reserved-memory; any bytes will do in @name, those that do not print become '?'. */
struct report_region {
	phys_addr_t base;
	uint64_t size; /* > 0 */
	const char *name;
};

/*
 * Finds, of all children that are not no-map, the lowest that ends above @pa; false: there is none.
 */
struct report_regions {
	bool (*next)(void *ctx, phys_addr_t pa, struct report_region *region);
	void *ctx;
};

/*
 * report_iomem() - memory and what is reserved of it, as a tree of resources. @pa: for its CMA
 * areas, or NULL. @image and @regions may be NULL. O(regions of @mb + CMA areas, and calls of
 * @regions). Linux: /proc/iomem, init_resources.
 */
void report_iomem(const struct memblock *mb, const struct page_alloc *pa,
		  const struct report_image *image, const struct report_regions *regions,
		  const struct printer *out);

/*
 * report_memory_map() - a picture of memory in lines of 64 characters, a character for so many
 * pages that it takes 24 lines at most, and some for holes, if there are not more banks than that
 * far apart. @mb: the map that the zones were made of. O(regions + words that hold something),
 * whatever the size of RAM.
 */
void report_memory_map(const struct page_alloc *pa, const struct memblock *mb,
		       const struct printer *out);

#endif
