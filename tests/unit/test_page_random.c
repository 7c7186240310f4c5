/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every call with every flag at random, on machines with several zones, nodes, harts and CMA areas,
 * against a ledger of who has which page.
 */
#include "helper_pages.h"

#include <earlymm/error.h>
#include <earlymm/page_contig.h>

#include <stdlib.h>
#include <string.h>

#define BASE      (0x100000000ULL - MIB(32))
#define BASE_PFN  PFN_DOWN(BASE)
#define BANK      MIB(32)
#define NR_BANKS  4
#define NR_PAGES  (NR_BANKS * BANK >> PAGE_SHIFT)
#define CMA_PFN   (BASE_PFN + 8192 + 4096)
#define CMA_PAGES 1000
#define MAX_HELD  400
#define MAX_BULK  200

enum kind { BLOCK, EXACT, CONTIG, CMA };

struct held {
	uint64_t pfn;
	uint64_t nr_pages;
	enum kind kind;
};

struct ledger {
	struct helper_pages *f;
	uint64_t rng;
	uint64_t used;
	unsigned int nr_held;
	struct held held[MAX_HELD + MAX_BULK];
	unsigned int nr_ballast;
	uint64_t ballast[NR_PAGES / 512];
	unsigned int nr_none; /* allocations that found no memory */
	uint8_t is_used[NR_PAGES];
	uint64_t at_first[PAGE_ALLOC_MAX_ZONES][NR_PAGE_ORDERS];
};

static uint64_t chance(struct ledger *l, uint64_t below)
{
	l->rng ^= l->rng << 13;
	l->rng ^= l->rng >> 7;
	l->rng ^= l->rng << 17;
	return (l->rng >> 8) % below;
}

static struct page_hart *any_hart(struct ledger *l)
{
	return &l->f->pa.harts[chance(l, l->f->pa.nr_harts)];
}

static void mark(struct ledger *l, uint64_t pfn, uint64_t nr_pages, uint8_t was)
{
	uint64_t wrong = 0;

	assert_true(pfn >= BASE_PFN && pfn + nr_pages <= BASE_PFN + NR_PAGES);
	for (uint64_t i = pfn - BASE_PFN; i < pfn - BASE_PFN + nr_pages; i++) {
		wrong += l->is_used[i] != was;
		l->is_used[i] = !was;
	}
	assert_int_equal(wrong, 0);
}

static void take(struct ledger *l, int64_t pfn, uint64_t nr_pages, enum kind kind)
{
	mark(l, (uint64_t)pfn, nr_pages, 0);
	l->held[l->nr_held++] = (struct held){ (uint64_t)pfn, nr_pages, kind };
	l->used += nr_pages;
}

/* Flags: each now and then, only one for a zone. */
static gfp_t any_gfp(struct ledger *l)
{
	static const gfp_t zones[] = { 0, __GFP_DMA32, __GFP_HIGHMEM };
	gfp_t gfp = zones[chance(l, 3)];

	if (chance(l, 2))
		gfp |= __GFP_MOVABLE;
	if (!chance(l, 4))
		gfp |= __GFP_HIGH;
	if (!chance(l, 30))
		gfp |= __GFP_ZERO;
	if (!chance(l, 6))
		gfp |= __GFP_MEMALLOC;
	if (l->f->pa.features && !chance(l, 4))
		gfp |= __GFP_COMP;
	return gfp;
}

static bool may_serve(const struct zone *z, gfp_t gfp, int nid, uint64_t mask)
{
	enum zone_type highest = gfp & __GFP_DMA32     ? ZONE_DMA32
				 : gfp & __GFP_HIGHMEM ? ZONE_HIGHMEM
						       : ZONE_NORMAL;

	if (z->mm.state != MM_HANDED_OVER || !(mask >> z->nid & 1) ||
	    ((gfp & __GFP_THISNODE) && z->nid != nid))
		return false;
	return z->type == ZONE_CMA ? (gfp & __GFP_MOVABLE) && z->within <= highest
				   : z->type <= highest;
}

static void expect_zeros(struct ledger *l, uint64_t pfn, uint64_t nr_pages)
{
	for (uint64_t i = 0; i < nr_pages; i++)
		assert_int_equal(*helper_memsim_word(l->f->s, PFN_PHYS(pfn + i) + 8 * (i % 512)),
				 0);
}

/* Leaves something that is not zero behind. */
static void scribble(struct ledger *l, uint64_t pfn, uint64_t nr_pages)
{
	for (uint64_t i = 0; i < nr_pages; i++)
		*helper_memsim_word(l->f->s, PFN_PHYS(pfn + i) + 8 * (i % 512)) = ~0ULL;
}

