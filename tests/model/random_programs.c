/* SPDX-License-Identifier: BSD-2-Clause */
/* Random programs, as text of the form that main.c reads; the same ones for the same seed. */
#include "random_programs.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <earlymm/buddy.h>

/* What one hart has allocated so far, by the program's text. */
struct writer {
	char *text;
	size_t size;
	uint64_t *rng;
	unsigned int slots, freed; /* a bit each */
	bool may_give, may_take, is_paired;
};

static unsigned int random_below(uint64_t *rng, unsigned int n)
{
	*rng ^= *rng << 13;
	*rng ^= *rng >> 7;
	*rng ^= *rng << 17;
	return (unsigned int)(*rng >> 33) % n;
}

/* Of a hart with two struct buddy_hart: one of them. */
static char either(struct writer *w, char what)
{
	if (w->is_paired && random_below(w->rng, 2))
		return (char)toupper(what);
	return what;
}

static void put(struct writer *w, char what, unsigned int number)
{
	size_t length = strlen(w->text);

	snprintf(w->text + length, w->size - length, "%c%u ", either(w, what), number);
}

/* A slot that has not been freed; false: there is none. */
static bool pick_slot(struct writer *w, unsigned int *slot)
{
	unsigned int left = ((1U << w->slots) - 1) & ~w->freed;

	if (!left)
		return false;
	do
		*slot = random_below(w->rng, w->slots);
	while (!(left >> *slot & 1));
	w->freed |= 1U << *slot;
	return true;
}

/* A block of a small order somewhere in the first tree. */
static void put_claim(struct writer *w)
{
	unsigned int order = random_below(w->rng, 2), length = (unsigned int)strlen(w->text);

	snprintf(w->text + length, w->size - length, "%c%u.%u ", either(w, 'c'),
		 random_below(w->rng, (1U << BUDDY_MAX_ORDER) >> order) << order, order);
	w->slots++;
}

static void random_operation(struct writer *w, bool before)
{
	unsigned int slot, what = random_below(w->rng, 16);

	if (w->may_take && what < 6) {
		put(w, 't', 0);
		w->may_take = false;
		w->slots++;
	} else if (w->may_give && before && what < 4 && pick_slot(w, &slot)) {
		put(w, 'g', slot);
		w->may_give = false;
	} else if (what < 7 && pick_slot(w, &slot)) {
		put(w, 'f', slot);
	} else if (what == 15) {
		put(w, before || random_below(w->rng, 3) ? 'd' : 'q', 0);
	} else if (what == 14 && !before && w->slots < 7) {
		put_claim(w);
	} else if (w->slots < 7) {
		/* Pages more often than larger orders. */
		put(w, 'a',
		    random_below(w->rng, 2) ? 0 : random_below(w->rng, BUDDY_MAX_ORDER + 1));
		w->slots++;
	}
}

void random_program(char *text, size_t size, uint64_t *rng, unsigned int nr_harts)
{
	unsigned int pages = BUDDY_RADIX * BUDDY_RADIX;
	struct writer w[3] = { { 0 } };
	bool is_paired, has_spans = false;

	if (BUDDY_LEVELS > 2)
		pages = 1U << BUDDY_MAX_ORDER;
	else if (pages > 8)
		pages = 8;
	/* Now and then the other setting, two trees, movable pages, and a part of the tree for each hart. */
	if (BUDDY_LEVELS > 2 && !random_below(rng, 3)) {
		has_spans = true;
		pages *= BUDDY_LEVELS > 3 ? 1 : 2;
	}
	if (random_below(rng, 5))
		snprintf(text, size, random_below(rng, 4) ? "%u" : "%uh", pages);
	else
		snprintf(text, size, "%u+%u", 1U << BUDDY_MAX_ORDER, 1U << BUDDY_MAX_ORDER);
	is_paired = !random_below(rng, 3);
	strncat(text, has_spans ? "s" : "", size - strlen(text) - 1);
	strncat(text, is_paired ? "m;" : ";", size - strlen(text) - 1);
	for (unsigned int h = 0; h < nr_harts; h++) {
		w[h] = (struct writer){ .text = text, .size = size, .rng = rng };
		w[h].is_paired = is_paired && h == 0;
		w[h].may_give = h == 0;
		w[h].may_take = h == 1 && (strchr(text, 'g') || strchr(text, 'G'));
		for (unsigned int n = random_below(rng, h ? 3 : 6); n > 0; n--)
			random_operation(&w[h], true);
		strncat(text, h + 1 < nr_harts ? "|" : ";", size - strlen(text) - 1);
	}
	for (unsigned int h = 0; h < nr_harts; h++) {
		w[h].may_give = w[h].may_take = false;
		for (unsigned int n = 1 + random_below(rng, nr_harts == 2 ? 3 : 2); n > 0; n--)
			random_operation(&w[h], false);
		strncat(text, h + 1 < nr_harts ? "|" : "", size - strlen(text) - 1);
	}
}
