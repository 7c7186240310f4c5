/* SPDX-License-Identifier: BSD-2-Clause */
/* Free maximal blocks by order: /proc/buddyinfo and /proc/pagetypeinfo. */
#include "report_internal.h"

/* "Node 0, zone    DMA32", and Linux's prefix of a row of pagetypeinfo. */
#define ZONE_PREFIX 21
#define TYPE_PREFIX 43

static bool is_live(const struct zone *z)
{
	return z->mm.state == MM_HANDED_OVER;
}

void report_buddyinfo(const struct page_alloc *pa, const struct printer *out)
{
	uint64_t counts[NR_PAGE_ORDERS];
	struct report_table table;
	char name[ZONE_NAME_LEN];
	const struct zone *z;

	report_table_init(&table, ZONE_PREFIX);
	for_each_zone(z, pa, at)
	{
		if (is_live(z)) {
			buddy_nr_blocks(&z->mm.buddy, counts);
			report_table_add(&table, counts);
		}
	}
	report_table_fit(&table);
	for_each_zone(z, pa, at)
	{
		if (!is_live(z))
			continue;
		buddy_nr_blocks(&z->mm.buddy, counts);
		print_to(out, "Node %d, zone %8s", z->nid, report_zone_name(pa, z, name));
		report_table_row(&table, counts, out);
	}
}

/* ---- pagetypeinfo ---- */

enum row_type { ROW_UNMOVABLE, ROW_MOVABLE, ROW_CMA, NR_ROW_TYPES };

static const char *const row_names[NR_ROW_TYPES] = { "Unmovable", "Movable", "CMA" };

/* The lowest frame that a hart's movable context takes from; the zone's end if there is none. */
static uint64_t movable_floor(const struct page_alloc *pa, const struct zone *z)
{
	uint64_t floor_pfn = z->mm.end_pfn;

	for (uint32_t hart = 0; hart < pa->nr_harts; hart++) {
		uint64_t pfn = report_floor(zone_context(z, hart, MIGRATE_MOVABLE));

		if (pfn < floor_pfn)
			floor_pfn = pfn;
	}
	return floor_pfn;
}

/* The frames of the zone that are of this type. */
static struct pfn_range frames_of(const struct page_alloc *pa, const struct zone *z,
				  enum row_type type)
{
	struct pfn_range r = { 0, UINT64_MAX };

	if ((type == ROW_CMA) != (z->type == ZONE_CMA))
		r.end = 0;
	else if (type == ROW_UNMOVABLE)
		r.end = movable_floor(pa, z);
	else if (type == ROW_MOVABLE)
		r.start = movable_floor(pa, z);
	return r;
}

/* Each type that the zone may have has a row. */
static bool has_row(const struct zone *z, enum row_type type)
{
	return is_live(z) && (type == ROW_CMA) == (z->type == ZONE_CMA);
}

static void count_row(const struct page_alloc *pa, const struct zone *z, enum row_type type,
		      uint64_t counts[NR_PAGE_ORDERS])
{
	const struct pfn_range r = frames_of(pa, z, type);

	buddy_nr_blocks_in(&z->mm.buddy, r.start, r.end, counts);
}

static void print_free_by_type(const struct page_alloc *pa, const struct printer *out)
{
	uint64_t counts[NR_PAGE_ORDERS];
	struct report_table table;
	char name[ZONE_NAME_LEN];
	const struct zone *z;

	report_table_init(&table, TYPE_PREFIX);
	for_each_zone(z, pa, at)
	{
		if (is_live(z)) {
			buddy_nr_blocks(&z->mm.buddy, counts);
			report_table_add(&table, counts);
		}
	}
	report_table_fit(&table);
	print_to(out, "%-*s", TYPE_PREFIX, "Free pages count per migrate type at order");
	report_table_row(&table, NULL, out);
	for_each_zone(z, pa, at)
	{
		for (unsigned int type = 0; type < NR_ROW_TYPES; type++) {
			if (!has_row(z, type))
				continue;
			count_row(pa, z, type, counts);
			print_to(out, "Node %4d, zone %8s, type %12s", z->nid,
				 report_zone_name(pa, z, name), row_names[type]);
			report_table_row(&table, counts, out);
		}
	}
}

/* Blocks of HUGETLB_PAGE_ORDER that begin in the frames, of those that trees reach into. */
static uint64_t nr_page_blocks(const struct zone *z, const struct pfn_range *r)
{
	const struct buddy *b = &z->mm.buddy;
	uint64_t nr = 0;

	for (uint32_t i = 0; i < b->nr_trees; i++) {
		const struct buddy_tree *t = &b->trees[i];
		uint64_t start = t->start_pfn > r->start ? t->start_pfn : r->start;
		uint64_t end = t->end_pfn < r->end ? t->end_pfn : r->end;

		if (start >= end)
			continue;
		/* A block that is cut by the range's start belongs to what is before it. */
		if (start != t->start_pfn)
			start += (1ULL << HUGETLB_PAGE_ORDER) - 1;
		nr += ((end - 1) >> HUGETLB_PAGE_ORDER) + 1;
		nr -= start >> HUGETLB_PAGE_ORDER;
	}
	return nr;
}

static void print_blocks_by_type(const struct page_alloc *pa, const struct printer *out)
{
	char name[ZONE_NAME_LEN];
	const struct zone *z;

	print_to(out, "\n%-22s", "Number of blocks type");
	for (unsigned int type = 0; type < NR_ROW_TYPES; type++)
		print_to(out, " %12s", row_names[type]);
	print_to(out, "\n");
	for_each_zone(z, pa, at)
	{
		if (!is_live(z))
			continue;
		print_to(out, "Node %d, zone %8s ", z->nid, report_zone_name(pa, z, name));
		for (unsigned int type = 0; type < NR_ROW_TYPES; type++) {
			const struct pfn_range r = frames_of(pa, z, type);

			print_to(out, " %12llu", (unsigned long long)nr_page_blocks(z, &r));
		}
		print_to(out, "\n");
	}
}

void report_pagetypeinfo(const struct page_alloc *pa, const struct printer *out)
{
	print_to(out, "Page block order: %d\n", HUGETLB_PAGE_ORDER);
	print_to(out, "Pages per block:  %llu\n\n", 1ULL << HUGETLB_PAGE_ORDER);
	print_free_by_type(pa, out);
	print_blocks_by_type(pa, out);
}
