/* SPDX-License-Identifier: BSD-2-Clause */
/* Reports of a machine with five zones and a CMA area on two nodes: their whole text. */
#include "helper_report.h"
#include "report_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void prepare(struct helper_pages *f)
{
	const uint64_t normal = DMA32_END_PFN;

	helper_report_machine(f);
	helper_report_start(f);
	assert_int_equal(free_highpages(&f->pa, &f->h->mb), 16384 + 8192 - 256);
	helper_report_take(f, helper_zone(f, ZONE_CMA, 0), PFN_DOWN(HELPER_REPORT_CMA + MIB(1)), 0);
	helper_report_take(f, helper_zone(f, ZONE_NORMAL, 0), normal + 0x1000, 9);
	helper_report_take(f, helper_zone(f, ZONE_NORMAL, 0), normal + 0x1400, 12 - 6);
}

static void test_mem_init(void **state)
{
	const struct report_image image = helper_report_image(HELPER_REPORT_LOW);
	struct helper_pages *f = *state;

	prepare(f);
	mem_init_print_info(&f->pa, &image, &f->h->printer);
	helper_report_expect(
		f, 160,
		"Memory: 181504K/196608K available (1024K kernel code, 128K rwdata, 256K rodata, "
		"576K init, 64K bss, 4608K reserved, 8192K cma-reserved, 97280K highmem)\n");
}

static void test_meminfo(void **state)
{
	struct helper_pages *f = *state;

	prepare(f);
	report_meminfo(&f->pa, NULL, &f->h->printer);
	helper_report_expect(
		f, 80,
		"MemTotal:         192000 kB\n"
		"MemFree:          189692 kB\n"
		"HighTotal:         97280 kB\n"
		"HighFree:          97280 kB\n"
		"LowTotal:          94720 kB\n"
		"LowFree:           92412 kB\n"
		"HartStacks:            0 kB\n"
		"CmaTotal:           8192 kB\n"
		"CmaFree:            8188 kB\n"
		"vm.overcommit_memory = 0 (guess: more than 128 pages, or smaller than 16 KiB)\n");
}

static void test_buddyinfo(void **state)
{
	struct helper_pages *f = *state;

	prepare(f);
	report_buddyinfo(&f->pa, &f->h->printer);
	helper_report_expect(f, 132,
			     "Node 0, zone    DMA32      0      0      0      0      0      0      "
			     "0      2      2      1      0   2   2   0\n"
			     "Node 0, zone   Normal      0      0      0      0      0      0      "
			     "1      2      2      3      1   2   0   0\n"
			     "Node 0, zone  HighMem      0      0      0      0      0      0      "
			     "0      1      1      1      1   1   1   0\n"
			     "Node 0, zone     CMA0      1      1      1      1      1      1      "
			     "1      1      1      1      1   0   0   0\n"
			     "Node 1, zone  HighMem      0      0      0      0      0      0      "
			     "0      1      1      1      1   1   1   1\n");
}

static void test_pagetypeinfo(void **state)
{
	struct helper_pages *f = *state;

	prepare(f);
	report_pagetypeinfo(&f->pa, &f->h->printer);
	helper_report_expect(f, 132,
			     "Page block order: 9\n"
			     "Pages per block:  512\n"
			     "\n"
			     "Free pages count per migrate type at order       0      1      2     "
			     " 3      4      5      6      7      8      9     10  11  12  13\n"
			     "Node    0, zone    DMA32, type    Unmovable      0      0      0     "
			     " 0      0      0      0      2      2      1      0   2   2   0\n"
			     "Node    0, zone    DMA32, type      Movable      0      0      0     "
			     " 0      0      0      0      0      0      0      0   0   0   0\n"
			     "Node    0, zone   Normal, type    Unmovable      0      0      0     "
			     " 0      0      0      1      2      2      3      1   2   0   0\n"
			     "Node    0, zone   Normal, type      Movable      0      0      0     "
			     " 0      0      0      0      0      0      0      0   0   0   0\n"
			     "Node    0, zone  HighMem, type    Unmovable      0      0      0     "
			     " 0      0      0      0      1      1      1      1   1   1   0\n"
			     "Node    0, zone  HighMem, type      Movable      0      0      0     "
			     " 0      0      0      0      0      0      0      0   0   0   0\n"
			     "Node    0, zone     CMA0, type          CMA      1      1      1     "
			     " 1      1      1      1      1      1      1      1   0   0   0\n"
			     "Node    1, zone  HighMem, type    Unmovable      0      0      0     "
			     " 0      0      0      0      1      1      1      1   1   1   1\n"
			     "Node    1, zone  HighMem, type      Movable      0      0      0     "
			     " 0      0      0      0      0      0      0      0   0   0   0\n"
			     "\n"
			     "Number of blocks type     Unmovable      Movable          CMA\n"
			     "Node 0, zone    DMA32            28            0            0\n"
			     "Node 0, zone   Normal            16            0            0\n"
			     "Node 0, zone  HighMem            16            0            0\n"
			     "Node 0, zone     CMA0             0            0            4\n"
			     "Node 1, zone  HighMem            32            0            0\n");
}

