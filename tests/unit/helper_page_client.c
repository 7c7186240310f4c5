/* SPDX-License-Identifier: BSD-2-Clause */
#include "helper_page_client.h"

#include <earlymm/error.h>
#include <earlymm/page_owner.h>

#include <stdlib.h>

/* A caller is found this close to its function's beginning. */
#define CALLER_BYTES 512

static volatile int last_caller;

/* What follows the call keeps it from being the function's last; the number keeps them apart. */
#define CALLER_FUNCTIONS(n)                                                                 \
	static __attribute__((noinline))                                                    \
	int64_t alloc_by_##n(struct page_hart *h, gfp_t gfp, unsigned int order)            \
	{                                                                                   \
		int64_t pfn = alloc_pages(h, gfp, order);                                   \
                                                                                            \
		last_caller = 2 * (n);                                                      \
		return pfn;                                                                 \
	}                                                                                   \
	static __attribute__((noinline)) int free_by_##n(struct page_hart *h, uint64_t pfn, \
							 unsigned int order)                \
	{                                                                                   \
		int err = free_pages(h, pfn, order);                                        \
                                                                                            \
		last_caller = 2 * (n) + 1;                                                  \
		return err;                                                                 \
	}

CALLER_FUNCTIONS(0)
CALLER_FUNCTIONS(1)
CALLER_FUNCTIONS(2)

const struct client_caller client_callers[CLIENT_CALLERS] = {
	{ alloc_by_0, free_by_0 },
	{ alloc_by_1, free_by_1 },
	{ alloc_by_2, free_by_2 },
};

unsigned int client_caller_at(uintptr_t address, bool in_free)
{
	uintptr_t best = 0;
	unsigned int found = 0;

	for (unsigned int i = 0; i < 2 * CLIENT_CALLERS; i++) {
		const struct client_caller *caller = &client_callers[i / 2];
		bool is_free = i & 1;
		uintptr_t start = is_free ? (uintptr_t)caller->free : (uintptr_t)caller->alloc;

		if (start < address && address - start < CALLER_BYTES && start > best) {
			best = start;
			found = is_free == in_free ? i / 2 + 1 : 0;
		}
	}
	return found;
}

static void *zeroed(uint64_t n, size_t size)
{
	void *p = calloc(n, size);

	assert_non_null(p);
	return p;
}

struct page_client *client_begin(struct helper_pages *f, uint64_t seed)
{
	struct page_client *c = zeroed(1, sizeof(*c));

	c->f = f;
	c->rng = seed * 2 + 1;
	for (uint32_t i = 0; i < f->pa.nr_zones; i++) {
		const struct buddy *b = &f->pa.zones[i].mm.buddy;

		for (uint32_t k = 0; k < b->nr_trees; k++) {
			assert_true(c->nr_spans < ARRAY_SIZE(c->span));
			c->span[c->nr_spans].start = b->trees[k].start_pfn;
			c->span[c->nr_spans++].end = b->trees[k].end_pfn;
			c->nr_pages += b->trees[k].end_pfn - b->trees[k].start_pfn;
		}
	}
	c->block_of = zeroed(c->nr_pages, sizeof(*c->block_of));
	c->used_once = zeroed(c->nr_pages, sizeof(*c->used_once));
	c->head = zeroed(c->nr_pages, sizeof(*c->head));
	return c;
}

void client_end(struct page_client *c)
{
	free(c->block_of);
	free(c->used_once);
	free(c->head);
	free(c);
}

uint64_t client_random(struct page_client *c)
{
	c->rng ^= c->rng << 13;
	c->rng ^= c->rng >> 7;
	c->rng ^= c->rng << 17;
	return c->rng >> 11;
}

unsigned int client_random_order(struct page_client *c)
{
	uint64_t pick = client_random(c);

	if (pick % 4)
		return pick % 4 == 1 ? 0 : (unsigned int)(pick / 4 % 3);
	return pick / 4 % 8 ? (unsigned int)(pick / 32 % 5) : (unsigned int)(pick / 32 % 10);
}

uint64_t client_index(const struct page_client *c, uint64_t pfn)
{
	uint64_t first = 0;

	for (unsigned int i = 0; i < c->nr_spans; i++) {
		if (pfn >= c->span[i].start && pfn < c->span[i].end)
			return first + pfn - c->span[i].start;
		first += c->span[i].end - c->span[i].start;
	}
	return UINT64_MAX;
}

