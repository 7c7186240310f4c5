/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hugetlb: pools of huge pages, set aside at boot and handed out one by one. Gigantic pages come
 * from the early allocator, before the handover breaks memory up; the others from the buddy, after
 * it. No byte of a pool's pages is touched: what is known of a page is in a record of 16 bytes in
 * memory of its own. No surplus pages: what was had at boot is all there is.
 */
#ifndef EARLYMM_HUGETLB_H
#define EARLYMM_HUGETLB_H

#include <earlymm/memblock.h>
#include <earlymm/page_alloc.h>

/* Sizes of pages at most, and nodes that have numbers of their own. */
#ifndef HUGE_MAX_HSTATE
#define HUGE_MAX_HSTATE 8
#endif
#ifndef HUGETLB_MAX_NODES
#define HUGETLB_MAX_NODES 16
#endif

/* The default size: what one entry of a page table's second level maps, 2 MiB of 4 KiB pages. */
#define HUGETLB_PAGE_ORDER (PAGE_SHIFT - 3)

/* The largest order whose size in bytes can be told: 2^63. */
#define HUGETLB_MAX_ORDER (63 - PAGE_SHIFT)

/*
 * Gigantic are pages from this order on, and all above BUDDY_MAX_ORDER: 16 MiB of 4 KiB pages.
 * Linux has MAX_PAGE_ORDER + 1, since its buddy knows no larger ones; here it is a choice: the
 * larger a block the earlier it must be taken.
 */
#ifndef HUGETLB_GIGANTIC_ORDER
#define HUGETLB_GIGANTIC_ORDER (2 * BUDDY_RADIX_SHIFT)
#endif

/* How many pages of a size are wanted: shared among all nodes or, if nr_nodes, so many on each. */
struct hugetlb_count {
	uint64_t nr; /* 0 if nr_nodes */
	unsigned int nr_nodes;
	bool given;
	struct {
		int nid;
		uint64_t nr;
	} node[HUGETLB_MAX_NODES];
};

/* What the boot arguments ask for (payload/hugetlb_args.h). */
struct hugetlb_request {
	unsigned int nr_sizes;
	unsigned int default_size; /* which of size[]; HUGE_MAX_HSTATE: none */
	struct {
		unsigned int order; /* 1 to HUGETLB_MAX_ORDER, each once */
		struct hugetlb_count count;
	} size[HUGE_MAX_HSTATE];
};

enum huge_page_state { HUGE_PAGE_FREE, HUGE_PAGE_IN_USE, HUGE_PAGE_GONE };

/* The record of a page of the pool. */
struct huge_page {
	uint64_t pfn;
	uint32_t next; /* in the list of free ones of its node */
	uint16_t slot; /* its node: an index into struct hugetlb's nid[] */
	uint8_t state; /* enum huge_page_state */
	bool early; /* reserved in memblock, not had from the buddy */
};

/* The pool of one size. Linux: struct hstate. */
struct hstate {
	unsigned int order;
	bool gigantic;
	uint64_t max_huge_pages; /* asked for, on all nodes together */
	uint64_t nr_huge_pages;
	uint64_t free_huge_pages;
	uint64_t nr_huge_pages_node[HUGETLB_MAX_NODES + 1]; /* by slot */
	uint64_t free_huge_pages_node[HUGETLB_MAX_NODES + 1];
	uint32_t freelists[HUGETLB_MAX_NODES + 1]; /* the first free one, by slot */
	struct huge_page *pages; /* ascending by pfn */
	uint32_t nr_pages; /* records, also of pages that are gone */
	uint32_t max_pages;
	phys_addr_t pages_pa; /* where the records lie: whole pages */
	uint64_t pages_bytes;
};

enum hugetlb_state { HUGETLB_NONE, HUGETLB_READY, HUGETLB_EARLY_DONE, HUGETLB_DONE };

struct hugetlb {
	enum hugetlb_state state;
	const struct hugetlb_request *request;
	const struct printer *out;
	uint64_t keep_pages;
	uint64_t early_pages; /* reserved for the pool, records included; 4 KiB each */
	uint64_t buddy_pages; /* had from the buddy */
	/*
	 * The nodes of the map, ascending, NUMA_NO_NODE among them where memory has none. The slot
	 * behind them is for memory of all further nodes together.
	 */
	unsigned int nr_nodes;
	int nid[HUGETLB_MAX_NODES];
	unsigned int nr_hstates;
	unsigned int default_hstate; /* HUGE_MAX_HSTATE: none */
	struct hstate hstates[HUGE_MAX_HSTATE];
};

