/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of helper_memblock_ops share: a sequence of calls that is being run. */
#ifndef TESTS_UNIT_HELPER_MEMBLOCK_OPS_STATE_H
#define TESTS_UNIT_HELPER_MEMBLOCK_OPS_STATE_H

#include "helper_memblock_model.h"
#include "helper_memblock_ops.h"

/* Most addresses are multiples of a cell inside the window, which is what phys_to_virt reaches. */
#define CELL   (PAGE_SIZE / 4)
#define CELLS  1024U
#define WINDOW (CELLS * CELL)
#define FILL   0xa5

struct ops {
	unsigned char *window; /* host memory */
	const uint8_t *next;
	const uint8_t *end;
	struct memblock mb;
	struct model m;
	struct phys_map map;
	struct printer trace;
	struct printer warn;
	unsigned int warned; /* lines */
	bool mirror_warned;
	const char *call; /* the call at hand */
	unsigned int nr_dirty; /* ranges of the window that may have been written to */
	struct memblock_array dirty[512];
	struct ops_stats *stats;
};

/* Prints @what, the call and both maps; aborts. */
_Noreturn void ops_broken(const struct ops *o, const char *what, const char *file, int line);

#define expect(o, condition)                                           \
	do {                                                           \
		if (!(condition))                                      \
			ops_broken(o, #condition, __FILE__, __LINE__); \
	} while (0)

/* ---- helper_memblock_ops.c ---- */

uint8_t ops_byte(struct ops *o);

/* Mostly a cell; or close to one, to an end of an entry, a corner, anything. */
phys_addr_t ops_address(struct ops *o);
phys_addr_t ops_corner(struct ops *o);
int ops_node(struct ops *o);

/* A range of the window that memblock may write to: it is put back at the end. */
void ops_dirty(struct ops *o, phys_addr_t base, phys_addr_t size);

/* Makes @op in the model; the call, which returned @err, must have had the same result. */
void ops_change(struct ops *o, const struct model_op *op, int err);

/* ---- helper_memblock_ops_alloc.c ---- */

void ops_alloc_phys(struct ops *o);
void ops_alloc_pointer(struct ops *o);

/* ---- helper_memblock_ops_check.c ---- */

/* The maps and the settings are the model's. */
void ops_check(struct ops *o);

/* Walks and queries that must agree with the model. */
void ops_look(struct ops *o, int nid, uint32_t flags, phys_addr_t base, phys_addr_t size);

/* Calls with one argument each that is out of range. */
void ops_bad_calls(struct ops *o, phys_addr_t base, phys_addr_t size);

#endif
