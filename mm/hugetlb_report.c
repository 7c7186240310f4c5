/* SPDX-License-Identifier: BSD-2-Clause */
/* The pools of huge pages seen from outside: a table, and whether the books are in order. */
#include "hugetlb_internal.h"

char *hugetlb_size_text(char *buf, uint64_t bytes)
{
	static const char units[] = " KMGTPE";
	char digits[4], *at = buf;
	unsigned int unit = 0, nr = 0;

	for (; bytes >= 1024; bytes /= 1024)
		unit++;
	do
		digits[nr++] = (char)('0' + bytes % 10);
	while ((bytes /= 10) && nr < sizeof(digits));
	while (nr)
		*at++ = digits[--nr];
	*at++ = ' ';
	if (unit) {
		*at++ = units[unit];
		*at++ = 'i';
	}
	*at++ = 'B';
	*at = '\0';
	return buf;
}

static void report_nodes(const struct hugetlb *h, const struct hstate *s, const struct printer *out)
{
	for (unsigned int slot = 0; slot <= h->nr_nodes; slot++) {
		if (!s->nr_huge_pages_node[slot])
			continue;
		if (slot == h->nr_nodes)
			print_to(out, "%16s %8s", "", "others");
		else if (h->nid[slot] == NUMA_NO_NODE)
			print_to(out, "%16s %8s", "", "none");
		else
			print_to(out, "%16s %8d", "", h->nid[slot]);
		print_to(out, " %20s %12llu %12llu\n", "",
			 (unsigned long long)s->nr_huge_pages_node[slot],
			 (unsigned long long)s->free_huge_pages_node[slot]);
	}
}

void hugetlb_report(const struct hugetlb *h, const struct printer *out)
{
	char size[16];

	if (!h->nr_hstates)
		return;
	print_to(out, "%16s %8s %20s %12s %12s\n", "huge page size", "node", "asked for", "in pool",
		 "free");
	for (unsigned int i = 0; i < h->nr_hstates; i++) {
		const struct hstate *s = &h->hstates[i];

		print_to(out, "%16s %8s %20llu %12llu %12llu%s%s\n",
			 hugetlb_size_text(size, hstate_size(s)), "all",
			 (unsigned long long)s->max_huge_pages,
			 (unsigned long long)s->nr_huge_pages,
			 (unsigned long long)s->free_huge_pages, s->gigantic ? "  gigantic" : "",
			 i == h->default_hstate ? "  default" : "");
		if (h->nr_nodes > 1)
			report_nodes(h, s, out);
	}
}

/* The records alone: what they say is in use and free, by slot. */
static bool count_records(const struct hstate *s, unsigned int nr_nodes, uint64_t *nr,
			  uint64_t *nr_free)
{
	for (uint32_t i = 0; i < s->nr_pages; i++) {
		const struct huge_page *page = &s->pages[i];

		if (page->slot > nr_nodes || page->state > HUGE_PAGE_GONE ||
		    (page->pfn & ((1ULL << s->order) - 1)) || (i && page->pfn <= page[-1].pfn))
			return false;
		nr[page->slot] += page->state != HUGE_PAGE_GONE;
		nr_free[page->slot] += page->state == HUGE_PAGE_FREE;
	}
	return true;
}

/* Free pages of the slot and nothing else, each once. */
static bool list_is_valid(const struct hstate *s, unsigned int slot, uint64_t nr_free)
{
	uint32_t i = s->freelists[slot];

	for (; nr_free; nr_free--) {
		if (i >= s->nr_pages || s->pages[i].state != HUGE_PAGE_FREE ||
		    s->pages[i].slot != slot)
			return false;
		i = s->pages[i].next;
	}
	return i == NO_PAGE;
}

static bool hstate_is_valid(const struct hugetlb *h, const struct hstate *s)
{
	uint64_t nr[HUGETLB_MAX_NODES + 1] = { 0 }, nr_free[HUGETLB_MAX_NODES + 1] = { 0 };
	uint64_t total = 0, total_free = 0;

	if (s->nr_pages > s->max_pages ||
	    s->max_pages * sizeof(struct huge_page) > s->pages_bytes ||
	    !count_records(s, h->nr_nodes, nr, nr_free))
		return false;
	for (unsigned int slot = 0; slot <= h->nr_nodes; slot++) {
		if (nr[slot] != s->nr_huge_pages_node[slot] ||
		    nr_free[slot] != s->free_huge_pages_node[slot] ||
		    !list_is_valid(s, slot, nr_free[slot]))
			return false;
		total += nr[slot];
		total_free += nr_free[slot];
	}
	return total == s->nr_huge_pages && total_free == s->free_huge_pages;
}

bool hugetlb_is_valid(const struct hugetlb *h)
{
	uint64_t early_pages = 0, buddy_pages = 0;

	for (unsigned int i = 0; i < h->nr_hstates; i++) {
		const struct hstate *s = &h->hstates[i];

		if (!hstate_is_valid(h, s))
			return false;
		early_pages += s->pages_bytes >> PAGE_SHIFT;
		if (s->gigantic)
			early_pages += s->nr_huge_pages << s->order;
		else
			buddy_pages += s->nr_huge_pages << s->order;
	}
	return early_pages == h->early_pages && buddy_pages == h->buddy_pages;
}
