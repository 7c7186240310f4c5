/* SPDX-License-Identifier: BSD-2-Clause */
/* Sizes: of the workloads for the memory there is, and of the workspace that they need. */
#include "bench_impl.h"
#include "stats.h"

#define FULL_LOG     262144 /* entries: more than the churn's steps, and the full arena's pages */
#define SMALL_LOG    16384
#define SMALL_SHRINK 4 /* with the small log, counts are a sixteenth */
#define SMALL_PAGES  4096 /* arenas below this many pages get the small log */
#define FULL_TRACE   131072
#define SMALL_TRACE  8192
#define LOG_SLACK    64 /* entries more than the arena has pages: to see a surplus */
#define PAIRS        100000
#define NOISY_PAIRS  10000
#define STEPS        200000
#define MAX_SLOTS    4096
#define MAX_BULK     16384
#define AGE_STEPS    1000000
#define BURST_STEPS  1024000 /* 2000 bursts of 512 */
#define FRAG_STEPS   500000
#define FRAG_SHARE   4 /* a slot for so many pages */
#define LIVE_SHARE   4 /* of age: one page in so many stays in use */
#define BURST_SHARE  128 /* one live page in so many is freed in a burst */
#define LARGE_CHURN  9 /* largest order of the churn */

struct layout {
	uint64_t log_entries, trace_entries, slots, state_bytes, largest_meta, meta_bytes;
	uint64_t shadow_words;
	uint64_t bytes; /* of all, each part 64-byte aligned */
};

static uint64_t align64(uint64_t bytes)
{
	return (bytes + 63) & ~(uint64_t)63;
}

static uint64_t min64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t max64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* @pages / @per as a power of two in [1, max]. */
static uint64_t share(uint64_t pages, uint64_t per, uint64_t max)
{
	return stats_pow2_floor(max64(min64(pages / per, max), 1));
}

void scale_for(struct bench_scale *s, uint64_t pages, uint64_t log_entries, bool exact)
{
	unsigned int shrink = log_entries < FULL_LOG ? SMALL_SHRINK : 0;

	s->slots = share(pages, 64, MAX_SLOTS);
	s->bulk_pages = share(pages, 16, MAX_BULK);
	s->steps = STEPS >> shrink;
	s->pairs = (uint64_t)(exact ? PAIRS : NOISY_PAIRS) >> shrink;
	s->live = share(pages, LIVE_SHARE, UINT64_MAX);
	s->age_steps = AGE_STEPS >> shrink;
	s->burst = share(s->live, BURST_SHARE, UINT64_MAX);
	s->burst_rounds = (BURST_STEPS >> shrink) / s->burst;
	s->frag_slots = share(pages, FRAG_SHARE, UINT64_MAX);
	s->frag_steps = FRAG_STEPS >> shrink;
	s->churn_max_order = (unsigned int)min64(LARGE_CHURN, stats_log2(max64(pages, 1)));
}

/* The most metadata that an arena of @pages needs, wherever it lies. */
static uint64_t arena_meta_bytes(const struct page_allocator_ops *ops, uint64_t pages)
{
	uint64_t largest = (uint64_t)1 << BENCH_MAX_ORDER;

	if (!ops->meta_bytes)
		return 0;
	return max64(ops->meta_bytes(0, pages), ops->meta_bytes(largest - pages, largest));
}

/* With room for allocators that need at most @meta_limit bytes of metadata each; and the first. */
static void layout_for(struct layout *l, const struct bench_config *cfg, uint64_t arena_pages,
		       uint64_t meta_limit)
{
	const struct page_allocator_ops *const *first = bench_next(cfg, NULL), *const * ops;

	l->log_entries = (arena_pages < SMALL_PAGES ? SMALL_LOG : FULL_LOG) + LOG_SLACK;
	l->trace_entries = arena_pages < SMALL_PAGES ? SMALL_TRACE : FULL_TRACE;
	l->slots = share(arena_pages, 64, MAX_SLOTS);
	l->state_bytes = 0;
	l->largest_meta = 0;
	for (ops = first; *ops; ops = bench_next(cfg, ops)) {
		uint64_t bytes = arena_meta_bytes(*ops, arena_pages);

		if (ops != first && bytes > meta_limit)
			continue;
		l->state_bytes = max64(l->state_bytes, (*ops)->state_bytes);
		l->largest_meta = max64(l->largest_meta, bytes);
	}
	l->state_bytes = align64(l->state_bytes);
	l->meta_bytes = align64(l->largest_meta);
	l->shadow_words = max64((arena_pages + 63) / 64, shadow_words(cfg->ranges, cfg->nr_ranges));
	l->bytes = align64(l->log_entries * sizeof(int64_t)) + align64(l->log_entries) +
		   align64(l->trace_entries * sizeof(int64_t)) +
		   align64(l->slots * sizeof(struct churn_slot)) + l->state_bytes + l->meta_bytes +
		   align64(l->shadow_words * sizeof(uint64_t));
}

uint64_t bench_workspace_bytes(const struct bench_config *cfg)
{
	struct layout l;

	layout_for(&l, cfg, workspace_arena_bound(cfg), UINT64_MAX);
	return l.bytes;
}

uint64_t bench_workspace_least(const struct bench_config *cfg)
{
	struct layout l;

	layout_for(&l, cfg, workspace_arena_bound(cfg), 0);
	return l.bytes;
}

uint64_t workspace_arena_bound(const struct bench_config *cfg)
{
	uint64_t pages = cfg->system ? cfg->system->ops->nr_free(cfg->system) : 0;

	return share(pages, 1, (uint64_t)1 << BENCH_MAX_ORDER);
}

/* The largest metadata for which the workspace is enough, in an arena of that size. */
static bool fits(struct layout *l, const struct bench_config *cfg, uint64_t arena_pages)
{
	uint64_t most;

	layout_for(l, cfg, arena_pages, UINT64_MAX);
	while (l->bytes > cfg->workspace_bytes) {
		most = l->largest_meta;
		if (!most)
			return false;
		layout_for(l, cfg, arena_pages, most - 1);
		if (l->largest_meta == most)
			return false; /* the first allocator's */
	}
	return true;
}

bool workspace_has_room(const struct bench *b, const struct page_allocator_ops *ops)
{
	return arena_meta_bytes(ops, b->arena.pages) <= b->meta_bytes &&
	       ops->state_bytes <= b->state_bytes;
}

uint64_t workspace_open(struct bench *b)
{
	uint64_t arena_pages = workspace_arena_bound(&b->cfg);
	uint8_t *at = b->cfg.workspace;
	struct layout l;

	while (!fits(&l, &b->cfg, arena_pages) && arena_pages > MIN_ARENA_PAGES)
		arena_pages /= 2;
	if (!at || ((uintptr_t)at & 63) || l.bytes > b->cfg.workspace_bytes)
		return 0;
	b->log = (void *)at;
	at += align64(l.log_entries * sizeof(int64_t));
	b->orders = at;
	at += align64(l.log_entries);
	b->trace = (void *)at;
	at += align64(l.trace_entries * sizeof(int64_t));
	b->slots = (void *)at;
	at += align64(l.slots * sizeof(struct churn_slot));
	b->state = at;
	at += l.state_bytes;
	b->meta = at;
	at += l.meta_bytes;
	b->shadow_words = (void *)at;
	b->log_entries = l.log_entries;
	b->trace_entries = l.trace_entries;
	b->nr_slots = l.slots;
	b->state_bytes = l.state_bytes;
	b->meta_bytes = l.meta_bytes;
	return arena_pages;
}
