/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The churn of the benchmark on 1 … 256 harts, each with slots of its own, on the machine of
 * machine.h: atomic operations and transfers of cache lines for each step, and what they bound.
 * The same numbers on every run. scaling test: the machine counts what it should.
 */
#include "machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loops.h"
#include "page_allocator.h"
#include "random.h"

#define SEED         42
#define LEAST_PAGES  262144 /* of the arena: 1 GiB */
#define START_PFN    ((uint64_t)1 << 26) /* a multiple of every arena */
#define WARM_ROUNDS  4 /* steps before counting: so many times the slots */
#define COUNT_ROUNDS 2
#define LEAST_STEPS  8192

struct workload {
	const char *name;
	uint64_t slots;
	uint64_t pages_per_hart;
	bool all_orders;
};

static const struct workload workloads[] = {
	{ "churn0", 4096, 4096, false },
	{ "churn", 1024, 16384, true },
};

static const struct page_allocator_ops *const allocators[] = { &bench_alloc_buddy, &bench_alloc_api,
							       &bench_alloc_list };
static const uint32_t counts_of_harts[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256 };

static struct {
	struct page_allocator pa;
	const struct workload *wl;
	uint8_t orders[CHURN_PERCENT];
	struct churn_slot *slots[MACHINE_MAX_HARTS];
	uint64_t x[MACHINE_MAX_HARTS];
	uint64_t steps;
	uint64_t failed;
} run;

static void set_orders(bool all)
{
	static const uint8_t below[] = { 70, 82, 90, 96, 98, 100 }, order[] = { 0, 1, 2, 3, 4, 9 };

	for (unsigned int i = 0, k = 0; i < CHURN_PERCENT; i++) {
		if (i == below[k])
			k++;
		run.orders[i] = all ? order[k] : 0;
	}
}

static void churn(void *arg, uint32_t hart)
{
	void *self = run.pa.self_of(&run.pa, hart);
	uint64_t x = run.x[hart];

	(void)arg;
	for (uint64_t left = run.steps; left; left--) {
		struct churn_slot *slot;

		xorshift64(&x);
		slot = &run.slots[hart][x & (run.wl->slots - 1)];
		if (slot->pfn >= 0) {
			uint64_t pfn = (uint64_t)slot->pfn;

			slot->pfn = -1;
			if (run.pa.free(self, pfn, (unsigned int)slot->order))
				run.failed++;
		} else {
			slot->order = run.orders[(x >> 32) % CHURN_PERCENT];
			slot->pfn = run.pa.alloc(self, (unsigned int)slot->order);
			run.failed += slot->pfn < 0;
		}
	}
	run.x[hart] = x;
}

/* The least power of two pages that all harts' parts fit into. */
static uint64_t arena_pages(const struct workload *wl, uint32_t nr)
{
	uint64_t pages = LEAST_PAGES;

	while (pages < nr * wl->pages_per_hart)
		pages *= 2;
	return pages;
}

static void set_up(const struct page_allocator_ops *ops, const struct workload *wl, uint32_t nr,
		   const struct machine_costs *costs)
{
	uint64_t end_pfn = START_PFN + arena_pages(wl, nr);
	uint64_t state = (ops->state_bytes + 4095) & ~4095ULL;
	uint64_t bytes = ops->meta_bytes(START_PFN, end_pfn) + nr * ops->hart_bytes;
	uint8_t *memory;
	int err;

	machine_init(state + bytes, costs);
	memory = machine_memory();
	run.wl = wl;
	run.failed = 0;
	run.pa = (struct page_allocator){ .ops = ops, .state = memory, .nr_harts = nr };
	err = ops->setup(&run.pa, START_PFN, end_pfn, memory + state, bytes);
	if (err) {
		fprintf(stderr, "%s: set-up for %u harts: %d\n", ops->name, nr, err);
		exit(1);
	}
	set_orders(wl->all_orders);
	for (uint32_t i = 0; i < nr; i++) {
		run.slots[i] = malloc(wl->slots * sizeof(*run.slots[i]));
		for (uint64_t k = 0; k < wl->slots; k++)
			run.slots[i][k] = (struct churn_slot){ .pfn = -1 };
		run.x[i] = SEED + i;
	}
}

