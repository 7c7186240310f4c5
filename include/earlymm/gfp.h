/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an allocation of pages asks for: Linux's names. There is no reclaim and no waiting, so
 * Linux's flags for those do not exist: an allocation fails, with an error and an event counted.
 */
#ifndef EARLYMM_GFP_H
#define EARLYMM_GFP_H

#include <earlymm/types.h>

typedef uint32_t gfp_t;

/* These have tables of their own; an allocation with others, too, takes a few steps more. */
#define __GFP_MOVABLE        ((gfp_t)0x01) /* its owner can give it up: may borrow from CMA areas */
#define __GFP_DMA32          ((gfp_t)0x02) /* below 4 GiB */
#define __GFP_HIGHMEM        ((gfp_t)0x04) /* anywhere, above the HIGHMEM boundary too */
#define __GFP_HIGH           ((gfp_t)0x08) /* may take half of what is below the min watermark */
#define GFP_FAST_MASK        ((gfp_t)0x0f)

#define __GFP_ZERO           ((gfp_t)0x10) /* zeroed */
#define __GFP_COMP           ((gfp_t)0x20) /* compound_head() and compound_order() know the block */
#define __GFP_THISNODE       ((gfp_t)0x40) /* from the asked node or not at all */
#define __GFP_MEMALLOC       ((gfp_t)0x80) /* all of the emergency reserve: what is to free memory */
#define GFP_ALL_FLAGS        ((gfp_t)0xff)

#define GFP_KERNEL           ((gfp_t)0)
#define GFP_NOWAIT           ((gfp_t)0)
#define GFP_USER             ((gfp_t)0)
#define GFP_ATOMIC           __GFP_HIGH
#define GFP_DMA32            __GFP_DMA32
#define GFP_HIGHUSER         __GFP_HIGHMEM
#define GFP_HIGHUSER_MOVABLE (__GFP_HIGHMEM | __GFP_MOVABLE)

#endif
