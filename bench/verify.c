/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verdict on a repetition: the log replayed, the books balanced, and all of memory had once
 * more, in the largest blocks, to see that everything has merged.
 */
#include "bench_impl.h"
#include "stats.h"

enum bench_verdict fault_block(struct bench_fault *f, enum bench_verdict v, uint64_t index,
			       int64_t pfn, unsigned int order)
{
	*f = (struct bench_fault){ .verdict = v, .index = index, .pfn = pfn, .order = order };
	return v;
}

enum bench_verdict fault_numbers(struct bench_fault *f, enum bench_verdict v, uint64_t want,
				 uint64_t got)
{
	*f = (struct bench_fault){ .verdict = v, .want = want, .got = got };
	return v;
}

enum bench_verdict verify_books(struct bench_rep *r, struct bench_fault *f)
{
	uint64_t now;

	bench_drain(r->pa);
	now = r->pa->ops->nr_free(r->pa);
	if (now == r->free_before)
		return BENCH_OK;
	return fault_numbers(f, now < r->free_before ? BENCH_LEAK : BENCH_SURPLUS, r->free_before,
			     now);
}

/* All of memory, largest blocks first, into the log; count[k] blocks of order k. */
static uint64_t take_all(struct bench_rep *r, uint64_t *count, unsigned int max_order)
{
	uint64_t n = 0, pages = 0;

	for (unsigned int order = max_order + 1; order-- > 0;) {
		uint64_t first = n;

		while (n < r->b->log_entries && pages <= r->free_before) {
			int64_t pfn = bench_alloc_all(r->pa, order);

			if (pfn < 0)
				break;
			r->b->log[n++] = pfn;
			pages += (uint64_t)1 << order;
		}
		count[order] = n - first;
	}
	return pages;
}

static void give_all(struct bench_rep *r, const uint64_t *count, unsigned int max_order)
{
	const int64_t *log = r->b->log;

	for (unsigned int order = max_order + 1; order-- > 0;)
		for (uint64_t i = 0; i < count[order]; i++)
			if (r->pa->free(r->pa->self, (uint64_t)*log++, order))
				r->failed_frees++;
}

/*
 * Blocks log[0..n) were had in @order after nothing larger was left. If two of them are buddies,
 * inside one range, then they had not merged.
 */
static enum bench_verdict check_buddies(struct bench_rep *r, struct bench_fault *f, int64_t *log,
					uint64_t n, unsigned int order)
{
	uint64_t size = (uint64_t)1 << order;

	stats_sort(log, n);
	for (uint64_t i = 0; i + 1 < n; i++) {
		uint64_t pfn = (uint64_t)log[i];

		if (!(pfn & size) && (uint64_t)log[i + 1] == pfn + size &&
		    shadow_range(&r->place->map, pfn, 2 * size))
			return fault_block(f, BENCH_NOT_MERGED, 0, log[i], order);
	}
	return BENCH_OK;
}

static enum bench_verdict check_inventory(struct bench_rep *r, struct bench_fault *f,
					  const uint64_t *count, unsigned int max_order)
{
	int64_t *log = r->b->log;
	enum bench_verdict v;

	shadow_reset(&r->place->map);
	for (unsigned int order = max_order + 1; order-- > 0;) {
		for (uint64_t i = 0; i < count[order]; i++) {
			v = shadow_take(&r->place->map, log[i], order);
			if (v != BENCH_OK)
				return fault_block(f, v, i, log[i], order);
		}
		if (order < max_order) {
			v = check_buddies(r, f, log, count[order], order);
			if (v != BENCH_OK)
				return v;
		}
		log += count[order];
	}
	return BENCH_OK;
}

enum bench_verdict verify_merged(struct bench_rep *r, struct bench_fault *f)
{
	unsigned int max_order = r->pa->max_order;
	uint64_t count[BENCH_MAX_ORDER + 1] = { 0 };
	uint64_t pages;
	enum bench_verdict v;

