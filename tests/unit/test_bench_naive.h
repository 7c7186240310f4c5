/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For the tests of bench/: a naive page allocator that is right unless it is told to do one thing
 * wrong, a clock that counts what the allocator says it costs, and sinks that keep what is said.
 */
#ifndef TEST_BENCH_NAIVE_H
#define TEST_BENCH_NAIVE_H

#include "test.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <earlymm/error.h>
#include "bench.h"

#define ALLOC_COST 30 /* instructions that the fake clock counts */
#define FREE_COST  12
#define READ_COST  3 /* is in every figure, and must cancel */

/*
 * What a naive allocator does wrong, once: in its call number `at` of alloc or of free, or the
 * first one after it in which it can be done.
 */
enum naive_wrong {
	RIGHT,
	GIVES_USED, /* alloc: a block that is in use */
	GIVES_MISALIGNED, /* alloc: half a block off (order 1 and more) */
	GIVES_OUTSIDE, /* alloc: the first block after its memory */
	GIVES_LOW, /* alloc: the last block before its memory */
	GIVES_TWICE, /* alloc: what the one before gave */
	FAILS, /* alloc: "out of memory" */
	FAILS_EARLY, /* alloc: "out of memory" when half of it is left */
	LEAKS, /* free: nothing is freed */
	REFUSES, /* free: an error */
	FREES_MORE, /* free: the block after it as well, if in use */
	COUNTS_MORE, /* nr_free: one page too many, from the first alloc on */
	MERGES_USED, /* alloc: a block of order 3 or more that is partly in use */
	NEVER_MERGES, /* alloc: no block of order 1 or more once a smaller one was freed */
	SETUP_FAILS,
	SETUP_SHORT, /* setup: a page less is free */
};

struct naive_fault {
	enum naive_wrong wrong;
	uint64_t at;
};

/* Read at setup. The allocator under test takes it; the system is set up before it is set. */
static struct naive_fault naive_fault;
static uint64_t fake_ins;
static bool naive_lacks_free;
static uint64_t (*naive_extra)(uint64_t call); /* what an alloc costs besides; NULL: nothing */
static unsigned int naive_max_order = 18;

struct naive {
	struct naive_fault fault;
	uint64_t start, pages, nr_free, allocs, frees;
	uint64_t next[64]; /* where the search for an order goes on */
	int64_t last;
	bool done; /* the wrong thing */
	uint8_t *used; /* a byte a page */
};

static bool naive_is_free(const struct naive *n, uint64_t at, uint64_t size)
{
	return at + size <= n->pages && !memchr(n->used + at, 1, size);
}

static int64_t naive_find(struct naive *n, unsigned int order)
{
	uint64_t size = 1ULL << order;
	uint64_t first = -n->start & (size - 1); /* the first aligned block */
	uint64_t blocks = n->pages >= first ? (n->pages - first) >> order : 0;

	for (uint64_t i = 0; i < blocks; i++) {
		uint64_t block = (n->next[order] + i) % blocks;

		if (naive_is_free(n, first + block * size, size)) {
			n->next[order] = block;
			return (int64_t)(first + block * size);
		}
	}
	return -1;
}

/* A block of which a part is in use and a part is free. */
static int64_t naive_mixed(const struct naive *n, unsigned int order)
{
	uint64_t size = 1ULL << order;

	for (uint64_t at = -n->start & (size - 1); at + size <= n->pages; at += size)
		if (memchr(n->used + at, 0, size) && memchr(n->used + at, 1, size))
			return (int64_t)at;
	return -1;
}

static int64_t naive_wrong_block(const struct naive *n, unsigned int order)
{
	uint64_t size = 1ULL << order;

	switch (n->fault.wrong) {
	case GIVES_USED:
		for (uint64_t at = 0; at + size <= n->pages; at += size)
			if (memchr(n->used + at, 1, size))
				return (int64_t)(n->start + at);
		return 0;
	case GIVES_MISALIGNED:
		return order ? (int64_t)(n->start + size / 2) : 0;
	case GIVES_OUTSIDE:
		return (int64_t)(n->start + n->pages);
	case GIVES_LOW:
		return (int64_t)(n->start - size);
	case GIVES_TWICE:
		return n->last;
	case FAILS:
		return -EMM_ENOMEM;
	default:
		return 0;
	}
}

