/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exhaust: every page of the arena is had, in blocks of one order or of a mix, and every page
 * comes back. An emergency reserve is left, and had in the end. Not timed; the result is a `frag` record for each order and one for the mix.
 */
#include "bench_impl.h"
#include "random.h"
#include "stats.h"

#define MIX_MAX_ORDER 9 /* of the random mix: 0 to this, evenly */

static const struct workload exhaust = { .name = "exhaust", .bit = BENCH_EXHAUST };

unsigned int exhaust_cases(const struct bench *b)
{
	return stats_log2(b->arena.pages) + 2;
}

static bool log_block(struct bench_rep *r, int64_t pfn, unsigned int order)
{
	if (pfn < 0 || r->nr_log == r->b->log_entries)
		return false;
	r->b->log[r->nr_log] = pfn;
	r->b->orders[r->nr_log++] = (uint8_t)order;
	return true;
}

/* Blocks of one order until there are no more, or more than there can be. */
static void take_order(struct bench_rep *r)
{
	uint64_t ideal = r->place->pages >> r->order;

	while (r->nr_log <= ideal && log_block(r, r->pa->alloc(r->pa->self, r->order), r->order))
		;
}

/* Blocks of random orders; an order that fails once is not asked for again, nor a larger one. */
static void take_mix(struct bench_rep *r)
{
	unsigned int max_order = MIX_MAX_ORDER;
	uint64_t x = r->b->cfg.options.seed;
	uint64_t pages = 0;

	if (max_order > r->pa->max_order)
		max_order = r->pa->max_order;
	while (pages <= r->place->pages) {
		unsigned int order = (unsigned int)((xorshift64(&x) >> 32) % (max_order + 1));

		if (log_block(r, r->pa->alloc(r->pa->self, order), order))
			pages += (uint64_t)1 << order;
		else if (order == 0)
			return;
		else
			max_order = order - 1;
	}
}

/* Frees the whole log in random order. */
static void free_shuffled(struct bench_rep *r)
{
	uint64_t x = r->b->cfg.options.seed;

	for (uint64_t left = r->nr_log; left > 0; left--) {
		uint64_t i = xorshift64(&x) % left;
		int64_t pfn = r->b->log[i];
		unsigned int order = r->b->orders[i];

		r->b->log[i] = r->b->log[left - 1];
		r->b->orders[i] = r->b->orders[left - 1];
		if (r->pa->free(r->pa->self, (uint64_t)pfn, order))
			r->failed_frees++;
	}
}

static enum bench_verdict check_blocks(struct bench_rep *r, struct bench_fault *f, uint64_t *pages)
{
	*pages = 0;
	shadow_reset(&r->place->map);
	for (uint64_t i = 0; i < r->nr_log; i++) {
		unsigned int order = r->b->orders[i];
		enum bench_verdict v = shadow_take(&r->place->map, r->b->log[i], order);

		if (v != BENCH_OK)
			return fault_block(f, v, i, r->b->log[i], order);
		*pages += (uint64_t)1 << order;
	}
	return BENCH_OK;
}

/* What came of a case: pages had, and pages that a reserve kept. */
struct outcome {
	uint64_t had, kept;
	uint16_t chk;
};

/* What is left is as much as a reserve may keep, and there: together with it, that is all. */
static enum bench_verdict check_reserve(struct bench_rep *r, struct outcome *o,
					struct bench_fault *f)
{
	uint64_t pages = r->place->pages, all;
	enum bench_verdict v;

	bench_drain(r->pa);
	o->kept = r->pa->ops->nr_free(r->pa);
	if (o->had + o->kept > pages)
		return fault_numbers(f, BENCH_SURPLUS, pages - o->had, o->kept);
	v = bench_check_left(r, f, r->order, o->kept);
	if (v != BENCH_OK)
		return v;
	while (o->kept && log_block(r, bench_alloc_all(r->pa, 0), 0))
		;
	v = check_blocks(r, f, &all);
	if (v == BENCH_OK && all != pages)
		v = fault_numbers(f, BENCH_NOT_ALL, pages, all);
	return v;
}

/* Takes all, checks it and gives all back. */
static enum bench_verdict exhaust_case(struct bench_rep *r, bool mix, struct outcome *o,
				       struct bench_fault *f)
{
	enum bench_verdict v;

	if (mix)
		take_mix(r);
	else
		take_order(r);
	o->chk = log_checksum(r);
	v = check_blocks(r, f, &o->had);
	if (v == BENCH_OK)
		v = check_reserve(r, o, f);
	if (v != BENCH_OK)
		return v;
	free_shuffled(r);
	if (r->failed_frees)
		return fault_numbers(f, BENCH_FREE_FAILED, 0, r->failed_frees);
	v = verify_books(r, f);
	return v == BENCH_OK ? verify_merged(r, f) : v;
}

static void exhaust_order(struct bench *b, const struct page_allocator_ops *ops, unsigned int order,
			  bool mix)
{
	struct page_allocator pa = { .ops = ops };
	struct bench_rep r = {
		.b = b,
		.wl = &exhaust,
		.place = &b->arena,
		.pa = &pa,
		.order = order,
		.free_before = b->arena.pages,
	};
	struct outcome o = { .had = 0 };
	struct bench_fault f;

	if (!workspace_has_room(b, ops)) {
		emit_frag(&r, mix, &(struct frag_result){ .had = UINT64_MAX });
		return;
	}
	if (bench_setup(&r, ops, &f) != BENCH_OK) {
		verify_report(&r, &f);
		return;
	}
	if (!pa.alloc || !pa.free || order > pa.max_order ||
	    bench_reserve(&r) + ((uint64_t)1 << order) > b->arena.pages) {
		emit_frag(&r, mix, &(struct frag_result){ .had = UINT64_MAX });
	} else {
		if (exhaust_case(&r, mix, &o, &f) != BENCH_OK)
			verify_report(&r, &f);
		b->blocks_checked += r.nr_log;
		emit_frag(&r, mix,
			  &(struct frag_result){
				  .had = o.had >> order,
				  .ideal = (b->arena.pages - o.kept) >> order,
				  .chk = o.chk,
			  });
	}
	bench_teardown(&pa);
}

void exhaust_run(struct bench *b, const struct page_allocator_ops *ops)
{
	unsigned int arena_order = stats_log2(b->arena.pages);

	for (unsigned int order = 0; order <= arena_order; order++) {
		exhaust_order(b, ops, order, false);
		bench_progress(b, "exhaust", ops->name);
	}
	exhaust_order(b, ops, 0, true);
	bench_progress(b, "exhaust", ops->name);
}
