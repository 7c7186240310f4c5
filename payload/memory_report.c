/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory map and the audit as people read them. */
#include "memory.h"

#include <stdio.h>
#include <string.h>

#include "console.h"

/* Lines of the map, unless all are asked for. */
#define MAP_LINES 14

char *size_text(char *buf, uint64_t bytes)
{
	static const char units[][4] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	unsigned int unit = 0;
	uint64_t whole = bytes, tenths = 0;

	while (whole >= 1024 && unit + 1 < ARRAY_SIZE(units)) {
		tenths = whole % 1024 * 10 / 1024;
		whole /= 1024;
		unit++;
	}
	if (tenths)
		snprintf(buf, 16, "%lu.%lu %s", whole, tenths, units[unit]);
	else
		snprintf(buf, 16, "%lu %s", whole, units[unit]);
	return buf;
}

static void print_line(const struct memblock_region *r, const char *what, const char *name)
{
	char size[16];

	print("  %016lx-%016lx %12lu %10s  %-15s %s\n", r->base, r->base + r->size - 1,
	      PFN_UP(r->base + r->size) - PFN_DOWN(r->base), size_text(size, r->size), what, name);
}

static void print_reserved(const struct memblock_region *r, const void *fdt,
			   const struct dt_info *info)
{
	enum memblock_cause cause = MEMBLOCK_CAUSE(r->flags);
	char name[40];

	if (cause != CAUSE_RESERVED_MEMORY ||
	    dt_reserved_name(fdt, info, r->base, false, name, sizeof(name)))
		name[0] = '\0';
	print_line(r, memblock_cause_name(cause), name);
}

static void print_memory(const struct memblock_region *r, const void *fdt,
			 const struct dt_info *info)
{
	char name[40] = "";

	if (r->flags & MEMBLOCK_NOMAP) {
		if (dt_reserved_name(fdt, info, r->base, true, name, sizeof(name)))
			name[0] = '\0';
		print_line(r, memblock_cause_name(CAUSE_NOMAP), name);
	} else {
		print_line(r, "memory", r->flags & MEMBLOCK_HOTPLUG ? "hotpluggable" : "");
	}
}

/* Both arrays by address: a bank, then what is reserved in it. */
void memory_print_map(const struct memory *m, const void *fdt, const struct dt_info *info,
		      bool verbose)
{
	const struct memblock_type *mem = &m->mb.memory, *rsv = &m->mb.reserved;
	unsigned long i = 0, j = 0, lines = 0;
	unsigned long most = verbose ? mem->cnt + rsv->cnt : MAP_LINES;

	print("\nmemory map (address, pages, size)\n");
	for (; i + j < mem->cnt + rsv->cnt && lines < most; lines++) {
		if (i < mem->cnt && (j == rsv->cnt || mem->regions[i].base <= rsv->regions[j].base))
			print_memory(&mem->regions[i++], fdt, info);
		else
			print_reserved(&rsv->regions[j++], fdt, info);
	}
	if (i + j < mem->cnt + rsv->cnt)
		print("  ... and %lu more banks, %lu more reservations (verbose=1 shows them)\n",
		      mem->cnt - i, rsv->cnt - j);
}

/* What regions of /reserved-memory are to be used for; the others are in the map only. */
void memory_print_regions(const struct dt_info *info)
{
	static const struct {
		uint32_t flag;
		const char *text;
	} what[] = {
		{ DT_REGION_DYNAMIC, "dynamic" },
		{ DT_REGION_NOMAP, "no-map" },
		{ DT_REGION_REUSABLE, "reusable" },
		{ DT_REGION_DMA_POOL, "shared-dma-pool" },
		{ DT_REGION_LENDABLE, "lendable" },
		{ DT_REGION_CMA, "CMA" },
		{ DT_REGION_CMA_DEFAULT, "linux,cma-default" },
		{ DT_REGION_DMA_DEFAULT, "linux,dma-default" },
	};
	char size[16];

	if (info->nr_regions)
		print("\nregions of /reserved-memory (address, size, name)\n");
	for (uint32_t i = 0; i < info->nr_regions; i++) {
		const struct dt_region *r = &info->regions[i];

		print("  %016lx-%016lx %10s  ", r->base, r->base + r->size - 1,
		      size_text(size, r->size));
		print_text(r->name, 32);
		for (unsigned int j = 0; j < ARRAY_SIZE(what); j++) {
			if (r->flags & what[j].flag)
				print(" %s", what[j].text);
		}
		print("\n");
	}
	if (info->nr_regions_dropped)
		print("  ... and %u more\n", info->nr_regions_dropped);
}

void memory_print_audit(const struct memory *m)
{
	const struct mm_audit *a = &m->audit.total;

	print("audit: %lu pages present = %lu managed + %lu reserved (", a->present, a->managed,
	      mm_audit_reserved(a));
	for (unsigned int cause = 0, n = 0; cause < NR_CAUSES; cause++)
		if (a->reserved[cause])
			print("%s%s %lu", n++ ? ", " : "", memblock_cause_name(cause),
			      a->reserved[cause]);
	print(")\n       %lu managed = %lu free + %lu held by harts + %lu used; %lu lost\n",
	      a->managed, a->free, a->held, a->used, a->lost);
}

/* More than one node? */
static bool has_nodes(const struct page_alloc *pa)
{
	for (uint32_t i = 1; i < pa->nr_zones; i++)
		if (pa->zones[i].nid != pa->zones[0].nid)
			return true;
	return false;
}

void memory_print_zones(const struct memory *m)
{
	if (m->pages.nr_zones < 2)
		return;
	print("\nzones (node, zone, address, pages present, managed, min watermark)\n");
	for (uint32_t i = 0; i < m->pages.nr_zones; i++) {
		const struct zone *z = &m->pages.zones[i];
		const struct mm_audit *a = &m->audit.zone[i];

		print("  %3d  %-7s  %016lx-%016lx %12lu %12lu %8lu\n", z->nid, zone_name(z->type),
		      PFN_PHYS(z->mm.start_pfn), PFN_PHYS(z->mm.end_pfn) - 1, a->present,
		      a->managed, z->wmark[WMARK_MIN]);
	}
	if (has_nodes(&m->pages))
		print("  the boot hart allocates from node %d first\n", memory_hart(m)->local->nid);
}