static int64_t naive_alloc(void *self, unsigned int order)
{
	struct naive *n = self;
	uint64_t size = 1ULL << order;
	int64_t at;

	fake_ins += ALLOC_COST + (naive_extra ? naive_extra(n->allocs) : 0);
	if (++n->allocs >= n->fault.at && !n->done) {
		at = naive_wrong_block(n, order);
		n->done = at != 0;
		if (at)
			return at;
	}
	if (n->fault.wrong == NEVER_MERGES && order && n->frees)
		return -EMM_ENOMEM;
	if (n->fault.wrong == MERGES_USED && order >= 3) {
		at = naive_mixed(n, order);
		if (at >= 0)
			return (int64_t)n->start + at;
	}
	if (n->fault.wrong == FAILS_EARLY && n->nr_free <= n->pages / 2)
		return -EMM_ENOMEM;
	at = naive_find(n, order);
	if (at < 0)
		return -EMM_ENOMEM;
	memset(n->used + at, 1, size);
	n->nr_free -= size;
	n->last = (int64_t)n->start + at;
	return n->last;
}

static int naive_free(void *self, uint64_t pfn, unsigned int order)
{
	struct naive *n = self;
	uint64_t size = 1ULL << order, at = pfn - n->start;

	fake_ins += FREE_COST;
	n->frees++;
	if (n->fault.wrong == REFUSES && n->frees == n->fault.at)
		return -EMM_EDOUBLE;
	if (n->fault.wrong == LEAKS && n->frees == n->fault.at)
		return 0;
	if (pfn < n->start || at + size > n->pages)
		return -EMM_ERANGE;
	for (uint64_t i = at; i < at + size; i++) {
		n->nr_free += n->used[i];
		n->used[i] = 0;
	}
	if (n->fault.wrong == FREES_MORE && n->frees >= n->fault.at && !n->done &&
	    at + size < n->pages && n->used[at + size]) {
		n->done = true;
		n->nr_free++;
		n->used[at + size] = 0;
		n->next[0] = at + size; /* the next page to be handed out */
	}
	return 0;
}

static int64_t naive_alloc_bulk(void *self, uint64_t nr, uint64_t *pfns)
{
	for (uint64_t i = 0; i < nr; i++) {
		int64_t pfn = naive_alloc(self, 0);

		if (pfn < 0)
			return i ? (int64_t)i : pfn;
		pfns[i] = (uint64_t)pfn;
	}
	return (int64_t)nr;
}

static int naive_free_bulk(void *self, uint64_t nr, const uint64_t *pfns)
{
	int ret = 0;

	for (uint64_t i = 0; i < nr; i++)
		if (naive_free(self, pfns[i], 0))
			ret = -EMM_EINVAL;
	return ret;
}

static uint64_t naive_meta_bytes(uint64_t start_pfn, uint64_t end_pfn)
{
	return end_pfn - start_pfn;
}

static int naive_setup(struct page_allocator *pa, uint64_t start_pfn, uint64_t end_pfn, void *meta,
		       uint64_t meta_bytes)
{
	struct naive *n = pa->state;

	if (naive_fault.wrong == SETUP_FAILS)
		return -EMM_ENOSPC;
	assert_true(meta_bytes >= end_pfn - start_pfn);
	/* Garbage: neither fresh memory nor what the last one left. */
	assert_int_not_equal(*(uint8_t *)meta, 0x5a);
	assert_true(*(uint8_t *)meta > 1);
	memset(n, 0, sizeof(*n));
	n->fault = naive_fault;
	n->start = start_pfn;
	n->pages = n->nr_free = end_pfn - start_pfn;
	n->used = meta;
	memset(meta, 0, n->pages);
	if (naive_fault.wrong == SETUP_SHORT)
		n->nr_free--;
	pa->alloc = naive_alloc;
	pa->free = naive_lacks_free ? NULL : naive_free;
	pa->self = n;
	pa->max_order = naive_max_order;
	pa->alloc_movable = naive_alloc;
	pa->alloc_bulk = naive_alloc_bulk;
	pa->free_bulk = naive_free_bulk;
	return 0;
}

static uint64_t naive_nr_free(const struct page_allocator *pa)
{
	const struct naive *n = pa->state;

	return n->nr_free + (n->fault.wrong == COUNTS_MORE && n->allocs);
}

static const struct page_allocator_ops naive_ops = {
	.name = "naive",
	.setting = "default",
	.state_bytes = sizeof(struct naive),
	.meta_bytes = naive_meta_bytes,
	.setup = naive_setup,
	.nr_free = naive_nr_free,
};

static const struct page_allocator_ops *const naive_only[] = { &naive_ops, NULL };

/* ---- clock ---- */

static bool fake_noisy; /* instret counts wrongly */

static inline void fake_read(void *ctx, struct bench_stamp *now)
{
	(void)ctx;
	*now = (struct bench_stamp){ .ins = fake_ins, .cyc = 2 * fake_ins, .tb = 3 * fake_ins };
	fake_ins += READ_COST;
}

