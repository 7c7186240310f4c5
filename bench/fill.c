/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory full of single pages, before pages come and go: not timed, but verified. */
#include "bench_impl.h"
#include "random.h"

bool is_null(const struct bench_rep *r)
{
	return r->pa->ops == &bench_alloc_null;
}

void give_one(struct bench_rep *r, int64_t pfn)
{
	if (r->pa->free(r->pa->self, (uint64_t)pfn, 0))
		r->failed_frees++;
	if (!is_null(r))
		shadow_give(&r->place->map, pfn, 0);
}

/* One more page, the @index-th: into the shadow map and the log. */
static bool keep_page(struct bench_rep *r, uint64_t index, int64_t pfn, bool stays)
{
	struct aging *a = &r->aging;
	enum bench_verdict v = BENCH_OK;

	if (!is_null(r))
		v = shadow_take(&r->place->map, pfn, 0);
	if (v != BENCH_OK) {
		fault_block(&r->fault, v, index, pfn, 0);
		return false;
	}
	if (stays) {
		*--a->others = pfn;
		a->nr_others++;
	} else {
		a->live[a->nr_live++] = pfn;
	}
	return true;
}

/* There was no page after the @nr-th: may that be? */
static bool is_out(struct bench_rep *r, uint64_t nr, int64_t err)
{
	uint64_t left;

	if (!bench_reserve(r)) {
		fault_block(&r->fault, BENCH_ALLOC_FAILED, nr, err, 0);
		return false;
	}
	bench_drain(r->pa);
	left = r->pa->ops->nr_free(r->pa);
	if (nr + left != r->place->pages) {
		fault_numbers(&r->fault, BENCH_NOT_ALL, r->place->pages - left, nr);
		return false;
	}
	return bench_check_left(r, &r->fault, 0, left) == BENCH_OK;
}

bool fill_arena(struct bench_rep *r, unsigned int share)
{
	const struct page_allocator *pa = r->pa;
	struct aging *a = &r->aging;
	uint64_t n;

	*a = (struct aging){
		.live = r->b->log,
		.others = r->b->log + r->b->log_entries,
		.random = r->b->cfg.options.seed,
	};
	for (n = 0; n < r->place->pages; n++) {
		bool stays = share && xorshift64(&a->random) % share == 0;
		int64_t pfn =
			share && !stays ? pa->alloc_movable(pa->self, 0) : pa->alloc(pa->self, 0);

		if (pfn < 0)
			return is_out(r, n, pfn);
		if (!keep_page(r, n, pfn, stays))
			return false;
	}
	return true;
}
