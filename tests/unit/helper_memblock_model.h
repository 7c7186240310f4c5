/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A naive model of memblock: each map is a list of pieces that is rebuilt, a piece at a time, by
 * every change; what is free, where a block fits and when an array grows are worked out from those
 * lists alone. Written from include/earlymm/memblock.h, not from mm/. All is exact: the pieces are
 * the entries.
 */
#ifndef TESTS_UNIT_HELPER_MEMBLOCK_MODEL_H
#define TESTS_UNIT_HELPER_MEMBLOCK_MODEL_H

#include <earlymm/error.h>
#include <earlymm/memblock.h>

#define MODEL_MAX 8192UL

enum { MEMORY, RESERVED };

struct piece {
	phys_addr_t base;
	phys_addr_t end;
	uint32_t flags;
	int nid;
};

struct pieces {
	unsigned long n;
	struct piece piece[MODEL_MAX];
};

struct model {
	struct pieces map[2];
	unsigned long max[2]; /* entries that the arrays hold */
	struct memblock_array array[2]; /* where they lie; size 0: in the struct */
	phys_addr_t limit;
	bool bottom_up;
	bool movable_node;
	bool can_resize;
	phys_addr_t window; /* what phys_to_virt reaches */
	uint64_t window_size;
	unsigned long grown; /* arrays that were replaced: statistics */
};

void model_init(struct model *m, phys_addr_t window, uint64_t window_size);

/* ---- changes ---- */

enum model_kind { ADD, REMOVE, FLAGS, NODE };

struct model_op {
	int t; /* MEMORY or RESERVED */
	enum model_kind kind;
	phys_addr_t base;
	phys_addr_t size;
	uint32_t set; /* flags of what is added, or to set */
	uint32_t clear;
	int nid;
};

/*
 * What the call must return. On 0 the change has been made, after the growth that it needs; else
 * nothing has changed.
 */
int model_change(struct model *m, const struct model_op *op);

int model_trim(struct model *m, phys_addr_t align);
void model_enforce_limit(struct model *m, phys_addr_t limit, bool keep_nomap);
void model_cap(struct model *m, phys_addr_t base, phys_addr_t size);
int model_place_array(struct model *m, int t, phys_addr_t base, unsigned long max);

/* ---- answers ---- */

struct model_want {
	phys_addr_t size;
	phys_addr_t align;
	phys_addr_t min;
	phys_addr_t max;
	int nid;
	bool exact_nid;
	bool hard_min;
	bool mirror_missed; /* an answer: mirrored memory did not do */
};

/* Where an allocation goes. returns: 0, -EMM_EINVAL, -EMM_ENOMEM. */
int model_find(const struct model *m, struct model_want *want, phys_addr_t *pa);

/* The free ranges, ascending, in @out, which has room for MODEL_MAX. Returns how many. */
unsigned long model_free(const struct model *m, const struct pieces *reserved, int nid,
			 uint32_t flags, struct piece *out);

/* The piece that holds @addr, or NULL. */
const struct piece *model_at(const struct pieces *map, phys_addr_t addr);

bool model_in_window(const struct model *m, phys_addr_t base, phys_addr_t size);

/* Does any of the range belong to an array in use? */
bool model_in_array(const struct model *m, phys_addr_t base, phys_addr_t end);

static inline phys_addr_t model_end(phys_addr_t base, phys_addr_t size)
{
	return size > PHYS_ADDR_MAX - base ? PHYS_ADDR_MAX : base + size;
}

#endif