/* In a zone that may serve it, aligned, zeroed. */
static void expect_fit(struct ledger *l, int64_t pfn, uint64_t nr_pages, unsigned int order,
		       gfp_t gfp, int nid, uint64_t mask)
{
	const struct zone *z = page_zone(&l->f->pa, (uint64_t)pfn);

	assert_non_null(z);
	assert_true(may_serve(z, gfp, nid, mask));
	assert_ptr_equal(page_zone(&l->f->pa, (uint64_t)pfn + nr_pages - 1), z);
	assert_int_equal((uint64_t)pfn & ((1ULL << order) - 1), 0);
	if (gfp & __GFP_ZERO)
		expect_zeros(l, (uint64_t)pfn, nr_pages);
	else if (nr_pages <= 8)
		scribble(l, (uint64_t)pfn, nr_pages);
}

static void drain_all(struct ledger *l)
{
	for (uint32_t i = 0; i < l->f->pa.nr_harts; i++)
		page_hart_drain(&l->f->pa.harts[i]);
}

/* With all reserves open, "there is none" is true. */
static void expect_none(struct ledger *l, unsigned int order, gfp_t gfp, int nid, uint64_t mask)
{
	uint64_t counts[NR_PAGE_ORDERS], found = 0;

	if (!(gfp & __GFP_MEMALLOC))
		return;
	drain_all(l);
	for (uint32_t i = 0; i < l->f->pa.nr_zones; i++) {
		if (!may_serve(&l->f->pa.zones[i], gfp, nid, mask))
			continue;
		buddy_nr_blocks(&l->f->pa.zones[i].mm.buddy, counts);
		for (unsigned int k = order; k < NR_PAGE_ORDERS; k++)
			found += counts[k];
	}
	assert_int_equal(found, 0);
}

static unsigned int any_order(struct ledger *l)
{
	return (unsigned int)(chance(l, 3) ? chance(l, 4) : chance(l, 12));
}

static void alloc_block(struct ledger *l)
{
	unsigned int order = any_order(l), how = (unsigned int)chance(l, 3);
	struct page_hart *h = any_hart(l);
	uint64_t mask = UINT64_MAX;
	int nid = h->local->nid;
	gfp_t gfp = any_gfp(l);
	int64_t pfn;

	if (how) {
		nid = (int)chance(l, l->f->pa.nr_nodes);
		gfp |= chance(l, 3) ? 0 : __GFP_THISNODE;
	}
	if (how == 2)
		mask = 1 + chance(l, 15);
	if (how == 0)
		pfn = alloc_pages(h, gfp, order);
	else if (how == 1)
		pfn = alloc_pages_node(h, nid, gfp, order);
	else
		pfn = alloc_pages_nodemask(h, gfp, order, nid, &mask);
	if (pfn < 0) {
		assert_true(pfn == -EMM_ENOMEM || (pfn == -EMM_EAGAIN && l->f->pa.nr_harts > 1));
		l->nr_none++;
		if (pfn == -EMM_ENOMEM)
			expect_none(l, order, gfp, nid, mask);
		return;
	}
	expect_fit(l, pfn, 1ULL << order, order, gfp, nid, mask);
	take(l, pfn, 1ULL << order, BLOCK);
}

static void alloc_bulk(struct ledger *l)
{
	uint64_t pfns[MAX_BULK], nr = chance(l, MAX_BULK + 1);
	struct page_hart *h = any_hart(l);
	gfp_t gfp = any_gfp(l) & ~__GFP_COMP;
	int64_t had = alloc_pages_bulk(h, gfp, nr, pfns);

	if (had < 0) {
		assert_true(had == -EMM_ENOMEM || had == -EMM_EAGAIN);
		return;
	}
	for (int64_t i = 0; i < had; i++) {
		expect_fit(l, (int64_t)pfns[i], 1, 0, gfp, h->local->nid, UINT64_MAX);
		take(l, (int64_t)pfns[i], 1, BLOCK);
	}
}

static void alloc_exact(struct ledger *l)
{
	uint64_t nr = 1 + chance(l, 1ULL << chance(l, 12));
	struct page_hart *h = any_hart(l);
	int nid = (int)chance(l, l->f->pa.nr_nodes);
	gfp_t gfp = (any_gfp(l) & ~__GFP_COMP) | (chance(l, 2) ? 0 : __GFP_THISNODE);
	int64_t pfn = alloc_pages_exact_nid(h, nid, nr, gfp);

	if (pfn < 0) {
		assert_true(pfn == -EMM_ENOMEM || pfn == -EMM_EAGAIN);
		return;
	}
	expect_fit(l, pfn, nr, 0, gfp, nid, UINT64_MAX);
	take(l, pfn, nr, EXACT);
}

