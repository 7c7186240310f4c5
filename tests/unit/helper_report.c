/* SPDX-License-Identifier: BSD-2-Clause */
#include "helper_report.h"

#include <stdlib.h>
#include <string.h>

struct report_image helper_report_image(phys_addr_t base)
{
	return (struct report_image){
		.section = {
			[IMAGE_CODE] = { base, 1 << 20 },
			[IMAGE_RODATA] = { base + (1 << 20), 256 << 10 },
			[IMAGE_DATA] = { base + (1280 << 10), 128 << 10 },
			[IMAGE_BSS] = { base + (1408 << 10), 64 << 10 },
			[IMAGE_INIT] = { base + (1472 << 10), 576 << 10 },
		},
	};
}

/* Where nothing else is reserved. */
static phys_addr_t place(struct memblock *mb, const struct zone *z)
{
	phys_addr_t pa = PFN_PHYS(z->mm.start_pfn);

	if (z->type == ZONE_CMA)
		pa = HELPER_REPORT_LOW + MIB(4);
	while (memblock_is_reserved(mb, pa))
		pa += HELPER_REPORT_META;
	return pa;
}

void helper_report_start(struct helper_pages *f)
{
	struct memblock *mb = &f->h->mb;
	struct page_alloc *pa = &f->pa;

	assert_int_equal(page_alloc_plan(pa, mb, &f->cfg), 0);
	for (uint32_t i = 0; i < pa->nr_zones; i++) {
		struct mm *mm = &pa->zones[i].mm;
		phys_addr_t at = place(mb, &pa->zones[i]);

		assert_true(mm->meta_bytes <= HELPER_REPORT_META);
		assert_int_equal(memblock_reserve_cause(mb, at, HELPER_REPORT_META, CAUSE_METADATA),
				 0);
		assert_int_equal(mm_set_metadata(mm, mb, at), 0);
		memset(phys_to_virt(&f->s->map, at, mm->meta_bytes), 0xa5, mm->meta_bytes);
	}
	for (uint32_t i = 0; i < pa->nr_zones; i++) {
		assert_int_equal(mm_init(&pa->zones[i].mm, mb), 0);
		if (pa->zones[i].type < ZONE_HIGHMEM)
			assert_int_equal(memblock_free_all(&pa->zones[i].mm, mb), 0);
	}
	assert_int_equal(page_alloc_init(pa), 0);
}

void helper_report_take(struct helper_pages *f, struct zone *z, uint64_t pfn, unsigned int order)
{
	struct zone_hart *zh = &z->harts[0];

	(void)f;
	assert_int_equal(buddy_claim(zone_context(z, 0, MIGRATE_UNMOVABLE), pfn, order), 0);
	zh->taken[MIGRATE_UNMOVABLE][order]++;
	zh->taken_pages += 1ULL << order;
}

void helper_report_machine(struct helper_pages *f)
{
	static const struct pfn_range area = { PFN_DOWN(HELPER_REPORT_CMA),
					       PFN_DOWN(HELPER_REPORT_CMA + MIB(8)) };
	struct memblock *mb = &f->h->mb;

	helper_pages_ram(f, HELPER_REPORT_LOW, MIB(128), 0);
	helper_pages_ram(f, HELPER_REPORT_NODE1, MIB(64), 1);
	f->cfg.cma = &area;
	f->cfg.nr_cma = 1;
	f->cfg.highmem_pfn = PFN_DOWN(0x100000000 + MIB(32));
	assert_int_equal(memblock_reserve_cause(mb, HELPER_REPORT_LOW, MIB(2), CAUSE_IMAGE), 0);
	assert_int_equal(
		memblock_reserve_cause(mb, HELPER_REPORT_CMA, MIB(8), CAUSE_RESERVED_MEMORY), 0);
}

void helper_report_columns(const struct helper_pages *f, unsigned int columns)
{
	const char *at = f->h->out.text, *end;

	for (; (end = strchr(at, '\n')); at = end + 1)
		if ((size_t)(end - at) > columns)
			fail_msg("%u columns: %.*s", (unsigned int)(end - at), (int)(end - at), at);
	assert_int_equal(*at, '\0');
}

void helper_report_expect(struct helper_pages *f, unsigned int columns, const char *text)
{
	struct helper_text *out = &f->h->out;

	helper_report_columns(f, columns);
	if (strcmp(out->text, text))
		fail_msg("printed:\n%sinstead of:\n%s", out->text, text);
	out->len = 0;
	out->text[0] = '\0';
}

uint64_t helper_report_counter(const struct helper_pages *f, const char *name)
{
	const size_t len = strlen(name);
	const char *at = f->h->out.text;

	while (strncmp(at, name, len) || at[len] != ' ') {
		at = strchr(at, '\n');
		if (!at) {
			fail_msg("no line begins with %s:\n%s", name, f->h->out.text);
			return 0;
		}
		at++;
	}
	return strtoull(at + len, NULL, 10);
}