/* What metadata takes is not looked at. */
#define ZONEINFO                                       \
	"Node 0, zone    DMA32\n"                      \
	"  pages free     13568\n"                     \
	"        min      184\n"                       \
	"        low      230\n"                       \
	"        high     276\n"                       \
	"        spanned  16384\n"                     \
	"        present  16384\n"                     \
	"        managed  13568\n"                     \
	"        cma      2048\n"                      \
	"        protection: (0, 31, 63)\n"            \
	"      nr_free_pages 13568\n"                  \
	"  pagesets\n"                                 \
	"  start_pfn:           1032192\n"             \
	"  earlymm\n"                                  \
	"        trees    2\n"                         \
	"        metadata %llu bytes at 0xfc200000\n"  \
	"Node 0, zone   Normal\n"                      \
	"  pages free     7488\n"                      \
	"        min      109\n"                       \
	"        low      136\n"                       \
	"        high     163\n"                       \
	"        spanned  8192\n"                      \
	"        present  8192\n"                      \
	"        managed  8064\n"                      \
	"        cma      0\n"                         \
	"        protection: (0, 0, 31)\n"             \
	"      nr_free_pages 7488\n"                   \
	"  pagesets\n"                                 \
	"  start_pfn:           1048576\n"             \
	"  earlymm\n"                                  \
	"        trees    1\n"                         \
	"        metadata %llu bytes at 0x100000000\n" \
	"Node 0, zone  HighMem\n"                      \
	"  pages free     8064\n"                      \
	"        min      32\n"                        \
	"        low      40\n"                        \
	"        high     48\n"                        \
	"        spanned  8192\n"                      \
	"        present  8192\n"                      \
	"        managed  8064\n"                      \
	"        cma      0\n"                         \
	"        protection: (0, 0, 0)\n"              \
	"      nr_free_pages 8064\n"                   \
	"  pagesets\n"                                 \
	"  start_pfn:           1056768\n"             \
	"  earlymm\n"                                  \
	"        trees    1\n"                         \
	"        metadata %llu bytes at 0x102000000\n" \
	"Node 0, zone     CMA0\n"                      \
	"  pages free     2047\n"                      \
	"        min      0\n"                         \
	"        low      0\n"                         \
	"        high     0\n"                         \
	"        spanned  2048\n"                      \
	"        present  2048\n"                      \
	"        managed  2048\n"                      \
	"        cma      2048\n"                      \
	"        protection: (0, 0, 0)\n"              \
	"      nr_free_pages 2047\n"                   \
	"      nr_free_cma  2047\n"                    \
	"  pagesets\n"                                 \
	"  start_pfn:           1044480\n"             \
	"  earlymm\n"                                  \
	"        trees    1\n"                         \
	"        metadata %llu bytes at 0xfc400000\n"  \
	"Node 1, zone  HighMem\n"                      \
	"  pages free     16256\n"                     \
	"        min      32\n"                        \
	"        low      42\n"                        \
	"        high     52\n"                        \
	"        spanned  16384\n"                     \
	"        present  16384\n"                     \
	"        managed  16256\n"                     \
	"        cma      0\n"                         \
	"        protection: (0, 0, 0)\n"              \
	"      nr_free_pages 16256\n"                  \
	"  pagesets\n"                                 \
	"  start_pfn:           2097152\n"             \
	"  earlymm\n"                                  \
	"        trees    1\n"                         \
	"        metadata %llu bytes at 0x200000000\n"

static void test_zoneinfo(void **state)
{
	struct helper_pages *f = *state;
	unsigned long long bytes[5];
	char want[4096];

	prepare(f);
	report_zoneinfo(&f->pa, &f->h->printer);
	/* CMA areas are the last zones, and printed with their node. */
	for (unsigned int i = 0; i < 5; i++)
		bytes[i] = f->pa.zones[i].mm.meta_bytes;
	snprintf(want, sizeof(want), ZONEINFO, bytes[0], bytes[1], bytes[2], bytes[4], bytes[3]);
	helper_report_expect(f, 80, want);
}

