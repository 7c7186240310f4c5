/* SPDX-License-Identifier: BSD-2-Clause */
/* What reports need from the payload: where the image's parts are, the names of regions. */
#include "reports.h"

#include <earlymm/report.h>

#include "console.h"
#include "layout.h"

static void find_image(struct report_image *image)
{
	/* In the order of enum image_section. Init memory's own bss lies behind the other. */
	const struct {
		const char *start, *end;
	} parts[NR_IMAGE_SECTIONS] = {
		[IMAGE_CODE] = { __init_end, __rodata_begin },
		[IMAGE_RODATA] = { __rodata_begin, __data_begin },
		[IMAGE_DATA] = { __data_begin, __bss_start },
		[IMAGE_BSS] = { __bss_start, _image_end },
		[IMAGE_INIT] = { __init_begin, __init_end },
	};

	for (unsigned int i = 0; i < NR_IMAGE_SECTIONS; i++) {
		image->section[i].base = (uintptr_t)parts[i].start;
		image->section[i].size = (uint64_t)(parts[i].end - parts[i].start);
	}
}

/* The list of regions is in the order of the tree. */
static bool next_region(void *ctx, phys_addr_t pa, struct report_region *region)
{
	const struct dt_info *info = ctx;
	const struct dt_region *best = NULL;

	for (uint32_t i = 0; i < info->nr_regions; i++) {
		const struct dt_region *r = &info->regions[i];

		if (!(r->flags & DT_REGION_NOMAP) && r->size && r->base + r->size > pa &&
		    (!best || r->base < best->base))
			best = r;
	}
	if (!best)
		return false;
	*region = (struct report_region){ best->base, best->size, best->name };
	return true;
}

static void print_meminfo(const struct memory *m, const struct report_image *image)
{
	mem_init_print_info(&m->pages, image, &console);
	report_meminfo(&m->pages, m->has_huge ? &m->huge : NULL, &console);
}

static void heading(const char *name)
{
	print("\nreport: %s\n", name);
}

void reports_print(const struct memory *m, const struct dt_info *info, uint32_t reports)
{
	static const struct {
		enum boot_report bit;
		const char *name;
		void (*report)(const struct page_alloc *pa, const struct printer *out);
	} of_pages[] = {
		{ REPORT_BUDDYINFO, "buddyinfo", report_buddyinfo },
		{ REPORT_ZONEINFO, "zoneinfo", report_zoneinfo },
		{ REPORT_PAGETYPEINFO, "pagetypeinfo", report_pagetypeinfo },
		{ REPORT_VMSTAT, "vmstat", report_vmstat },
	};
	const struct report_regions regions = { next_region, (void *)(uintptr_t)info };
	struct report_image image;

	find_image(&image);
	if (reports & REPORT_MEMINFO) {
		heading("meminfo");
		print_meminfo(m, &image);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(of_pages); i++) {
		if (reports & of_pages[i].bit) {
			heading(of_pages[i].name);
			of_pages[i].report(&m->pages, &console);
		}
	}
	if (m->discarded)
		return;
	if (reports & REPORT_IOMEM) {
		heading("iomem");
		report_iomem(&m->mb, &m->pages, &image, &regions, &console);
	}
	if (reports & REPORT_MAP) {
		heading("map");
		report_memory_map(&m->pages, &m->mb, &console);
	}
}
