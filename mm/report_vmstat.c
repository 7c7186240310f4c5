/* SPDX-License-Identifier: BSD-2-Clause */
/* Counters: sums under Linux's names (/proc/vmstat), then by zone and order. */
#include <earlymm/page_owner.h>
#include "report_internal.h"

/* What struct buddy_events has, under the names that it is printed with. */
static const struct {
	const char *name;
	size_t offset;
} events[] = {
	{ "refill", offsetof(struct buddy_events, refills) },
	{ "split", offsetof(struct buddy_events, splits) },
	{ "merge", offsetof(struct buddy_events, carries) },
	{ "stale_hint", offsetof(struct buddy_events, stale_hints) },
	{ "drain", offsetof(struct buddy_events, drains) },
	{ "double_free", offsetof(struct buddy_events, double_frees) },
	{ "no_block", offsetof(struct buddy_events, failures) },
	{ "claim_retry", offsetof(struct buddy_events, claim_retries) },
};

static uint64_t count_event(const struct page_alloc *pa, const struct zone *z, unsigned int event)
{
	uint64_t nr = 0;

	for (uint32_t hart = 0; hart < pa->nr_harts; hart++) {
		for (unsigned int type = 0; type < MIGRATE_TYPES; type++) {
			const struct buddy_hart *c = zone_context(z, hart, type);
			const char *from = (const char *)&c->events + events[event].offset;

			if (c->is_ready)
				nr += *(const uint64_t *)(const void *)from;
		}
	}
	return nr;
}

static void print_counter(const struct printer *out, const char *prefix, const char *name,
			  uint64_t value)
{
	print_to(out, "%s%s %llu\n", prefix, name, (unsigned long long)value);
}

/* ---- sums ---- */

static const char *const suffixes[] = { "dma32", "normal", "high", "cma" };

/* Of all orders, in pages. */
struct page_counts {
	bool there;
	uint64_t alloc;
	uint64_t freed;
	uint64_t fallbacks;
	uint64_t failures; /* calls */
};

static void add_zone(struct page_counts *sum, const struct page_alloc *pa, const struct zone *z)
{
	sum->there = true;
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++) {
		struct order_counts n;

		report_count_order(pa, z, order, &n);
		sum->alloc += n.alloc << order;
		sum->freed += n.freed << order;
		sum->fallbacks += n.fallbacks << order;
		sum->failures += n.failures;
	}
}

static void print_allocs(const struct page_alloc *pa, const struct printer *out)
{
	struct page_counts by_type[ARRAY_SIZE(suffixes)] = { { .alloc = 0 } };
	struct page_counts all = { .alloc = 0 };

	for (uint32_t i = 0; i < pa->nr_zones; i++) {
		add_zone(&by_type[pa->zones[i].type], pa, &pa->zones[i]);
		add_zone(&all, pa, &pa->zones[i]);
	}
	for (unsigned int type = 0; type < ARRAY_SIZE(suffixes); type++)
		if (by_type[type].there)
			print_counter(out, "pgalloc_", suffixes[type], by_type[type].alloc);
	print_counter(out, "", "pgfree", all.freed);
	print_counter(out, "", "pgalloc_fallback", all.fallbacks);
	print_counter(out, "", "pgalloc_fail", all.failures);
}

/* Ranges that were claimed: CMA areas taken back have a counter in Linux. */
static void print_claims(const struct page_alloc *pa, const struct printer *out)
{
	static const char *const names[2] = { "contig_alloc", "cma_alloc" };
	uint64_t claims[2] = { 0 }, failures[2] = { 0 };

	for (uint32_t i = 0; i < pa->nr_zones; i++) {
		const struct zone *z = &pa->zones[i];
		const bool is_cma = z->type == ZONE_CMA;

		for (uint32_t hart = 0; hart < pa->nr_harts; hart++) {
			claims[is_cma] += z->harts[hart].claims;
			failures[is_cma] += z->harts[hart].claim_failures;
		}
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		print_counter(out, names[i], "_success", claims[i]);
		print_counter(out, names[i], "_fail", failures[i]);
	}
}

/* ---- nodes ---- */

/* The nodes that have memory, a bit each. */
static uint64_t nodes_of(const struct page_alloc *pa)
{
	uint64_t nodes = 0;

	for (uint32_t i = 0; i < pa->nr_zones; i++)
		nodes |= 1ULL << pa->zones[i].nid;
	return nodes;
}

static bool are_several(uint64_t nodes)
{
	return (nodes & (nodes - 1)) != 0;
}

