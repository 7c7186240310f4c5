/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several harts at random work on one small buddy, round after round, each with a new arena in
 * metadata full of garbage. Every page has an owner, which tells what is handed out twice, and
 * contents that are no atomics, so that ThreadSanitizer sees whether a page goes from hart to hart
 * in order. After each round everything is freed: all of it must be back, and merged.
 */
#ifndef STRESS_H
#define STRESS_H

#include "test.h"

#include <pthread.h>
#include <stdbool.h>

#include <earlymm/buddy.h>
#include <earlymm/error.h>

#define MAX_HARTS    4
#define MAX_PAGES    16384
#define MAX_LIVE     4096
#define BOX_SIZE     64
#define MAX_HOLES    4

#define OWNER_ABSENT 0xff /* not added yet */

struct block {
	uint64_t pfn;
	unsigned int order;
	uint8_t owner;
};

/* Blocks that other harts want this one to free. */
struct mailbox {
	pthread_mutex_t lock;
	struct block blocks[BOX_SIZE];
	unsigned int nr;
};

/* A range that is added late, in up to three pieces, by one hart: first [from, to) of it. */
struct hole {
	uint64_t start, end;
	uint64_t from, to;
	unsigned int pieces; /* added so far */
};

/* What the harts do. */
enum stress_kind {
	STRESS_MIXED, /* everything, with any block */
	STRESS_EXACT, /* each hart frees and claims blocks of its own: a claim may not fail */
	STRESS_ALMOST_OUT, /* one block stays free: hart 0 may not be told that there is none */
	STRESS_ENOUGH, /* a large block for each hart: nobody may be told that there is none */
};

struct shape {
	const char *name;
	enum stress_kind kind;
	unsigned int nr_harts;
	uint64_t min_pages, max_pages;
	uint64_t round_ops; /* of each hart, in a round */
	unsigned int share; /* per cent of the program's operations */
};

struct stress {
	struct buddy b;
	struct buddy_tree tree;
	struct buddy_hart harts[MAX_HARTS + 1]; /* the last one in use is the first one's sibling */
	const struct shape *shape;
	uint64_t seed; /* of the round */
	uint64_t base_pfn, nr_pages;
	unsigned int max_order; /* of blocks that fit */
	unsigned int own_order; /* of all kinds but MIXED */
	void *meta;
	uint8_t owner[MAX_PAGES]; /* hart + 1, 0: free */
	uint32_t contents[MAX_PAGES];
	struct mailbox boxes[MAX_HARTS];
	struct hole holes[MAX_HOLES];
	unsigned int nr_holes;
	uint64_t failures;
	uint64_t answers[3]; /* of allocations and claims: done, none or busy, try again */
};

struct worker {
	struct stress *s;
	struct buddy_hart *h, *sibling; /* NULL: it has none */
	unsigned int id;
	uint64_t rng;
	struct block live[MAX_LIVE];
	unsigned int nr_live;
	uint64_t live_pages;
	uint64_t answers[3];
	pthread_t thread; /* of the driver */
};

/* From page to page of a block, where the ends of a large one stand for all. */
static inline uint64_t stress_next_page(const struct block *blk, uint64_t i)
{
	return i == 2 && blk->order > 3 ? (1ULL << blk->order) - 2 : i + 1;
}

uint64_t stress_random(uint64_t *rng);

/* Says what is wrong, and with what seed; counted, because only the main thread may assert. */
void stress_fail(struct stress *s, const char *what, uint64_t pfn, unsigned int order);

/* arena.c: a round's beginning and end. */
void stress_begin(struct stress *s, const struct shape *shape, uint64_t seed);
void stress_end(struct stress *s);
void stress_own(struct stress *s, const struct block *blk, uint8_t from, uint8_t to);
bool stress_add_piece(struct stress *s, struct buddy_hart *h, struct hole *hole);

/* The first block of the order in the arena, and how many there are. */
uint64_t stress_first_block(const struct stress *s, unsigned int order, uint64_t *nr);

/* worker.c: what a hart does in a round; what it leaves in its mailbox. */
void stress_work(struct worker *w);
void stress_read_mail(struct worker *w, bool all);

/* threads.c or steps.c: runs stress_work() for each of the workers, together. */
void stress_run(struct worker *workers, unsigned int nr, uint64_t seed);
/* What a lock does when it is given up: the hart's stores have arrived before what follows. */
void stress_release(void);

#endif
