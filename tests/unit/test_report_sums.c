/* SPDX-License-Identifier: BSD-2-Clause */
/* Reports after random work: what they say adds up to what the test itself has in its ledger. */
#include "helper_report.h"

#include <earlymm/error.h>
#include <earlymm/page_contig.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NR_SLOTS  400
#define NR_OPS    30000
#define NR_HARTS  3
#define MAX_ORDER 13

struct ledger {
	struct {
		bool used;
		uint64_t pfn;
		unsigned int order;
	} slots[NR_SLOTS];
	/* By zone, as pa->zones[] has them. */
	uint64_t alloc[PAGE_ALLOC_MAX_ZONES][MAX_ORDER + 1];
	uint64_t freed[PAGE_ALLOC_MAX_ZONES][MAX_ORDER + 1];
	uint64_t failures;
	uint64_t refusals;
	uint64_t seed;
};

static uint64_t random_below(struct ledger *l, uint64_t n)
{
	l->seed = l->seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (l->seed >> 33) % n;
}

static unsigned int zone_index(const struct page_alloc *pa, uint64_t pfn)
{
	return (unsigned int)(page_zone(pa, pfn) - pa->zones);
}

static void work(struct helper_pages *f, struct ledger *l)
{
	static const gfp_t gfps[] = { GFP_KERNEL, GFP_HIGHUSER_MOVABLE, GFP_DMA32, GFP_ATOMIC };
	struct page_alloc *pa = &f->pa;

	for (int op = 0; op < NR_OPS; op++) {
		struct page_hart *h = &pa->harts[random_below(l, NR_HARTS)];
		uint64_t i = random_below(l, NR_SLOTS);
		unsigned int order = (unsigned int)random_below(l, MAX_ORDER + 1);
		int64_t pfn;

		if (l->slots[i].used) {
			l->slots[i].used = false;
			l->freed[zone_index(pa, l->slots[i].pfn)][l->slots[i].order]++;
			assert_int_equal(free_pages(h, l->slots[i].pfn, l->slots[i].order), 0);
			continue;
		}
		if (random_below(l, 100) == 0) {
			assert_int_equal(alloc_pages(h, GFP_ALL_FLAGS + 1, order), -EMM_EINVAL);
			l->refusals++;
			continue;
		}
		if (random_below(l, 4))
			order = order % 4;
		pfn = alloc_pages(h, gfps[random_below(l, ARRAY_SIZE(gfps))], order);
		if (pfn < 0) {
			l->failures++;
			continue;
		}
		l->slots[i].used = true;
		l->slots[i].pfn = (uint64_t)pfn;
		l->slots[i].order = order;
		l->alloc[zone_index(pa, (uint64_t)pfn)][order]++;
	}
}

static void forget_text(struct helper_pages *f)
{
	f->h->out.len = 0;
	f->h->out.text[0] = '\0';
}

/* alloc and free of one order, as the table of the zone has them; 0 where it has no such row. */
static void read_row(const char *table, unsigned int order, uint64_t *alloc, uint64_t *freed)
{
	const char *at = strchr(table, '\n');

	*alloc = *freed = 0;
	for (; at && at[1] == ' '; at = strchr(at + 1, '\n')) {
		char *end;

		if (strtoul(at + 1, &end, 10) != order || end == at + 1)
			continue;
		*alloc = strtoull(end, &end, 10);
		*freed = strtoull(end, NULL, 10);
		return;
	}
}

