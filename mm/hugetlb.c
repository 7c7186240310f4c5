/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pools of huge pages once they are filled. Invariant: hugetlb_is_valid(). A record is found
 * by bisection, a free page through the list of its node.
 */
#include <earlymm/reserved_area.h>
#include "hugetlb_internal.h"

/* The lowest node above @nid in the map; @nid if there is none. */
static int next_node(const struct memblock *mb, int nid)
{
	int next = nid;

	for (unsigned long i = 0; i < mb->memory.cnt; i++) {
		int other = mb->memory.regions[i].nid;

		if (other > nid && (next == nid || other < next))
			next = other;
	}
	return next;
}

static void list_nodes(struct hugetlb *h, const struct memblock *mb)
{
	int nid = NUMA_NO_NODE - 1;

	while (h->nr_nodes < HUGETLB_MAX_NODES) {
		int next = next_node(mb, nid);

		if (next == nid)
			return;
		h->nid[h->nr_nodes++] = nid = next;
	}
}

unsigned int hugetlb_slot(const struct hugetlb *h, int nid)
{
	unsigned int slot = 0;

	while (slot < h->nr_nodes && h->nid[slot] != nid)
		slot++;
	return slot;
}

static uint64_t total_of(const struct hugetlb_count *count)
{
	uint64_t total = count->nr;

	for (unsigned int i = 0; i < count->nr_nodes; i++)
		total = count->node[i].nr > UINT64_MAX - total ? UINT64_MAX
							       : total + count->node[i].nr;
	return total;
}

int hugetlb_init(struct hugetlb *h, const struct hugetlb_request *request,
		 const struct memblock *mb, uint64_t keep_pages, const struct printer *out)
{
	*h = (struct hugetlb){
		.request = request,
		.out = out,
		.keep_pages = keep_pages,
		.default_hstate = request->default_size,
	};
	if (request->nr_sizes > HUGE_MAX_HSTATE)
		return -EMM_EINVAL;
	for (; h->nr_hstates < request->nr_sizes; h->nr_hstates++) {
		struct hstate *s = &h->hstates[h->nr_hstates];
		unsigned int order = request->size[h->nr_hstates].order;

		if (!order || order > HUGETLB_MAX_ORDER || hugetlb_hstate(h, order) ||
		    request->size[h->nr_hstates].count.nr_nodes > HUGETLB_MAX_NODES)
			return -EMM_EINVAL;
		s->order = order;
		s->gigantic = order >= HUGETLB_GIGANTIC_ORDER || order > BUDDY_MAX_ORDER;
		s->max_huge_pages = total_of(&request->size[h->nr_hstates].count);
		for (unsigned int slot = 0; slot < ARRAY_SIZE(s->freelists); slot++)
			s->freelists[slot] = NO_PAGE;
	}
	list_nodes(h, mb);
	h->state = HUGETLB_READY;
	return 0;
}

const struct hstate *hugetlb_hstate(const struct hugetlb *h, unsigned int order)
{
	for (unsigned int i = 0; i < h->nr_hstates; i++)
		if (h->hstates[i].order == order)
			return &h->hstates[i];
	return NULL;
}

static struct hstate *find_hstate(struct hugetlb *h, unsigned int order)
{
	const struct hstate *s = hugetlb_hstate(h, order);

	return s ? &h->hstates[s - h->hstates] : NULL;
}

void hugetlb_enlist(struct hstate *s, uint32_t i)
{
	struct huge_page *page = &s->pages[i];

	page->state = HUGE_PAGE_FREE;
	page->next = s->freelists[page->slot];
	s->freelists[page->slot] = i;
	s->free_huge_pages++;
	s->free_huge_pages_node[page->slot]++;
}

/* Takes a free page of @nid, or of any node, out of its list, as in use. NO_PAGE: there is none. */
static uint32_t take_page(const struct hugetlb *h, struct hstate *s, int nid)
{
	for (unsigned int slot = 0; slot <= h->nr_nodes; slot++) {
		uint32_t i = s->freelists[slot];

		if (i == NO_PAGE ||
		    (nid != NUMA_NO_NODE && (slot == h->nr_nodes || h->nid[slot] != nid)))
			continue;
		s->freelists[slot] = s->pages[i].next;
		s->pages[i].state = HUGE_PAGE_IN_USE;
		s->free_huge_pages--;
		s->free_huge_pages_node[slot]--;
		return i;
	}
	return NO_PAGE;
}

int64_t hugetlb_alloc(struct hugetlb *h, unsigned int order, int nid)
{
	struct hstate *s = find_hstate(h, order);
	uint32_t i;

	if (!s)
		return -EMM_EINVAL;
	i = take_page(h, s, nid);
	return i == NO_PAGE ? -EMM_ENOMEM : (int64_t)s->pages[i].pfn;
}

/* The record of the page that begins at @pfn, or NO_PAGE. */
static uint32_t find_page(const struct hstate *s, uint64_t pfn)
{
	uint32_t lo = 0, hi = s->nr_pages;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (s->pages[mid].pfn < pfn)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < s->nr_pages && s->pages[lo].pfn == pfn ? lo : NO_PAGE;
}

int hugetlb_free(struct hugetlb *h, uint64_t pfn, unsigned int order)
{
	struct hstate *s = find_hstate(h, order);
	uint32_t i;

	if (!s)
		return -EMM_EINVAL;
	i = find_page(s, pfn);
	if (i == NO_PAGE || s->pages[i].state == HUGE_PAGE_GONE)
		return -EMM_ENOENT;
	if (s->pages[i].state == HUGE_PAGE_FREE)
		return -EMM_EDOUBLE;
	hugetlb_enlist(s, i);
	return 0;
}

/* One page, which is in no list, to the system. */
static int release_page(struct hugetlb *h, struct page_hart *hart, struct memblock *mb,
			const struct hstate *s, const struct huge_page *page)
{
	uint64_t nr_pages = 1ULL << s->order;
	int err;

	if (page->early)
		err = page_alloc_free_reserved(hart->pa, mb, PFN_PHYS(page->pfn), hstate_size(s),
					       NULL);
	else
		err = free_pages(hart, page->pfn, s->order);
	if (err)
		return err;
	if (page->early)
		h->early_pages -= nr_pages;
	else
		h->buddy_pages -= nr_pages;
	return 0;
}

int hugetlb_release(struct hugetlb *h, struct page_hart *hart, struct memblock *mb,
		    unsigned int order, int nid, uint64_t nr, uint64_t *released)
{
	struct hstate *s = find_hstate(h, order);
	uint64_t done = 0;
	int err = 0;

	if (!s)
		return -EMM_EINVAL;
	if (h->state != HUGETLB_DONE)
		return -EMM_ESTATE;
	while (done < nr) {
		uint32_t i = take_page(h, s, nid);

		if (i == NO_PAGE)
			break;
		err = release_page(h, hart, mb, s, &s->pages[i]);
		if (err) {
			hugetlb_enlist(s, i);
			break;
		}
		s->pages[i].state = HUGE_PAGE_GONE;
		s->nr_huge_pages--;
		s->nr_huge_pages_node[s->pages[i].slot]--;
		done++;
	}
	if (released)
		*released = done;
	return err;
}

uint64_t hugetlb_used_pages(const struct hugetlb *h)
{
	return h->buddy_pages;
}

uint64_t hugetlb_reserved_pages(const struct hugetlb *h)
{
	return h->early_pages;
}
