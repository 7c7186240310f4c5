/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page-churn benchmark: workloads on struct page_allocator, checked against a shadow map,
 * reported as records for machines and as a table for people. docs/benchmark.md has both.
 * All memory is the caller's. Order of calls: bench_init, records, bench_run, bench_report,
 * bench_end.
 */
#ifndef BENCH_H
#define BENCH_H

#include <earlymm/types.h>
#include "clock.h"
#include "page_allocator.h"
#include "record.h"
#include "shadow_map.h"

#define BENCH_MAX_ORDER      (30 - PAGE_SHIFT) /* of the arena: 1 GiB */
#define BENCH_MAX_REPS       25
#define BENCH_MAX_STEPS      1000000000
#define BENCH_MAX_HARTS      128
#define BENCH_MAX_ALLOCATORS 16
#define BENCH_BULK_OPS       4
#define BENCH_BATCH          512 /* pages of a call in bulkapi */
#define BENCH_MAX_NAMES      96 /* characters of alloc=, with their end */

/* A verification failed. Not an enum emm_error: those are all smaller. */
#define BENCH_EVERIFY 64

/* Workloads, a bit each. */
enum bench_workload {
	BENCH_PAIR = 1 << 0,
	BENCH_BULK = 1 << 1,
	BENCH_CHURN = 1 << 2,
	BENCH_CHURN0 = 1 << 3,
	BENCH_EXHAUST = 1 << 4,
	BENCH_AGE = 1 << 5,
	BENCH_BURST = 1 << 6,
	BENCH_FRAG = 1 << 7,
	BENCH_LATENCY = 1 << 8,
	BENCH_BULKAPI = 1 << 9,
	BENCH_MOBILITY = 1 << 10,
	BENCH_ALL = (1 << 11) - 1, /* those of one hart */
	/* Of several. */
	BENCH_SCALE = 1 << 11,
	BENCH_REMOTE = 1 << 12,
	BENCH_STRESS = 1 << 13,
};

/*
 * The harts of the machine, for workloads on several. Counted 0 … nr - 1, and in that way known to
 * the allocators; 0 is the caller's.
 */
struct bench_harts {
	uint32_t nr; /* that run, the caller's included */
	/*
	 * fn(arg, i) on the harts 0 … nr - 1, this one too; what each did is visible to all
	 * afterwards. Returns 0 when all are done, or -EMM_EAGAIN: one did not end within the
	 * bound, and nothing may be relied upon any more.
	 */
	int (*run)(void *ctx, uint32_t nr, void (*fn)(void *arg, uint32_t hart), void *arg);
	void (*relax)(void); /* one turn of a loop that waits for another hart */
	void *ctx;
};

struct bench_options {
	uint32_t workloads; /* enum bench_workload */
	uint32_t reps; /* 0: 1 if instructions are exact or the workload is long, else 5 */
	uint64_t seed; /* not 0 */
	uint64_t steps; /* of a hart, in workloads on several; 0: theirs */
	char allocators[BENCH_MAX_NAMES]; /* names, comma-separated; empty: all */
	bool verbose; /* the long tables too */
	bool brief; /* of the records, run and end only */
};

/*
 * What bench_init() needs. Everything pointed to lives as long as the struct bench.
 * @ranges: all that @system manages, in use or not, ascending. Two may touch: then nothing is
 * expected to merge across the border (of two nodes, say).
 */
struct bench_config {
	struct bench_clock clock;
	struct bench_options options;
	const struct printer *out; /* for people; NULL: silent */
	void (*sink)(void *ctx, const char *line); /* records, one a call, without newline */
	void *sink_ctx;
	const struct phys_map *map; /* the way to the arena's pages; NULL: none is to be touched */
	struct page_allocator *system; /* the live allocator; NULL: bench_run() refuses */
	const struct bench_range *ranges;
	unsigned int nr_ranges;
	void *workspace; /* bench_workspace_bytes(), 64-byte aligned, of any content */
	uint64_t workspace_bytes;
	const struct page_allocator_ops *const *allocators; /* NULL: bench_allocators */
	const struct bench_harts *harts; /* NULL: there is one only */
};

/* Hundredths of an instruction (or of a ns) an operation; or one of these. */
#define FIGURE_NOT_RUN INT64_MIN
#define FIGURE_NA      (INT64_MIN + 1) /* the allocator lacks an operation or an order */
#define FIGURE_FAILED  (INT64_MIN + 2) /* its verification failed */

/* Blocks that can still be had while pages are live, or FIGURE_…; and as many as there could be. */
enum bench_score_order {
	SCORE_ORDER9,
	SCORE_ORDER3,
	BENCH_SCORES,
};

