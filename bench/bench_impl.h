/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of bench/ share among themselves. */
#ifndef BENCH_IMPL_H
#define BENCH_IMPL_H

#include <earlymm/error.h>
#include "bench.h"
#include "loops.h"

#define MIN_ARENA_PAGES 64

/* A failed verification, for the message. What the fields mean depends on the verdict. */
struct bench_fault {
	enum bench_verdict verdict;
	uint64_t index; /* of the block in the log */
	int64_t pfn;
	unsigned int order;
	uint64_t want, got;
	uint32_t hart, other; /* plus one: whose block it is, and whose it overlaps; 0: not known */
};

/* One repetition of one case of a workload: who, where, what, and what came of it. */
struct bench_rep {
	struct bench *b;
	const struct workload *wl;
	struct bench_place *place;
	struct page_allocator *pa;
	unsigned int order;
	bool held; /* one page of the arena is kept aside */
	bool may_fail; /* memory may be short in the full arena, too */
	unsigned int rep;
	uint32_t nr_harts; /* that the allocator is set up for; 0 counts as 1 */
	uint32_t nr_callers; /* harts that call it, in a workload on several; else 0 */
	int64_t held_pfn;
	uint64_t free_before;
	uint64_t nr_log; /* entries of b->log that the timed part wrote */
	uint64_t ops[BENCH_BULK_OPS]; /* by figure of the workload */
	struct bench_stamp time[BENCH_BULK_OPS];
	uint64_t failed_allocs, failed_frees;
	uint16_t chk; /* a CRC of the frames handed out */
	/* Of a traced workload: live pages, in the log; what verification found on the way. */
	struct aging aging;
	struct bench_fault fault;
	struct bench_score score, freed_score;
	struct bench_latency latencies[BENCH_LATENCY_OPS];
};

struct workload {
	const char *name;
	enum bench_workload bit;
	unsigned int nr_ops;
	const char *op[BENCH_BULK_OPS]; /* names of the figures */
	bool by_order; /* has a case for each order and state */
	/*
	 * Too long for the log: run in pieces, and verified between them by timed(); what that
	 * found is r->fault, and the live pages that are left are scored.
	 */
	bool traced;
	/* The largest order that a case asks for. */
	unsigned int (*max_order)(const struct bench_rep *r);
	bool (*is_capable)(const struct page_allocator *pa); /* NULL: alloc and free are enough */
	void (*timed)(struct bench_rep *r, unsigned int shrink); /* counts >> shrink */
	void (*undo)(struct bench_rep *r); /* frees what is still held */
	/* Replays the log against the shadow map, which is empty before. */
	enum bench_verdict (*replay)(struct bench_rep *r, struct bench_fault *fault);
	/* With all verified and free again; NULL: nothing. Null's too, unverified. */
	enum bench_verdict (*after)(struct bench_rep *r, struct bench_fault *fault);
	void (*na)(struct bench_rep *r); /* records for an allocator that cannot; may be NULL */
};

extern const struct workload bench_workloads[]; /* ends with a NULL name */

/* workload.c: what a timed part did, as figure @op; and a failed free, counted. */
void collect(struct bench_rep *r, unsigned int op, const struct loop_result *res, uint64_t ops);
void free_one(struct bench_rep *r, int64_t pfn, unsigned int order); /* if there is one */

/* The churn's order for each value of (x >> 32) % 100, none above @max_order. */
void workload_churn_orders(uint8_t orders[CHURN_PERCENT], unsigned int max_order);

/* The churn as the loop wants it; all slots are made empty. */
void workload_churn_plan(struct bench_rep *r, struct churn *plan, unsigned int shrink);

/*
 * verify.c. Each check returns BENCH_OK, or the verdict after describing it in *f.
 * verify_books: as many pages free as r->free_before. verify_merged: all of memory can be had
 * once more, in blocks as large as there can be; uses the log. verify_rep: all that there is to
 * check after a timed part. verify_report: counts and prints a failure.
 */
enum bench_verdict verify_books(struct bench_rep *r, struct bench_fault *f);
enum bench_verdict verify_merged(struct bench_rep *r, struct bench_fault *f);
enum bench_verdict verify_rep(struct bench_rep *r, struct bench_fault *f);
void verify_report(struct bench_rep *r, const struct bench_fault *f);
enum bench_verdict fault_block(struct bench_fault *f, enum bench_verdict v, uint64_t index,
			       int64_t pfn, unsigned int order);
enum bench_verdict fault_numbers(struct bench_fault *f, enum bench_verdict v, uint64_t want,
				 uint64_t got);

/* replay.c: the log of each workload against the shadow map. */
enum bench_verdict replay_pair(struct bench_rep *r, struct bench_fault *f);
enum bench_verdict replay_bulk(struct bench_rep *r, struct bench_fault *f);
enum bench_verdict replay_churn(struct bench_rep *r, struct bench_fault *f);
/* The same with @r->nr_log entries of @log; the blocks that are live in the end are in the slots. */
enum bench_verdict replay_churn_plan(struct bench_rep *r, struct bench_fault *f,
				     const struct churn *plan, const int64_t *log);

/* Events [0, n) of the trace, on top of what the map holds. */
enum bench_verdict replay_trace(struct bench_rep *r, struct bench_fault *f, uint64_t n);

/*
 * fill.c: memory full of single pages, in the log: most of them movable from its start on, and one
 * in @share, by chance, that is not from its end on; 0: none. What is live then is r->aging.
 * False: r->fault says why not. give_one: frees one of them, in the shadow map too.
 */
