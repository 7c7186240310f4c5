/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which node's blocks came from where. No allocation counts this. What a hart has had from a zone
 * is known from its books; for which node that was meant changes seldom, and only in the slow
 * path: then what was had since the last change is settled.
 */
#include "page_alloc_internal.h"

uint64_t zone_blocks_had(const struct zone *z, uint32_t hart)
{
	const struct zone_hart *zh = &z->harts[hart];
	uint64_t nr = 0;

	for (unsigned int type = 0; type < MIGRATE_TYPES; type++) {
		const struct buddy_hart *c = zone_context(z, hart, type);

		for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
			nr += zh->taken[type][order];
		for (unsigned int order = 0; c->is_ready && order < BUDDY_NR_STACKS; order++)
			nr -= stack_depth(c, order) + c->drained[order];
	}
	return nr;
}

/* Blocks had since, for another zone's node, of @had in all. */
static uint64_t unsettled(const struct zone_hart *zh, uint64_t had)
{
	return zh->meant ? had - zh->settled : 0;
}

void page_settle_meant(struct page_hart *h, struct zone *z, struct zone *meant)
{
	struct zone_hart *zh = &z->harts[h->id];
	const uint64_t had = zone_blocks_had(z, h->id), nr = unsettled(zh, had);

	zh->misses += nr;
	if (zh->meant)
		zh->meant->harts[h->id].foreign += nr;
	zh->meant = meant;
	zh->settled = had;
	/*
	 * Who has had blocks from here by a faster way meant something else: it comes by here
	 * again.
	 */
	page_hart_close(h, z);
}

static void add_hart(const struct page_alloc *pa, const struct zone *z, uint32_t hart, int nid,
		     struct numa_counts *n)
{
	const struct zone_hart *zh = &z->harts[hart];
	const uint64_t had = zone_blocks_had(z, hart), nr = unsettled(zh, had);

	if (zh->meant && zh->meant->nid == nid)
		n->foreign += nr;
	if (z->nid != nid)
		return;
	n->hit += had - zh->misses - nr;
	n->miss += zh->misses + nr;
	n->foreign += zh->foreign;
	if (pa->harts[hart].local->nid == nid)
		n->local += had;
	else
		n->other += had;
}

void page_count_numa(const struct page_alloc *pa, int nid, struct numa_counts *n)
{
	*n = (struct numa_counts){ .hit = 0 };
	for (uint32_t i = 0; i < pa->nr_zones; i++)
		for (uint32_t hart = 0; hart < pa->nr_harts; hart++)
			if (pa->zones[i].mm.state == MM_HANDED_OVER)
				add_hart(pa, &pa->zones[i], hart, nid, n);
}