struct bench_score {
	int64_t had[BENCH_SCORES];
	int64_t ideal[BENCH_SCORES];
};

/* What single calls cost, net of an empty call: instructions or ns, or FIGURE_…. */
enum bench_latency_op {
	LATENCY_ALLOC,
	LATENCY_FREE,
	BENCH_LATENCY_OPS,
};

struct bench_latency {
	int64_t min, p50, p90, p99, p999, max;
};

#define BENCH_MAX_COUNTS 8 /* of harts: 1, 2, 4 … 128 */
#define BENCH_TEAM_OPS   2

/* What several harts do together, by how many they are (struct bench.counts); or FIGURE_…. */
struct bench_rates {
	int64_t kops_x100[BENCH_MAX_COUNTS]; /* thousand operations a second, all harts together */
	int64_t ratio_x100[BENCH_MAX_COUNTS]; /* of that of the least number of harts */
	bool failed; /* some allocations did, for want of memory */
};

/* One allocator's figures: net, medians. */
struct bench_figures {
	const struct page_allocator_ops *ops;
	int64_t pair[2][BENCH_MAX_ORDER + 1]; /* [1]: with one page held */
	int64_t bulk[BENCH_BULK_OPS]; /* alloc, free_ordered, alloc2, free_random */
	int64_t bulkapi[BENCH_BULK_OPS]; /* the same, BENCH_BATCH pages a call */
	int64_t churn;
	int64_t churn0;
	int64_t age, burst; /* a step: one page freed, one allocated */
	int64_t frag, latency; /* a step, as churn's */
	int64_t mobility; /* a step, as age's */
	struct bench_score age_score, burst_score, frag_score, mobility_score;
	struct bench_score freed_score; /* once all of frag was free again */
	struct bench_latency latencies[BENCH_LATENCY_OPS];
	struct bench_rates scale[BENCH_TEAM_OPS]; /* order 0, all orders */
	struct bench_rates remote[BENCH_TEAM_OPS]; /* the same */
	uint64_t meta_bytes; /* for the arena */
};

/* Counts that depend on the memory there is; those of the full arena are the spec's. */
struct bench_scale {
	uint64_t slots;
	uint64_t bulk_pages;
	uint64_t steps;
	uint64_t pairs;
	unsigned int churn_max_order;
	uint64_t live; /* pages that stay in use in age and burst */
	uint64_t age_steps;
	uint64_t burst; /* pages */
	uint64_t burst_rounds;
	uint64_t frag_slots, frag_steps;
};

/* Where an allocator is measured: the arena, or the machine's own memory. */
struct bench_place {
	const char *name; /* arena, system */
	struct shadow_map map;
	uint64_t pages; /* free when the workload starts */
	bool full; /* the whole 1 GiB: no allocation of the churn may fail */
	struct bench_scale scale;
};

/* The caller's to place, bench's to fill; read by bench_report(). */
struct bench {
	struct bench_config cfg;
	struct record_writer records;
	bool exact; /* instructions are: ins=exact */
	uint32_t reps;
	uint32_t failures; /* verifications that failed */
	uint64_t blocks_checked;
	uint64_t pages_missing; /* free pages of @system: before bench_run() less after it */

	struct bench_range arena_range;
	struct bench_place arena, live;
	struct bench_figures figures[BENCH_MAX_ALLOCATORS];
	unsigned int nr_figures;
	int64_t null_latency[BENCH_LATENCY_OPS]; /* of an empty call */
	int64_t live_churn;
	uint64_t live_churn_failed;

	/* From bench_record_phase(). */
	bool has_handover, has_ready;
	uint64_t handover_ins, ready_ins;

	/* The workspace, carved up. */
	int64_t *log;
	uint64_t log_entries;
	uint8_t *orders; /* of the log's entries, where they differ */
	int64_t *trace; /* events of long workloads, verified piece by piece */
	uint64_t trace_entries;
	struct churn_slot *slots;
	uint64_t nr_slots;
	void *state;
	uint64_t state_bytes;
	void *meta;
	uint64_t meta_bytes;
	uint64_t *shadow_words;
	uint8_t churn_orders[100];
	struct hart_work *work; /* of each hart; NULL: no workload on several */
	uint64_t hart_steps, hart_slots; /* that there is room for */

	/* Workloads on several harts. */
	bool harts_lost; /* a hart did not come back: nothing more is to be done with them */
	bool stressed;
	uint64_t stress_ops, stress_none, stress_again;

	/* Progress. */
	uint64_t units, units_done;
	uint64_t last_tb;
	unsigned int progress_items; /* on a line that is not ended yet */
	const char *progress_name; /* the last one's workload */
};

