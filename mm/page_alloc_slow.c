/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An allocation that no stack serves: the zones that it may have, in order, down to a watermark,
 * then down to the next. And frees that take more than an AMO.
 */
#include "page_record.h"

/* Pages that a refill may take, at most. */
#define REFILL_PAGES 64

/* Walks that other harts may make void, before the answer is -EMM_EAGAIN. */
#define SETTLE_TURNS 16

/* Flags with which a block may come from the stack of those that were recorded. */
#define RECORDED_GFP (GFP_FAST_MASK | __GFP_COMP | __GFP_ZERO | __GFP_MEMALLOC)

/* Blocks of a small order that have left the trees for @c: those on its stack and those given out. */
static uint64_t blocks_out(const struct buddy_hart *c, unsigned int order)
{
	if (order >= BUDDY_NR_STACKS || !c->is_ready)
		return 0;
	return stack_depth(c, order) + c->drained[order];
}

/* What the zone's credit must be worth: a refill, or the block. */
static inline int64_t pages_needed(unsigned int order)
{
	return order < BUDDY_NR_STACKS ? REFILL_PAGES : (int64_t)1 << order;
}

/*
 * What the other harts may take without a look. Not more than @room: else all of it is taken back.
 * One that has just looked at its credit may use it once more.
 */
static int64_t credit_of_others(struct page_hart *h, const struct zone *z, int64_t room)
{
	int64_t sum = 0;

	for (uint32_t i = 0; i < h->pa->nr_harts; i++) {
		int64_t credit = zone_credit(&z->harts[i]);

		if (i != h->id && credit > 0)
			sum += credit;
	}
	if (sum <= room)
		return sum;
	for (uint32_t i = 0; i < h->pa->nr_harts; i++)
		if (i != h->id && zone_credit(&z->harts[i]) > 0)
			zone_set_credit(&z->harts[i], 0);
	return 0;
}

/*
 * Is the zone above its mark? The harts' counters are added up only when this hart's credit is used
 * up: its share of what lies above the low mark and all reserves, and is not others' credit.
 * *@is_tight: what a refill takes besides the block may be from the last reserve.
 */
static bool __attribute__((noinline))
look_at_watermark(struct page_hart *h, const struct zone *z, const struct page_request *r,
		  enum zone_watermark mark, bool *is_tight)
{
	uint64_t keep = z->wmark[WMARK_LOW] + z->lowmem_reserve[MAX_NR_ZONES - 1];
	uint64_t nr_free = zone_free_pages(h->pa, z), pages = 1ULL << r->order;
	int64_t room = (int64_t)(nr_free - keep) - pages_needed(r->order), share;

	share = room - credit_of_others(h, z, room);
	zone_set_credit(&z->harts[h->id], share > 0 ? share / h->pa->nr_harts : 0);
	keep = zone_reserve(z, WMARK_MIN, gfp_zone(r->gfp), r->gfp);
	*is_tight = keep && r->order < BUDDY_NR_STACKS && nr_free < keep + REFILL_PAGES;
	keep = zone_reserve(z, mark, gfp_zone(r->gfp), r->gfp);
	return !keep || (nr_free >= pages && nr_free - pages >= keep);
}

static inline bool may_take(struct page_hart *h, const struct zone *z, const struct page_request *r,
			    enum zone_watermark mark, bool *is_tight)
{
	return likely(zone_credit(&z->harts[h->id]) >= pages_needed(r->order)) ||
	       look_at_watermark(h, z, r, mark, is_tight);
}

static inline void count_taken(struct zone_hart *zh, enum migratetype type, unsigned int order,
			       uint64_t blocks)
{
	page_count(&zh->taken[type][(int)order], blocks);
	page_count(&zh->taken_pages, blocks << order);
	zone_use_credit(zh, blocks << order);
}

/* A block from the zone, counted. @first: the best one for the request. */
static int64_t take_from_zone(struct page_hart *h, struct zone *z, const struct page_request *r,
			      struct zone *first)
{
	struct zone *meant = first->nid == z->nid ? NULL : first;
	enum migratetype type = gfp_migratetype(r->gfp);
	struct buddy_hart *c = zone_context(z, h->id, type);
	struct zone_hart *zh = &z->harts[h->id];
	uint64_t before = blocks_out(c, r->order), blocks;
	int64_t pfn;