static uint64_t count(const struct page_allocator_ops *ops, const struct workload *wl, uint32_t nr,
		      const struct machine_costs *costs, struct machine_counts *counts)
{
	set_up(ops, wl, nr, costs);
	run.steps = WARM_ROUNDS * wl->slots;
	machine_run(nr, churn, NULL);
	machine_reset();
	run.steps = COUNT_ROUNDS * wl->slots;
	if (run.steps < LEAST_STEPS)
		run.steps = LEAST_STEPS;
	machine_run(nr, churn, NULL);
	machine_count(counts);
	if (run.failed) {
		fprintf(stderr, "%s: %s on %u harts: %llu calls failed\n", ops->name, wl->name, nr,
			(unsigned long long)run.failed);
		exit(1);
	}
	for (uint32_t i = 0; i < nr; i++)
		free(run.slots[i]);
	machine_free();
	return nr * run.steps;
}

/* Which line it is: in the adapter's state, of a hart, or so far behind the harts. */
static void print_hot(const struct page_allocator_ops *ops, uint32_t nr,
		      const struct machine_counts *c)
{
	uint64_t state = (ops->state_bytes + 4095) & ~4095ULL, at = c->hot_at;

	if (at < state)
		printf(" state + %#llx", (unsigned long long)at);
	else if (nr > 1 && at - state < nr * ops->hart_bytes)
		printf(" metadata + %#llx, or hart %llu + %#llx", (unsigned long long)(at - state),
		       (unsigned long long)((at - state) / ops->hart_bytes),
		       (unsigned long long)((at - state) % ops->hart_bytes));
	else
		printf(" behind the harts + %#llx",
		       (unsigned long long)(at - state - (nr > 1 ? nr * ops->hart_bytes : 0)));
}

/* One row: what a step needs, what that bounds, and what comes of it when harts take turns. */
static void print_row(const struct page_allocator_ops *ops, uint32_t nr, uint64_t steps,
		      const struct machine_counts *c, const struct machine_costs *costs,
		      double *alone)
{
	double n = (double)steps, accesses = (double)c->accesses / n;
	double atomics = (double)c->atomics / n, transfers = (double)c->transfers / n;
	double hot = (double)c->hot_transfers / n;
	double cycles = accesses * (double)costs->access + atomics * (double)costs->atomic +
			transfers * (double)costs->transfer;
	double rate = nr / cycles, bound = hot > 0 ? 1 / (hot * (double)costs->transfer) : rate;
	double simulated = n / (double)c->cycles;

	if (nr == 1)
		*alone = simulated;
	if (bound < rate)
		rate = bound;
	printf("| %-5s | %5u | %8.2f | %7.4f | %9.4f | %9.5f | %9.2f | %9.2f | %8.2f |", ops->name,
	       nr, accesses, atomics, transfers, hot, rate / *alone, simulated / *alone,
	       1000 * simulated);
	if (getenv("SCALING_HOT") && *getenv("SCALING_HOT"))
		print_hot(ops, nr, c);
	printf("\n");
	fflush(stdout);
}

static void print_table(const struct workload *wl, const struct machine_costs *costs, uint32_t most)
{
	printf("\n%s: %llu slots a hart; each step\n\n", wl->name, (unsigned long long)wl->slots);
	printf("|       | harts | accesses | atomics | transfers | of one line | formula, × | "
	       "simulated, × |\n");
	printf("| ----- | ----: | -------: | ------: | --------: | --------: | --------: | "
	       "--------: | --------: |\n");
	for (size_t a = 0; a < ARRAY_SIZE(allocators); a++) {
		double alone = 1;

		for (size_t i = 0; i < ARRAY_SIZE(counts_of_harts); i++) {
			uint32_t nr = counts_of_harts[i];
			struct machine_counts counts;
			uint64_t steps;

			if (nr > most)
				break;
			steps = count(allocators[a], wl, nr, costs, &counts);
			print_row(allocators[a], nr, steps, &counts, costs, &alone);
		}
	}
}

/* ---- the machine itself ---- */

/* probe.c, compiled as the allocators are. */
void probe_add(uint64_t *word);
void probe_read(const uint64_t *word);
void probe_write(uint64_t *word);
void probe_lock(uint64_t *lock, uint64_t *word);

#define PROBE_STEPS 1000