/* The early allocator, which reserves with CAUSE_HUGEPAGES (mm/ has several: see early.h). */
struct hugetlb_early {
	/* On node @nid if possible, on any if that is NUMA_NO_NODE. 0 or an error. */
	int (*alloc)(void *ctx, phys_addr_t size, phys_addr_t align, int nid, phys_addr_t *pa);
	int (*free)(void *ctx, phys_addr_t pa, phys_addr_t size);
	void *ctx;
};

/*
 * hugetlb_init() - an empty pool for each size of @request, which must live as long as filling
 * lasts, as must @out, which is told what could not be had. @keep_pages pages stay free whatever
 * is asked for. O(nodes * memory regions). Returns 0, -EMM_EINVAL (an order twice or out of its
 * range, too many sizes).
 */
int hugetlb_init(struct hugetlb *h, const struct hugetlb_request *request,
		 const struct memblock *mb, uint64_t keep_pages, const struct printer *out);

/*
 * hugetlb_alloc_early() - before the handover: takes the gigantic pages from @early, and room for
 * the records of all sizes: at most 16 bytes for each page that was asked for and that free memory
 * could hold, so 0.001 per cent of 2 MiB pages. The records are reached through the map of @mb,
 * which @early works on. Pages that are wanted anywhere are shared evenly among the nodes, as far
 * as these have them. What cannot be had is reported and no error. An allocator that takes the
 * lowest place puts the records where memory is broken up anyway.
 * O(pages had * (the allocator + log) + nodes * regions).
 * Returns 0, -EMM_ESTATE (not after hugetlb_init(), or twice). Linux: alloc_bootmem_huge_page.
 */
int hugetlb_alloc_early(struct hugetlb *h, const struct memblock *mb,
			const struct hugetlb_early *early);

/*
 * hugetlb_alloc_late() - after page_alloc_init(): takes the other sizes through @hart, the first,
 * as movable memory of any zone, down to the watermarks. Records that were not needed become free
 * memory. The hart's caches are empty afterwards. O(pages had * log + zones).
 * Returns 0, -EMM_ESTATE (not after hugetlb_alloc_early(), or twice).
 * Linux: hugetlb_hstate_alloc_pages.
 */
int hugetlb_alloc_late(struct hugetlb *h, struct page_hart *hart, struct memblock *mb);

/*
 * hugetlb_alloc() - a page of 2^order pages from the pool: of node @nid and no other, or of any if
 * that is NUMA_NO_NODE. O(nodes).
 * Returns its first frame, or -EMM_EINVAL (no pool of this order), -EMM_ENOMEM.
 */
int64_t hugetlb_alloc(struct hugetlb *h, unsigned int order, int nid);

/*
 * hugetlb_free() - back to the pool. O(log pages). Returns 0, and with nothing changed -EMM_EINVAL
 * (no pool of this order), -EMM_ENOENT (not the first frame of a page of the pool), -EMM_EDOUBLE.
 */
int hugetlb_free(struct hugetlb *h, uint64_t pfn, unsigned int order);

/*
 * hugetlb_release() - up to @nr free pages of the pool, of node @nid or of any, become free memory
 * for good: those from the buddy by free_pages(), early ones by page_alloc_free_reserved(), so
 * that @mb must still be there. *released (may be NULL): how many; they are fewer where the pool has no
 * more. O(nr * (regions + log)). Returns 0, -EMM_EINVAL (no pool of this order), -EMM_ESTATE (before
 * hugetlb_alloc_late()), or the error of the page at which it stopped, which stays in the pool. Linux: remove_pool_hugetlb_folio.
 */
int hugetlb_release(struct hugetlb *h, struct page_hart *hart, struct memblock *mb,
		    unsigned int order, int nid, uint64_t nr, uint64_t *released);

/* The pool of an order, or NULL. O(sizes). Linux: size_to_hstate. */
const struct hstate *hugetlb_hstate(const struct hugetlb *h, unsigned int order);

/* Pages (of PAGE_SIZE) that the pool has from the buddy: its share of mm_audit()'s used. */
uint64_t hugetlb_used_pages(const struct hugetlb *h);

/* Pages (of PAGE_SIZE) that were reserved for the pool and still are, its records included. */
uint64_t hugetlb_reserved_pages(const struct hugetlb *h);

/* A table: a line a size, and, where there are several nodes, one for each that has pages. */
void hugetlb_report(const struct hugetlb *h, const struct printer *out);

/* Records ascending and aligned, lists and counts as the records say. O(records). */
bool hugetlb_is_valid(const struct hugetlb *h);

#endif