uint64_t client_random_pfn(struct page_client *c)
{
	uint64_t n = client_random(c) % c->nr_pages;
	unsigned int i = 0;

	for (; n >= c->span[i].end - c->span[i].start; i++)
		n -= c->span[i].end - c->span[i].start;
	return c->span[i].start + n;
}

void client_add(struct page_client *c, const struct client_block *b)
{
	uint64_t first = client_index(c, b->pfn), nr = 1ULL << b->order;

	assert_true(first != UINT64_MAX && client_index(c, b->pfn + nr - 1) == first + nr - 1);
	assert_true(c->nr_live < CLIENT_MAX_LIVE);
	c->live[c->nr_live++] = *b;
	for (uint64_t i = first; i < first + nr; i++) {
		assert_int_equal(c->block_of[i], 0);
		c->block_of[i] = c->nr_live;
		c->used_once[i] = 1;
	}
	c->head[first].state = PAGE_IN_USE;
	c->head[first].order = (uint8_t)b->order;
	c->head[first].allocated_by = (uint8_t)(b->by + 1);
	c->used += nr;
}

static void set_block(struct page_client *c, const struct client_block *b, uint32_t value)
{
	uint64_t first = client_index(c, b->pfn);

	for (uint64_t i = first; i < first + (1ULL << b->order); i++)
		c->block_of[i] = value;
}

void client_remove(struct page_client *c, unsigned int i, unsigned int by)
{
	struct client_block b = c->live[i];
	struct client_head *head = &c->head[client_index(c, b.pfn)];

	set_block(c, &b, 0);
	head->state = PAGE_FREED;
	head->freed_by = (uint8_t)(by + 1);
	c->used -= 1ULL << b.order;
	c->freed[c->nr_freed++ % CLIENT_HISTORY] = b;
	c->live[i] = c->live[--c->nr_live];
	if (i < c->nr_live)
		set_block(c, &c->live[i], i + 1);
}

static struct page_hart *random_hart(struct page_client *c)
{
	return &c->f->pa.harts[client_random(c) % c->f->pa.nr_harts];
}

bool client_alloc(struct page_client *c, gfp_t gfp, unsigned int order)
{
	struct client_block b = {
		.order = order,
		.by = (unsigned int)(client_random(c) % CLIENT_CALLERS),
		.is_compound = gfp & __GFP_COMP,
	};
	int64_t pfn = client_callers[b.by].alloc(random_hart(c), gfp, order);

	if (pfn < 0) {
		/* The other hart, which has some on its stacks, does not answer. */
		assert_true(pfn == -EMM_ENOMEM || pfn == -EMM_EAGAIN);
		return false;
	}
	b.pfn = (uint64_t)pfn;
	client_add(c, &b);
	return true;
}

void client_free(struct page_client *c, unsigned int i)
{
	unsigned int by = (unsigned int)(client_random(c) % CLIENT_CALLERS);
	struct client_block b = c->live[i];

	client_remove(c, i, by);
	assert_int_equal(client_callers[by].free(random_hart(c), b.pfn, b.order), 0);
}

void client_free_all(struct page_client *c)
{
	while (c->nr_live)
		client_free(c, c->nr_live - 1);
}

void client_step(struct page_client *c, gfp_t gfp, unsigned int nr_live)
{
	unsigned int order = client_random_order(c);

	if (client_random(c) & 1)
		gfp |= __GFP_MOVABLE;
	if (client_random(c) % (2 * nr_live) >= c->nr_live && client_alloc(c, gfp, order))
		return;
	if (c->nr_live)
		client_free(c, (unsigned int)(client_random(c) % c->nr_live));
}

void client_check_compound(const struct page_client *c, uint64_t pfn, bool all_blocks)
{
	uint32_t n = c->block_of[client_index(c, pfn)];
	const struct client_block *b = n ? &c->live[n - 1] : NULL;
	const struct page_alloc *pa = &c->f->pa;

	if (b && (all_blocks || b->is_compound)) {
		assert_int_equal(compound_head(pa, pfn), b->pfn);
		assert_int_equal(compound_order(pa, pfn), b->order);
	} else {
		assert_int_equal(compound_head(pa, pfn), pfn);
		assert_int_equal(compound_order(pa, pfn), 0);
	}
}
