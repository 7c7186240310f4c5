/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The differential test on the same source with 4 bits a word and 2 levels: the parameters with which an
 * explorer can go through all interleavings. Small trees reach every case of split and carry soon.
 */
#define BUDDY_RADIX_SHIFT 2
#define BUDDY_LEVELS      2
#define MAX_PAGES         (1U << 14)
#define BUDDY_DIFF_SHARE  10

#include "../../mm/buddy.c"
#include "../../mm/buddy_check.c"
#include "../../mm/buddy_free.c"
#include "../../mm/buddy_hint.c"
#include "../../mm/buddy_init.c"
#include "../../mm/buddy_claim.c"
#include "../../mm/buddy_large.c"
#include "../../mm/buddy_movable.c"
#include "../../mm/buddy_refill.c"
#include "../../mm/buddy_span.c"
#include "../../mm/buddy_stack.c"
#include "../../mm/buddy_tree.c"
#include "../../mm/buddy_word.c"
#include "../../mm/bitops.c"

#include "test_buddy_diff.c"