static void add_work(void *arg, uint32_t hart)
{
	(void)hart;
	for (unsigned int i = 0; i < PROBE_STEPS; i++)
		probe_add(arg);
}

static void own_work(void *arg, uint32_t hart)
{
	uint64_t *words = arg;

	for (unsigned int i = 0; i < PROBE_STEPS; i++)
		probe_write(&words[hart * LINE_BYTES / sizeof(*words)]);
}

static void read_work(void *arg, uint32_t hart)
{
	(void)hart;
	for (unsigned int i = 0; i < PROBE_STEPS; i++)
		probe_read(arg);
}

static void lock_work(void *arg, uint32_t hart)
{
	uint64_t *words = arg;

	(void)hart;
	for (unsigned int i = 0; i < PROBE_STEPS; i++)
		probe_lock(&words[0], &words[LINE_BYTES / sizeof(*words)]);
}

static bool failed_test;

static void expect(const char *what, bool good, const struct machine_counts *c)
{
	static unsigned int nr;

	printf("%sok %u - %s\n", good ? "" : "not ", ++nr, what);
	if (good)
		return;
	printf("# %llu accesses, %llu atomics, %llu transfers, %llu cold, hot line %llu\n",
	       (unsigned long long)c->accesses, (unsigned long long)c->atomics,
	       (unsigned long long)c->transfers, (unsigned long long)c->cold,
	       (unsigned long long)c->hot_transfers);
	failed_test = true;
}

static struct machine_counts probe(uint32_t nr, void (*work)(void *arg, uint32_t hart),
				   const struct machine_costs *costs, uint64_t *value)
{
	struct machine_counts c;
	uint64_t *words;

	machine_init(1 << 20, costs);
	words = machine_memory();
	machine_run(nr, work, words);
	machine_count(&c);
	*value = words[LINE_BYTES / sizeof(*words)] + words[0];
	machine_free();
	return c;
}

static int test_machine(const struct machine_costs *costs)
{
	const struct machine_costs in_turns = { .access = 1000, .atomic = 0, .transfer = 0 };
	struct machine_counts c;
	uint64_t value;

	printf("1..6\n");
	c = probe(1, add_work, costs, &value);
	expect("alone: an atomic a step, no transfer",
	       c.atomics == PROBE_STEPS && !c.transfers && c.cold >= 1 && value == PROBE_STEPS, &c);
	/* A quantum is less than an access: they take turns at each. */
	c = probe(2, add_work, &in_turns, &value);
	expect("two in turns at one word: a transfer a step",
	       c.atomics == 2 * PROBE_STEPS && c.hot_transfers == 2 * PROBE_STEPS - 1 &&
		       value == 2 * PROBE_STEPS,
	       &c);
	c = probe(8, own_work, &in_turns, &value);
	expect("each its own line: none", c.atomics == 0 && c.transfers == 0, &c);
	c = probe(8, read_work, &in_turns, &value);
	expect("all read: once each but for the first", c.transfers == 7, &c);
	c = probe(4, lock_work, costs, &value);
	expect("a queued lock: nobody is lost", value == 4 * PROBE_STEPS, &c);
	expect("and harts that wait do not look all the time",
	       c.atomics >= 4 * PROBE_STEPS && c.atomics <= 8 * PROBE_STEPS &&
		       c.accesses < 100 * 4 * PROBE_STEPS,
	       &c);
	return failed_test;
}

int main(int argc, char **argv)
{
	struct machine_costs costs = { .access = 2, .atomic = 20, .transfer = 100 };
	uint32_t most = MACHINE_MAX_HARTS;

	if (argc > 1 && !strcmp(argv[1], "test"))
		return test_machine(&costs);
	if (argc > 1)
		most = (uint32_t)strtoul(argv[1], NULL, 0);
	if (argc > 4) {
		costs.access = strtoull(argv[2], NULL, 0);
		costs.atomic = strtoull(argv[3], NULL, 0);
		costs.transfer = strtoull(argv[4], NULL, 0);
	}
	printf("an access with what is around it: %llu cycles; an atomic operation: %llu more; a "
	       "transfer: %llu more\n",
	       (unsigned long long)costs.access, (unsigned long long)costs.atomic,
	       (unsigned long long)costs.transfer);
	for (size_t i = 0; i < ARRAY_SIZE(workloads); i++)
		print_table(&workloads[i], &costs, most);
	return 0;
}