static const char VMSTAT[] =
	"nr_free_pages 47423\n"
	"nr_free_cma 2047\n"
	"nr_hart_stacks 0\n"
	"pgalloc_dma32 0\n"
	"pgalloc_normal 576\n"
	"pgalloc_high 0\n"
	"pgalloc_cma 1\n"
	"pgfree 0\n"
	"pgalloc_fallback 0\n"
	"pgalloc_fail 0\n"
	"contig_alloc_success 0\n"
	"contig_alloc_fail 0\n"
	"cma_alloc_success 0\n"
	"cma_alloc_fail 0\n"
	"numa_hit 3\n"
	"numa_miss 0\n"
	"numa_foreign 0\n"
	"numa_local 3\n"
	"numa_other 0\n"
	"pgalloc_refused 0\n"
	"page_misuse 0\n"
	"page_damaged 0\n"
	"buddy_refill 0\n"
	"buddy_split 0\n"
	"buddy_merge 0\n"
	"buddy_stale_hint 0\n"
	"buddy_drain 0\n"
	"buddy_double_free 0\n"
	"buddy_no_block 0\n"
	"buddy_claim_retry 0\n"
	"\n"
	"Node 0\n"
	"  numa_hit             3  numa_miss            0  numa_foreign           0\n"
	"  local_node           3  other_node           0\n"
	"\n"
	"Node 1\n"
	"  numa_hit             0  numa_miss            0  numa_foreign           0\n"
	"  local_node           0  other_node           0\n"
	"\n"
	"Node 0, zone    DMA32\n"
	"  refill                0    split                 0    merge                 0\n"
	"  stale_hint            0    drain                 0    double_free           0\n"
	"  no_block              0    claim_retry           0\n"
	"\n"
	"Node 0, zone   Normal\n"
	"  refill                0    split                 0    merge                 0\n"
	"  stale_hint            0    drain                 0    double_free           0\n"
	"  no_block              0    claim_retry           0\n"
	"  order       alloc        free       taken     drained  held fallback    oom\n"
	"      6           1           0           1           0     0        0      0\n"
	"      9           1           0           1           0     0        0      0\n"
	"\n"
	"Node 0, zone  HighMem\n"
	"  refill                0    split                 0    merge                 0\n"
	"  stale_hint            0    drain                 0    double_free           0\n"
	"  no_block              0    claim_retry           0\n"
	"\n"
	"Node 0, zone     CMA0\n"
	"  refill                0    split                 0    merge                 0\n"
	"  stale_hint            0    drain                 0    double_free           0\n"
	"  no_block              0    claim_retry           0\n"
	"  order       alloc        free       taken     drained  held fallback    oom\n"
	"      0           1           0           1           0     0        0      0\n"
	"\n"
	"Node 1, zone  HighMem\n"
	"  refill                0    split                 0    merge                 0\n"
	"  stale_hint            0    drain                 0    double_free           0\n"
	"  no_block              0    claim_retry           0\n";

static void test_vmstat(void **state)
{
	struct helper_pages *f = *state;

	prepare(f);
	report_vmstat(&f->pa, &f->h->printer);
	helper_report_expect(f, 80, VMSTAT);
}

/* Before free_highpages() HIGHMEM has nothing, and no line where it would have words to read. */
static void test_before_highpages(void **state)
{
	const struct report_image image = { .section = { { 0, 0 } } };
	struct helper_pages *f = *state;

	helper_report_machine(f);
	helper_report_start(f);
	mem_init_print_info(&f->pa, &image, &f->h->printer);
	helper_report_expect(f, 160,
			     "Memory: 86528K/196608K available (0K kernel code, 0K rwdata, "
			     "0K rodata, 0K init, 0K bss, 101888K reserved, 8192K cma-reserved, "
			     "0K highmem)\n");
	report_buddyinfo(&f->pa, &f->h->printer);
	helper_report_expect(f, 132,
			     "Node 0, zone    DMA32      0      0      0      0      0      0      "
			     "0      2      "
			     "2      1      0   2   2\n"
			     "Node 0, zone   Normal      0      0      0      0      0      0      "
			     "0      1      "
			     "1      1      1   1   1\n"
			     "Node 0, zone     CMA0      0      0      0      0      0      0      "
			     "0      0      "
			     "0      0      0   1   0\n");
	report_zoneinfo(&f->pa, &f->h->printer);
	report_vmstat(&f->pa, &f->h->printer);
	report_pagetypeinfo(&f->pa, &f->h->printer);
	report_memory_map(&f->pa, &f->h->mb, &f->h->printer);
	helper_report_columns(f, 132);
}