static void expect_vmstat(struct helper_pages *f, const struct ledger *l)
{
	static const char *const counters[] = { "pgalloc_dma32", "pgalloc_normal", "pgalloc_high",
						"pgalloc_cma" };
	uint64_t by_type[ARRAY_SIZE(counters)] = { 0 }, freed = 0;
	const struct page_alloc *pa = &f->pa;

	forget_text(f);
	report_vmstat(pa, &f->h->printer);
	helper_report_columns(f, 80);
	for (unsigned int i = 0; i < pa->nr_zones; i++) {
		const struct zone *z = &pa->zones[i];
		char heading[40];
		const char *table;

		snprintf(heading, sizeof(heading), "\nNode %d, zone %8s\n", z->nid,
			 z->type == ZONE_CMA ? "CMA0" : zone_name(z->type));
		table = strstr(f->h->out.text, heading);
		assert_non_null(table);
		table = strchr(table + 1, '\n');
		for (unsigned int order = 0; order <= MAX_ORDER; order++) {
			uint64_t row_alloc, row_freed;

			read_row(table, order, &row_alloc, &row_freed);
			assert_int_equal(row_alloc, l->alloc[i][order]);
			assert_int_equal(row_freed, l->freed[i][order]);
			by_type[z->type] += row_alloc << order;
			freed += row_freed << order;
		}
	}
	for (unsigned int type = 0; type < ARRAY_SIZE(counters); type++)
		assert_int_equal(helper_report_counter(f, counters[type]), by_type[type]);
	assert_int_equal(helper_report_counter(f, "pgfree"), freed);
	assert_int_equal(helper_report_counter(f, "pgalloc_fail"), l->failures);
	assert_int_equal(helper_report_counter(f, "pgalloc_refused"), l->refusals);
}

/* The pages of the rows that begin with @prefix, whose numbers come behind so many columns. */
static uint64_t sum_rows(const struct helper_pages *f, const char *prefix, unsigned int column)
{
	uint64_t nr_pages = 0;

	for (const char *at = f->h->out.text; at && *at;
	     at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL) {
		char *end = NULL;

		if (strncmp(at, prefix, strlen(prefix)))
			continue;
		at += column;
		for (unsigned int order = 0; *at != '\n'; order++, at = end)
			nr_pages += strtoull(at, &end, 10) << order;
	}
	return nr_pages;
}

static void expect_free(struct helper_pages *f)
{
	const struct page_alloc *pa = &f->pa;
	uint64_t in_trees = 0, held = 0;

	for (uint32_t i = 0; i < pa->nr_zones; i++) {
		const struct buddy *b = &pa->zones[i].mm.buddy;

		in_trees += buddy_nr_free(b);
		for (uint32_t k = 0; k < b->nr_harts; k++)
			held += buddy_nr_held(&b->harts[k]);
	}
	assert_int_equal(helper_report_counter(f, "nr_free_pages"), in_trees);
	assert_int_equal(helper_report_counter(f, "nr_hart_stacks"), held);
	forget_text(f);
	report_buddyinfo(pa, &f->h->printer);
	helper_report_columns(f, 132);
	assert_int_equal(sum_rows(f, "Node ", 21), in_trees);
	forget_text(f);
	report_pagetypeinfo(pa, &f->h->printer);
	helper_report_columns(f, 132);
	assert_int_equal(sum_rows(f, "Node    ", 43), in_trees);
	forget_text(f);
	report_meminfo(pa, NULL, &f->h->printer);
	helper_report_columns(f, 80);
	assert_int_equal(helper_report_counter(f, "MemFree:"), in_trees << (PAGE_SHIFT - 10));
	assert_int_equal(helper_report_counter(f, "HartStacks:"), held << (PAGE_SHIFT - 10));
	forget_text(f);
	report_zoneinfo(pa, &f->h->printer);
	helper_report_columns(f, 80);
	forget_text(f);
	report_memory_map(pa, &f->h->mb, &f->h->printer);
	helper_report_columns(f, 80);
}