static inline void fake_spin(void *ctx, uint64_t rounds)
{
	(void)ctx;
	fake_ins += 2 * rounds + 1 - READ_COST + fake_noisy;
}

/* ---- what was said ---- */

static char said[1 << 16];
static char (*lines)[RECORD_MAX + 1];
static unsigned int nr_lines;
#define MAX_LINES 2000

static void keep_text(void *ctx, const char *fmt, va_list ap)
{
	size_t n = strlen(said);

	(void)ctx;
	vsnprintf(said + n, sizeof(said) - n, fmt, ap);
}

static void keep_line(void *ctx, const char *line)
{
	(void)ctx;
	if (!lines)
		lines = calloc(MAX_LINES, sizeof(*lines));
	assert_true(nr_lines < MAX_LINES);
	assert_true(strlen(line) <= RECORD_MAX);
	strcpy(lines[nr_lines++], line);
}

static const struct printer keep_printer = { .vprint = keep_text };

/* Every line is a good record, and none is missing. */
static inline void check_lines(void)
{
	for (unsigned int i = 0; i < nr_lines; i++) {
		const char *star = strstr(lines[i], " *");
		char expected[32];

		assert_non_null(star);
		for (const char *c = lines[i]; *c; c++)
			assert_true(*c >= ' ' && *c < 0x7f);
		assert_int_equal(strlen(star), 6);
		snprintf(expected, sizeof(expected), "%04x",
			 crc16(CRC16_INIT, lines[i], (size_t)(star - lines[i])));
		assert_string_equal(star + 2, expected);
		snprintf(expected, sizeof(expected), "@PB1 %u ", i);
		assert_memory_equal(lines[i], expected, strlen(expected));
	}
}

/* The first line that has all these parts; NULL: none. */
static inline const char *line_with(const char *a, const char *b, const char *c)
{
	for (unsigned int i = 0; i < nr_lines; i++)
		if (strstr(lines[i], a) && strstr(lines[i], b) && strstr(lines[i], c))
			return lines[i];
	return NULL;
}

static inline unsigned int count_lines(const char *part)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < nr_lines; i++)
		n += strstr(lines[i], part) != NULL;
	return n;
}

/* Lines that have both parts. */
static inline unsigned int count_lines_of(const char *a, const char *b)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < nr_lines; i++)
		n += strstr(lines[i], a) && strstr(lines[i], b);
	return n;
}

/* ---- a machine ---- */

struct machine {
	struct bench_config cfg;
	struct bench bench;
	struct page_allocator system;
	struct bench_range range;
	void *meta, *state;
};

/*
 * A system of @pages pages, one block aligned to 2^18 and what is above it, with a naive live
 * allocator; nothing wrong with it, nor with the one in the arena.
 */
static inline struct machine *machine_new(uint64_t pages)
{
	struct machine *m = calloc(1, sizeof(*m));
	uint64_t start = 1ULL << 19;

	naive_fault = (struct naive_fault){ .wrong = RIGHT };
	naive_lacks_free = false;
	naive_extra = NULL;
	naive_max_order = 18;
	fake_noisy = false;
	fake_ins = 0;
	said[0] = '\0';
	nr_lines = 0;
	m->range = (struct bench_range){ .start_pfn = start, .end_pfn = start + pages };
	m->meta = malloc(pages);
	memset(m->meta, 0xee, pages);
	m->state = malloc(sizeof(struct naive));
	m->system = (struct page_allocator){ .ops = &naive_ops, .state = m->state };
	assert_int_equal(naive_setup(&m->system, start, start + pages, m->meta, pages), 0);
	bench_options_init(&m->cfg.options);
	m->cfg.clock =
		(struct bench_clock){ .tb_hz = 1000000000, .read = fake_read, .spin = fake_spin };
	m->cfg.out = &keep_printer;
	m->cfg.sink = keep_line;
	m->cfg.system = &m->system;
	m->cfg.ranges = &m->range;
	m->cfg.nr_ranges = 1;
	m->cfg.allocators = naive_only;
	return m;
}

static inline int machine_run(struct machine *m)
{
	int ret;

	m->cfg.workspace_bytes = bench_workspace_bytes(&m->cfg);
	m->cfg.workspace = aligned_alloc(64, m->cfg.workspace_bytes);
	memset(m->cfg.workspace, 0x5a, m->cfg.workspace_bytes);
	assert_int_equal(bench_init(&m->bench, &m->cfg), 0);
	ret = bench_run(&m->bench);
	check_lines();
	return ret;
}

static inline void machine_free(struct machine *m)
{
	free(m->cfg.workspace);
	free(m->meta);
	free(m->state);
	free(m);
}

#endif
