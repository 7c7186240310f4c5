/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several harts on one tree: each takes its small blocks from a part of its own, so that no two of them
 * fight for a word, nor for the cache line it is in. A hart whose span has no wholly free word left goes to
 * the one that has most of them, into its upper half, for the owner goes upwards; and home again when
 * it is drained, or when there is room. Frees go where the block came from, whoever frees it.
 *
 * Spans are nothing but a hart's preference. Nobody else knows of them, and no rule of the protocol
 * does: before memory is said to be out, all of the tree is searched, by everyone.
 */
#include "buddy_tree.h"

/* Words that share a cache line, as a shift; few bits a word make few words a group. */
#define LINE_SHIFT (RADIX_SHIFT < 3 ? RADIX_SHIFT : 3)

/* Words of a level that are looked at in one span to learn how full it is. */
#define MAX_LOOKS 16

/* A hart goes home when so much of its span, as a shift, has become free. */
#define ROOM_SHIFT 3

/*
 * How a tree is shared: units of 2^@unit pages, @first the first of them, @nr in all. Level 1 words, if
 * there is one for each hart; else cache lines of level 0 words, or a few. Span k of @spans has the units
 * [k * nr / spans, (k + 1) * nr / spans).
 */
struct sharing {
	const struct buddy_tree *t;
	unsigned int unit;
	uint64_t first;
	uint64_t nr;
	uint64_t spans;
};

static uint64_t nr_units(const struct buddy_tree *t, unsigned int unit)
{
	return ((t->end_pfn - 1) >> unit) - (t->start_pfn >> unit) + 1;
}

static struct sharing share_tree(const struct buddy_tree *t, uint32_t nr_harts)
{
	struct sharing s = { .t = t, .unit = WORD_SHIFT(1), .spans = nr_harts };

	while (nr_units(t, s.unit) < nr_harts && s.unit > RADIX_SHIFT + LINE_SHIFT)
		s.unit--;
	s.first = t->start_pfn >> s.unit;
	s.nr = nr_units(t, s.unit);
	/* A span does not reach from one level 1 word into another if it is less than one. */
	if (s.unit < WORD_SHIFT(1) || s.nr < nr_harts)
		s.spans = s.nr;
	/* Where level 1 is the top there is nothing to go by; and what is too small is for all. */
	if (TOP < 2)
		s.spans = 1;
	return s;
}

static struct buddy_span nth_span(const struct sharing *s, uint64_t k)
{
	uint64_t start = (s->first + k * s->nr / s->spans) << s->unit;
	struct buddy_span span = {
		.start_pfn = start,
		.end_pfn = (s->first + (k + 1) * s->nr / s->spans) << s->unit,
		.word_mask = ~0ULL,
		.is_shared = s->spans > 1,
	};

	if (s->unit < WORD_SHIFT(1))
		span.word_mask = ((1ULL << (1U << (s->unit - RADIX_SHIFT))) - 1)
				 << BITS_OF(start >> RADIX_SHIFT);
	if (span.start_pfn < s->t->start_pfn)
		span.start_pfn = s->t->start_pfn;
	if (span.end_pfn > s->t->end_pfn)
		span.end_pfn = s->t->end_pfn;
	return span;
}

/* Of a pair, the one for unmovable pages has the number. */
static uint64_t home_number(const struct buddy_hart *h, const struct sharing *s, uint32_t nr_harts)
{
	const struct buddy_hart *first = h->is_movable ? h->sibling : h;
	uint64_t id = (uint64_t)(first - h->buddy->harts) % nr_harts;

	return s->spans < nr_harts ? id % s->spans : id * s->spans / nr_harts;
}

/* The hart's own part of its tree; all of it if there is no other hart. */
static struct buddy_span home_of(const struct buddy_hart *h)
{
	const struct buddy_tree *t = h->tree;
	struct buddy_span all = { t->start_pfn, t->end_pfn, ~0ULL, false };
	uint32_t nr_harts = h->buddy->nr_sharers;
	struct sharing s;

	if (likely(nr_harts < SHARE_FROM))
		return all;
	s = share_tree(t, nr_harts);
	return s.spans < 2 ? all : nth_span(&s, home_number(h, &s, nr_harts));
}

/* In a tree that is new to it. */
void buddy_begin_at_home(struct buddy_hart *h)
{
	struct buddy_span home = home_of(h);

	buddy_go_to(h, &home);
}

void buddy_go_home(struct buddy_hart *h)
{
	struct buddy_span home;

	if (!h->tree)
		return;
	home = home_of(h);
	if (h->span_pfn != home.start_pfn || h->span_end != home.end_pfn)
		buddy_go_to(h, &home);
}

/* About how many wholly free words are in the span: exact if few words speak for it. */
static uint64_t words_in(const struct buddy_tree *t, const struct buddy_span *s)
{
	uint64_t nr = 0, most = (s->end_pfn - s->start_pfn) >> RADIX_SHIFT;

	for (unsigned int level = 1; level < BUDDY_LEVELS; level++) {
		uint64_t idx = s->start_pfn >> WORD_SHIFT(level);
		uint64_t last = (s->end_pfn - 1) >> WORD_SHIFT(level);

		for (unsigned int look = 0; look < MAX_LOOKS; look++, idx++) {
			idx = buddy_hint_above(t, level, idx);
			if (idx > last)
				break;
			nr += (uint64_t)hweight64(
				      atomic_read(buddy_node(t, level, idx)) &
				      bits_of_frames(level, idx, s->start_pfn, s->end_pfn))
			      << BIT_SHIFT(level - 1);
		}
	}
	return nr < most ? nr : most;
}

/* Is the hart elsewhere, and its own span has room again? */
bool buddy_should_go_home(const struct buddy_hart *h)
{
	struct buddy_span home = home_of(h);

	if (h->span_pfn >= home.start_pfn && h->span_end <= home.end_pfn)
		return false;
	return words_in(h->tree, &home) > (home.end_pfn - home.start_pfn) >>
	       (RADIX_SHIFT + ROOM_SHIFT);
}

/* The upper half, in whole level 1 words, if half of what there is lies in it. */
static void keep_upper_half(const struct buddy_tree *t, struct buddy_span *s, uint64_t nr_words)
{
	struct buddy_span half = *s;

	half.start_pfn += (s->end_pfn - s->start_pfn) / 2;
	half.start_pfn &= ~0ULL << WORD_SHIFT(1);
	if (half.start_pfn > s->start_pfn && words_in(t, &half) * 2 >= nr_words)
		*s = half;
}

/*
 * To the span that has most wholly free words. False: none has any. O(spans). The answer is no more
 * than a hint: other harts do not stand still.
 */
bool buddy_go_elsewhere(struct buddy_hart *h)
{
	const struct sharing s = share_tree(h->tree, h->buddy->nr_sharers);
	struct buddy_span best = { 0 };
	uint64_t most = 0;

	for (uint64_t k = 0; k < s.spans; k++) {
		struct buddy_span span = nth_span(&s, k);
		uint64_t nr = words_in(h->tree, &span);

		if (nr > most) {
			most = nr;
			best = span;
		}
	}
	if (!most)
		return false;
	keep_upper_half(h->tree, &best, most);
	h->events.moves++;
	buddy_go_to(h, &best);
	return true;
}
