/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which build of the hot files (hot-objs of mm/ and bench/, mk/hot.mk) the page allocator is called
 * in: the image's own, or the one for harts with Zba, Zbb and Zbs. Both work on the same state.
 */
#ifndef PAYLOAD_HOT_H
#define PAYLOAD_HOT_H

#include <earlymm/page_alloc.h>
#include "bench.h"
#include "bootargs.h"
#include "dt.h"

struct hot {
	bool has_zb; /* every hart is said to have the extensions, and zb= does not forbid them */
	const char *name; /* of the build that the system's allocator uses: a bare word */
	const struct page_allocator_ops *allocators[BENCH_MAX_ALLOCATORS + 1]; /* ends with NULL */
};

/* May the build for Zba, Zbb and Zbs run? */
static inline bool hot_has_zb(const struct dt_info *info, enum zb_option zb)
{
	return (info->isa_extensions & DT_ISA_ZB) == DT_ISA_ZB && zb != ZB_OFF;
}

/*
 * hot_choose() - decides by what the tree says of the harts, and says on the console what it is
 * and why. zb=on on a machine that does not list the extensions ends the run as failed. O(1).
 */
void hot_choose(struct hot *hot, const struct dt_info *info, enum zb_option zb);

/* hot_allocator() - @pa stands for the live allocator, used as @hart's, in the chosen build. */
void hot_allocator(const struct hot *hot, struct page_allocator *pa, struct page_hart *hart);

#endif
