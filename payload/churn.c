/* SPDX-License-Identifier: BSD-2-Clause */
/* What bench/ needs from the payload: memory, records of the boot, the audit before and after. */
#include "churn.h"

#include <earlymm/error.h>
#include "build_info.h"
#include "console.h"
#include "exit.h"
#include "harts.h"
#include "platform.h"
#include "ranges.h"
#include "sbi.h"

static struct bench bench __attribute__((section(".noinit")));

/* A block from the live allocator, and the ledger of what the payload holds. */
struct loan {
	uint64_t pfn;
	unsigned int order;
};

struct ledger {
	struct page_hart *hart;
	struct loan loans[2];
	unsigned int nr;
	uint64_t pages;
};

/*
 * Down to the last page: watermarks keep a zone that is one block of 1 GiB from giving it away for
 * the arena; and all of it goes back.
 */
#define WORKSPACE_GFP (GFP_HIGHUSER | __GFP_MEMALLOC)
#define ARENA_GFP     (GFP_HIGHUSER_MOVABLE | __GFP_MEMALLOC)

/* Order of the largest block that is free, and that block; -1 if there is none. */
static int largest_block(struct page_hart *hart, int64_t *pfn)
{
	for (int order = BUDDY_MAX_ORDER; order >= 0; order--) {
		*pfn = alloc_pages(hart, ARENA_GFP, (unsigned int)order);
		if (*pfn >= 0)
			return order;
	}
	return -1;
}

/*
 * Memory for the benchmark, not from the largest block: that will be the arena. If there is no other,
 * then a part of that, or NULL if @beside.
 */
static void *ledger_get(struct ledger *l, uint64_t bytes, bool beside)
{
	int64_t arena, pfn;
	unsigned int order = 0;
	int arena_order;

	while (order < BUDDY_MAX_ORDER && PFN_PHYS(1) << order < bytes)
		order++;
	if (PFN_PHYS(1) << order < bytes)
		return NULL;
	arena_order = largest_block(l->hart, &arena);
	pfn = alloc_pages(l->hart, WORKSPACE_GFP, order);
	if (arena_order >= 0 && free_pages(l->hart, (uint64_t)arena, (unsigned int)arena_order))
		payload_fail("the block at pfn %#lx cannot be freed", arena);
	if (pfn < 0 && !beside)
		pfn = alloc_pages(l->hart, WORKSPACE_GFP, order);
	if (pfn < 0)
		return NULL;
	l->loans[l->nr++] = (struct loan){ (uint64_t)pfn, order };
	l->pages += 1ULL << order;
	return (void *)(uintptr_t)PFN_PHYS(pfn);
}

/* With room for the metadata of all allocators, if that leaves the arena as large as it can be. */
static void get_workspace(struct ledger *l, struct bench_config *cfg)
{
	cfg->workspace_bytes = bench_workspace_bytes(cfg);
	cfg->workspace = ledger_get(l, cfg->workspace_bytes, true);
	if (cfg->workspace)
		return;
	cfg->workspace_bytes = bench_workspace_least(cfg);
	cfg->workspace = ledger_get(l, cfg->workspace_bytes, false);
}

static void ledger_return_all(struct ledger *l)
{
	while (l->nr) {
		struct loan *loan = &l->loans[--l->nr];

		if (free_pages(l->hart, loan->pfn, loan->order))
			payload_fail("the workspace at pfn %#lx cannot be freed", loan->pfn);
		l->pages -= 1ULL << loan->order;
	}
	page_hart_drain(l->hart);
}

/* ---- records ---- */

/* A record a zone; the causes in which memory is reserved that no zone has. */
static void record_mem(struct bench *b, int nid, const char *zone, uint64_t start_pfn,
		       uint64_t meta_bytes, const struct mm_audit *audit, uint64_t own_pages)
{
	struct bench_cause causes[NR_CAUSES];
	const struct bench_mem mem = {
		.node = nid,
		.zone = zone,
		.start_pfn = start_pfn,
		.present = audit->present,
		.managed = audit->managed,
		.reserved = mm_audit_reserved(audit),
		/* What the benchmark has taken for itself by now was free. */
		.free = audit->managed - audit->used + own_pages,
		.meta_bytes = meta_bytes,
		.causes = causes,
		.nr_causes = NR_CAUSES,
	};

	for (unsigned int cause = 0; cause < NR_CAUSES; cause++)
		causes[cause] =
			(struct bench_cause){ memblock_cause_name(cause), audit->reserved[cause] };
	bench_record_mem(b, &mem);
}

/* What the benchmark has of a zone. */
static uint64_t loans_of(const struct ledger *l, const struct page_alloc *pa, const struct zone *z)
{
	uint64_t nr_pages = 0;

	for (unsigned int i = 0; i < l->nr; i++)
		if (page_zone(pa, l->loans[i].pfn) == z)
			nr_pages += 1ULL << l->loans[i].order;
	return nr_pages;
}

