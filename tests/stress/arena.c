/* SPDX-License-Identifier: BSD-2-Clause */
/* A round's arena: limits, holes and garbage by chance; the audit when all is free again. */
#include "stress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t stress_random(uint64_t *rng)
{
	*rng ^= *rng << 13;
	*rng ^= *rng >> 7;
	*rng ^= *rng << 17;
	return *rng >> 16;
}

void stress_fail(struct stress *s, const char *what, uint64_t pfn, unsigned int order)
{
	if (__atomic_fetch_add(&s->failures, 1, __ATOMIC_RELAXED) < 5)
		fprintf(stderr,
			"# %s, round seed %#llx: %s: frame %#llx order %u of [%#llx, %#llx)\n",
			s->shape->name, (unsigned long long)s->seed, what, (unsigned long long)pfn,
			order, (unsigned long long)s->base_pfn,
			(unsigned long long)(s->base_pfn + s->nr_pages));
}

/*
 * Every page of the block goes from one owner to another, and had the first. Where all blocks are
 * alike their ends will do.
 */
void stress_own(struct stress *s, const struct block *blk, uint8_t from, uint8_t to)
{
	bool alike = s->shape->kind == STRESS_ENOUGH;

	for (uint64_t i = 0; i < 1ULL << blk->order; i = alike ? stress_next_page(blk, i) : i + 1) {
		uint8_t was = __atomic_exchange_n(&s->owner[blk->pfn - s->base_pfn + i], to,
						  __ATOMIC_RELAXED);

		if (was != from) {
			stress_fail(s, to ? "handed out twice" : "not the owner's", blk->pfn + i,
				    blk->order);
			return;
		}
	}
}

static void add(struct stress *s, struct buddy_hart *h, uint64_t from, uint64_t to,
		uint64_t hole_start, uint64_t hole_end)
{
	if (from == to)
		return;
	for (uint64_t pfn = from; pfn < to; pfn++)
		__atomic_store_n(&s->owner[pfn - s->base_pfn], 0, __ATOMIC_RELAXED);
	if (buddy_add_range(h, from, to, hole_start, hole_end))
		stress_fail(s, "cannot be added", from, 0);
}

/* The middle first, then what is left on both sides. Returns false when all is there. */
bool stress_add_piece(struct stress *s, struct buddy_hart *h, struct hole *hole)
{
	switch (hole->pieces++) {
	case 0:
		add(s, h, hole->from, hole->to, hole->start, hole->end);
		return true;
	case 1:
		add(s, h, hole->start, hole->from, hole->start, hole->from);
		return true;
	case 2:
		add(s, h, hole->to, hole->end, hole->to, hole->end);
		return true;
	default:
		hole->pieces--;
		return false;
	}
}

/* Up to MAX_HOLES, one in each equal part of the arena, never up to its end. */
static void make_holes(struct stress *s, uint64_t *rng)
{
	uint64_t part = s->nr_pages / MAX_HOLES, at = s->base_pfn;

	s->nr_holes = 0;
	if (s->shape->kind != STRESS_MIXED || part < 3)
		return;
	for (unsigned int i = 0; i < MAX_HOLES; i++, at += part) {
		struct hole *hole = &s->holes[s->nr_holes];

		if (stress_random(rng) % 3 == 0)
			continue;
		hole->start = at + 1 + stress_random(rng) % (part - 2);
		hole->end = hole->start + 1 + stress_random(rng) % (at + part - 1 - hole->start);
		hole->from = hole->start + stress_random(rng) % (hole->end - hole->start);
		hole->to = hole->from + 1 + stress_random(rng) % (hole->end - hole->from);
		hole->pieces = 0;
		s->nr_holes++;
	}
}

static void add_what_is_there(struct stress *s)
{
	uint64_t at = s->base_pfn, hole_start = 0;

	for (unsigned int i = 0; i < s->nr_holes; i++) {
		add(s, s->harts, at, s->holes[i].start, hole_start, UINT64_MAX);
		hole_start = s->holes[i].start;
		at = s->holes[i].end;
	}
	add(s, s->harts, at, s->base_pfn + s->nr_pages, hole_start, UINT64_MAX);
}

/* The first block of the order in the arena, and how many there are. */
uint64_t stress_first_block(const struct stress *s, unsigned int order, uint64_t *nr)
{
	uint64_t size = 1ULL << order, first = (s->base_pfn + size - 1) & ~(size - 1);
	uint64_t end = (s->base_pfn + s->nr_pages) & ~(size - 1);

	*nr = first < end ? (end - first) >> order : 0;
	return first;
}

