/* SPDX-License-Identifier: BSD-2-Clause */
/* The picture of memory, cell by cell. */
#include "helper_report.h"

#include <string.h>

#define LEGEND                                                                  \
	"  .  all free      0-9 a-i  in part: the largest free block's order\n" \
	"  c  CMA area, all free      C  CMA area, some of it lent out\n"       \
	"  #  in use   I  image   M  metadata   R  reserved   x  no-map\n"

static void test_machine(void **state)
{
	struct helper_pages *f = *state;

	helper_report_machine(f);
	helper_report_start(f);
	assert_true(free_highpages(&f->pa, &f->h->mb) > 0);
	helper_report_take(f, helper_zone(f, ZONE_CMA, 0), PFN_DOWN(HELPER_REPORT_CMA + MIB(1)), 0);
	helper_report_take(f, helper_zone(f, ZONE_NORMAL, 0), DMA32_END_PFN + 0xa00, 9);
	helper_report_take(f, helper_zone(f, ZONE_NORMAL, 0), DMA32_END_PFN + 0x1400, 2);
	report_memory_map(&f->pa, &f->h->mb, &f->h->printer);
	helper_report_expect(
		f, 80,
		"a character for 128 KiB (32 pages)\n" LEGEND
		"0fc000000 IIIIIIIIIIIIIIIIMMMM............MMMM............................\n"
		"0fc800000 ................................................................\n"
		"0fd000000 ................................................................\n"
		"0fd800000 ................................................................\n"
		"0fe000000 ................................................................\n"
		"0fe800000 ................................................................\n"
		"0ff000000 ccccccccCccccccccccccccccccccccccccccccccccccccccccccccccccccccc\n"
		"0ff800000 ................................................................\n"
		"100000000 MMMM............................................................\n"
		"100800000 ................################................................\n"
		"101000000 ................................4...............................\n"
		"101800000 ................................................................\n"
		"102000000 MMMM............................................................\n"
		"102800000 ................................................................\n"
		"103000000 ................................................................\n"
		"103800000 ................................................................\n"
		"          ... hole of 3.9 GiB\n"
		"200000000 MMMM............................................................\n"
		"200800000 ................................................................\n"
		"201000000 ................................................................\n"
		"201800000 ................................................................\n"
		"202000000 ................................................................\n"
		"202800000 ................................................................\n"
		"203000000 ................................................................\n"
		"203800000 ................................................................\n");
}

/* A page a character; memory that begins and ends within a line, and holes in it. */
static void test_small(void **state)
{
	struct helper_pages *f = *state;
	struct memblock *mb = &f->h->mb;
	struct zone *z;

	helper_pages_ram(f, 0x80008000, 0x208000, 0);
	memblock_remove(mb, 0x80170000, 0x10000);
	memblock_mark_nomap(mb, 0x80140000, 0x3000);
	memblock_reserve_cause(mb, 0x80144000, 0x100, CAUSE_FDT);
	memblock_reserve_cause(mb, 0x80146fff, 0x2, CAUSE_OTHER);
	memblock_reserve_cause(mb, 0x80149000, 0x1000, CAUSE_INIT);
	helper_report_start(f);
	z = &f->pa.zones[0];
	for (uint64_t i = 0; i < 16; i += 3)
		helper_report_take(f, z, 0x80200 + i, 0);
	report_memory_map(&f->pa, mb, &f->h->printer);
	helper_report_expect(
		f, 80,
		"a character for 4 KiB (1 pages)\n" LEGEND
		"80000000         MMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMM\n"
		"80040000 MMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMM\n"
		"80080000 MMMMMMMM........................................................\n"
		"800c0000 ................................................................\n"
		"80100000 ................................................................\n"
		"80140000 xxx.R.RR.I......................................\n"
		"80180000 ................................................................\n"
		"801c0000 ................................................................\n"
		"80200000 #..#..#..#..#..#\n");
}

/* Each order has its character, and what is wholly free has none. */
static void test_orders(void **state)
{
	struct helper_pages *f = *state;
	struct zone *z;

	/* A character for 1 MiB: orders up to 8. Only metadata's memory is there to be touched. */
	helper_pages_ram(f, 0x80000000, MIB(16), 0);
	assert_int_equal(memblock_add_node(&f->h->mb, 0x80000000 + MIB(16), GIB(1) - MIB(16), 0, 0),
			 0);
	helper_report_start(f);
	z = &f->pa.zones[0];
	for (unsigned int order = 0; order < 8; order++) {
		const uint64_t cell = 0x80000 + 0x4000 + order * 256;

		for (unsigned int taken = order; taken < 8; taken++)
			helper_report_take(f, z, cell + (1ULL << taken), taken);
	}
	report_memory_map(&f->pa, &f->h->mb, &f->h->printer);
	assert_non_null(strstr(f->h->out.text, "a character for 1 MiB (256 pages)\n"));
	assert_non_null(strstr(
		f->h->out.text,
		"84000000 01234567........................................................\n"));
}

/* A terabyte and more in banks far apart; only the first 64 MiB are there to be touched. */
static void test_large(void **state)
{
	struct helper_pages *f = *state;
	const char *at;
	unsigned int lines = 0;

	helper_pages_ram(f, 0x80000000, MIB(64), 0);
	assert_int_equal(
		memblock_add_node(&f->h->mb, 0x80000000 + MIB(64), GIB(1022) - MIB(64), 0, 0), 0);
	assert_int_equal(memblock_add_node(&f->h->mb, GIB(1) << 12, GIB(130), 0, 0), 0);
	helper_pages_start(f);
	report_memory_map(&f->pa, &f->h->mb, &f->h->printer);
	assert_non_null(strstr(f->h->out.text, "a character for 1 GiB (262144 pages)\n"));
	at = strstr(f->h->out.text, "no-map\n") + 7;
	assert_int_equal(
		strncmp(at,
			"00000000000   "
			"h.............................................................\n"
			"01000000000 "
			"................................................................\n",
			154),
		0);
	assert_non_null(strstr(
		at, "            ... hole of 3 TiB\n"
		    "40000000000 ................................................................\n"
		    "41000000000 ................................................................\n"
		    "42000000000 ..\n"));
	for (; *at; at++)
		lines += *at == '\n';
	assert_int_equal(lines, 16 + 3 + 1);
	helper_report_columns(f, 80);
}

/* More banks, further apart, than there are lines: the cells become larger than the banks. */
static void test_scattered(void **state)
{
	struct helper_pages *f = *state;
	unsigned int lines = 0;

	for (unsigned int i = 0; i < 100; i++) {
		if (i)
			assert_int_equal(memblock_add(&f->h->mb, GIB(8) * (i + 1), MIB(16)), 0);
		else
			helper_pages_ram(f, GIB(8), MIB(16), 0);
	}
	helper_pages_start(f);
	report_memory_map(&f->pa, &f->h->mb, &f->h->printer);
	for (const char *at = f->h->out.text; *at; at++)
		lines += *at == '\n';
	assert_in_range(lines, 4 + 12, 4 + 24);
	helper_report_columns(f, 80);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		pages_test(test_machine), pages_test(test_small),     pages_test(test_orders),
		pages_test(test_large),   pages_test(test_scattered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
