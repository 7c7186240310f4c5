/* SPDX-License-Identifier: BSD-2-Clause */
/* The tests of buddy_claim() on trees of 2 bits a word. */
#define BUDDY_RADIX_SHIFT 1
#define BUDDY_LEVELS      4
#define ARENA             512

#include "../../mm/buddy.c"
#include "../../mm/buddy_check.c"
#include "../../mm/buddy_claim.c"
#include "../../mm/buddy_free.c"
#include "../../mm/buddy_hint.c"
#include "../../mm/buddy_init.c"
#include "../../mm/buddy_large.c"
#include "../../mm/buddy_movable.c"
#include "../../mm/buddy_refill.c"
#include "../../mm/buddy_span.c"
#include "../../mm/buddy_stack.c"
#include "../../mm/buddy_tree.c"
#include "../../mm/buddy_word.c"
#include "../../mm/bitops.c"

#include "test_buddy_claim.c"
