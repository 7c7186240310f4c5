/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A naive model of a page allocator: a byte a page and, for each order, the free pages in each aligned
 * block. Its answer to "is there such a block" is exact.
 */
#ifndef TESTS_UNIT_HELPER_PAGE_MODEL_H
#define TESTS_UNIT_HELPER_PAGE_MODEL_H

#include "test.h"

#include <stdbool.h>

#define MODEL_ORDERS   19
#define MODEL_MAX_LIVE 65536

enum page_state { PAGE_HOLE, PAGE_FREE, PAGE_USED };

struct live_block {
	uint64_t pfn;
	unsigned int order;
};

struct page_model {
	uint64_t base_pfn; /* a multiple of the largest block */
	uint64_t nr_pages;
	uint8_t *state;
	uint32_t *nr_free[MODEL_ORDERS]; /* free pages of each aligned block */
	uint64_t nr_whole[MODEL_ORDERS]; /* blocks that are wholly free */
	uint64_t total_free;
	struct live_block live[MODEL_MAX_LIVE]; /* for the test: blocks in use */
	unsigned int nr_live;
	uint64_t rng;
};

/* Of holes only. page_model_random(): xorshift64 from @seed. */
void page_model_init(struct page_model *m, uint64_t base_pfn, uint64_t nr_pages, uint64_t seed);
void page_model_exit(struct page_model *m);
uint64_t page_model_random(struct page_model *m);

/* Sets the state of a naturally aligned block whose pages all have another state. */
void page_model_set(struct page_model *m, uint64_t pfn, unsigned int order, enum page_state to);

/* [start, end) becomes free. */
void page_model_add(struct page_model *m, uint64_t start, uint64_t end);

enum page_state page_model_state(const struct page_model *m, uint64_t pfn);

/* What an allocator gave: aligned, inside, wholly free until now. It is in use and alive then. */
void page_model_take(struct page_model *m, int64_t pfn, unsigned int order);

/* Free maximal blocks by order up to @top; what is larger counts as several of order @top. */
void page_model_nr_blocks(const struct page_model *m, uint64_t counts[MODEL_ORDERS],
			  unsigned int top);

/* The same of an allocator's own counts. */
void page_model_fold(uint64_t counts[MODEL_ORDERS], unsigned int top);

/* An order for the next block: mostly 0, now and then any up to @max_order. */
unsigned int page_model_random_order(struct page_model *m, unsigned int max_order);

/* A number from the environment. */
uint64_t page_model_env(const char *name, uint64_t otherwise);

#endif
