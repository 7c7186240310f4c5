/* SPDX-License-Identifier: BSD-2-Clause */
/* What is asked of zones at any time; set-up, which programs may give back after it, is in zone.c. */
#include "page_alloc_internal.h"

static bool zone_covers(const struct zone *z, uint64_t pfn)
{
	return pfn >= z->mm.start_pfn && pfn < z->mm.end_pfn;
}

struct zone *page_zone(const struct page_alloc *pa, uint64_t pfn)
{
	/* From behind: CMA areas lie within other zones' limits. */
	for (uint32_t i = pa->nr_zones; i-- > 0;)
		if (zone_covers(&pa->zones[i], pfn))
			return (struct zone *)&pa->zones[i];
	return NULL;
}

const char *zone_name(enum zone_type type)
{
	static const char *const names[] = { "DMA32", "Normal", "HighMem", "CMA" };

	return (unsigned int)type < ARRAY_SIZE(names) ? names[type] : "unknown";
}
