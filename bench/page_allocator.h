/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * struct page_allocator: what the benchmark knows of an allocator of pages. Each one is called
 * through the same two pointers, so each pays for the same call; adapters are alloc_<name>.c.
 */
#ifndef BENCH_PAGE_ALLOCATOR_H
#define BENCH_PAGE_ALLOCATOR_H

#include <earlymm/buddy.h>
#include <earlymm/gfp.h>
#include <earlymm/types.h>

/* Which of two builds a file is that is compiled twice for the image (mk/hot.mk). */
#if defined(__riscv_zba) && defined(__riscv_zbb) && defined(__riscv_zbs)
#define BENCH_HOT "zb"
#elif defined(__riscv)
#define BENCH_HOT "rv64gc"
#else
#define BENCH_HOT "host"
#endif

struct page_allocator;
struct page_hart;

/*
 * What is called outside the timed part. Required are name, setting and nr_free, and setup in the
 * arena. Without alloc or free (left NULL by setup) the figures are reported as n/a.
 */
struct page_allocator_ops {
	const char *name; /* a bare word: buddy, list */
	const char *setting; /* a bare word: default, healing */
	/* A bare word: which of two builds it is, rv64gc or zb (Zba, Zbb, Zbs); NULL: there is one only. */
	const char *hot;
	const char *core; /* the name of the allocator that it is built on; NULL: none */
	bool on_request; /* measured only if it is asked for as name-setting */
	uint32_t features; /* what setup() is to turn on: the allocator's own */
	uint64_t state_bytes; /* of the allocator's own structs, 64-byte aligned */

	/* Bytes of metadata for an arena [start_pfn, end_pfn); NULL: none. */
	uint64_t (*meta_bytes)(uint64_t start_pfn, uint64_t end_pfn);
	uint64_t hart_bytes; /* and so many more for each of several harts; 0: it is for one only */

	/*
	 * Makes [start_pfn, end_pfn) free in an allocator of its own. pa->state has state_bytes,
	 * @meta has @meta_bytes; both 64-byte aligned and of any content. Fills in alloc, free,
	 * self and max_order; with pa->nr_harts, self_of too. Returns 0 or a negative EMM_E….
	 */
	int (*setup)(struct page_allocator *pa, uint64_t start_pfn, uint64_t end_pfn, void *meta,
		     uint64_t meta_bytes);
	void (*teardown)(struct page_allocator *pa); /* may be NULL: nothing to do */
	/* Of all harts, none of which is in a call. May be NULL: keeps nothing back. */
	void (*drain)(struct page_allocator *pa);
	uint64_t (*nr_free)(const struct page_allocator *pa); /* pages, all caches included */
	/*
	 * An emergency reserve: alloc() fails where after it fewer than these pages would be left.
	 * alloc_all() has all. NULL: there is none. In the arena.
	 */
	uint64_t (*reserve)(const struct page_allocator *pa);
};

struct page_allocator {
	/* A block of 2^order pages: its first frame, or a negative EMM_E…. */
	int64_t (*alloc)(void *self, unsigned int order);
	/* Gives back what alloc() returned, with the same order. 0 or a negative EMM_E…. */
	int (*free)(void *self, uint64_t pfn, unsigned int order);
	void *self; /* the first argument of both */
	unsigned int max_order; /* the largest order that alloc() knows */
	void *state; /* what the slow operations need */
	const struct page_allocator_ops *ops;
	const struct phys_map *map; /* the way to the pages, for setup(); NULL: there is none */
	uint32_t nr_harts; /* that will call; 0 counts as 1. Before setup() */
	/* ---- may be NULL ---- */
	/* The `self` of calls on that hart; self is hart 0's. NULL: the allocator is for one hart. */
	void *(*self_of)(const struct page_allocator *pa, uint32_t hart);
	int64_t (*alloc_all)(void *self, unsigned int order); /* from the reserve, too */
	int64_t (*alloc_movable)(void *self, unsigned int order); /* a page that could be moved */
	int64_t (*alloc_gfp)(void *self, gfp_t gfp, unsigned int order); /* any flags */
	/* @nr pages into @pfns: returns how many it had, or an error. */
	int64_t (*alloc_bulk)(void *self, uint64_t nr, uint64_t *pfns);
	void (*drain_own)(void *self); /* what that hart keeps, in the midst of others' calls */
	int (*free_bulk)(void *self, uint64_t nr, const uint64_t *pfns); /* 0, or an error */
};

/* The allocators that are measured, in the order of the report; ends with NULL. */
extern const struct page_allocator_ops *const bench_allocators[];

/* How many harts @pa is for. */
static inline uint32_t allocator_harts(const struct page_allocator *pa)
{
	return pa->nr_harts ? pa->nr_harts : 1;
}

/* earlymm's buddy, set up afresh in the arena, in its two settings. */
extern const struct page_allocator_ops bench_alloc_buddy, bench_alloc_buddy_healing;

/*
 * The page allocator of page_alloc.h, set up afresh in the arena: a zone of its own, with
 * watermarks. On request with no difference between movable pages and others, and with each of the
 * features that record something.
 */
extern const struct page_allocator_ops bench_alloc_api, bench_alloc_api_unmovable;
extern const struct page_allocator_ops bench_alloc_api_compound, bench_alloc_api_owner;
extern const struct page_allocator_ops bench_alloc_api_poison;

/* The classic buddy of list_buddy.h, with a memmap and free lists of its own. */
extern const struct page_allocator_ops bench_alloc_list;

/* Does nothing and succeeds: its figures are the loop's own, to be subtracted. */
extern const struct page_allocator_ops bench_alloc_null;

/*
 * page_allocator_from_buddy() - @pa stands for a live allocator, used as @hart of @b, which
 * buddy_tune() has put in @setting. It has no setup and no metadata of its own. O(1).
 */
void page_allocator_from_buddy(struct page_allocator *pa, struct buddy *b, struct buddy_hart *hart,
			       enum buddy_setting setting);

/* page_allocator_from_pages() - the same for a live page allocator, called as @h's hart. O(1). */
void page_allocator_from_pages(struct page_allocator *pa, struct page_hart *h);

#endif