/* What the payload knows of a run; words are made printable and, if need be, cut. */
struct bench_run_info {
	uint64_t id;
	const char *board;
	const char *isa; /* what the image was built for: bench_build_isa() */
	const char *hot; /* the build of the system's allocator; NULL: there is one only */
	uint32_t harts;
	uint64_t mem_kib;
	uint64_t sbi_impl, sbi_ver; /* as SBI's base extension answers */
	const char *build; /* version of the project */
	const char *cc; /* bench_build_cc() */
	const char *opt; /* O2, … */
};

/* A phase of the boot, net of console output. */
struct bench_phase {
	const char *name; /* fdt, memblock, handover, ready, … */
	uint64_t ins, cyc, tb;
};

struct bench_cause {
	const char *key; /* a bare word */
	uint64_t pages;
};

/* A zone's pages. Causes with 0 pages are left out of the record. */
struct bench_mem {
	int node;
	const char *zone;
	uint64_t start_pfn; /* tells zones of one node and type apart */
	uint64_t present, managed, reserved, free;
	uint64_t meta_bytes;
	const struct bench_cause *causes;
	unsigned int nr_causes;
};

/* All workloads, default reps, seed 42, not verbose, all records. */
void bench_options_init(struct bench_options *opt);

/*
 * bench_option() - one boot argument: bench=all|none|<names, comma-separated>, alloc=all|<names of
 * bench_allocators, or name-setting>, seed=<number>, reps=<1…BENCH_MAX_REPS>,
 * steps=<1…BENCH_MAX_STEPS>, records=all|brief.
 * @value may be NULL (no '='): then bench means all.
 * Returns 0; -EMM_ENOENT: @name is none of these; -EMM_EINVAL: @value is bad, which was said on
 * @out together with what is known, and @opt is unchanged.
 */
int bench_option(struct bench_options *opt, const char *name, const char *value,
		 const struct printer *out);

/* Is the allocator measured? */
bool bench_is_chosen(const struct bench_options *opt, const struct page_allocator_ops *ops);

/*
 * Is it the allocator of the name word[0..n)? A name alone is all its settings and builds, but for
 * those that are measured on request; name-setting is that setting.
 */
bool bench_is_named(const struct page_allocator_ops *ops, const char *word, size_t n);

/*
 * bench_workspace_bytes() - memory that bench_run() needs with this config (its @system, @ranges
 * and @allocators are looked at, the workspace is not): 3.3 MiB, the largest metadata, and a bit
 * for each page of the ranges; 0.3 MiB instead of 3.3 if less than 16 MiB are free.
 */
uint64_t bench_workspace_bytes(const struct bench_config *cfg);

/*
 * bench_workspace_least() - the same without the metadata of allocators after the first. One whose
 * metadata does not fit is n/a; only with less than this the arena is smaller.
 */
uint64_t bench_workspace_least(const struct bench_config *cfg);

/*
 * bench_init() - takes over @cfg and checks the counters with a loop of known length, about a
 * million instructions. Returns 0, or -EMM_EINVAL: seed or tb_hz is 0, reps too many, ranges not
 * ascending; said on cfg->out.
 */
int bench_init(struct bench *b, const struct bench_config *cfg);

/* Records of the boot, each written at once. The names `handover` and `ready` go in the table. */
void bench_record_run(struct bench *b, const struct bench_run_info *info);
void bench_record_phase(struct bench *b, const struct bench_phase *phase);
void bench_record_early(struct bench *b, const char *kind, uint64_t meta_bytes);
void bench_record_mem(struct bench *b, const struct bench_mem *mem);

/*
 * bench_run() - runs the workloads: the churn on the live system, the rest in an arena that is
 * had from it and given back. Minutes of counted instructions; each failed verification is said
 * on cfg->out. Returns 0; -BENCH_EVERIFY: b->failures verifications failed; -EMM_EINVAL: no
 * system or no ranges; -EMM_ENOSPC: the workspace is missing or too small; -EMM_ENOMEM: no arena
 * of 64 pages was to be had.
 */
int bench_run(struct bench *b);

/* The table for people, 100 columns wide; the verdict against the goals. */
void bench_report(const struct bench *b);

/*
 * bench_end() - the last record. @ok: all is well as far as the caller knows; status=ok needs
 * that, no failed verification, no lost record and no lost page. @pages_lost: the audit's.
 * Returns true if the record says ok.
 */
bool bench_end(struct bench *b, bool ok, uint64_t pages_lost);

/* What this file was compiled for and with: "rv64gc_zba_zbb", "gcc-12.2.0". */
const char *bench_build_isa(void);
const char *bench_build_cc(void);

#endif
