/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Workloads on several harts: a team starts in one moment, each hart with a part of the workspace
 * to itself; what it did is verified afterwards, by the first.
 */
#ifndef BENCH_TEAM_H
#define BENCH_TEAM_H

#include "bench_impl.h"

#define RING_ENTRIES 256
#define BOX_ENTRIES  64

/* A block in one word; 0 is none. */
#define PACK_BLOCK(pfn, order) ((uint64_t)(pfn) << 8 | (order) << 1 | 1)
#define PACKED_PFN(block)      ((block) >> 8)
#define PACKED_ORDER(block)    ((unsigned int)((block) >> 1 & 0x7f))

/* What one hart has to itself. The parts that others write are cache lines of their own. */
struct hart_work {
	struct page_allocator pa; /* as this hart calls it */
	struct churn plan; /* slots: b->hart_slots of them */
	struct churn_slot *slots;
	int64_t *log; /* b->hart_steps entries */
	struct loop_result res;
	uint64_t failed_allocs, failed_frees;
	uint64_t own_tb; /* how long it took */
	uint64_t end_tb;
	uint64_t random;
	uint32_t turns; /* of waits */
	/* Of stress: live blocks, in the slots; answers. */
	uint64_t nr_live;
	uint64_t nr_none, nr_again;
	bool filling;
	/* Of remote: blocks on their way from this hart to the one that frees them. */
	uint64_t ring[RING_ENTRIES] __attribute__((aligned(64)));
	uint64_t tail __attribute__((aligned(64))); /* put in, by this hart */
	uint64_t is_done;
	uint64_t head __attribute__((aligned(64))); /* taken out, by the other */
	/* Of stress: blocks that this hart is to free. */
	uint64_t box[BOX_ENTRIES] __attribute__((aligned(64)));
} __attribute__((aligned(64)));

struct team {
	struct bench *b;
	struct bench_rep *r;
	uint32_t nr;
	void (*work)(struct team *t, struct hart_work *w, uint32_t hart);
	uint64_t start_tb, wall_tb; /* from the start to the last one's end */
	struct bench_fault fault; /* the first that a hart has found */
	uint64_t has_fault;
	uint64_t stop; /* not 0: all are to end */
	uint64_t arrived __attribute__((aligned(64)));
	uint64_t go;
};

/* team.c: the harts that take part in turn: @least, twice that, … and all; multiples of @least. */
unsigned int team_counts(const struct bench *b, uint32_t least, uint32_t counts[BENCH_MAX_COUNTS]);

/* Are there harts to run on? */
bool team_is_possible(const struct bench *b);

/*
 * team_run() - work() on @nr harts, all released in the same moment; t->wall_tb and w->own_tb.
 * False: a hart did not come or did not end; b->harts_lost is set, t->fault says so.
 */
bool team_run(struct team *t, uint32_t nr,
	      void (*work)(struct team *t, struct hart_work *w, uint32_t hart));

/* One turn of a wait in work(). False: it has taken too long, or all are to end. */
bool team_wait(struct team *t, struct hart_work *w);

/* A hart has found something wrong: the first that did is kept, and all are to end. */
void team_fault(struct team *t, uint32_t hart, enum bench_verdict v, uint64_t index, int64_t pfn,
		unsigned int order);
bool team_is_stopped(const struct team *t);

/* Sets t->fault.other to a hart of whose slots one overlaps the block of t->fault. */
void team_name_other(struct team *t);

/*
 * A set-up of @ops in the arena for all harts of the machine, and each hart's way into it. False:
 * it failed, as *f says, and nothing is to be torn down.
 */
bool team_setup(struct team *t, const struct page_allocator_ops *ops, struct bench_fault *f);
void team_enlist(struct team *t); /* the second half of it: t->r->pa is set up */

/* Can the allocator be called by several harts, in a place like the arena? */
bool team_is_capable(const struct bench *b, const struct page_allocator_ops *ops);

/* The hart's stream of random numbers: the seed plus its number. */
uint64_t team_seed(const struct bench *b, uint32_t hart);

/* One kind of case: churn or hand-over, with an order of its own or a mix. */
struct team_kind {
	struct workload wl; /* name; bit: BENCH_CHURN0 or BENCH_CHURN, for the orders */
	uint32_t least; /* harts */
	uint64_t (*slots)(const struct bench *b); /* of a hart, for the records; NULL: none */
	void (*prepare)(struct team *t, unsigned int shrink); /* with t->nr set */
	void (*timed)(struct team *t, struct hart_work *w, uint32_t hart);
	uint64_t (*ops)(const struct team *t); /* that were done, all harts together */
	/* After the timed part: gives back what is held, and checks. */
	enum bench_verdict (*verify)(struct team *t, struct bench_fault *f);
	/* Once more, with each block claimed in the shared shadow map. */
	void (*claimed)(struct team *t, struct hart_work *w, uint32_t hart);
};

extern const struct team_kind scale_kinds[BENCH_TEAM_OPS], remote_kinds[BENCH_TEAM_OPS];

/* team_case.c: scale and remote, all allocators; how often bench_progress() is called for it. */
void team_run_all(struct bench *b);
uint64_t team_units(const struct bench *b);

/* stress.c: the live system. False: it is not to be trusted any more. */
bool stress_run(struct bench *b);

/* team_emit.c: records. */
void emit_team_smp(const struct team *t, const struct team_kind *kind, uint64_t ops);
void emit_team_own(const struct team *t, const struct team_kind *kind);
void emit_team_res(const struct team *t, const struct team_kind *kind, int64_t kops_x100,
		   int64_t ratio_x100);

/* team_report.c: tables. */
void print_teams(const struct bench *b);

#endif