/* ENOUGH: an order of level 1, rather a large one, or a small one; just a block for each hart. */
static void choose_size(struct stress *s, uint64_t *rng)
{
	const struct shape *shape = s->shape;
	uint64_t pick = stress_random(rng);
	bool small = shape->max_pages == 0;

	if (shape->kind == STRESS_ENOUGH) {
		s->own_order = (small ? 1 : 2) * BUDDY_RADIX_SHIFT - 1;
		if (pick % 4 == 0 || small)
			s->own_order -= (unsigned int)(pick / 4 % BUDDY_RADIX_SHIFT);
		s->nr_pages = ((shape->nr_harts + 1ULL) << s->own_order) - 1;
		return;
	}
	s->nr_pages = shape->min_pages + pick % (shape->max_pages - shape->min_pages + 1);
	for (s->max_order = BUDDY_MAX_ORDER; 1ULL << s->max_order > s->nr_pages; s->max_order--)
		;
	s->own_order = (unsigned int)(stress_random(rng) % (s->max_order + 1) / 2);
}

void stress_begin(struct stress *s, const struct shape *shape, uint64_t seed)
{
	uint64_t rng = seed, bytes, end;

	s->shape = shape;
	s->seed = seed;
	choose_size(s, &rng);
	s->base_pfn = stress_random(&rng) % (4ULL << (BUDDY_MAX_ORDER < 12 ? BUDDY_MAX_ORDER : 12));
	end = s->base_pfn + s->nr_pages;
	bytes = buddy_tree_bytes(s->base_pfn, end);
	s->meta = malloc(bytes);
	assert_non_null(s->meta);
	for (uint64_t i = 0; i < bytes / sizeof(uint64_t); i++)
		((uint64_t *)s->meta)[i] = stress_random(&rng) << (seed & 31);
	assert_int_equal(buddy_init(&s->b, &s->tree, 1, s->harts, shape->nr_harts + 1), 0);
	buddy_pair(&s->harts[0], &s->harts[shape->nr_harts]);
	buddy_tune(&s->b, seed & 2 ? BUDDY_HEALING : BUDDY_DEFAULT);
	assert_int_equal(buddy_add_tree(&s->b, s->base_pfn, end, s->meta, bytes), 0);
	memset(s->owner, OWNER_ABSENT, s->nr_pages);
	make_holes(s, &rng);
	add_what_is_there(s);
}

/* What must be there in the end: the arena, added at once. */
static void expected_blocks(const struct stress *s, uint64_t counts[BUDDY_MAX_ORDER + 1])
{
	uint64_t end = s->base_pfn + s->nr_pages;
	uint64_t bytes = buddy_tree_bytes(s->base_pfn, end);
	struct buddy_tree tree;
	struct buddy_hart hart;
	struct buddy b;
	void *meta = malloc(bytes);

	assert_non_null(meta);
	assert_int_equal(buddy_init(&b, &tree, 1, &hart, 1), 0);
	assert_int_equal(buddy_add_tree(&b, s->base_pfn, end, meta, bytes), 0);
	assert_int_equal(buddy_add_range(&hart, s->base_pfn, end, 0, UINT64_MAX), 0);
	buddy_nr_blocks(&b, counts);
	free(meta);
}

void stress_end(struct stress *s)
{
	uint64_t counts[2][BUDDY_MAX_ORDER + 1];

	for (unsigned int i = 0; i < s->nr_holes; i++)
		while (stress_add_piece(s, s->harts, &s->holes[i]))
			;
	for (unsigned int i = 0; i <= s->shape->nr_harts; i++)
		buddy_drain(&s->harts[i]);
	for (uint64_t i = 0; i < s->nr_pages; i++)
		if (s->owner[i])
			stress_fail(s, "still owned", s->base_pfn + i, 0);
	if (!buddy_is_valid(&s->b))
		stress_fail(s, "the buddy is not valid in the end", 0, 0);
	if (buddy_nr_free(&s->b) != s->nr_pages)
		stress_fail(s, "pages are missing", buddy_nr_free(&s->b), 0);
	for (unsigned int i = 0; i <= s->shape->nr_harts; i++)
		if (buddy_nr_held(&s->harts[i]))
			stress_fail(s, "a drained hart holds pages", i, 0);
	buddy_nr_blocks(&s->b, counts[0]);
	expected_blocks(s, counts[1]);
	for (unsigned int order = 0; order <= BUDDY_MAX_ORDER; order++)
		if (counts[0][order] != counts[1][order])
			stress_fail(s, "not merged: blocks", counts[0][order], order);
	free(s->meta);
}
