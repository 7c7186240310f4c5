/* SPDX-License-Identifier: BSD-2-Clause */
/* numa_hit and its siblings, derived from books that no allocation writes, against a ledger. */
#include "helper_pages.h"

#include "page_alloc_internal.h"

#define NR_NODES   3
#define NR_HARTS   4
#define NR_SLOTS   12000
#define NR_OPS     60000
#define NODE_PAGES 4096ULL

struct ledger {
	struct {
		uint64_t pfn;
		unsigned int order;
	} slots[NR_SLOTS];
	uint32_t nr;
	uint64_t seed;
	struct numa_counts want[NR_NODES];
};

static uint64_t random_below(struct ledger *l, uint64_t n)
{
	l->seed = l->seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (l->seed >> 33) % n;
}

static int in_a_row(void *ctx, int from, int to)
{
	(void)ctx;
	return from < to ? to - from : from - to;
}

/* Node 0 has memory on both sides of 4 GiB, the others above it. */
static void start(struct helper_pages *f, uint32_t features)
{
	static const int home[NR_HARTS] = { 0, 1, 2, 1 };

	f->cfg.nr_harts = NR_HARTS;
	f->cfg.features = features;
	f->cfg.distance = in_a_row;
	helper_pages_ram(f, 0x100000000ULL - (NODE_PAGES << PAGE_SHIFT),
			 2 * NODE_PAGES << PAGE_SHIFT, 0);
	for (int nid = 1; nid < NR_NODES; nid++)
		helper_pages_ram(f, 0x100000000ULL + (uint64_t)nid * MIB(64),
				 NODE_PAGES << PAGE_SHIFT, nid);
	helper_pages_start(f);
	for (uint32_t hart = 0; hart < NR_HARTS; hart++)
		assert_int_equal(page_alloc_set_node(&f->pa, hart, home[hart]), 0);
}

/* The node of the best zone that the request may have. */
static int meant_node(const struct helper_pages *f, const struct page_hart *h, int nid, gfp_t gfp,
		      uint64_t mask)
{
	const struct zonelist *list = page_zonelist(h, nid);

	for (unsigned int i = 0; i < list->nr; i++) {
		const struct zone *z = &f->pa.zones[list->zone[i]];

		if ((mask >> z->nid & 1) && zone_is_allowed(z, gfp))
			return z->nid;
	}
	fail();
	return -1;
}

static void count(struct ledger *l, const struct page_hart *h, int meant, int node)
{
	struct numa_counts *n = &l->want[node];

	if (node == meant) {
		n->hit++;
	} else {
		n->miss++;
		l->want[meant].foreign++;
	}
	if (node == h->local->nid)
		n->local++;
	else
		n->other++;
}

static void allocate(struct helper_pages *f, struct ledger *l, struct page_hart *h)
{
	static const gfp_t gfps[] = { GFP_KERNEL, GFP_KERNEL, GFP_HIGHUSER_MOVABLE, GFP_DMA32 };
	const gfp_t gfp = gfps[random_below(l, ARRAY_SIZE(gfps))];
	const unsigned int order = random_below(l, 3) ? 0 : (unsigned int)random_below(l, 9);
	int nid = random_below(l, 3) ? NUMA_NO_NODE : (int)random_below(l, NR_NODES);
	uint64_t mask = random_below(l, 8) ? 7 : 1 + random_below(l, 7);
	int64_t pfn;

	if (gfp & __GFP_DMA32)
		mask |= 1;
	if (nid == NUMA_NO_NODE && mask == 7)
		pfn = alloc_pages(h, gfp, order);
	else if (mask == 7)
		pfn = alloc_pages_node(h, nid, gfp, order);
	else
		pfn = alloc_pages_nodemask(h, gfp, order, nid, &mask);
	if (pfn < 0)
		return;
	count(l, h, meant_node(f, h, nid, gfp, mask), page_zone(&f->pa, (uint64_t)pfn)->nid);
	l->slots[l->nr].pfn = (uint64_t)pfn;
	l->slots[l->nr++].order = order;
}

