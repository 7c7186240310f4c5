/* SPDX-License-Identifier: BSD-2-Clause */
/* A zone's marks and sizes, and what harts keep of it: /proc/zoneinfo. */
#include "report_internal.h"

/* The pages of CMA areas within the limits of the zone; its own if it is one. */
static uint64_t cma_pages(const struct page_alloc *pa, const struct zone *z)
{
	uint64_t nr_pages = 0;

	for (uint32_t i = pa->nr_zones - pa->nr_cma; i < pa->nr_zones; i++) {
		const struct zone *area = &pa->zones[i];

		if (area == z ||
		    (z->type != ZONE_CMA && area->nid == z->nid &&
		     area->mm.start_pfn >= z->mm.start_pfn && area->mm.end_pfn <= z->mm.end_pfn))
			nr_pages += area->mm.end_pfn - area->mm.start_pfn;
	}
	return nr_pages;
}

static void print_sizes(const struct page_alloc *pa, const struct zone *z, uint64_t nr_free,
			const struct printer *out)
{
	const struct {
		const char *name;
		uint64_t nr_pages;
	} lines[] = {
		{ "min", z->wmark[WMARK_MIN] },   { "low", z->wmark[WMARK_LOW] },
		{ "high", z->wmark[WMARK_HIGH] }, { "spanned", z->mm.end_pfn - z->mm.start_pfn },
		{ "present", z->present_pages },  { "managed", z->mm.managed_pages },
		{ "cma", cma_pages(pa, z) },
	};

	print_to(out, "  pages free     %llu\n", (unsigned long long)nr_free);
	for (unsigned int i = 0; i < ARRAY_SIZE(lines); i++)
		print_to(out, "        %-8s %llu\n", lines[i].name,
			 (unsigned long long)lines[i].nr_pages);
	print_to(out, "        protection: (");
	for (unsigned int type = 0; type < MAX_NR_ZONES; type++)
		print_to(out, "%s%llu", type ? ", " : "",
			 (unsigned long long)z->lowmem_reserve[type]);
	print_to(out, ")\n");
}

/* Blocks by order, as far as there are stacks. */
static void print_stacks(const char *name, const struct buddy_hart *c, const struct printer *out)
{
	print_to(out, "              %-10s", name);
	for (unsigned int order = 0; order < BUDDY_NR_STACKS; order++)
		print_to(out, " %llu", (unsigned long long)report_held_blocks(c, order));
	print_to(out, "\n");
}

static void print_hart(const struct zone *z, uint32_t hart, const struct printer *out)
{
	const struct buddy_hart *unmovable = zone_context(z, hart, MIGRATE_UNMOVABLE);
	const struct buddy_hart *movable = zone_context(z, hart, MIGRATE_MOVABLE);
	uint64_t nr_held;

	if (!unmovable->is_ready && !movable->is_ready)
		return;
	nr_held = buddy_nr_held(unmovable) + buddy_nr_held(movable);
	print_to(out, "    cpu: %u\n", hart);
	print_to(out, "              count:    %llu\n", (unsigned long long)nr_held);
	print_stacks("unmovable:", unmovable, out);
	print_stacks("movable:", movable, out);
}

/* What Linux has not got. */
static void print_extras(const struct zone *z, const struct printer *out)
{
	print_to(out, "  earlymm\n");
	print_to(out, "        trees    %u\n", z->mm.buddy.nr_trees);
	print_to(out, "        metadata %llu bytes at %#llx\n",
		 (unsigned long long)z->mm.meta_bytes, (unsigned long long)z->mm.meta_pa);
}

static void print_zone(const struct page_alloc *pa, const struct zone *z, const struct printer *out)
{
	uint64_t nr_free = zone_free_pages(pa, z);
	char name[ZONE_NAME_LEN];

	print_to(out, "Node %d, zone %8s\n", z->nid, report_zone_name(pa, z, name));
	print_sizes(pa, z, nr_free, out);
	print_to(out, "      nr_free_pages %llu\n", (unsigned long long)nr_free);
	if (z->type == ZONE_CMA)
		print_to(out, "      nr_free_cma  %llu\n", (unsigned long long)nr_free);
	print_to(out, "  pagesets\n");
	for (uint32_t hart = 0; hart < pa->nr_harts; hart++)
		print_hart(z, hart, out);
	print_to(out, "  start_pfn:           %llu\n", (unsigned long long)z->mm.start_pfn);
	print_extras(z, out);
}

void report_zoneinfo(const struct page_alloc *pa, const struct printer *out)
{
	const struct zone *z;

	for_each_zone(z, pa, at) print_zone(pa, z, out);
}