static void record_zones(struct bench *b, const struct memory *m, const struct ledger *l)
{
	const struct page_alloc *pa = &m->pages;
	struct mm_audit rest = m->audit.total;

	for (uint32_t i = 0; i < pa->nr_zones; i++) {
		const struct zone *z = &pa->zones[i];
		const struct mm_audit *a = &m->audit.zone[i];

		record_mem(b, z->nid, zone_name(z->type), z->mm.start_pfn, z->mm.meta_bytes, a,
			   loans_of(l, pa, z));
		rest.present -= a->present;
		rest.managed -= a->managed;
		for (unsigned int cause = 0; cause < NR_CAUSES; cause++)
			rest.reserved[cause] -= a->reserved[cause];
	}
	rest.used = 0;
	if (rest.present)
		record_mem(b, 0, "none", 0, 0, &rest, 0);
}

static void record_boot(struct bench *b, const struct memory *m, const struct phase_log *phases,
			const char *hot, const struct ledger *ledger)
{
	struct bench_run_info run = {
		.board = platform_name(),
		.isa = bench_build_isa(),
		.hot = hot,
		.harts = harts_nr(),
		.mem_kib = m->audit.total.present * (PAGE_SIZE / 1024),
		.build = build_version,
		.cc = bench_build_cc(),
		.opt = build_opt,
	};
	struct sbi_info sbi;

	sbi_get_info(&sbi);
	run.sbi_impl = sbi.impl_id;
	run.sbi_ver = sbi.impl_version;
	bench_record_run(b, &run);
	for (unsigned int i = 0; i < phases->nr; i++) {
		const struct phase *p = &phases->phases[i];

		bench_record_phase(b, &(struct bench_phase){ p->name, p->net.ins, p->net.cyc,
							     p->net.tb });
	}
	bench_record_early(b, m->early_name, m->early_bytes);
	record_zones(b, m, ledger);
}

static int run_on_harts(void *ctx, uint32_t nr, void (*fn)(void *arg, uint32_t hart), void *arg)
{
	(void)ctx;
	return harts_run(nr, fn, arg);
}

bool churn_run(struct memory *m, const struct dt_info *info, const struct phase_log *phases,
	       const struct boot_options *opt, const struct hot *hot)
{
	struct ledger ledger = { .hart = memory_hart(m) };
	const struct bench_harts harts = {
		.nr = harts_nr(),
		.run = run_on_harts,
		.relax = harts_relax,
	};
	struct page_allocator system;
	struct bench_config cfg = {
		.harts = &harts,
		.map = &memory_map,
		.clock = { .tb_hz = info->timebase_hz ? info->timebase_hz : 1 },
		.options = opt->bench,
		.out = &console,
		.sink = console_line,
		.system = &system,
		.allocators = hot->allocators,
		.nr_ranges = managed_ranges(m, NULL),
	};
	struct bench_range *ranges;
	bool ok;
	int err;

	hot_allocator(hot, &system, ledger.hart);
	ranges = ledger_get(&ledger, (cfg.nr_ranges + MAX_DISCARDED_RANGES) * sizeof(*ranges),
			    false);
	if (!ranges)
		payload_fail("no room for the list of %u free ranges", cfg.nr_ranges);
	managed_ranges(m, ranges);
	if (opt->memblock_discard)
		cfg.nr_ranges = memory_discard(m, ranges, cfg.nr_ranges, ledger.pages);
	cfg.ranges = ranges;
	if (opt->bench.workloads)
		get_workspace(&ledger, &cfg);
	err = bench_init(&bench, &cfg);
	if (err)
		payload_fail("benchmark: %s", emm_strerror(err));
	memory_audit(m, ledger.pages);
	record_boot(&bench, m, phases, hot->name, &ledger);
	err = opt->bench.workloads ? bench_run(&bench) : 0;
	if (err)
		print("benchmark: failed: %s\n",
		      err == -BENCH_EVERIFY ? "not verified" : emm_strerror(err));

	ok = memory_audit(m, ledger.pages);
	if (!ok) {
		print("the audit does not balance after the benchmark:\n");
		memory_print_audit(m);
	}
	ledger_return_all(&ledger);
	if (!memory_audit(m, 0) ||
	    m->audit.total.free + memory_huge_pages(m) != m->audit.total.managed) {
		print("the audit does not balance at the end:\n");
		memory_print_audit(m);
		ok = false;
	}
	if (opt->bench.workloads)
		bench_report(&bench);
	return bench_end(&bench, ok && !err && !harts_have_failed(), m->audit.total.lost);
}
