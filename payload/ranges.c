/* SPDX-License-Identifier: BSD-2-Clause */
/* Ranges of frames that the page allocator has. */
#include "ranges.h"

#include <earlymm/error.h>
#include <earlymm/reserved_area.h>
#include "console.h"
#include "exit.h"

/* The lowest huge page had from the buddy that ends above @pfn, as a range; none: UINT64_MAX. */
static struct bench_range next_huge(const struct memory *m, uint64_t pfn)
{
	struct bench_range next = { UINT64_MAX, UINT64_MAX };

	for (unsigned int i = 0; m->has_huge && i < m->huge.nr_hstates; i++) {
		const struct hstate *h = &m->huge.hstates[i];
		const uint64_t pages = 1ULL << h->order;
		uint32_t low = 0, high = h->nr_pages;

		while (low < high) {
			uint32_t mid = low + (high - low) / 2;

			if (h->pages[mid].pfn + pages > pfn)
				high = mid;
			else
				low = mid + 1;
		}
		while (low < h->nr_pages &&
		       (h->pages[low].early || h->pages[low].state == HUGE_PAGE_GONE))
			low++;
		if (low < h->nr_pages && h->pages[low].pfn < next.start_pfn)
			next = (struct bench_range){ h->pages[low].pfn, h->pages[low].pfn + pages };
	}
	return next;
}

struct range_list {
	struct bench_range *ranges; /* or NULL */
	unsigned int nr;
	uint64_t last_end;
};

/* Does a tree of any zone begin or end at @pfn? Nothing merges across. */
static bool tree_ends_at(const struct page_alloc *pa, uint64_t pfn)
{
	for (uint32_t i = 0; i < pa->nr_zones; i++) {
		const struct buddy *b = &pa->zones[i].mm.buddy;

		for (uint32_t t = 0; t < b->nr_trees; t++)
			if (b->trees[t].start_pfn == pfn || b->trees[t].end_pfn == pfn)
				return true;
	}
	return false;
}

/* One that lies in one tree. */
static void append(struct range_list *l, const struct page_alloc *pa, uint64_t start, uint64_t end)
{
	if (start >= end)
		return;
	if (start != l->last_end || tree_ends_at(pa, start)) {
		if (l->ranges)
			l->ranges[l->nr].start_pfn = start;
		l->nr++;
	}
	if (l->ranges)
		l->ranges[l->nr - 1].end_pfn = end;
	l->last_end = end;
}

/* Less the huge pages in it. */
static void append_free(struct range_list *l, const struct memory *m, uint64_t start, uint64_t end)
{
	struct bench_range huge = next_huge(m, start);

	for (; huge.start_pfn < end; huge = next_huge(m, huge.end_pfn)) {
		append(l, &m->pages, start, huge.start_pfn);
		start = huge.end_pfn;
	}
	append(l, &m->pages, start, end);
}

/* Cut where a tree ends, since the map may have one range for memory of two zones. */
static void append_by_tree(struct range_list *l, const struct memory *m, uint64_t start,
			   uint64_t end)
{
	while (start < end) {
		uint64_t stop = end;

		for (uint32_t i = 0; i < m->pages.nr_zones; i++) {
			uint64_t border = m->pages.zones[i].mm.end_pfn;

			if (border > start && border < stop)
				stop = border;
		}
		append_free(l, m, start, stop);
		start = stop;
	}
}

/* The lowest area that is lent from @pfn on, or NULL. */
static const struct pfn_range *next_area(const struct page_alloc *pa, uint64_t pfn)
{
	for (uint32_t i = 0; i < pa->nr_cma; i++)
		if (pa->cma[i].start >= pfn)
			return &pa->cma[i];
	return NULL;
}

