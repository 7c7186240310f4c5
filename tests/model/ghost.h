/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is true of the pages, beside the allocator: who owns each, what each hart can know to be
 * free, and answers that are wrong if nobody turns out to have had the block (rule 6).
 */
#ifndef MODEL_GHOST_H
#define MODEL_GHOST_H

#include "explore.h"

#define MAX_PAGES       32
#define MAX_ACCUSATIONS 4

enum owner { ABSENT, FREE, HELD };

/* "There is none", said while harts were in the middle of something. */
struct accusation {
	uint32_t pages; /* free since before the question was asked */
	uint8_t order;
	uint8_t waiting; /* harts that may have the block in registers */
};

struct ghost {
	uint8_t owner[MAX_PAGES]; /* enum owner, + hart */
	uint32_t knows[MAX_HARTS]; /* free pages whose freeing happened before the hart's present */
	uint32_t through[MAX_HARTS]; /* and throughout the hart's operation */
	uint8_t busy; /* harts in the middle of an operation */
	/*
	 * Harts that keep free pages for themselves, or did: others need not have learned of a drain,
	 * and may still see the words as they were before it.
	 */
	uint8_t keeping;
	uint8_t shaded; /* harts that may not see a free page, for somebody keeps it for himself */
	struct accusation accused[MAX_ACCUSATIONS];
};

uint32_t ghost_mask(uint64_t pfn, unsigned int order);
uint32_t ghost_owned_by(const struct ghost *g, unsigned int owner);
void ghost_begin(struct ghost *g, unsigned int h);
/* @keeps: does the hart keep free pages for itself now? */
void ghost_end(struct ghost *g, unsigned int h, bool keeps);
void ghost_take(struct ghost *g, unsigned int h, uint32_t pages);
/* From the hart that had them to @h. */
void ghost_hand_over(struct ghost *g, unsigned int h, uint32_t pages);
void ghost_free(struct ghost *g, unsigned int h, uint32_t pages);
/* Were the pages free, and in nobody's own keeping, throughout the hart's operation? */
bool ghost_was_free(const struct ghost *g, unsigned int h, uint32_t pages);
/* Hart @h was told that there is no block of @order in @among. */
void ghost_accuse(struct ghost *g, unsigned int h, unsigned int order, uint32_t among);
uint64_t ghost_hash(const struct ghost *g);

#endif