	if (unlikely(meant != zh->meant))
		page_settle_meant(h, z, meant);
	pfn = buddy_alloc(c, r->order);

	/* A failure, too, leaves its stacks with other blocks than before. */
	blocks = blocks_out(c, r->order) - before + (pfn >= 0);
	count_taken(zh, type, r->order, blocks);
	if (unlikely(z != first))
		zh->fallbacks[r->order] += (uint32_t)blocks;
	return pfn;
}

static bool list_allows(const struct zone *z, const struct page_request *r)
{
	if (unlikely((r->gfp & __GFP_THISNODE) && z->nid != r->list->nid))
		return false;
	if (unlikely(r->nodemask) && !(r->nodemask[z->nid / 64] >> (z->nid % 64) & 1))
		return false;
	return zone_is_allowed(z, r->gfp) && z->mm.state == MM_HANDED_OVER;
}

/* Is the zone that served it as good for another one with the same flags? */
static inline bool is_for_any_zone(const struct page_hart *h, const struct page_request *r)
{
	return r->list == h->local && !(r->gfp & __GFP_THISNODE) && !r->nodemask;
}

/* What became of a walk over the zones that has found nothing. */
struct walk {
	struct zone *first; /* of those that are allowed; NULL: none is */
	bool refused; /* a zone that is at its mark might have had a block */
};

/* The zones of the list in order, down to @mark. */
static int64_t walk_zones(struct page_hart *h, const struct page_request *r,
			  enum zone_watermark mark, struct walk *w)
{
	struct page_alloc *pa = h->pa;
	int64_t ret = -EMM_ENOMEM;

	w->first = NULL;
	w->refused = false;
	if (unlikely(r->tried))
		ret = r->tried_ret;
	for (unsigned int i = 0; i < r->list->nr; i++) {
		struct zone *z = &pa->zones[r->list->zone[i]];
		bool is_tight = false;
		int64_t pfn;

		if (!list_allows(z, r))
			continue;
		if (!w->first)
			w->first = z;
		if (unlikely(r->tried == &z->harts[h->id]))
			continue;
		if (!may_take(h, z, r, mark, &is_tight)) {
			w->refused = true;
			continue;
		}
		pfn = take_from_zone(h, z, r, w->first);
		if (unlikely(is_tight))
			buddy_drain(zone_context(z, h->id, gfp_migratetype(r->gfp)));
		if (likely(pfn >= 0)) {
			if (r->order < BUDDY_NR_STACKS && is_for_any_zone(h, r))
				page_hart_turn_to(h, r->gfp, z, z == w->first);
			return pfn;
		}
		if (pfn == -EMM_EAGAIN)
			ret = pfn;
	}
	return ret;
}

/* The same sum again: in no zone that is allowed anything was taken or freed. */
static uint64_t pages_moved(const struct page_hart *h, const struct page_request *r)
{
	uint64_t nr_pages = 0;

	for (uint32_t k = 0; k < r->list->nr; k++) {
		const struct zone *z = &h->pa->zones[r->list->zone[k]];

		if (list_allows(z, r))
			nr_pages += zone_pages_moved(h->pa, z);
	}
	return nr_pages;
}

/* Asks for what other harts hold in these zones, and waits for it, not for ever. As buddy_drain_others(). */
static bool drain_others(struct page_hart *h, const struct page_request *r, bool *asked)
{
	bool answered = true;

	*asked = false;
	page_want_drain(h);
	for (uint32_t k = 0; k < r->list->nr; k++) {
		const struct zone *z = &h->pa->zones[r->list->zone[k]];
		bool some;

		if (!list_allows(z, r))
			continue;
		answered &= buddy_drain_others(zone_context(z, h->id, MIGRATE_UNMOVABLE), &some);
		*asked |= some;
	}
	return answered;
}

/*
 * A zone is at its mark, and other harts' stacks count as taken: with these drained, until nobody holds
 * anything and nothing has moved meanwhile. This hart's own are empty, so nobody waits for it.
 */
