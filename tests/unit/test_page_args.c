/* SPDX-License-Identifier: BSD-2-Clause */
/* The page allocator's words on the command line. */
#include "test.h"

#include <earlymm/error.h>
#include "bootargs.h"

struct line {
	const char *args;
	int err;
	bool numa;
	bool cma;
	uint64_t highmem_start;
	uint32_t features;
	uint32_t reports;
};

#define GIB ((uint64_t)1 << 30)

static const struct line lines[] = {
	{ "", 0, true, true, 0, 0, 0 },
	{ "numa=on cma=on", 0, true, true, 0, 0, 0 },
	{ "numa=off cma=off", 0, false, false, 0, 0, 0 },
	{ "numa=off numa=on", 0, true, true, 0, 0, 0 },
	{ "numa", -EMM_EINVAL, true, true, 0, 0, 0 },
	{ "numa=1 cma=off", -EMM_EINVAL, true, false, 0, 0, 0 },
	{ "cma=64M", -EMM_EINVAL, true, true, 0, 0, 0 },
	{ "cma=", -EMM_EINVAL, true, true, 0, 0, 0 },
	{ "cma=onn", -EMM_EINVAL, true, true, 0, 0, 0 },
	{ "highmem=4G", 0, true, true, 4 * GIB, 0, 0 },
	{ "highmem=0x80000fff", 0, true, true, 2 * GIB, 0, 0 },
	{ "highmem=4096", 0, true, true, 4096, 0, 0 },
	{ "highmem=4095", -EMM_EINVAL, true, true, 0, 0, 0 },
	{ "highmem=0", -EMM_EINVAL, true, true, 0, 0, 0 },
	{ "highmem=", -EMM_EINVAL, true, true, 0, 0, 0 },
	{ "highmem", -EMM_EINVAL, true, true, 0, 0, 0 },
	{ "highmem=4GB", -EMM_EINVAL, true, true, 0, 0, 0 },
	{ "compound=on", 0, true, true, 0, PAGE_ALLOC_COMPOUND, 0 },
	{ "page_owner=on page_poison=on", 0, true, true, 0, PAGE_ALLOC_OWNER | PAGE_ALLOC_POISON,
	  0 },
	{ "page_owner=on page_poison=on page_owner=off", 0, true, true, 0, PAGE_ALLOC_POISON, 0 },
	{ "page_owner=on page_owner", -EMM_EINVAL, true, true, 0, PAGE_ALLOC_OWNER, 0 },
	{ "page_poison=1", -EMM_EINVAL, true, true, 0, 0, 0 },
	{ "compound=of", -EMM_EINVAL, true, true, 0, 0, 0 },
	{ "report=all", 0, true, true, 0, 0, REPORT_ALL },
	{ "report=meminfo", 0, true, true, 0, 0, REPORT_MEMINFO },
	{ "report=map,meminfo,vmstat", 0, true, true, 0, 0,
	  REPORT_MAP | REPORT_MEMINFO | REPORT_VMSTAT },
	{ "report=meminfo,buddyinfo,zoneinfo,pagetypeinfo,vmstat,iomem,map", 0, true, true, 0, 0,
	  REPORT_ALL },
	{ "report=vmstat report=iomem", 0, true, true, 0, 0, REPORT_IOMEM },
	{ "report=vmstat report=vmst", -EMM_EINVAL, true, true, 0, 0, REPORT_VMSTAT },
	{ "report", -EMM_EINVAL, true, true, 0, 0, 0 },
	{ "report=", -EMM_EINVAL, true, true, 0, 0, 0 },
	{ "report=,", -EMM_EINVAL, true, true, 0, 0, 0 },
	{ "report=map,", -EMM_EINVAL, true, true, 0, 0, 0 },
	{ "report=maps", -EMM_EINVAL, true, true, 0, 0, 0 },
	{ "report=map,none", -EMM_EINVAL, true, true, 0, 0, 0 },
};

static void values(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		const struct line *l = &lines[i];
		struct boot_options opt;

		boot_options_init(&opt);
		assert_int_equal(boot_options_parse(&opt, l->args, NULL), l->err);
		assert_int_equal(opt.numa, l->numa);
		assert_int_equal(opt.cma, l->cma);
		assert_int_equal(opt.highmem_start, l->highmem_start);
		assert_int_equal(opt.page_features, l->features);
		assert_int_equal(opt.reports, l->reports);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
