/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The harts besides the boot hart: planned with the memory, started after the boot, asleep when
 * they have nothing to do. Those that run are counted from 0, the boot hart, up to harts_nr() - 1;
 * a hart's number is its index in struct page_alloc. Only the boot hart plans, starts and gives
 * work.
 */
#ifndef PAYLOAD_HARTS_H
#define PAYLOAD_HARTS_H

#include <stdbool.h>
#include <stdint.h>

#include <earlymm/page_alloc.h>
#include "dt.h"
#include "hart.h"
#include "wait.h"

/* ---- before the handover ---- */

/*
 * harts_plan() - chooses which harts may run: the boot hart, and others in the tree's order, @most
 * (0: no limit) and MAX_HARTS in all. Returns how many: 1 if the firmware cannot start harts. If
 * the tree has one hart only it need not be called. O(size of /cpus).
 */
uint32_t harts_plan(const void *fdt, const struct dt_info *info, uint32_t most);

/* The node of hart @i of the plan, from 1 on, as the tree has it; or NUMA_NO_NODE. */
int harts_plan_nid(uint32_t i);

/*
 * harts_give() - hart @i of the plan has its HART_BYTES at @pa, of any content, for ever, and will
 * allocate from node @nid first. One that was given nothing is left out.
 */
void harts_give(uint32_t i, phys_addr_t pa, int nid);

/* ---- after the boot ---- */

/*
 * harts_start() - starts all of the plan, and waits until they are there. A hart that the firmware
 * refuses, or that does not arrive for a second (and a tenth more for each that was asked for)
 * after the last one that did, is said and left out; should it arrive later it stops without a
 * trace. Each that runs has its node set in @pages, which was planned for as many. @verbose: a
 * line for each that is left out, however many.
 */
void harts_start(struct page_alloc *pages, bool verbose);

/*
 * harts_check() - each hart that runs has a page of its own from @pages, writes to it, reads it
 * when all have written, and gives it back. Says how it went. False: a page was no one's own, or
 * could not be freed.
 */
bool harts_check(struct page_alloc *pages, bool verbose);

/* How many run, the boot hart included. */
uint32_t harts_nr(void);

/*
 * harts_run() - fn(@arg, i) on harts 0 to @nr - 1, on this one, the boot hart, too. When all are
 * done it returns 0; or, after HARTS_RUN_MS from this hart's own end, -EMM_EAGAIN: a hart did not
 * end, which is said, and nothing may be relied upon any more; or -EMM_EINVAL: @nr is 0 or more
 * than harts_nr(). Before they sleep again the others drain their stacks (page_hart_drain()).
 */
#define HARTS_RUN_MS 60000
int harts_run(uint32_t nr, void (*fn)(void *arg, uint32_t hart), void *arg);

/* A set of harts by number, a bit each. */
struct hart_set {
	uint64_t bits[MAX_HARTS / 64];
};

/* harts_run_on() - the same on those of @set; at least one, all of them running. */
int harts_run_on(const struct hart_set *set, void (*fn)(void *arg, uint32_t hart), void *arg);

/* Has harts_run() ever not come to its end? Then the run has failed. */
bool harts_have_failed(void);

/* A place where harts wait for each other, as often as they like. All zero to begin with. */
struct harts_barrier {
	uint32_t arrived;
	uint32_t turn;
};

/*
 * harts_barrier_wait() - returns 0 when @nr harts are there; what they wrote before is seen by all
 * after it. -EMM_EAGAIN: some have not come within HARTS_RUN_MS; the barrier is of no more use.
 */
int harts_barrier_wait(struct harts_barrier *b, uint32_t nr);

/* ---- when something is wrong ---- */

/* The hart in whose trap stack @frame lies; the boot hart if it is nobody's. O(harts). */
struct hart *harts_find(uint64_t frame);

/* Is the stack's canary alive? Then for all that were started; the first whose is not, or NULL. */
bool hart_stack_is_whole(const struct hart *hart);
const struct hart *harts_find_overflow(void);

#endif