static void alloc_range(struct ledger *l)
{
	uint64_t start = BASE_PFN + chance(l, NR_PAGES), nr = 1 + chance(l, 1ULL << chance(l, 10));
	const struct zone *z = page_zone(&l->f->pa, start);
	struct page_hart *h = any_hart(l);
	uint64_t nr_free = 0;
	int err;

	drain_all(l);
	for (uint64_t i = 0; i < nr; i++)
		nr_free += buddy_page_is_free(&z->mm.buddy, start + i);
	err = alloc_contig_range(h, start, start + nr, GFP_KERNEL);
	if (nr_free == nr)
		assert_int_equal(err, 0);
	else
		assert_true(err == -EMM_EBUSY || err == -EMM_ERANGE);
	if (!err)
		take(l, (int64_t)start, nr, CONTIG);
}

static void alloc_anywhere(struct ledger *l)
{
	uint64_t nr = 1 + chance(l, 1ULL << chance(l, 11));
	struct page_hart *h = any_hart(l);
	gfp_t gfp = any_gfp(l) & ~__GFP_COMP;
	int64_t pfn;

	if (chance(l, 2)) {
		pfn = cma_alloc(h, 0, nr > CMA_PAGES ? CMA_PAGES : nr, 0);
		if (pfn >= 0)
			take(l, pfn, nr > CMA_PAGES ? CMA_PAGES : nr, CMA);
		else
			assert_true(pfn == -EMM_EBUSY || pfn == -EMM_EAGAIN);
		return;
	}
	pfn = alloc_contig_pages(h, nr, gfp, NUMA_NO_NODE);
	if (pfn < 0) {
		assert_true(pfn == -EMM_ENOMEM || pfn == -EMM_EAGAIN);
		return;
	}
	expect_fit(l, pfn, nr, 0, gfp & ~__GFP_MOVABLE, h->local->nid, UINT64_MAX);
	take(l, pfn, nr, CONTIG);
}

static int give_back(struct page_hart *h, const struct held *b)
{
	unsigned int order = 0;

	switch (b->kind) {
	case BLOCK:
		while (1ULL << order < b->nr_pages)
			order++;
		return free_pages(h, b->pfn, order);
	case EXACT:
		return free_pages_exact(h, b->pfn, b->nr_pages);
	case CONTIG:
		return free_contig_range(h, b->pfn, b->nr_pages);
	default:
		return cma_release(h, 0, b->pfn, b->nr_pages);
	}
}

/* One of those held, as a whole or, where nothing is recorded, a part of it; now and then twice. */
static void free_one(struct ledger *l)
{
	struct page_hart *h = any_hart(l);
	struct held *at, b;

	if (!l->nr_held)
		return;
	at = &l->held[chance(l, l->nr_held)];
	b = *at;
	if (b.kind != BLOCK && b.nr_pages > 1 && !l->f->pa.features && chance(l, 2)) {
		b.nr_pages = 1 + chance(l, b.nr_pages - 1);
		at->pfn += b.nr_pages;
		at->nr_pages -= b.nr_pages;
	} else {
		*at = l->held[--l->nr_held];
	}
	assert_int_equal(give_back(h, &b), 0);
	mark(l, b.pfn, b.nr_pages, 1);
	l->used -= b.nr_pages;
	if (!chance(l, 8))
		assert_int_equal(give_back(any_hart(l), &b), -EMM_EDOUBLE);
}

static void free_bulk(struct ledger *l)
{
	uint64_t pfns[MAX_BULK], nr = 0, failed;

	for (unsigned int i = l->nr_held; i-- > 0 && nr < MAX_BULK;) {
		struct held b = l->held[i];

		if (b.kind != BLOCK || b.nr_pages != 1)
			continue;
		pfns[nr++] = b.pfn;
		mark(l, b.pfn, 1, 1);
		l->used--;
		l->held[i] = l->held[--l->nr_held];
	}
	assert_int_equal(free_pages_bulk(any_hart(l), nr, pfns, &failed), 0);
	assert_int_equal(failed, 0);
}

static void step(struct ledger *l)
{
	bool has_room = l->nr_held < MAX_HELD;

	switch (chance(l, 16)) {
	case 0:
		if (has_room)
			alloc_bulk(l);
		break;
	case 1:
		free_bulk(l);
		break;
	case 2:
	case 3:
		if (has_room)
			alloc_exact(l);
		break;
	case 4:
		if (has_room)
			alloc_range(l);
		break;
	case 5:
		if (has_room)
			alloc_anywhere(l);
		break;
	case 6:
		if (!chance(l, 8))
			page_alloc_set_node(&l->f->pa, (uint32_t)chance(l, l->f->pa.nr_harts),
					    (int)chance(l, l->f->pa.nr_nodes));
		else
			page_hart_drain(any_hart(l));
		break;
	case 7:
	case 8:
	case 9:
	case 10:
	case 11:
		free_one(l);
		break;
	default:
		if (has_room)
			alloc_block(l);
	}
}

