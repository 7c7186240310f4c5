/* SPDX-License-Identifier: BSD-2-Clause */
/* Sizes: of the workloads for the memory there is, and of the workspace that they need. */
#include "bench_impl.h"
#include "stats.h"
#include "team.h"

#define FULL_LOG       262144 /* entries: more than the churn's steps, and the full arena's pages */
#define SMALL_LOG      16384
#define SMALL_SHRINK   4 /* with the small log, counts are a sixteenth */
#define SMALL_PAGES    4096 /* arenas below this many pages get the small log */
#define FULL_TRACE     131072
#define SMALL_TRACE    8192
#define LOG_SLACK      64 /* entries more than the arena has pages: to see a surplus */
#define PAIRS          100000
#define NOISY_PAIRS    10000
#define STEPS          200000
#define MAX_SLOTS      4096
#define MAX_BULK       16384
#define AGE_STEPS      1000000
#define BURST_STEPS    1024000 /* 2000 bursts of 512 */
#define FRAG_STEPS     500000
#define FRAG_SHARE     4 /* a slot for so many pages */
#define LIVE_SHARE     4 /* of age: one page in so many stays in use */
#define BURST_SHARE    128 /* one live page in so many is freed in a burst */
#define MAX_HART_STEPS 1000000 /* of workloads that log */
#define MIN_HART_STEPS 64
#define LARGE_CHURN    9 /* largest order of the churn */

struct layout {
	uint64_t log_entries, trace_entries, slots, state_bytes, largest_meta, meta_bytes;
	uint64_t shadow_words;
	uint64_t nr_harts, hart_steps, hart_slots, hart_bytes; /* of workloads on several */
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

/* Harts that call at the same time; 0: there is no such workload, or one hart. */
static uint64_t team_harts(const struct bench_config *cfg)
{
	const uint32_t several = BENCH_SCALE | BENCH_REMOTE | BENCH_STRESS;

	if (!(cfg->options.workloads & several) || !cfg->harts || cfg->harts->nr < 2)
		return 0;
	return cfg->harts->nr;
}

/* The most metadata that an arena of @pages needs, wherever it lies. */
static uint64_t arena_meta_bytes(const struct bench_config *cfg,
				 const struct page_allocator_ops *ops, uint64_t pages)
{
	uint64_t largest = (uint64_t)1 << BENCH_MAX_ORDER;
	uint64_t bytes = team_harts(cfg) * ops->hart_bytes;

	if (!ops->meta_bytes)
		return bytes;
	return bytes + max64(ops->meta_bytes(0, pages), ops->meta_bytes(largest - pages, largest));
}

/* The harts' part: as many steps as a quarter of the arena has logs for. */
static void layout_harts(struct layout *l, const struct bench_config *cfg, uint64_t arena_pages)
{
	uint64_t most = arena_pages * PAGE_SIZE / 4;

	l->nr_harts = team_harts(cfg);
	l->hart_steps = l->hart_slots = l->hart_bytes = 0;
	if (!l->nr_harts)
		return;
	l->hart_slots = share(arena_pages / l->nr_harts, 4, MAX_SLOTS);
	l->hart_steps = cfg->options.steps ? min64(cfg->options.steps, MAX_HART_STEPS) : STEPS;
	for (;; l->hart_steps /= 2) {
		l->hart_bytes = sizeof(struct hart_work) +
				align64(l->hart_slots * sizeof(struct churn_slot)) +
				align64(l->hart_steps * sizeof(int64_t));
		if (l->nr_harts * l->hart_bytes <= most || l->hart_steps <= MIN_HART_STEPS)
			return;
	}
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
		uint64_t bytes = arena_meta_bytes(cfg, *ops, arena_pages);

		if (ops != first && bytes > meta_limit)
			continue;
		l->state_bytes = max64(l->state_bytes, (*ops)->state_bytes);
		l->largest_meta = max64(l->largest_meta, bytes);
	}
	l->state_bytes = align64(l->state_bytes);
	l->meta_bytes = align64(l->largest_meta);
	layout_harts(l, cfg, arena_pages);
	l->shadow_words = max64((arena_pages + 63) / 64, shadow_words(cfg->ranges, cfg->nr_ranges));
	l->bytes = align64(l->log_entries * sizeof(int64_t)) + align64(l->log_entries) +
		   align64(l->trace_entries * sizeof(int64_t)) +
		   align64(l->slots * sizeof(struct churn_slot)) + l->state_bytes + l->meta_bytes +
		   align64(l->shadow_words * sizeof(uint64_t)) + l->nr_harts * l->hart_bytes;
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
	return arena_meta_bytes(&b->cfg, ops, b->arena.pages) <= b->meta_bytes &&
	       ops->state_bytes <= b->state_bytes;
}

static void open_harts(struct bench *b, const struct layout *l, uint8_t *at)
{
	uint8_t *slots = at + l->nr_harts * sizeof(struct hart_work);
	uint8_t *logs = slots + l->nr_harts * align64(l->hart_slots * sizeof(struct churn_slot));

	b->work = l->nr_harts ? (void *)at : NULL;
	b->hart_steps = l->hart_steps;
	b->hart_slots = l->hart_slots;
	for (uint64_t i = 0; i < l->nr_harts; i++) {
		b->work[i].slots =
			(void *)(slots + i * align64(l->hart_slots * sizeof(struct churn_slot)));
		b->work[i].log = (void *)(logs + i * align64(l->hart_steps * sizeof(int64_t)));
	}
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
	open_harts(b, &l, at);
	at += l.nr_harts * l.hart_bytes;
	b->shadow_words = (void *)at;
	b->log_entries = l.log_entries;
	b->trace_entries = l.trace_entries;
	b->nr_slots = l.slots;
	b->state_bytes = l.state_bytes;
	b->meta_bytes = l.meta_bytes;
	return arena_pages;
}
