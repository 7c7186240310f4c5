/* SPDX-License-Identifier: BSD-2-Clause */
#include "helper_bootmem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void *ram_to_virt(void *ctx, phys_addr_t pa, uint64_t bytes)
{
	struct helper_ram *ram = ctx;

	if (ram->refuse && !--ram->refuse)
		return NULL;
	if (ram->unreachable || pa < ram->base || bytes > ram->size ||
	    pa - ram->base > ram->size - bytes)
		return NULL;
	for (uint64_t i = PFN_DOWN(pa - ram->base); i < PFN_UP(pa + bytes - ram->base); i++) {
		unsigned char *page = ram->at + PAGES(i);

		if (ram->exists[i])
			continue;
		assert_int_equal(mprotect(page, PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
		memset(page, ARENA_FILL, PAGE_SIZE);
		ram->exists[i] = 1;
	}
	return ram->at + (pa - ram->base);
}

void helper_ram_init(struct helper_ram *ram, phys_addr_t base, uint64_t size)
{
	*ram = (struct helper_ram){ .base = base, .size = size };
	ram->map = (struct phys_map){ .phys_to_virt = ram_to_virt, .ctx = ram };
	ram->at = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_ptr_not_equal(ram->at, MAP_FAILED);
	ram->exists = calloc(size >> PAGE_SHIFT, 1);
	assert_non_null(ram->exists);
}

void helper_ram_free(struct helper_ram *ram)
{
	munmap(ram->at, ram->size);
	free(ram->exists);
}

unsigned char *helper_ram_at(struct helper_ram *ram, phys_addr_t pa)
{
	assert_in_range(pa, ram->base, ram->base + ram->size - 1);
	assert_true(ram->exists[PFN_DOWN(pa - ram->base)]);
	return ram->at + (pa - ram->base);
}

bool helper_ram_is(struct helper_ram *ram, phys_addr_t pa, uint64_t bytes, unsigned char value)
{
	for (uint64_t i = 0; i < bytes; i++) {
		if (*helper_ram_at(ram, pa + i) != value)
			return false;
	}
	return true;
}

static void keep_text(void *ctx, const char *fmt, va_list ap)
{
	struct helper_text *out = ctx;
	int n = vsnprintf(out->text + out->len, sizeof(out->text) - out->len, fmt, ap);

	assert_true(n >= 0 && (size_t)n < sizeof(out->text) - out->len);
	out->len += (size_t)n;
}

int helper_bootmem_setup(void **state)
{
	struct helper_bootmem *h = malloc(sizeof(*h));

	assert_non_null(h);
	/* Neither a struct nor an array needs to be zero. */
	memset(h, ARENA_FILL, sizeof(*h));
	helper_ram_init(&h->ram, 0, PAGES(BOOT_RAM_PAGES));
	h->out.len = 0;
	h->out.text[0] = '\0';
	h->printer = (struct printer){ .vprint = keep_text, .ctx = &h->out };
	memblock_init(&h->mb, &h->ram.map);
	memblock_allow_resize(&h->mb);
	bootmem_init(&h->bm, &h->ram.map, h->bdata, BOOT_NODES);
	h->bm.printer = &h->printer;
	*state = h;
	return 0;
}

int helper_bootmem_teardown(void **state)
{
	struct helper_bootmem *h = *state;

	helper_ram_free(&h->ram);
	free(h);
	return 0;
}

bool helper_is_reserved(const struct bootmem *bm, uint64_t pfn)
{
	for (uint32_t i = 0; i < bm->nr_nodes; i++) {
		const struct bootmem_data *bdata = &bm->bdata[i];
		uint64_t bit = pfn - PFN_DOWN(bdata->node_boot_start);

		if (pfn >= PFN_DOWN(bdata->node_boot_start) && pfn < bdata->node_low_pfn)
			return bdata->node_bootmem_map[bit / 64] >> bit % 64 & 1;
	}
	return true;
}

void helper_expect_bits(const struct bootmem *bm, uint64_t start_pfn, const char *want,
			const char *file, int line)
{
	char is[200] = "";
	size_t n = strlen(want);

	assert_true(n < sizeof(is));
	for (size_t i = 0; i < n; i++)
		is[i] = helper_is_reserved(bm, start_pfn + i) ? 'R' : '.';
	if (!strcmp(is, want))
		return;
	print_error("frames from 0x%llx are %s, expected %s\n", (unsigned long long)start_pfn, is,
		    want);
	_fail(file, line);
}

/* Free, as a page: one entry of memory that may be had holds all of it, and no reservation any. */
static bool page_is_free(const struct memblock *mb, uint64_t pfn)
{
	const struct memblock_region *r = memblock_search(&mb->memory, PFN_PHYS(pfn));

	return pfn && r && !(r->flags & MEMBLOCK_NOT_FREE) &&
	       r->base + r->size >= PFN_PHYS(pfn + 1) &&
	       !memblock_is_region_reserved(mb, PFN_PHYS(pfn), PAGE_SIZE);
}

void helper_check_follows(const struct bootmem *bm, const struct memblock *mb)
{
	for (uint32_t i = 0; i < bm->nr_nodes; i++) {
		const struct bootmem_data *bdata = &bm->bdata[i];
		uint64_t pfn = PFN_DOWN(bdata->node_boot_start);

		for (; pfn < bdata->node_low_pfn; pfn++) {
			if (helper_is_reserved(bm, pfn) == page_is_free(mb, pfn))
				fail_msg("frame 0x%llx: the bit does not follow memblock",
					 (unsigned long long)pfn);
		}
	}
}

void helper_ready(struct mm *mm, struct memblock *mb, uint64_t start_pfn, uint64_t end_pfn,
		  phys_addr_t meta_pa)
{
	assert_int_equal(mm_plan(mm, mb, start_pfn, end_pfn, 1), 0);
	assert_int_equal(mm_set_metadata(mm, mb, meta_pa), 0);
	assert_int_equal(mm_init(mm, mb), 0);
}

uint64_t helper_random(struct helper_random *rng)
{
	rng->state ^= rng->state << 13;
	rng->state ^= rng->state >> 7;
	rng->state ^= rng->state << 17;
	return rng->state;
}

uint64_t helper_below(struct helper_random *rng, uint64_t n)
{
	return (helper_random(rng) >> 11) % n;
}