static void print_numa_sums(const struct page_alloc *pa, const struct printer *out)
{
	struct numa_counts sum = { .hit = 0 }, n;
	const uint64_t nodes = nodes_of(pa);

	if (!are_several(nodes))
		return;
	for (uint64_t left = nodes; left; left &= left - 1) {
		page_count_numa(pa, (int)ffs64(left), &n);
		sum.hit += n.hit;
		sum.miss += n.miss;
		sum.foreign += n.foreign;
		sum.local += n.local;
		sum.other += n.other;
	}
	print_counter(out, "", "numa_hit", sum.hit);
	print_counter(out, "", "numa_miss", sum.miss);
	print_counter(out, "", "numa_foreign", sum.foreign);
	print_counter(out, "", "numa_local", sum.local);
	print_counter(out, "", "numa_other", sum.other);
}

/* Linux: numastat of each node. */
static void print_nodes(const struct page_alloc *pa, const struct printer *out)
{
	const uint64_t nodes = nodes_of(pa);
	struct numa_counts n;

	for (uint64_t left = are_several(nodes) ? nodes : 0; left; left &= left - 1) {
		page_count_numa(pa, (int)ffs64(left), &n);
		print_to(out,
			 "\nNode %d\n  numa_hit   %11llu  numa_miss  %11llu  numa_foreign %11llu\n",
			 (int)ffs64(left), (unsigned long long)n.hit, (unsigned long long)n.miss,
			 (unsigned long long)n.foreign);
		print_to(out, "  local_node %11llu  other_node %11llu\n",
			 (unsigned long long)n.local, (unsigned long long)n.other);
	}
}

/* ---- all zones ---- */

static void print_sums(const struct page_alloc *pa, const struct printer *out)
{
	uint64_t nr_free = 0, free_cma = 0, held = 0, refusals = 0;

	for (uint32_t i = 0; i < pa->nr_zones; i++) {
		const struct zone *z = &pa->zones[i];
		uint64_t free_here = zone_free_pages(pa, z);

		nr_free += free_here;
		free_cma += z->type == ZONE_CMA ? free_here : 0;
		held += report_zone_held(pa, z);
	}
	for (uint32_t hart = 0; hart < pa->nr_harts; hart++)
		refusals += pa->harts[hart].refusals;
	print_counter(out, "", "nr_free_pages", nr_free);
	print_counter(out, "", "nr_free_cma", free_cma);
	print_counter(out, "", "nr_hart_stacks", held);
	if (pa->features & PAGE_ALLOC_OWNER)
		print_counter(out, "", "nr_quarantine", page_quarantined(pa, NULL));
	print_allocs(pa, out);
	print_claims(pa, out);
	print_numa_sums(pa, out);
	print_counter(out, "", "pgalloc_refused", refusals);
	print_counter(out, "", "page_misuse", pa->misuses);
	print_counter(out, "", "page_damaged", pa->damaged_pages);
	for (unsigned int event = 0; event < ARRAY_SIZE(events); event++) {
		uint64_t nr = 0;

		for (uint32_t i = 0; i < pa->nr_zones; i++)
			nr += count_event(pa, &pa->zones[i], event);
		print_counter(out, "buddy_", events[event].name, nr);
	}
}

/* ---- by zone ---- */

static void print_orders(const struct page_alloc *pa, const struct zone *z,
			 const struct printer *out)
{
	bool has_heading = false;

	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++) {
		struct order_counts n;

		report_count_order(pa, z, order, &n);
		if (!n.taken && !n.freed && !n.failures)
			continue;
		if (!has_heading)
			print_to(out, "  order %11s %11s %11s %11s %5s %8s %6s\n", "alloc", "free",
				 "taken", "drained", "held", "fallback", "oom");
		has_heading = true;
		print_to(out, "  %5u %11llu %11llu %11llu %11llu %5llu %8llu %6llu\n", order,
			 (unsigned long long)n.alloc, (unsigned long long)n.freed,
			 (unsigned long long)n.taken, (unsigned long long)n.drained,
			 (unsigned long long)n.held, (unsigned long long)n.fallbacks,
			 (unsigned long long)n.failures);
	}
}

static void print_zone(const struct page_alloc *pa, const struct zone *z, const struct printer *out)
{
	char name[ZONE_NAME_LEN];

	print_to(out, "\nNode %d, zone %8s\n", z->nid, report_zone_name(pa, z, name));
	for (unsigned int event = 0; event < ARRAY_SIZE(events); event++)
		print_to(out, "  %-11s %11llu%s", events[event].name,
			 (unsigned long long)count_event(pa, z, event),
			 event % 3 == 2 || event + 1 == ARRAY_SIZE(events) ? "\n" : "  ");
	print_orders(pa, z, out);
}

void report_vmstat(const struct page_alloc *pa, const struct printer *out)
{
	const struct zone *z;

	print_sums(pa, out);
	print_nodes(pa, out);
	for_each_zone(z, pa, at) print_zone(pa, z, out);
}
