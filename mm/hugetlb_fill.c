/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the pools are filled: gigantic pages from the early allocator, the others from the buddy.
 * Both are a source that is asked for so many pages of a node; how many of which node is decided
 * here once for both.
 */
#include <earlymm/reserved_area.h>
#include "hugetlb_internal.h"

/* How often an answer that other harts are at work (-EMM_EAGAIN) is taken. */
#define AGAIN_TURNS 16

struct source {
	struct hugetlb *h;
	/* Takes up to @nr pages of node @nid (or any) for @s. Returns how many. */
	uint64_t (*take)(struct source *src, struct hstate *s, int nid, uint64_t nr);
	const struct memblock *mb;
	const struct hugetlb_early *early;
	struct page_hart *hart;
};

static uint64_t min_of(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static int node_of(const struct memblock *mb, uint64_t pfn)
{
	uint64_t start, end;
	int nid = NUMA_NO_NODE;

	/* Where it is not found it has no node. */
	memblock_search_pfn_nid(mb, pfn, &start, &end, &nid);
	return nid;
}

static void add_page(struct hugetlb *h, struct hstate *s, uint64_t pfn, int nid, bool early)
{
	unsigned int slot = hugetlb_slot(h, nid);

	s->pages[s->nr_pages++] = (struct huge_page){
		.pfn = pfn,
		.slot = (uint16_t)slot,
		.early = early,
	};
	s->nr_huge_pages++;
	s->nr_huge_pages_node[slot]++;
	if (early)
		h->early_pages += 1ULL << s->order;
	else
		h->buddy_pages += 1ULL << s->order;
}

/* ---- how many of which node ---- */

static void report_failure(const struct hugetlb *h, const struct hstate *s, uint64_t want, int nid,
			   uint64_t had)
{
	char size[16];

	print_to(h->out, "HugeTLB: allocating %llu of page size %s failed",
		 (unsigned long long)want, hugetlb_size_text(size, hstate_size(s)));
	if (nid != NUMA_NO_NODE)
		print_to(h->out, " on node %d", nid);
	print_to(h->out, ". Only allocated %llu hugepages.\n", (unsigned long long)had);
}

static void fill_by_node(struct source *src, struct hstate *s, const struct hugetlb_count *count)
{
	const struct hugetlb *h = src->h;

	for (unsigned int i = 0; i < count->nr_nodes; i++) {
		int nid = count->node[i].nid;
		uint64_t nr = count->node[i].nr, had;

		if (nid < 0 || hugetlb_slot(h, nid) == h->nr_nodes) {
			print_to(h->out,
				 "HugeTLB: there is no node %d, hugepages=%d:%llu ignored\n", nid,
				 nid, (unsigned long long)nr);
			continue;
		}
		had = src->take(src, s, nid, nr);
		if (had < nr)
			report_failure(h, s, nr, nid, had);
	}
}

/* An equal share from each node, of what the others did not have too; the rest from anywhere. */
static void fill_evenly(struct source *src, struct hstate *s, uint64_t nr)
{
	const struct hugetlb *h = src->h;
	uint64_t left = min_of(nr, s->max_pages);

	for (unsigned int i = 0; i < h->nr_nodes; i++)
		if (h->nid[i] != NUMA_NO_NODE)
			left -= src->take(src, s, h->nid[i], left / (h->nr_nodes - i));
	if (left)
		src->take(src, s, NUMA_NO_NODE, left);
	if (s->nr_huge_pages < nr)
		report_failure(h, s, nr, NUMA_NO_NODE, s->nr_huge_pages);
}

static void sift_down(struct huge_page *pages, uint32_t i, uint32_t nr)
{
	struct huge_page page = pages[i];

	while (i < nr / 2) {
		uint32_t child = 2 * i + 1;

		if (child + 1 < nr && pages[child + 1].pfn > pages[child].pfn)
			child++;
		if (pages[child].pfn <= page.pfn)
			break;
		pages[i] = pages[child];
		i = child;
	}
	pages[i] = page;
}

/* Heap sort: in place, and never worse than O(n log n). */
static void sort_pages(struct huge_page *pages, uint32_t nr)
{
	for (uint32_t i = nr / 2; i-- > 0;)
		sift_down(pages, i, nr);
	for (uint32_t i = nr; i-- > 1;) {
		struct huge_page last = pages[i];

		pages[i] = pages[0];
		pages[0] = last;
		sift_down(pages, 0, i);
	}
}

static void fill(struct source *src, struct hstate *s)
{
	const struct hugetlb_count *count = &src->h->request->size[s - src->h->hstates].count;

	if (count->nr_nodes)
		fill_by_node(src, s, count);
	else
		fill_evenly(src, s, count->nr);
	sort_pages(s->pages, s->nr_pages);
	/* The lowest comes first. */
	for (uint32_t i = s->nr_pages; i-- > 0;)
		hugetlb_enlist(s, i);
}

/* ---- before the handover ---- */

static uint64_t take_early(struct source *src, struct hstate *s, int nid, uint64_t nr)
{
	const struct hugetlb_early *early = src->early;
	phys_addr_t size = hstate_size(s), pa;
	uint64_t had = 0;

	for (; had < nr && s->nr_pages < s->max_pages; had++) {
		int got;

		if (early->alloc(early->ctx, size, size, nid, &pa))
			break;
		got = node_of(src->mb, PFN_DOWN(pa));
		if ((pa & (size - 1)) || (nid != NUMA_NO_NODE && got != nid)) {
			early->free(early->ctx, pa, size);
			break;
		}
		add_page(src->h, s, PFN_DOWN(pa), got, true);
	}
	return had;
}

/* Free pages, and aligned blocks of @order among them, with ranges that touch taken as one. */
static void count_free(const struct memblock *mb, unsigned int order, uint64_t *nr_pages,
		       uint64_t *nr_blocks)
{
	phys_addr_t start, end, next_start, next_end;
	struct memblock_iter it;
	bool more;

	*nr_pages = *nr_blocks = 0;
	memblock_iter_free_init(&it, mb, NUMA_NO_NODE, MEMBLOCK_HOTPLUG);
	for (more = memblock_next_free(&it, &start, &end); more;
	     start = next_start, end = next_end) {
		uint64_t first, last;

		while ((more = memblock_next_free(&it, &next_start, &next_end)) &&
		       next_start == end)
			end = next_end;
		first = PFN_UP(start);
		last = PFN_DOWN(end);
		if (first >= last)
			continue;
		*nr_pages += last - first;
		first = (first + (1ULL << order) - 1) >> order;
		last >>= order;
		*nr_blocks += first < last ? last - first : 0;
	}
}

/* Room for the records of all pages that can be had, at most. */
static void place_records(struct source *src, struct hstate *s)
{
	const struct hugetlb *h = src->h;
	const struct hugetlb_early *early = src->early;
	uint64_t nr_pages, nr, bytes;

	count_free(src->mb, s->order, &nr_pages, &nr);
	nr_pages = nr_pages > h->keep_pages ? nr_pages - h->keep_pages : 0;
	nr = min_of(min_of(nr, nr_pages >> s->order), min_of(s->max_huge_pages, NO_PAGE - 1));
	bytes = (nr * sizeof(struct huge_page) + PAGE_SIZE - 1) & PAGE_MASK;
	if (!nr || early->alloc(early->ctx, bytes, PAGE_SIZE, NUMA_NO_NODE, &s->pages_pa))
		return;
	s->pages = src->mb->map ? phys_to_virt(src->mb->map, s->pages_pa, bytes) : NULL;
	if (!s->pages) {
		early->free(early->ctx, s->pages_pa, bytes);
		return;
	}
	s->pages_bytes = bytes;
	s->max_pages = (uint32_t)nr;
}

/* The bytes of the records in use, as whole pages. */
static uint64_t used_bytes(const struct hstate *s)
{
	return (s->nr_pages * sizeof(struct huge_page) + PAGE_SIZE - 1) & PAGE_MASK;
}

int hugetlb_alloc_early(struct hugetlb *h, const struct memblock *mb,
			const struct hugetlb_early *early)
{
	struct source src = { .h = h, .take = take_early, .mb = mb, .early = early };

	if (h->state != HUGETLB_READY)
		return -EMM_ESTATE;
	for (unsigned int i = 0; i < h->nr_hstates; i++) {
		struct hstate *s = &h->hstates[i];
		uint64_t used;

		place_records(&src, s);
		if (s->gigantic) {
			fill(&src, s);
			s->max_pages = s->nr_pages;
			used = used_bytes(s);
			if (used < s->pages_bytes &&
			    !early->free(early->ctx, s->pages_pa + used, s->pages_bytes - used))
				s->pages_bytes = used;
		}
		h->early_pages += s->pages_bytes >> PAGE_SHIFT;
	}
	h->state = HUGETLB_EARLY_DONE;
	return 0;
}

/* ---- after it ---- */

/* From the asked node or, if that is NUMA_NO_NODE, from the hart's and those around it. */
static int64_t alloc_block(struct page_hart *hart, unsigned int order, int nid)
{
	const gfp_t gfp = GFP_HIGHUSER_MOVABLE | (nid == NUMA_NO_NODE ? 0 : __GFP_THISNODE);
	int64_t pfn = -EMM_EAGAIN;

	for (unsigned int turn = 0; turn < AGAIN_TURNS && pfn == -EMM_EAGAIN; turn++)
		pfn = alloc_pages_node(hart, nid, gfp, order);
	return pfn;
}

static uint64_t take_late(struct source *src, struct hstate *s, int nid, uint64_t nr)
{
	const bool by_node = src->hart->pa->by_node;
	uint64_t had = 0;

	for (; had < nr && s->nr_pages < s->max_pages; had++) {
		int64_t pfn = alloc_block(src->hart, s->order, by_node ? nid : NUMA_NO_NODE);
		int got;

		if (pfn < 0)
			break;
		got = node_of(src->mb, (uint64_t)pfn);
		if (!by_node && nid != NUMA_NO_NODE && got != nid) {
			free_pages(src->hart, (uint64_t)pfn, s->order);
			break;
		}
		add_page(src->h, s, (uint64_t)pfn, got, false);
	}
	return had;
}

/* So many that keep_pages are left. */
static void limit_to_free(const struct hugetlb *h, const struct page_alloc *pa, struct hstate *s)
{
	uint64_t nr_free = 0, nr;

	for (uint32_t i = 0; i < pa->nr_zones; i++)
		nr_free += zone_free_pages(pa, &pa->zones[i]);
	nr = nr_free > h->keep_pages ? (nr_free - h->keep_pages) >> s->order : 0;
	s->max_pages = (uint32_t)min_of(s->max_pages, nr);
}

int hugetlb_alloc_late(struct hugetlb *h, struct page_hart *hart, struct memblock *mb)
{
	struct source src = { .h = h, .take = take_late, .mb = mb, .hart = hart };

	if (h->state != HUGETLB_EARLY_DONE)
		return -EMM_ESTATE;
	for (unsigned int i = 0; i < h->nr_hstates; i++) {
		struct hstate *s = &h->hstates[i];
		uint64_t used;

		if (s->gigantic)
			continue;
		page_hart_drain(hart);
		limit_to_free(h, hart->pa, s);
		fill(&src, s);
		s->max_pages = s->nr_pages;
		used = used_bytes(s);
		if (!page_alloc_free_reserved(hart->pa, mb, s->pages_pa + used,
					      s->pages_bytes - used, NULL)) {
			h->early_pages -= (s->pages_bytes - used) >> PAGE_SHIFT;
			s->pages_bytes = used;
		}
	}
	page_hart_drain(hart);
	h->state = HUGETLB_DONE;
	return 0;
}
