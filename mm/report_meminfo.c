/* SPDX-License-Identifier: BSD-2-Clause */
/* Sums over the whole machine: the line of the boot log, and /proc/meminfo. */
#include <earlymm/page_owner.h>
#include "report_internal.h"

/* Pages. */
struct totals {
	uint64_t present;
	uint64_t managed; /* CMA areas and HIGHMEM included, as in the next two */
	uint64_t free; /* in the trees */
	uint64_t held; /* in harts' stacks */
	uint64_t high;
	uint64_t high_free;
	uint64_t cma;
	uint64_t cma_free;
	bool has_high;
};

static void add_zone(struct totals *t, const struct page_alloc *pa, const struct zone *z)
{
	uint64_t managed = z->mm.managed_pages, nr_free = zone_free_pages(pa, z);

	t->managed += managed;
	t->free += nr_free;
	t->held += report_zone_held(pa, z);
	/* An area's pages are also among those of the zone around it. */
	if (z->type == ZONE_CMA) {
		t->cma += managed;
		t->cma_free += nr_free;
	} else {
		t->present += z->present_pages;
	}
	if (z->within == ZONE_HIGHMEM) {
		t->has_high = true;
		t->high += managed;
		t->high_free += nr_free;
	}
}

static struct totals add_up(const struct page_alloc *pa)
{
	struct totals t = { .present = 0 };

	for (uint32_t i = 0; i < pa->nr_zones; i++)
		add_zone(&t, pa, &pa->zones[i]);
	return t;
}

void mem_init_print_info(const struct page_alloc *pa, const struct report_image *image,
			 const struct printer *out)
{
	static const struct {
		enum image_section section;
		const char *name;
	} parts[] = {
		{ IMAGE_CODE, "kernel code" }, { IMAGE_DATA, "rwdata" }, { IMAGE_RODATA, "rodata" },
		{ IMAGE_INIT, "init" },        { IMAGE_BSS, "bss" },
	};
	const struct totals t = add_up(pa);

	print_to(out, "Memory: %lluK/%lluK available (", report_kib(t.free - t.cma_free),
		 report_kib(t.present));
	for (unsigned int i = 0; i < ARRAY_SIZE(parts); i++)
		print_to(out, "%lluK %s, ",
			 (unsigned long long)image->section[parts[i].section].size >> 10,
			 parts[i].name);
	print_to(out, "%lluK reserved, %lluK cma-reserved", report_kib(t.present - t.managed),
		 report_kib(t.cma));
	if (t.has_high)
		print_to(out, ", %lluK highmem", report_kib(t.high));
	print_to(out, ")\n");
}

static void print_kib(const struct printer *out, const char *name, uint64_t nr_pages)
{
	print_to(out, "%-16s%8llu kB\n", name, report_kib(nr_pages));
}

static void print_huge(const struct hugetlb *huge, const struct printer *out)
{
	uint64_t nr_pages = 0;

	for (unsigned int i = 0; i < huge->nr_hstates; i++)
		nr_pages += huge->hstates[i].nr_huge_pages << huge->hstates[i].order;
	if (huge->default_hstate < huge->nr_hstates) {
		const struct hstate *s = &huge->hstates[huge->default_hstate];

		print_to(out,
			 "HugePages_Total: %7llu\n"
			 "HugePages_Free:  %7llu\n"
			 "HugePages_Rsvd:  %7u\n"
			 "HugePages_Surp:  %7u\n",
			 (unsigned long long)s->nr_huge_pages,
			 (unsigned long long)s->free_huge_pages, 0, 0);
		print_kib(out, "Hugepagesize:", 1ULL << s->order);
	}
	print_kib(out, "Hugetlb:", nr_pages);
}

static void print_overcommit(const struct page_alloc *pa, const struct printer *out)
{
	const bool always = pa->overcommit == OVERCOMMIT_ALWAYS;

	print_to(out, "vm.overcommit_memory = %d (%s)\n", always ? 1 : 0,
		 always ? "always: at most 128 pages, of 16 KiB or more"
			: "guess: more than 128 pages, or smaller than 16 KiB");
}

void report_meminfo(const struct page_alloc *pa, const struct hugetlb *huge,
		    const struct printer *out)
{
	const struct totals t = add_up(pa);

	print_kib(out, "MemTotal:", t.managed);
	print_kib(out, "MemFree:", t.free);
	if (t.has_high) {
		print_kib(out, "HighTotal:", t.high);
		print_kib(out, "HighFree:", t.high_free);
		print_kib(out, "LowTotal:", t.managed - t.high);
		print_kib(out, "LowFree:", t.free - t.high_free);
	}
	print_kib(out, "HartStacks:", t.held);
	if (pa->features & PAGE_ALLOC_OWNER)
		print_kib(out, "Quarantine:", page_quarantined(pa, NULL));
	print_kib(out, "CmaTotal:", t.cma);
	print_kib(out, "CmaFree:", t.cma_free);
	if (huge)
		print_huge(huge, out);
	print_overcommit(pa, out);
}