static void test_random_work(void **state)
{
	struct helper_pages *f = *state;
	struct ledger *l = calloc(1, sizeof(*l));
	uint64_t used = 0;

	assert_non_null(l);
	l->seed = 7;
	f->cfg.nr_harts = NR_HARTS;
	helper_report_machine(f);
	helper_report_start(f);
	assert_true(free_highpages(&f->pa, &f->h->mb) > 0);
	assert_int_equal(page_alloc_set_node(&f->pa, 2, 1), 0);
	for (int round = 0; round < 3; round++) {
		work(f, l);
		expect_vmstat(f, l);
		expect_free(f);
	}
	/* All of it was in use. */
	assert_true(l->failures && l->refusals);
	for (uint32_t i = 0; i < f->pa.nr_zones; i++) {
		uint64_t freed = 0;

		for (unsigned int order = 0; order <= MAX_ORDER; order++)
			freed += l->freed[i][order];
		assert_true(freed);
	}
	for (uint32_t i = 0; i < NR_HARTS; i++)
		page_hart_drain(&f->pa.harts[i]);
	expect_vmstat(f, l);
	assert_int_equal(helper_report_counter(f, "nr_hart_stacks"), 0);
	expect_free(f);
	for (unsigned int i = 0; i < NR_SLOTS; i++)
		used += l->slots[i].used ? 1ULL << l->slots[i].order : 0;
	helper_pages_expect(f, used);
	free(l);
}

/* What waits in quarantine is neither in use nor freed. */
static void test_quarantine(void **state)
{
	struct helper_pages *f = *state;
	struct ledger *l = calloc(1, sizeof(*l));
	uint64_t used = 0, alloc, waiting;

	assert_non_null(l);
	l->seed = 8;
	f->cfg.nr_harts = NR_HARTS;
	f->cfg.features = PAGE_ALLOC_OWNER;
	helper_report_machine(f);
	helper_report_start(f);
	assert_true(free_highpages(&f->pa, &f->h->mb) > 0);
	work(f, l);
	for (unsigned int i = 0; i < NR_SLOTS; i++)
		used += l->slots[i].used ? 1ULL << l->slots[i].order : 0;
	report_vmstat(&f->pa, &f->h->printer);
	waiting = helper_report_counter(f, "nr_quarantine");
	alloc = helper_report_counter(f, "pgalloc_dma32") +
		helper_report_counter(f, "pgalloc_normal") +
		helper_report_counter(f, "pgalloc_high") + helper_report_counter(f, "pgalloc_cma");
	assert_true(waiting > 0);
	assert_int_equal(alloc - helper_report_counter(f, "pgfree"), used + waiting);
	report_meminfo(&f->pa, NULL, &f->h->printer);
	assert_int_equal(helper_report_counter(f, "Quarantine:"), waiting << (PAGE_SHIFT - 10));
	free(l);
}

/* Ranges that are claimed, and one that cannot be. */
static void test_claims(void **state)
{
	struct helper_pages *f = *state;
	const uint64_t low = PFN_DOWN(HELPER_REPORT_LOW + MIB(32));
	struct page_hart *h;
	int64_t pfn;

	helper_report_machine(f);
	helper_report_start(f);
	h = &f->pa.harts[0];
	pfn = cma_alloc(h, 0, 777, 0);
	assert_true(pfn >= 0);
	assert_int_equal(alloc_contig_range(h, low, low + 99, GFP_KERNEL), 0);
	assert_true(alloc_contig_range(h, low, low + 1, GFP_KERNEL) < 0);
	report_vmstat(&f->pa, &f->h->printer);
	assert_int_equal(helper_report_counter(f, "cma_alloc_success"), 1);
	assert_int_equal(helper_report_counter(f, "cma_alloc_fail"), 0);
	assert_int_equal(helper_report_counter(f, "contig_alloc_success"), 1);
	assert_int_equal(helper_report_counter(f, "contig_alloc_fail"), 1);
	assert_int_equal(helper_report_counter(f, "pgalloc_cma"), 777);
	assert_int_equal(helper_report_counter(f, "pgalloc_dma32"), 99);
	forget_text(f);
	assert_int_equal(cma_release(h, 0, (uint64_t)pfn, 777), 0);
	assert_int_equal(free_contig_range(h, low, 99), 0);
	report_vmstat(&f->pa, &f->h->printer);
	assert_int_equal(helper_report_counter(f, "pgfree"), 777 + 99);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		pages_test(test_random_work),
		pages_test(test_quarantine),
		pages_test(test_claims),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
