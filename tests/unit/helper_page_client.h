/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client of the page allocator with a model of its own: which block each page is in, whether it
 * was ever handed out, and who called. What compound_head() and the records of owners must say.
 */
#ifndef TESTS_UNIT_HELPER_PAGE_CLIENT_H
#define TESTS_UNIT_HELPER_PAGE_CLIENT_H

#include "helper_pages.h"

#define CLIENT_CALLERS  3
#define CLIENT_MAX_LIVE 8192
#define CLIENT_HISTORY  1024

struct client_block {
	uint64_t pfn;
	unsigned int order;
	unsigned int by; /* which caller */
	bool is_compound;
};

/* What is on record at a frame where a block begins, or began. */
struct client_head {
	uint8_t state; /* enum page_owner_state */
	uint8_t order;
	uint8_t allocated_by; /* caller + 1; 0: none */
	uint8_t freed_by;
};

struct page_client {
	struct helper_pages *f;
	struct pfn_range span[4]; /* what has trees, upwards */
	unsigned int nr_spans;
	uint64_t nr_pages; /* of all spans */
	uint32_t *block_of; /* by page: index of live[] + 1, or 0 */
	uint8_t *used_once;
	struct client_head *head;
	struct client_block live[CLIENT_MAX_LIVE];
	unsigned int nr_live;
	struct client_block freed[CLIENT_HISTORY]; /* as a ring */
	uint64_t nr_freed;
	uint64_t used; /* pages */
	uint64_t rng;
};

/* Who calls: functions that differ, each with its calls somewhere in its first bytes. */
struct client_caller {
	int64_t (*alloc)(struct page_hart *h, gfp_t gfp, unsigned int order);
	int (*free)(struct page_hart *h, uint64_t pfn, unsigned int order);
};
extern const struct client_caller client_callers[CLIENT_CALLERS];

/* Which of them has @address in its alloc (or free) function, plus 1; 0: none. */
unsigned int client_caller_at(uintptr_t address, bool in_free);

/* A model for the machine of @f as it is: what has trees. Ended by client_end(). */
struct page_client *client_begin(struct helper_pages *f, uint64_t seed);
void client_end(struct page_client *c);

uint64_t client_random(struct page_client *c);

/* 0 to 9, the small ones more often. */
unsigned int client_random_order(struct page_client *c);

/* The place of @pfn in the model's arrays; UINT64_MAX: it is in no span. */
uint64_t client_index(const struct page_client *c, uint64_t pfn);

/* A page of a span. */
uint64_t client_random_pfn(struct page_client *c);

/* An allocation by a random caller on a random hart: false if there was none. */
bool client_alloc(struct page_client *c, gfp_t gfp, unsigned int order);

/* What was got, or freed, in another way. */
void client_add(struct page_client *c, const struct client_block *b);
void client_remove(struct page_client *c, unsigned int i, unsigned int by);

/* The block is freed by a random caller on a random hart, as it must be. */
void client_free(struct page_client *c, unsigned int i);
void client_free_all(struct page_client *c);

/* A random right operation: on the average so many blocks are live. */
void client_step(struct page_client *c, gfp_t gfp, unsigned int nr_live);

/* compound_head() and compound_order() of @pfn, if blocks without __GFP_COMP count, or not. */
void client_check_compound(const struct page_client *c, uint64_t pfn, bool all_blocks);

#endif
