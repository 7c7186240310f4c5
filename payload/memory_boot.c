/* SPDX-License-Identifier: BSD-2-Clause */
/* From the device tree to free pages, a step a function; every failure ends the run. */
#include <string.h>

#include <earlymm/error.h>

#include "console.h"
#include "exit.h"
#include "layout.h"
#include "mem_access.h"
#include "memory.h"

/* Where firmware lies that enters the image at RAM's start plus this. */
#define FIRMWARE_BYTES 0x200000

/*
 * Old firmware tells nobody of the memory that it runs in, right below the image. If the tree keeps
 * nothing there, all of it is kept.
 */
static void keep_firmware(struct memblock *mb)
{
	phys_addr_t image = (uintptr_t)_start, base = image - FIRMWARE_BYTES;
	const struct memblock_region *bank = memblock_search(&mb->memory, image);
	const struct memblock_region *below;

	if (!bank || image < FIRMWARE_BYTES)
		return;
	if (bank->base > base) {
		base = bank->base;
		below = memblock_search(&mb->memory, base - 1);
		if (below && (below->flags & MEMBLOCK_NOMAP))
			return;
	}
	if (base == image || memblock_overlaps_region(&mb->reserved, base, image - base))
		return;
	print("the tree keeps nothing for the firmware below the image: [%#lx-%#lx] is kept\n",
	      base, image - 1);
	if (memblock_reserve(mb, base, image - base))
		payload_fail("no room in the memory map for the firmware's range");
}

/* mem=: the first so many bytes of memory, and what is no-map everywhere. */
static void limit_memory(struct memblock *mb, uint64_t limit_bytes)
{
	phys_addr_t image = (uintptr_t)_start, all = memblock_phys_mem_size(mb), left;
	bool has_image = memblock_is_map_memory(mb, image);
	char size[3][16];

	if (!limit_bytes)
		return;
	memblock_mem_limit_remove_map(mb, limit_bytes);
	left = memblock_phys_mem_size(mb);
	if (has_image &&
	    !memblock_is_region_memory(mb, image, (uintptr_t)_image_end - (uintptr_t)_start))
		payload_fail("mem=%s leaves out the image, [%#lx-%#lx]",
			     size_text(size[0], limit_bytes), image, (uintptr_t)_image_end - 1);
	print("mem=%s: %s of %s are left\n", size_text(size[0], limit_bytes),
	      size_text(size[1], left), size_text(size[2], all));
}

/* A tree may claim more than there is, and nobody has looked yet. */
static void probe_banks(struct memory *m)
{
	struct mem_progress progress = { .tb_hz = 0 };
	const struct mem_access access = mem_access(&progress);
	struct memprobe_result result;
	int err = memblock_probe_banks(&m->mb, &access, &console, &result);

	if (err)
		payload_fail("memory cannot be probed: %s", emm_strerror(err));
	if (!m->mb.memory.cnt)
		payload_fail("none of the memory that the tree has answers");
}

void memory_read_map(struct memory *m, struct dt_info *info, void *fdt,
		     const struct boot_options *opt)
{
	const struct dt_fixed image = {
		.base = (uintptr_t)_start,
		.size = (uintptr_t)_image_end - (uintptr_t)_start,
		.cause = CAUSE_IMAGE,
		.name = "image",
	};
	int err;

	memblock_init(&m->mb, &memory_map);
	m->discarded = m->has_huge = false;
	m->mb.warn = &console;
	m->mb.movable_node = opt->movable_node;
	if (opt->memblock_debug)
		m->mb.debug = &console;
	if (opt->highmem_start)
		memblock_set_current_limit(&m->mb, opt->highmem_start);
	err = dt_to_memblock(info, fdt, (uintptr_t)fdt, &image, 1, &m->mb, &console);
	if (err)
		payload_fail("no memory map: %s", emm_strerror(err));
	m->keep_init = info->fixed_claimed != 0;
	keep_firmware(&m->mb);
	limit_memory(&m->mb, opt->mem_limit_bytes);
	probe_banks(m);
	err = dt_recheck_initrd(info, fdt, &m->mb, &console);
	if (err)
		payload_fail("the initrd cannot be checked: %s", emm_strerror(err));
	memblock_allow_resize(&m->mb);
}

void memory_test(struct memory *m, unsigned int nr_patterns, uint64_t tb_hz)
{
	struct mem_progress progress = { .tb_hz = tb_hz };
	const struct mem_access access = mem_access(&progress);
	struct memtest_result result;
	char size[16];
	int err = early_memtest(&m->mb, &access, nr_patterns, &console, &result);

	if (err)
		payload_fail("memory test: %s", emm_strerror(err));
	print("memtest: %s of free memory, %u patterns: %lu bad pages in %lu ranges\n",
	      size_text(size, result.tested_bytes), nr_patterns, result.bad_pages,
	      result.bad_ranges);
}

void memory_place_regions(struct memory *m, struct dt_info *info, const void *fdt)
{
	int err = dt_place_dynamic(info, fdt, &m->mb, m->regions, MAX_REGIONS, &console);

	if (err)
		payload_fail("regions of /reserved-memory cannot be placed: %s", emm_strerror(err));
}

void memory_list_regions(struct memory *m, struct dt_info *info, const void *fdt)
{
	/* That not all fit is said where the list is shown. */
	int err = dt_list_static(info, fdt, &m->mb, NULL);

	if (err)
		payload_fail("regions of /reserved-memory cannot be listed: %s", emm_strerror(err));
}

void memory_start_early(struct memory *m, enum early_kind kind)
{
	int err = early_init(&m->early, kind, &m->mb);

	if (err)
		payload_fail("%s cannot be set up: %s; reserve less", early_name(kind),
			     emm_strerror(err));
}

static int huge_alloc(void *ctx, phys_addr_t size, phys_addr_t align, int nid, phys_addr_t *pa)
{
	return early_alloc(ctx, size, align, 0, PHYS_ADDR_MAX, nid, CAUSE_HUGEPAGES, pa);
}

static int huge_free(void *ctx, phys_addr_t pa, phys_addr_t size)
{
	return early_free(ctx, pa, size);
}

/* What huge pages must leave free: the metadata takes a page for each 28 000. */
#define KEEP_PAGES          1024
#define KEEP_PAGES_PER_PAGE 8192

void memory_huge_early(struct memory *m, const struct hugetlb_request *request)
{
	const struct hugetlb_early early = { huge_alloc, huge_free, &m->early };
	uint64_t all = PFN_UP(memblock_phys_mem_size(&m->mb));
	int err = hugetlb_init(&m->huge, request, &m->mb, KEEP_PAGES + all / KEEP_PAGES_PER_PAGE,
			       &console);

	if (!err)
		err = hugetlb_alloc_early(&m->huge, &m->mb, &early);
	if (err)
		payload_fail("huge pages: %s", emm_strerror(err));
	m->has_huge = true;
}

void memory_huge_late(struct memory *m)
{
	int err = hugetlb_alloc_late(&m->huge, memory_hart(m), &m->mb);

	if (err)
		payload_fail("huge pages: %s", emm_strerror(err));
}
