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
	const struct buddy_tree *tree;
	struct bench_range *ranges; /* or NULL */
	unsigned int nr;
	uint64_t last_end;
};

static void append(struct range_list *l, uint64_t start, uint64_t end)
{
	bool same = start == l->last_end;

	if (start >= end)
		return;
	while (start >= l->tree->end_pfn) {
		l->tree++;
		same = false;
	}
	if (!same)
		l->nr++;
	if (l->ranges) {
		if (!same)
			l->ranges[l->nr - 1].start_pfn = start;
		l->ranges[l->nr - 1].end_pfn = end;
	}
	l->last_end = end;
}

unsigned int managed_ranges(const struct memory *m, struct bench_range *ranges)
{
	struct range_list list = { m->mm.buddy.trees, ranges, 0, UINT64_MAX };
	struct bench_range huge = next_huge(m, 0);
	struct memblock_iter it;
	phys_addr_t base, limit;

	memblock_iter_free_init(&it, &m->mb, NUMA_NO_NODE, MEMBLOCK_HOTPLUG);
	while (memblock_next_free(&it, &base, &limit)) {
		uint64_t start = PFN_UP(base), end = PFN_DOWN(limit);

		for (; huge.start_pfn < end; huge = next_huge(m, huge.end_pfn)) {
			append(&list, start, huge.start_pfn);
			start = huge.end_pfn;
		}
		append(&list, start, end);
	}
	return list.nr;
}

static bool tree_ends_at(const struct buddy *b, uint64_t pfn)
{
	for (uint32_t i = 0; i < b->nr_trees; i++) {
		if (b->trees[i].start_pfn == pfn || b->trees[i].end_pfn == pfn)
			return true;
	}
	return false;
}

/* Enters a range where it belongs; it overlaps none. Returns the new number. */
static unsigned int insert(const struct buddy *b, struct bench_range *ranges, unsigned int nr,
			   uint64_t start, uint64_t end)
{
	unsigned int at = nr;
	bool joins_below, joins_above;

	while (at && ranges[at - 1].start_pfn > start)
		at--;
	joins_below = at && ranges[at - 1].end_pfn == start && !tree_ends_at(b, start);
	joins_above = at < nr && ranges[at].start_pfn == end && !tree_ends_at(b, end);
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

/* The pages of an array that are free now: all, but one at an end that has other bytes, too. */
static unsigned int insert_array(const struct memory *m, struct bench_range *ranges,
				 unsigned int nr, const struct memblock_array *array)
{
	const struct buddy *b = &m->mm.buddy;
	uint64_t start = PFN_DOWN(array->base), end = PFN_UP(array->base + array->size);

	while (start < end && !buddy_page_is_free(b, start))
		start++;
	while (start < end && !buddy_page_is_free(b, end - 1))
		end--;
	return start < end ? insert(b, ranges, nr, start, end) : nr;
}

unsigned int memory_discard(struct memory *m, struct bench_range *ranges, unsigned int nr,
			    uint64_t used_pages)
{
	const struct memblock_array arrays[MAX_DISCARDED_RANGES] = { m->mb.memory_array,
								     m->mb.reserved_array };
	const uint64_t managed = m->mm.managed_pages;
	int err = memblock_discard(&m->mm, &m->mb);

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
	      m->mm.managed_pages - managed, m->mm.managed_pages);
	return nr;
}
