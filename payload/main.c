/* SPDX-License-Identifier: BSD-2-Clause */
/* The payload's run: boot, give back what only the boot needed, report, measure. */
#include "boot.h"
#include "churn.h"
#include "clock.h"
#include "console.h"
#include "exit.h"
#include "harts.h"
#include "init.h"
#include "reports.h"

/* Goals for the whole boot and for all but the tree's scan, in instructions. */
#define READY_GOAL        250000
#define READY_GOAL_NO_FDT 20000

/* What is large in it is written before it is read. */
static struct boot boot __attribute__((section(".noinit")));

_Noreturn void main(uint64_t hart, uint64_t fdt_pa);

/* Without a timebase-frequency ticks stay ticks. */
static uint64_t ticks_to_us(const struct boot *b, uint64_t ticks)
{
	uint64_t hz = b->tree.timebase_hz;

	return hz ? ticks / hz * 1000000 + ticks % hz * 1000000 / hz : ticks;
}

/* What a phase took: instructions where they are exact, else microseconds. */
static uint64_t cost(const struct boot *b, const struct phase *p, bool exact)
{
	return exact ? p->net.ins : ticks_to_us(b, p->net.tb);
}

static void print_phases(const struct boot *b)
{
	const struct phase_log *log = &b->phases;
	const struct bench_clock clock = { .tb_hz = b->tree.timebase_hz };
	const bool exact = clock_is_exact(&clock);
	const char *unit = exact ? "instructions" : "microseconds";
	const uint64_t ready = phase_find(log, PHASE_READY)->net.ins;
	const uint64_t scan = phase_find(log, PHASE_FDT)->net.ins;
	char size[16];

	print("\nboot phase   ");
	for (unsigned int i = 0; i < log->nr; i++)
		print(" %9s", log->phases[i].name);
	print("\n%s ", unit);
	for (unsigned int i = 0; i < log->nr; i++)
		print(" %9lu", cost(b, &log->phases[i], exact));
	print("\n");
	if (exact)
		print("  the first page can be had after %lu (goal %u), of them %lu outside the "
		      "tree's scan (goal %u)\n",
		      ready, READY_GOAL, ready - scan, READY_GOAL_NO_FDT);
	print("early allocator: %s; set-up %lu, handover %lu %s; %s of its own\n",
	      b->memory.early_name, cost(b, phase_find(log, PHASE_EARLY), exact),
	      cost(b, phase_find(log, PHASE_HANDOVER), exact), unit,
	      size_text(size, b->memory.early_bytes));
}

/* The last function that may call what boot_up() is part of. */
__ref _Noreturn void main(uint64_t hart, uint64_t fdt_pa)
{
	struct boot *b = &boot;
	struct memory *m = &b->memory;
	bool harts_ok, balanced, ok;

	boot_up(b, hart, fdt_pa);
	memory_free_init(m);
	harts_start(&m->pages, b->options.verbose);
	harts_ok = harts_check(&m->pages, b->options.verbose);
	balanced = memory_audit(m, 0);

	memory_print_map(m, b->fdt, &b->tree, b->options.verbose);
	if (b->options.verbose)
		memory_print_regions(&b->tree);
	memory_print_zones(m);
	if (m->has_huge) {
		print("\n");
		hugetlb_report(&m->huge, &console);
	}
	print_phases(b);
	hot_choose(&b->hot, &b->tree, b->options.zb);
	memory_print_audit(m);
	if (!balanced)
		payload_fail("the books do not balance");
	print("       %lu pages of init memory went back after the boot\n", m->init_pages);
	if (!harts_ok)
		payload_fail("not every hart gets on with the page allocator");
	if (b->selftest_failed)
		payload_fail("self-tests have failed");
	reports_print(m, &b->tree, b->options.reports);
	ok = churn_run(m, &b->tree, &b->phases, &b->options, &b->hot);
	/* And what has become of it. */
	if (b->options.bench.workloads)
		reports_print(m, &b->tree, b->options.reports);
	payload_exit(ok ? EXIT_OK : EXIT_FAILED);
}