static void allocate_many(struct helper_pages *f, struct ledger *l, struct page_hart *h)
{
	uint64_t pfns[100];
	int64_t nr = alloc_pages_bulk(h, GFP_KERNEL, random_below(l, ARRAY_SIZE(pfns)), pfns);

	for (int64_t i = 0; i < nr; i++) {
		count(l, h, h->local->nid, page_zone(&f->pa, pfns[i])->nid);
		l->slots[l->nr].pfn = pfns[i];
		l->slots[l->nr++].order = 0;
	}
}

static void give_back(struct ledger *l, struct page_hart *h)
{
	uint64_t i = random_below(l, l->nr);

	assert_int_equal(free_pages(h, l->slots[i].pfn, l->slots[i].order), 0);
	l->slots[i] = l->slots[--l->nr];
}

static void expect(struct helper_pages *f, const struct ledger *l)
{
	for (int nid = 0; nid < NR_NODES; nid++) {
		struct numa_counts n;

		page_count_numa(&f->pa, nid, &n);
		assert_int_equal(n.hit, l->want[nid].hit);
		assert_int_equal(n.miss, l->want[nid].miss);
		assert_int_equal(n.foreign, l->want[nid].foreign);
		assert_int_equal(n.local, l->want[nid].local);
		assert_int_equal(n.other, l->want[nid].other);
	}
}

/* Memory is now scarce, now plenty: in turns half of it is freed. */
static void work(struct helper_pages *f, struct ledger *l)
{
	for (int op = 0; op < NR_OPS; op++) {
		struct page_hart *h = &f->pa.harts[random_below(l, NR_HARTS)];
		const bool grow = op / 5000 % 2 == 0;

		if (random_below(l, 500) == 0)
			page_hart_drain(h);
		else if (l->nr + 100 < NR_SLOTS && random_below(l, 50) == 0)
			allocate_many(f, l, h);
		else if (l->nr + 100 < NR_SLOTS && random_below(l, 5) < (grow ? 4 : 2))
			allocate(f, l, h);
		else if (l->nr)
			give_back(l, h);
		if (op % 100 == 0)
			expect(f, l);
	}
	for (int nid = 0; nid < NR_NODES; nid++) {
		assert_true(l->want[nid].hit > 1000);
		assert_true(l->want[nid].miss > 100);
		assert_true(l->want[nid].foreign > 100);
		assert_true(l->want[nid].other > 1000);
	}
}

static void random_work(struct helper_pages *f, uint32_t features)
{
	static struct ledger ledger;

	ledger = (struct ledger){ .seed = 11 };
	start(f, features);
	work(f, &ledger);
	while (ledger.nr)
		give_back(&ledger, &f->pa.harts[0]);
	for (uint32_t hart = 0; hart < NR_HARTS; hart++)
		page_hart_drain(&f->pa.harts[hart]);
	expect(f, &ledger);
	helper_pages_expect(f, 0);
}

static void test_random(void **state)
{
	random_work(*state, 0);
}

/* Blocks that are recorded leave the stacks by another way. */
static void test_owner(void **state)
{
	random_work(*state, PAGE_ALLOC_OWNER);
}

/* A stack that was filled for others' sake: what stays on it is nobody's yet. */
static void test_one_page(void **state)
{
	struct helper_pages *f = *state;
	struct numa_counts n;
	int64_t pfn;

	start(f, 0);
	pfn = alloc_pages_node(&f->pa.harts[0], 2, GFP_KERNEL, 0);
	assert_true(pfn >= 0);
	page_count_numa(&f->pa, 2, &n);
	assert_int_equal(n.hit, 1);
	assert_int_equal(n.local, 0);
	assert_int_equal(n.other, 1);
	page_count_numa(&f->pa, 0, &n);
	assert_int_equal(n.hit + n.miss + n.foreign + n.local + n.other, 0);
	assert_int_equal(free_pages(&f->pa.harts[0], (uint64_t)pfn, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		pages_test(test_random),
		pages_test(test_owner),
		pages_test(test_one_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