	if (max_order > BENCH_MAX_ORDER)
		max_order = BENCH_MAX_ORDER;
	pages = take_all(r, count, max_order);
	if (pages < r->free_before)
		v = fault_numbers(f, BENCH_NOT_ALL, r->free_before, pages);
	else
		v = check_inventory(r, f, count, max_order);
	if (v == BENCH_OK && pages > r->free_before)
		v = fault_numbers(f, BENCH_SURPLUS, r->free_before, pages);
	give_all(r, count, max_order);
	if (v != BENCH_OK)
		return v;
	if (r->failed_frees)
		return fault_numbers(f, BENCH_FREE_FAILED, 0, r->failed_frees);
	return verify_books(r, f);
}

enum bench_verdict verify_rep(struct bench_rep *r, struct bench_fault *f)
{
	enum bench_verdict v;

	r->wl->undo(r);
	bench_drain(r->pa);
	shadow_reset(&r->place->map);
	v = r->wl->replay(r, f);
	if (v == BENCH_OK && r->failed_frees)
		v = fault_numbers(f, BENCH_FREE_FAILED, 0, r->failed_frees);
	if (v == BENCH_OK)
		v = verify_books(r, f);
	if (v == BENCH_OK)
		v = verify_merged(r, f);
	return v;
}

static void say_block(const struct printer *out, const struct bench_fault *f, const char *what)
{
	print_to(out, "block %lu of the log, pfn 0x%lx order %u, %s\n", (unsigned long)f->index,
		 (unsigned long)f->pfn, f->order, what);
}

static void say_numbers(const struct printer *out, const struct bench_fault *f, const char *what)
{
	print_to(out, "%s: expected %lu, found %lu\n", what, (unsigned long)f->want,
		 (unsigned long)f->got);
}

static void say_fault(const struct printer *out, const struct bench_fault *f)
{
	switch (f->verdict) {
	case BENCH_OVERLAP:
		if (f->other)
			print_to(out, "with one of hart %u's: ", f->other - 1);
		return say_block(out, f, "overlaps a block that is in use");
	case BENCH_MISALIGNED:
		return say_block(out, f, "is not aligned to its size");
	case BENCH_OUTSIDE:
		return say_block(out, f, "is outside the managed memory");
	case BENCH_NOT_MERGED:
		return say_block(out, f, "and its buddy are free, but did not merge");
	case BENCH_ALLOC_FAILED:
		print_to(out, "allocation %lu, order %u, failed with %ld though memory is free\n",
			 (unsigned long)f->index, f->order, (long)f->pfn);
		return;
	case BENCH_FREE_FAILED:
		return say_numbers(out, f, "frees of blocks in use were refused");
	case BENCH_COUNT:
		return say_numbers(out, f, "number of allocations");
	case BENCH_LEAK:
		return say_numbers(out, f, "fewer pages free than there must be");
	case BENCH_SURPLUS:
		return say_numbers(out, f, "more pages free than there can be");
	case BENCH_NOT_ALL:
		return say_numbers(out, f, "out of memory too early: pages had");
	case BENCH_RESERVE:
		return say_numbers(out, f, "the reserve was given away: pages of it");
	case BENCH_STRANGE:
		return say_block(out, f, "is no block and no error that can be");
	case BENCH_LOST_HART:
		print_to(out, "a hart did not come, or did not end\n");
		return;
	case BENCH_SETUP:
		return say_numbers(out, f, "set-up: pages free at the start");
	case BENCH_OK:
		return;
	}
}

void verify_report(struct bench_rep *r, const struct bench_fault *f)
{
	const struct printer *out = r->b->cfg.out;

	r->b->failures++;
	bench_progress_close(r->b);
	print_to(out, "bench: FAILED %s of %s in %s", r->wl->name, r->pa->ops->name,
		 r->place->name);
	if (r->wl->by_order)
		print_to(out, ", order %u, %s", r->order, r->held ? "held" : "empty");
	if (r->nr_callers)
		print_to(out, ", %u harts", r->nr_callers);
	if (f->hart)
		print_to(out, ", hart %u", f->hart - 1);
	print_to(out, ": ");
	say_fault(out, f);
}