unsigned int managed_ranges(const struct memory *m, struct bench_range *ranges)
{
	struct range_list list = { ranges, 0, UINT64_MAX };
	const struct pfn_range *area = next_area(&m->pages, 0);
	struct memblock_iter it;
	phys_addr_t base, limit;

	memblock_iter_free_init(&it, &m->mb, NUMA_NO_NODE, MEMBLOCK_HOTPLUG);
	while (memblock_next_free(&it, &base, &limit)) {
		/* What is lent is no free memory to the map. */
		for (; area && area->start < PFN_UP(base); area = next_area(&m->pages, area->end))
			append_free(&list, m, area->start, area->end);
		append_by_tree(&list, m, PFN_UP(base), PFN_DOWN(limit));
	}
	for (; area; area = next_area(&m->pages, area->end))
		append_free(&list, m, area->start, area->end);
	return list.nr;
}

/* Enters a range where it belongs; it overlaps none. Returns the new number. */
static unsigned int insert(const struct page_alloc *pa, struct bench_range *ranges, unsigned int nr,
			   uint64_t start, uint64_t end)
{
	unsigned int at = nr;
	bool joins_below, joins_above;

	while (at && ranges[at - 1].start_pfn > start)
		at--;
	joins_below = at && ranges[at - 1].end_pfn == start && !tree_ends_at(pa, start);
	joins_above = at < nr && ranges[at].start_pfn == end && !tree_ends_at(pa, end);
	if (joins_below && joins_above) {
		ranges[at - 1].end_pfn = ranges[at].end_pfn;
		for (nr--; at < nr; at++)
			ranges[at] = ranges[at + 1];
		return nr;
	}
	if (joins_below) {
		ranges[at - 1].end_pfn = end;
		return nr;
	}
	if (joins_above) {
		ranges[at].start_pfn = start;
		return nr;
	}
	for (unsigned int i = nr; i > at; i--)
		ranges[i] = ranges[i - 1];
	ranges[at] = (struct bench_range){ .start_pfn = start, .end_pfn = end };
	return nr + 1;
}

static bool is_free(const struct page_alloc *pa, uint64_t pfn)
{
	const struct zone *z = page_zone(pa, pfn);

	return z && buddy_page_is_free(&z->mm.buddy, pfn);
}

static uint64_t managed_pages(const struct page_alloc *pa)
{
	uint64_t nr_pages = 0;

	for (uint32_t i = 0; i < pa->nr_zones; i++)
		nr_pages += pa->zones[i].mm.managed_pages;
	return nr_pages;
}

/* The pages of an array that are free now: all, but one at an end that has other bytes, too. */
static unsigned int insert_array(const struct memory *m, struct bench_range *ranges,
				 unsigned int nr, const struct memblock_array *array)
{
	uint64_t start = PFN_DOWN(array->base), end = PFN_UP(array->base + array->size);

	while (start < end && !is_free(&m->pages, start))
		start++;
	while (start < end && !is_free(&m->pages, end - 1))
		end--;
	return start < end ? insert(&m->pages, ranges, nr, start, end) : nr;
}

unsigned int memory_discard(struct memory *m, struct bench_range *ranges, unsigned int nr,
			    uint64_t used_pages)
{
	const struct memblock_array arrays[MAX_DISCARDED_RANGES] = { m->mb.memory_array,
								     m->mb.reserved_array };
	const uint64_t managed = managed_pages(&m->pages);
	int err = page_alloc_discard(&m->pages, &m->mb);

	/* mem=, or memory that does not answer, may have left an array outside memory. */
	if (err) {
		print("memblock's arrays cannot be given back, the map is kept: %s\n",
		      emm_strerror(err));
		return nr;
	}
	m->discarded = true;
	for (unsigned int i = 0; i < MAX_DISCARDED_RANGES; i++)
		nr = insert_array(m, ranges, nr, &arrays[i]);
	if (!memory_audit(m, used_pages)) {
		memory_print_audit(m);
		payload_fail("the books do not balance without memblock");
	}
	print("memblock discarded: %lu pages more are managed, %lu in all\n",
	      managed_pages(&m->pages) - managed, managed_pages(&m->pages));
	return nr;
}