/* One zone, and pools of huge pages of two sizes. */
static void test_huge(void **state)
{
	static struct hugetlb huge;
	struct helper_pages *f = *state;

	helper_pages_ram(f, 0x80000000, MIB(64), 0);
	helper_report_start(f);
	memset(&huge, 0, sizeof(huge));
	huge.nr_hstates = 2;
	huge.default_hstate = 1;
	huge.hstates[0].order = 18;
	huge.hstates[0].nr_huge_pages = 2;
	huge.hstates[1].order = 9;
	huge.hstates[1].nr_huge_pages = 5;
	huge.hstates[1].free_huge_pages = 3;
	report_meminfo(&f->pa, &huge, &f->h->printer);
	helper_report_expect(f, 80,
			     "MemTotal:          65024 kB\n"
			     "MemFree:           65024 kB\n"
			     "HartStacks:            0 kB\n"
			     "CmaTotal:              0 kB\n"
			     "CmaFree:               0 kB\n"
			     "HugePages_Total:       5\n"
			     "HugePages_Free:        3\n"
			     "HugePages_Rsvd:        0\n"
			     "HugePages_Surp:        0\n"
			     "Hugepagesize:       2048 kB\n"
			     "Hugetlb:         2107392 kB\n"
			     "vm.overcommit_memory = 0 (guess: more than 128 pages, or smaller "
			     "than 16 KiB)\n");
	f->pa.overcommit = OVERCOMMIT_ALWAYS;
	huge.default_hstate = HUGE_MAX_HSTATE;
	report_meminfo(&f->pa, &huge, &f->h->printer);
	helper_report_expect(f, 80,
			     "MemTotal:          65024 kB\n"
			     "MemFree:           65024 kB\n"
			     "HartStacks:            0 kB\n"
			     "CmaTotal:              0 kB\n"
			     "CmaFree:               0 kB\n"
			     "Hugetlb:         2107392 kB\n"
			     "vm.overcommit_memory = 1 (always: at most 128 pages, of 16 KiB or "
			     "more)\n");
}

/* Harts have been at work: what they hold is below the zone's marks. */
static void test_pagesets(void **state)
{
	struct helper_pages *f = *state;
	struct buddy_hart *c;
	char want[256];
	int64_t pfn;

	f->cfg.nr_harts = 2;
	helper_pages_ram(f, 0x80000000, MIB(64), 0);
	helper_report_start(f);
	pfn = alloc_pages(&f->pa.harts[1], GFP_KERNEL, 2);
	assert_true(pfn >= 0);
	c = zone_context(&f->pa.zones[0], 1, MIGRATE_UNMOVABLE);
	report_zoneinfo(&f->pa, &f->h->printer);
	snprintf(want, sizeof(want),
		 "  pagesets\n"
		 "    cpu: 1\n"
		 "              count:    %llu\n"
		 "              unmovable: 0 0 %llu 0 0 0\n"
		 "              movable:   0 0 0 0 0 0\n"
		 "  start_pfn:           524288\n",
		 (unsigned long long)buddy_nr_held(c), (unsigned long long)buddy_nr_held(c) / 4);
	assert_true(buddy_nr_held(c) > 0);
	if (!strstr(f->h->out.text, want))
		fail_msg("printed:\n%sinstead of:\n%s", f->h->out.text, want);
}

/* Columns of a table become narrower as numbers grow, and none of these is cut. */
static void test_wide_tables(void **state)
{
	uint64_t counts[NR_PAGE_ORDERS] = { 0 };
	struct helper_memblock *h = *state;
	struct report_table t;

	report_table_init(&t, 43);
	report_table_fit(&t);
	report_table_row(&t, counts, &h->printer);
	assert_string_equal(h->out.text, "      0      0      0      0      0      0      0      0"
					 "      0      0      0\n");
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++) {
		const char *at = h->out.text;
		char *end;

		counts[order] = order < 6 ? 123456 : 250 + order;
		report_table_add(&t, counts);
		report_table_fit(&t);
		h->out.len = 0;
		report_table_row(&t, counts, &h->printer);
		assert_true(h->out.len <= 132 - 43 + 1 || order > 15);
		for (unsigned int i = 0; i < t.nr; i++, at = end)
			assert_int_equal(strtoull(at, &end, 10), counts[i]);
	}
	assert_int_equal(t.nr, NR_PAGE_ORDERS);
	/* One blank and the digits, nothing else. */
	assert_int_equal(h->out.len, 6 * 7 + (NR_PAGE_ORDERS - 6) * 4 + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		pages_test(test_mem_init),         pages_test(test_meminfo),
		pages_test(test_buddyinfo),        pages_test(test_pagetypeinfo),
		pages_test(test_zoneinfo),         pages_test(test_vmstat),
		pages_test(test_before_highpages), pages_test(test_huge),
		pages_test(test_pagesets),         memblock_test(test_wide_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