static void expect_merged(struct ledger *l)
{
	uint64_t counts[NR_PAGE_ORDERS];

	drain_all(l);
	for (uint32_t i = 0; i < l->f->pa.nr_zones; i++) {
		buddy_nr_blocks(&l->f->pa.zones[i].mm.buddy, counts);
		assert_memory_equal(counts, l->at_first[i], sizeof(counts));
	}
	helper_pages_expect(l->f, 0);
}

/* DMA32 with an area, Normal, HighMem from the last bank on; nodes by bank. */
static void start(struct helper_pages *f, int nr_nodes)
{
	static const struct pfn_range area = { CMA_PFN, CMA_PFN + CMA_PAGES };

	for (int i = 0; i < NR_BANKS; i++)
		helper_pages_ram(f, BASE + (uint64_t)i * BANK, BANK, i % nr_nodes);
	assert_int_equal(memblock_reserve_cause(&f->h->mb, PFN_PHYS(CMA_PFN), PFN_PHYS(CMA_PAGES),
						CAUSE_RESERVED_MEMORY),
			 0);
	f->cfg.highmem_pfn = BASE_PFN + 3 * 8192 + 1000;
	f->cfg.cma = &area;
	f->cfg.nr_cma = 1;
	helper_pages_start(f);
	assert_true(free_highpages(&f->pa, &f->h->mb) > 0);
	assert_int_equal(f->pa.nr_cma, 1);
}

/* Most of memory is gone: then all goes on at the watermarks. */
static void fill_up(struct ledger *l)
{
	const gfp_t gfp = GFP_HIGHUSER_MOVABLE | __GFP_MEMALLOC;

	for (uint64_t left = 1500; l->used + left + 1024 < NR_PAGES;) {
		int64_t pfn = alloc_pages(any_hart(l), gfp, 9);

		if (pfn < 0)
			break;
		mark(l, (uint64_t)pfn, 512, 0);
		l->ballast[l->nr_ballast++] = (uint64_t)pfn;
		l->used += 512;
	}
	assert_true(l->nr_ballast > 50);
}

static void free_ballast(struct ledger *l)
{
	while (l->nr_ballast) {
		uint64_t pfn = l->ballast[--l->nr_ballast];

		assert_int_equal(free_pages(any_hart(l), pfn, 9), 0);
		mark(l, pfn, 512, 1);
		l->used -= 512;
	}
}

static void run(struct helper_pages *f, int nr_nodes, uint64_t seed)
{
	struct ledger *l = calloc(1, sizeof(*l));

	assert_non_null(l);
	start(f, nr_nodes);
	l->f = f;
	l->rng = seed * 0x9e3779b97f4a7c15ULL + 1;
	for (uint32_t i = 0; i < f->pa.nr_zones; i++)
		buddy_nr_blocks(&f->pa.zones[i].mm.buddy, l->at_first[i]);
	for (int round = 0; round < 2; round++) {
		if (round)
			fill_up(l);
		for (int i = 1; i <= 2500; i++) {
			step(l);
			if (i % 250 == 0)
				helper_pages_expect(f, l->used);
		}
		while (l->nr_held)
			free_one(l);
		free_ballast(l);
		expect_merged(l);
	}
	assert_true(l->nr_none > 20);
	free(l);
}

static void test_one_hart(void **state)
{
	run(*state, 1, 1);
}

static void test_nodes(void **state)
{
	run(*state, 4, 2);
}

static void test_harts_and_nodes(void **state)
{
	struct helper_pages *f = *state;

	f->cfg.nr_harts = 3;
	run(f, 3, 3);
}

static void test_recorded(void **state)
{
	struct helper_pages *f = *state;

	f->cfg.nr_harts = 2;
	f->cfg.features = PAGE_ALLOC_OWNER;
	run(f, 2, 4);
}

static void test_poisoned(void **state)
{
	struct helper_pages *f = *state;

	f->cfg.features = PAGE_ALLOC_OWNER | PAGE_ALLOC_POISON;
	run(f, 2, 5);
	assert_int_equal(f->pa.damaged_pages, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		pages_test(test_one_hart),        pages_test(test_nodes),
		pages_test(test_harts_and_nodes), pages_test(test_recorded),
		pages_test(test_poisoned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
