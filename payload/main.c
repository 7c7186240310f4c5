/* SPDX-License-Identifier: BSD-2-Clause */
/* The boot, from the firmware's jump to the exit: a step a call, under the names of the log. */
#include <string.h>

#include "bootargs.h"
#include "build_info.h"
#include "churn.h"
#include "clock.h"
#include "console.h"
#include "dt.h"
#include "entry.h"
#include "exit.h"
#include "memory.h"
#include "phase.h"
#include "platform.h"
#include "sbi.h"
#include "selftest.h"

/* Goals for the whole boot and for all but the tree's scan, in instructions. */
#define READY_GOAL        250000
#define READY_GOAL_NO_FDT 20000

static struct boot {
	uint64_t hart;
	void *first_fdt; /* where the firmware put it */
	void *fdt;
	struct dt_info tree;
	struct boot_options options;
	struct phase_log phases;
	bool selftest_failed;
} boot;

static struct memory memory __attribute__((section(".noinit")));

int main(uint64_t hart, uint64_t fdt_pa);

static void banner(const struct boot *b)
{
	struct sbi_info sbi;
	char size[16];

	sbi_get_info(&sbi);
	print("\nearlymm %s on ", build_version);
	print_text(b->tree.model, 40);
	print(" (%s), hart %lu of %u\n", platform_name(), b->hart, b->tree.nr_harts);
	print_text(b->tree.isa, 90);
	print("\n%s %lu.%lu, SBI %u.%u; device tree of %s at %p\n", sbi_impl_name(sbi.impl_id),
	      sbi.impl_version >> 16, sbi.impl_version & 0xffff, sbi.spec_major, sbi.spec_minor,
	      size_text(size, b->tree.totalsize), b->first_fdt);
}

/* The tree's header is fine; its first place is memory like any other from now on. */
static void find_tree(struct boot *b, uint64_t fdt_pa)
{
	b->first_fdt = entry_tree(fdt_pa);
	if (dt_check(b->first_fdt, &console))
		payload_fail("the device tree at %p is damaged", b->first_fdt);
	b->fdt = tree_copy(b->first_fdt);
	platform_init(b->fdt);
}

static void read_tree(struct boot *b)
{
	if (dt_walk(&b->tree, b->fdt, b->hart, &console))
		payload_fail("the device tree at %p is damaged", b->first_fdt);
	platform_identify(b->tree.compatible);
	banner(b);
	if (!b->tree.timebase_hz)
		print("the tree has no timebase-frequency: times are in ticks\n");
}

static void read_bootargs(struct boot *b)
{
	boot_options_init(&b->options);
	if (b->tree.bootargs[0]) {
		print("bootargs: ");
		print_text(b->tree.bootargs, 88);
		print("\n");
	}
	if (boot_options_parse(&b->options, b->tree.bootargs, &console))
		payload_fail("bad boot arguments");
}

static void read_map(struct boot *b)
{
	/* What is cleared in the copy must not be left where the firmware put it. */
	for (unsigned int i = 0; b->fdt != b->first_fdt && i < ARRAY_SIZE(b->tree.seeds); i++)
		tree_wipe(b->first_fdt, b->tree.seeds[i].offset, b->tree.seeds[i].len);
	memory_read_map(&memory, &b->tree, b->fdt, b->options.memblock_debug);
}

/* Without a timebase-frequency ticks stay ticks. */
static uint64_t ticks_to_us(const struct boot *b, uint64_t ticks)
{
	uint64_t hz = b->tree.timebase_hz;

	return hz ? ticks / hz * 1000000 + ticks % hz * 1000000 / hz : ticks;
}

/* Instructions where they are exact, else microseconds. */
static void print_phases(const struct boot *b)
{
	const struct phase_log *log = &b->phases;
	const struct bench_clock clock = { .tb_hz = b->tree.timebase_hz };
	bool exact = clock_is_exact(&clock);
	uint64_t scan = 0, ready = 0;

	print("\nboot phase   ");
	for (unsigned int i = 0; i < log->nr; i++)
		print(" %10s", log->phases[i].name);
	print("\n%s ", exact ? "instructions" : "microseconds");
	for (unsigned int i = 0; i < log->nr; i++) {
		const struct phase *p = &log->phases[i];

		print(" %10lu", exact ? p->net.ins : ticks_to_us(b, p->net.tb));
		if (!strcmp(p->name, "fdt"))
			scan = p->net.ins;
		ready = p->net.ins;
	}
	print("\n");
	if (exact)
		print("  the first page can be had after %lu (goal %u), of them %lu outside the "
		      "tree's"
		      " scan (goal %u)\n",
		      ready, READY_GOAL, ready - scan, READY_GOAL_NO_FDT);
}

/* The tests of what has just become live; no part of any phase of the boot. */
static void selftest(struct boot *b, enum selftest_phase phase)
{
	const bool has_buddy = phase >= SELFTEST_HANDOVER;
	char name[MAX_SELFTEST_NAME];
	const struct selftest_env env = {
		.mb = &memory.mb,
		.mm = has_buddy ? &memory.mm : NULL,
		.hart = has_buddy ? memory.mm.buddy.harts : NULL,
		.tb_hz = b->tree.timebase_hz,
		.filter = name,
	};

	phase_begin(&b->phases, NULL);
	boot_selftest_name(b->tree.bootargs, name);
	if (!selftest_run(phase, &env))
		b->selftest_failed = true;
	phase_exclude(&b->phases);
}

int main(uint64_t hart, uint64_t fdt_pa)
{
	struct boot *b = &boot;

	b->hart = hart;
	console_init();
	phase_calibrate(&b->phases);
	find_tree(b, fdt_pa);
	phase_since_entry(&b->phases, "platform");

	phase_begin(&b->phases, "fdt");
	read_tree(b);
	phase_end(&b->phases);

	phase_begin(&b->phases, "bootargs");
	read_bootargs(b);
	phase_end(&b->phases);

	phase_begin(&b->phases, "memblock");
	read_map(b);
	phase_end(&b->phases);
	if (b->options.selftest) {
		selftest(b, SELFTEST_MEMBLOCK);
		selftest(b, SELFTEST_BOOTMEM);
	}

	phase_begin(&b->phases, "plan");
	memory_plan(&memory);
	phase_end(&b->phases);

	if (b->options.meta_poison) {
		phase_begin(&b->phases, NULL);
		memory_poison(&memory);
		phase_exclude(&b->phases);
	}

	memory_handover(&memory, &b->phases);
	phase_since_entry(&b->phases, "ready");

	if (b->options.selftest)
		selftest(b, SELFTEST_HANDOVER);
	memory_try(&memory);
	if (b->options.selftest)
		selftest(b, SELFTEST_BUDDY);
	memory_print_map(&memory, b->fdt, &b->tree, b->options.verbose);
	print_phases(b);
	if (!memory_audit(&memory, 0)) {
		memory_print_audit(&memory);
		payload_fail("the books do not balance");
	}
	memory_print_audit(&memory);
	if (b->selftest_failed)
		payload_fail("self-tests have failed");
	return churn_run(&memory, &b->tree, &b->phases, &b->options.bench) ? EXIT_OK : EXIT_FAILED;
}