bool is_null(const struct bench_rep *r);
bool fill_arena(struct bench_rep *r, unsigned int share);
void give_one(struct bench_rep *r, int64_t pfn);

/*
 * age.c: age, burst, frag and mobility. Pages live are those of r->aging, in the log. age_pieces: how many pieces
 * of a repetition report their progress.
 */
void age_timed(struct bench_rep *r, unsigned int shrink);
void age_undo(struct bench_rep *r);
enum bench_verdict age_replay(struct bench_rep *r, struct bench_fault *f);
uint64_t age_pieces(const struct bench *b, const struct workload *wl);

/*
 * score.c: blocks of order 9 and of order 3 that can be had, and `frag` records; what is taken is
 * given back. score_live: beside the live pages. score_freed: frag's, after all was freed. score_na:
 * records for an allocator that cannot.
 */
void score_live(struct bench_rep *r);
enum bench_verdict score_freed(struct bench_rep *r, struct bench_fault *f);
void score_na(struct bench_rep *r);

/* latency.c: the churn once more, each call timed; percentiles and `hist` records. */
void latency_timed(struct bench_rep *r, unsigned int shrink);
enum bench_verdict latency_after(struct bench_rep *r, struct bench_fault *f);
void latency_na(struct bench_rep *r);
void latency_init(struct bench_latency latencies[BENCH_LATENCY_OPS], int64_t figure);

/* exhaust.c: all orders and the mix with one allocator; how many cases that is. */
void exhaust_run(struct bench *b, const struct page_allocator_ops *ops);
unsigned int exhaust_cases(const struct bench *b);

/*
 * setup.c. bench_setup: *r->pa afresh in r->place, its metadata full of garbage before; returns
 * BENCH_OK or BENCH_SETUP.
 */
enum bench_verdict bench_setup(struct bench_rep *r, const struct page_allocator_ops *ops,
			       struct bench_fault *f);
void bench_teardown(struct page_allocator *pa);
void bench_drain(struct page_allocator *pa);

/*
 * bench_reserve: the pages of the arena that alloc() does not give. bench_check_left: @left pages
 * are free after blocks of @order were asked for until there were none: is that as it should be?
 */
uint64_t bench_reserve(const struct bench_rep *r);
enum bench_verdict bench_check_left(const struct bench_rep *r, struct bench_fault *f,
				    unsigned int order, uint64_t left);

/* A block, from the reserve if need be: for what is not timed. */
static inline int64_t bench_alloc_all(const struct page_allocator *pa, unsigned int order)
{
	return pa->alloc_all ? pa->alloc_all(pa->self, order) : pa->alloc(pa->self, order);
}

/* case.c */
enum case_state {
	CASE_OK,
	CASE_NA, /* the allocator lacks an operation or an order */
	CASE_FAILED, /* a verification failed */
};

/* How many times each case of a workload is run. */
uint32_t bench_reps(const struct bench *b, const struct workload *wl);

/* What a case cost, by figure: the median of the repetitions, instructions or ns. */
struct case_cost {
	int64_t total[BENCH_BULK_OPS];
	uint64_t ops[BENCH_BULK_OPS];
	enum case_state state;
};

/* All repetitions of a case; @ops is NULL for the live allocator, which r->pa then is. */
void case_run(struct bench_rep *r, const struct page_allocator_ops *ops, struct case_cost *cost);

/* A case's figures net of the null allocator's, as `res` records and into figure[]. */
void case_figures(struct bench_rep *r, const struct case_cost *cost, const struct case_cost *null,
		  int64_t *figure);

/* run.c: one unit of work is done; now and then it is said how far it all is. */
void bench_progress(struct bench *b, const char *bench, const char *alloc);
void bench_progress_close(struct bench *b); /* before other lines */

/* choice.c: are two words the same? */
bool same_word(const char *a, const char *b);

/* The allocators that are measured: the one after @ops, or the first (NULL); the last is a NULL. */
const struct page_allocator_ops *const *bench_next(const struct bench_config *cfg,
						   const struct page_allocator_ops *const *ops);

/* workspace.c: the largest arena that may be had; and that for which the workspace is enough. */
uint64_t workspace_arena_bound(const struct bench_config *cfg);
uint64_t workspace_open(struct bench *b); /* 0: it is too small for any */
bool workspace_has_room(const struct bench *b, const struct page_allocator_ops *ops);
void scale_for(struct bench_scale *s, uint64_t pages, uint64_t log_entries, bool exact);

/* emit.c: records. log_checksum: a CRC of the frames in the log, relative to the place's first. */
void emit_cal(const struct bench_rep *r, unsigned int op);
void emit_smp(const struct bench_rep *r, unsigned int op, uint16_t chk);
void emit_res(const struct bench_rep *r, unsigned int op, int64_t net_x100);
struct frag_result {
	const char *state; /* live: beside live pages; freed: after free-all */
	uint64_t had, ideal; /* had: UINT64_MAX: n/a */
	uint16_t chk;
};
void emit_frag(const struct bench_rep *r, bool mix, const struct frag_result *result);
void emit_hist(const struct bench_rep *r, unsigned int op, const struct bench_latency *latency,
	       const int64_t *sorted, uint64_t n); /* sorted: net, upward */
void emit_hist_na(const struct bench_rep *r, unsigned int op);
uint16_t log_checksum(const struct bench_rep *r);
uint16_t pfn_checksum(const struct bench_rep *r, uint16_t crc, int64_t pfn); /* of one more */

#endif
