/* SPDX-License-Identifier: BSD-2-Clause */
/* The tree of resources: nesting, names of regions, what lies outside memory. */
#include "helper_report.h"

/* Children of /reserved-memory in no order, as a tree may have them. */
static const struct report_region regions[] = {
	{ 0x84100000, 0x100000, "second@84100000" },
	{ 0x84000000, 0x100000, "first@84000000" },
	{ 0x90000000, 0x1000,
	  "b\x01"
	  "d\xff\n" },
	{ 0x88000000, 0x1000,
	  "a-name-that-is-longer-than-there-is-room-for-in-a-line-of-the-report@88000000" },
};

static bool next_region(void *ctx, phys_addr_t pa, struct report_region *region)
{
	const struct report_region *best = NULL;

	(void)ctx;
	for (unsigned int i = 0; i < ARRAY_SIZE(regions); i++)
		if (regions[i].base + regions[i].size > pa &&
		    (!best || regions[i].base < best->base))
			best = &regions[i];
	if (best)
		*region = *best;
	return best;
}

static const struct report_regions named = { .next = next_region };

static void test_machine(void **state)
{
	const struct report_image image = helper_report_image(HELPER_REPORT_LOW);
	struct helper_pages *f = *state;

	helper_report_machine(f);
	helper_report_start(f);
	report_iomem(&f->h->mb, &f->pa, &image, NULL, &f->h->printer);
	helper_report_expect(f, 80,
			     "fc000000-103ffffff : System RAM\n"
			     "  fc000000-fc1fffff : Kernel image\n"
			     "    fc000000-fc0fffff : Kernel code\n"
			     "    fc100000-fc13ffff : Kernel rodata\n"
			     "    fc140000-fc15ffff : Kernel data\n"
			     "    fc160000-fc16ffff : Kernel bss\n"
			     "    fc170000-fc1fffff : Kernel init\n"
			     "  fc200000-fc27ffff : metadata\n"
			     "  fc400000-fc47ffff : metadata\n"
			     "  ff000000-ff7fffff : reserved-memory\n"
			     "    ff000000-ff7fffff : CMA0\n"
			     "  100000000-10007ffff : metadata\n"
			     "  102000000-10207ffff : metadata\n"
			     "200000000-203ffffff : System RAM\n"
			     "  200000000-20007ffff : metadata\n");
}

/* An image of which the last part, init memory, went back. */
static void test_without_init(void **state)
{
	const struct report_image image = helper_report_image(0x80200000);
	struct helper_memblock *h = *state;

	assert_int_equal(memblock_add(&h->mb, 0x80000000, MIB(64)), 0);
	memblock_reserve_cause(&h->mb, 0x80200000, 1472 << 10, CAUSE_IMAGE);
	memblock_reserve_cause(&h->mb, 0x80400000, 0x1234, CAUSE_FDT);
	report_iomem(&h->mb, NULL, &image, NULL, &h->printer);
	assert_string_equal(h->out.text, "80000000-83ffffff : System RAM\n"
					 "  80200000-8036ffff : Kernel image\n"
					 "    80200000-802fffff : Kernel code\n"
					 "    80300000-8033ffff : Kernel rodata\n"
					 "    80340000-8035ffff : Kernel data\n"
					 "    80360000-8036ffff : Kernel bss\n"
					 "  80400000-80401233 : fdt\n");
}

/* One entry of memblock for two children and a gap; names of any bytes and lengths. */
static void test_names(void **state)
{
	struct helper_memblock *h = *state;

	assert_int_equal(memblock_add(&h->mb, 0x80000000, MIB(512)), 0);
	memblock_reserve_cause(&h->mb, 0x84000000, 0x300000, CAUSE_RESERVED_MEMORY);
	memblock_reserve_cause(&h->mb, 0x88000000, 0x1000, CAUSE_RESERVED_MEMORY);
	memblock_reserve_cause(&h->mb, 0x8ffff000, 0x3000, CAUSE_RESERVED_MEMORY);
	memblock_reserve_cause(&h->mb, 0x98000000, 0x1000, CAUSE_RESERVED_MEMORY);
	report_iomem(&h->mb, NULL, NULL, &named, &h->printer);
	assert_string_equal(
		h->out.text,
		"80000000-9fffffff : System RAM\n"
		"  84000000-840fffff : first@84000000\n"
		"  84100000-841fffff : second@84100000\n"
		"  84200000-842fffff : reserved-memory\n"
		"  88000000-88000fff : a-name-that-is-longer-than-there-is-room-for-in\n"
		"  8ffff000-8fffffff : reserved-memory\n"
		"  90000000-90000fff : b?d??\n"
		"  90001000-90001fff : reserved-memory\n"
		"  98000000-98000fff : reserved-memory\n");
}

/* no-map memory, a reservation across two banks and the gap between them, others outside memory. */
static void test_outside(void **state)
{
	struct helper_memblock *h = *state;

	assert_int_equal(memblock_add(&h->mb, 0x80000000, MIB(64)), 0);
	assert_int_equal(memblock_add(&h->mb, 0x90000000, MIB(64)), 0);
	assert_int_equal(memblock_mark_nomap(&h->mb, 0x80000000, 0x40000), 0);
	memblock_reserve_cause(&h->mb, 0x1000, 0x1000, CAUSE_MEMRESERVE);
	memblock_reserve_cause(&h->mb, 0x83fff000, 0xc002000, CAUSE_OTHER);
	memblock_reserve_cause(&h->mb, 0xa0000000, 0x1000, CAUSE_INITRD);
	report_iomem(&h->mb, NULL, NULL, &named, &h->printer);
	assert_string_equal(h->out.text, "00001000-00001fff : memreserve\n"
					 "80000000-8003ffff : Reserved\n"
					 "80040000-83ffffff : System RAM\n"
					 "  83fff000-83ffffff : other\n"
					 "84000000-8fffffff : other\n"
					 "90000000-93ffffff : System RAM\n"
					 "  90000000-90000fff : other\n"
					 "a0000000-a0000fff : initrd\n");
}

static void test_empty(void **state)
{
	struct helper_memblock *h = *state;

	report_iomem(&h->mb, NULL, NULL, NULL, &h->printer);
	assert_string_equal(h->out.text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		pages_test(test_machine),  memblock_test(test_without_init),
		memblock_test(test_names), memblock_test(test_outside),
		memblock_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
