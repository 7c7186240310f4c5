/* SPDX-License-Identifier: BSD-2-Clause */
/* Who owns each page, and which "there is none" is a lie. */
#include "ghost.h"

uint32_t ghost_mask(uint64_t pfn, unsigned int order)
{
	return (uint32_t)(((1ULL << (1U << order)) - 1) << pfn);
}

uint32_t ghost_owned_by(const struct ghost *g, unsigned int owner)
{
	uint32_t pages = 0;

	for (unsigned int i = 0; i < MAX_PAGES; i++)
		if (g->owner[i] == owner)
			pages |= 1U << i;
	return pages;
}

static uint32_t has_block(uint32_t pages, unsigned int order)
{
	for (unsigned int pfn = 0; pfn + (1U << order) <= MAX_PAGES; pfn += 1U << order)
		if (!(ghost_mask(pfn, order) & ~pages))
			return true;
	return false;
}

static void judge(struct accusation *a)
{
	if (!a->pages || a->waiting)
		return;
	model_bug("\"none\" of order %u, but pages 0x%x were free throughout", a->order, a->pages);
}

void ghost_accuse(struct ghost *g, unsigned int h, unsigned int order, uint32_t among)
{
	struct accusation a = { .pages = g->through[h] & among,
				.order = (uint8_t)order,
				.waiting = (uint8_t)(g->busy & ~(1U << h)) };

	if (!has_block(a.pages, order))
		return;
	if (!a.waiting)
		judge(&a);
	for (unsigned int i = 0; i < MAX_ACCUSATIONS; i++)
		if (!g->accused[i].pages) {
			g->accused[i] = a;
			return;
		}
	model_fail("more than %d accusations", MAX_ACCUSATIONS);
}

void ghost_begin(struct ghost *g, unsigned int h)
{
	g->through[h] = g->knows[h];
	g->busy |= (uint8_t)(1U << h);
	g->shaded &= (uint8_t) ~(1U << h);
	if (g->keeping)
		g->shaded |= (uint8_t)(1U << h);
}

bool ghost_was_free(const struct ghost *g, unsigned int h, uint32_t pages)
{
	return !(g->shaded >> h & 1) && !(pages & ~g->through[h]);
}

/* These pages were not free for everybody at some moment. */
static void forget(struct ghost *g, unsigned int but_hart, uint32_t pages)
{
	for (unsigned int i = 0; i < MAX_HARTS; i++)
		if (i != but_hart) {
			g->knows[i] &= ~pages;
			g->through[i] &= ~pages;
		}
	for (unsigned int i = 0; i < MAX_ACCUSATIONS; i++) {
		struct accusation *a = &g->accused[i];

		if (!a->pages)
			continue;
		a->pages &= ~pages;
		if (!has_block(a->pages, a->order))
			*a = (struct accusation){ 0 };
	}
}

void ghost_end(struct ghost *g, unsigned int h, bool keeps)
{
	g->busy &= (uint8_t) ~(1U << h);
	g->through[h] = 0;
	if (keeps) {
		g->keeping |= (uint8_t)(1U << h);
		g->shaded = 0xff;
	}
	for (unsigned int i = 0; i < MAX_ACCUSATIONS; i++) {
		struct accusation *a = &g->accused[i];

		a->waiting &= (uint8_t) ~(1U << h);
		judge(a);
	}
}

void ghost_take(struct ghost *g, unsigned int h, uint32_t pages)
{
	for (unsigned int i = 0; i < MAX_PAGES; i++) {
		if (!(pages >> i & 1))
			continue;
		if (g->owner[i] == ABSENT)
			model_bug("page %u is handed out before it was added", i);
		if (g->owner[i] != FREE)
			model_bug("page %u is handed out while hart %u has it", i,
				  g->owner[i] - HELD);
		g->owner[i] = (uint8_t)(HELD + h);
	}
	forget(g, MAX_HARTS, pages);
}

void ghost_hand_over(struct ghost *g, unsigned int h, uint32_t pages)
{
	for (unsigned int i = 0; i < MAX_PAGES; i++)
		if (pages >> i & 1)
			g->owner[i] = (uint8_t)(HELD + h);
}

void ghost_free(struct ghost *g, unsigned int h, uint32_t pages)
{
	for (unsigned int i = 0; i < MAX_PAGES; i++)
		if (pages >> i & 1)
			g->owner[i] = FREE;
	g->knows[h] |= pages;
}

uint64_t ghost_hash(const struct ghost *g)
{
	uint64_t x = g->busy | (uint64_t)g->keeping << 8 | (uint64_t)(g->shaded & g->busy) << 16;

	for (unsigned int i = 0; i < MAX_PAGES; i++)
		x = x * 5 + g->owner[i];
	for (unsigned int h = 0; h < MAX_HARTS; h++)
		x = hash_mix(x, g->knows[h] | (uint64_t)g->through[h] << 32);
	for (unsigned int i = 0; i < MAX_ACCUSATIONS; i++)
		if (g->accused[i].pages)
			x = hash_mix(x, g->accused[i].pages | (uint64_t)g->accused[i].order << 32 |
						(uint64_t)g->accused[i].waiting << 40);
	return x;
}