static int64_t __attribute__((noinline))
walk_with_all(struct page_hart *h, const struct page_request *r, struct walk *w)
{
	unsigned int unanswered = 0;
	int64_t ret;

	for (unsigned int turn = 0; turn < SETTLE_TURNS && unanswered < 2; turn++) {
		uint64_t before = pages_moved(h, r);
		bool asked;

		unanswered += !drain_others(h, r, &asked);
		ret = walk_zones(h, r, WMARK_MIN, w);
		if (ret >= 0 || !w->refused)
			return ret;
		/* What the zones have was counted before this. */
		atomic_fence_acquire();
		if (!asked && pages_moved(h, r) == before)
			return ret;
		page_hart_drain(h);
	}
	return -EMM_EAGAIN;
}

/* Below the low mark; then with what this hart has taken and not given out, which counts, too. */
static int64_t __attribute__((noinline))
walk_again(struct page_hart *h, const struct page_request *r, struct walk *w, int64_t ret)
{
	if (w->refused)
		ret = walk_zones(h, r, WMARK_MIN, w);
	if (ret < 0 && w->refused) {
		page_hart_drain(h);
		ret = walk_zones(h, r, WMARK_MIN, w);
	}
	if (ret < 0 && (h->pa->features & PAGE_ALLOC_OWNER) && page_quarantine_drain_all(h))
		ret = walk_zones(h, r, WMARK_MIN, w);
	if (ret < 0 && w->refused && h->pa->nr_harts > 1)
		ret = walk_with_all(h, r, w);
	if (ret < 0 && unlikely(!w->first))
		h->refusals++;
	else if (ret < 0)
		w->first->harts[h->id].failures[r->order]++;
	return ret;
}

int64_t page_take_from(struct page_hart *h, const struct page_request *r)
{
	struct walk w;
	int64_t pfn;

	if (unlikely(atomic_read(&h->drain_wanted)))
		page_answer_drain(h);
	pfn = walk_zones(h, r, WMARK_LOW, &w);
	return likely(pfn >= 0) ? pfn : walk_again(h, r, &w, pfn);
}

static inline bool gfp_is_allowed(const struct page_alloc *pa, gfp_t gfp)
{
	return !(gfp & __GFP_COMP) || (pa->features & PAGE_ALLOC_COMPOUND);
}

int64_t page_alloc_from(struct page_hart *h, const struct page_request *r)
{
	const gfp_t more = h->pa->features | (r->gfp & (__GFP_ZERO | __GFP_COMP));
	int64_t pfn;

	if (unlikely(!gfp_is_allowed(h->pa, r->gfp)))
		return page_refuse(h, -EMM_ESTATE);
	pfn = page_take_from(h, r);
	if (likely(!more) || pfn < 0)
		return pfn;
	return page_hand_out(h, (uint64_t)pfn, r->order, r->gfp, r->caller);
}

int64_t page_alloc_by_list(struct page_hart *h, gfp_t gfp, unsigned int order, uintptr_t caller)
{
	const struct page_request r = {
		.gfp = gfp,
		.order = order,
		.list = h->local,
		.caller = caller,
	};

	if (unlikely(!page_request_is_good(&r)))
		return page_refuse(h, -EMM_EINVAL);
	return page_alloc_from(h, &r);
}

/* The best zone has none after all: the others. */
static int64_t __attribute__((noinline))
best_has_none(struct page_hart *h, gfp_t gfp, unsigned int order, int64_t ret)
{
	const struct page_request r = {
		.gfp = gfp,
		.order = order,
		.list = h->local,
		.tried = h->books[(int)gfp],
		.tried_ret = ret,
	};

	return page_alloc_from(h, &r);
}

/* From the best zone: its stack is empty, and gets the next word's blocks. */
static int64_t __attribute__((noinline))
refill_from_best(struct page_hart *h, gfp_t gfp, unsigned int order)
{
	int64_t **at = &h->fast[(int)gfp]->top[(int)order], *bottom = *at;
	int64_t pfn = buddy_alloc_refill(at, order);

	if (unlikely(pfn < 0))
		return best_has_none(h, gfp, order, pfn);
	/* And the one that is not on the stack any more. */
	count_taken(h->books[(int)gfp], gfp_migratetype(gfp), order, (uint64_t)(*at - bottom) + 1);
	return pfn;
}

