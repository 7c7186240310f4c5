/* SPDX-License-Identifier: BSD-2-Clause */
/* From the firmware's jump to the first free page: a step a call, under the names of the log. */
#include "boot.h"

#include "build_info.h"
#include "console.h"
#include "entry.h"
#include "exit.h"
#include "platform.h"
#include "sbi.h"
#include "selftest.h"

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
	memory_read_map(&b->memory, &b->tree, b->fdt, &b->options);
}

/* The tests of what has just become live; no part of any phase of the boot. */
static void selftest(struct boot *b, enum selftest_phase phase)
{
	struct memory *m = &b->memory;
	char name[MAX_SELFTEST_NAME];
	struct selftest_env env;

	if (!b->options.selftest)
		return;
	phase_begin(&b->phases, PHASE_NONE);
	env = (struct selftest_env){
		.mb = &m->mb,
		.early = phase == SELFTEST_BOOTMEM ? &m->early : NULL,
		.tb_hz = b->tree.timebase_hz,
		.has_zb = hot_has_zb(&b->tree, b->options.zb),
		.filter = name,
	};
	/* Until page_alloc_init() a zone's buddy has no other users. */
	if (phase >= SELFTEST_HANDOVER) {
		env.mm = &memory_main_zone(m)->mm;
		env.hart = env.mm->buddy.harts;
	}
	boot_selftest_name(b->tree.bootargs, name);
	if (!selftest_run(phase, &env))
		b->selftest_failed = true;
	phase_exclude(&b->phases);
}

/* From the plan to the last free page. */
static void start_pages(struct boot *b)
{
	struct memory *m = &b->memory;

	if (b->options.meta_poison) {
		phase_begin(&b->phases, PHASE_NONE);
		memory_poison(m);
		phase_exclude(&b->phases);
	}
	memory_handover(m, &b->phases, b->options.buddy);
	selftest(b, SELFTEST_HANDOVER);
	selftest(b, SELFTEST_BUDDY);

	phase_begin(&b->phases, PHASE_ZONES);
	memory_start_zones(m);
	phase_end(&b->phases);
	phase_since_entry(&b->phases, PHASE_READY);

	if (memory_has_highmem(m)) {
		phase_begin(&b->phases, PHASE_HIGHMEM);
		memory_free_high(m);
		phase_end(&b->phases);
	}
	memory_end_early(m);
}

void boot_up(struct boot *b, uint64_t hart, uint64_t fdt_pa)
{
	struct memory *m = &b->memory;

	b->hart = hart;
	b->selftest_failed = false;
	console_init();
	phase_calibrate(&b->phases);
	find_tree(b, fdt_pa);
	phase_since_entry(&b->phases, PHASE_PLATFORM);

	phase_begin(&b->phases, PHASE_FDT);
	read_tree(b);
	phase_end(&b->phases);

	phase_begin(&b->phases, PHASE_BOOTARGS);
	read_bootargs(b);
	phase_end(&b->phases);

	phase_begin(&b->phases, PHASE_MEMBLOCK);
	read_map(b);
	phase_end(&b->phases);

	if (b->options.memtest_patterns) {
		phase_begin(&b->phases, PHASE_MEMTEST);
		memory_test(m, b->options.memtest_patterns, b->tree.timebase_hz);
		phase_end(&b->phases);
	}
	if (b->tree.nr_dynamic || b->tree.nr_static) {
		phase_begin(&b->phases, PHASE_REGIONS);
		memory_place_regions(m, &b->tree, b->fdt);
		phase_end(&b->phases);
	}

	selftest(b, SELFTEST_MEMBLOCK);

	phase_begin(&b->phases, PHASE_EARLY);
	memory_start_early(m, b->options.early);
	phase_end(&b->phases);
	selftest(b, SELFTEST_BOOTMEM);

	if (b->options.has_huge) {
		phase_begin(&b->phases, PHASE_HUGE);
		memory_huge_early(m, &b->options.huge.request);
		phase_end(&b->phases);
	}

	phase_begin(&b->phases, PHASE_PLAN);
	memory_plan(m, &b->tree, b->fdt, &b->options);
	phase_end(&b->phases);
	start_pages(b);

	memory_try(m);
	if (b->options.has_huge)
		memory_huge_late(m);
	if (b->tree.nr_dynamic || b->tree.nr_static)
		memory_list_regions(m, &b->tree, b->fdt);
}