static int64_t __attribute__((noinline))
large_from_best(struct page_hart *h, gfp_t gfp, unsigned int order)
{
	int64_t pfn = buddy_alloc_large(h->fast[(int)gfp], order);

	if (unlikely(pfn < 0))
		return best_has_none(h, gfp, order, pfn);
	count_taken(h->books[(int)gfp], gfp_migratetype(gfp), order, 1);
	return pfn;
}

/* May the block come from where page_watch.fast[] leads? */
static inline bool is_recorded(const struct page_alloc *pa, gfp_t gfp)
{
	return !(gfp & ~RECORDED_GFP) && gfp_is_allowed(pa, gfp);
}

/* Mostly it is the best zone that served last, and it has enough: the others are not looked at. */
int64_t page_alloc_slow(struct page_hart *h, gfp_t gfp, unsigned int order, uintptr_t caller)
{
	const struct zone_hart *zh = gfp <= GFP_FAST_MASK ? h->books[(int)gfp] : NULL;

	if (unlikely(!zh))
		return h->watch && is_recorded(h->pa, gfp)
			       ? page_alloc_recorded(h, gfp, order, caller)
			       : page_alloc_by_list(h, gfp, order, caller);
	if (likely(order < atomic_read32(&h->fast[(int)gfp]->nr_orders))) {
		if (likely(zone_credit(zh) >= REFILL_PAGES))
			return refill_from_best(h, gfp, order);
	} else if (likely(order >= BUDDY_NR_STACKS && order <= BUDDY_MAX_ORDER &&
			  zone_credit(zh) >> order > 0)) {
		return large_from_best(h, gfp, order);
	}
	/* Or another hart has asked for a drain, and closed the path. */
	return page_alloc_by_list(h, gfp, order, caller);
}

/* ---- frees ---- */

/* The hart's frees go to @z from now on. */
static void turn_to_zone(struct page_hart *h, struct zone *z)
{
	page_hart_flush(h);
	/* Nothing waits in freed[] now: it is all the same which zone others count it for. */
	atomic_set(&h->free_zone, (uintptr_t)z);
	h->free_ctx = zone_context(z, h->id, MIGRATE_UNMOVABLE);
}

static inline void count_free(struct zone_hart *zh, unsigned int order)
{
	page_count(&zh->freed[order], 1);
	page_count(&zh->freed_pages, 1ULL << order);
}

int page_free_block(struct page_hart *h, uint64_t pfn, unsigned int order)
{
	struct zone *z = page_zone(h->pa, pfn);

	return z ? page_free_to(h, z, pfn, order) : -EMM_ERANGE;
}

int page_free_to(struct page_hart *h, struct zone *z, uint64_t pfn, unsigned int order)
{
	int err;

	if (unlikely(z->mm.state != MM_HANDED_OVER))
		return -EMM_ERANGE;
	err = buddy_free(zone_context(z, h->id, MIGRATE_UNMOVABLE), pfn, order);
	if (err)
		return err;
	count_free(&z->harts[h->id], order);
	return 0;
}

/* In a zone that is not that of the last free; or another hart has asked for a drain, and closed the window. */
static int __attribute__((noinline))
free_elsewhere(struct page_hart *h, uint64_t pfn, unsigned int order)
{
	int err;

	if (unlikely(order > BUDDY_MAX_ORDER))
		return page_refuse(h, -EMM_EINVAL);
	if (unlikely(atomic_read(&h->drain_wanted)))
		page_answer_drain(h);
	err = page_free_block(h, pfn, order);
	if (!err)
		turn_to_zone(h, page_zone(h->pa, pfn));
	return err;
}

int page_free_slow(struct page_hart *h, uint64_t pfn, unsigned int order, uintptr_t caller)
{
	struct buddy_hart *c = h->free_ctx;
	int err;

	if (unlikely(order > BUDDY_MAX_ORDER ||
		     pfn - c->window_pfn >= atomic_read(&c->window_pages)))
		return h->watch ? page_free_recorded(h, pfn, order, caller)
				: free_elsewhere(h, pfn, order);
	err = buddy_free_slow(c, pfn, order);
	if (unlikely(err))
		return err;
	page_count_free(&h->freed[(int)order]);
	return 0;
}
