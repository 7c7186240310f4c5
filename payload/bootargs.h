/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The boot arguments, words of the form key or key=value (dt_bootarg_next() splits them). The
 * bench's own keys are in bench/bench.h; the others are fields of struct boot_options.
 */
#ifndef PAYLOAD_BOOTARGS_H
#define PAYLOAD_BOOTARGS_H

#include <stdbool.h>

#include <earlymm/buddy.h>
#include <earlymm/early.h>
#include <earlymm/page_alloc.h>
#include <earlymm/types.h>
#include "bench.h"
#include "hart.h"
#include "hugetlb_args.h"

/* The longest part of self-tests' names that can be asked for, with the NUL. */
#define MAX_SELFTEST_NAME 48

/* zb=: may the build of the hot files for Zba, Zbb and Zbs run? */
enum zb_option {
	ZB_AUTO, /* if the tree lists them for every hart */
	ZB_OFF,
	ZB_ON, /* it must be able to */
};

/* report=: what is printed of the memory before the benchmark, a bit each. */
enum boot_report {
	REPORT_MEMINFO = 0x1,
	REPORT_BUDDYINFO = 0x2,
	REPORT_ZONEINFO = 0x4,
	REPORT_PAGETYPEINFO = 0x8,
	REPORT_VMSTAT = 0x10,
	REPORT_IOMEM = 0x20,
	REPORT_MAP = 0x40,
	REPORT_ALL = 0x7f,
};

struct boot_options {
	struct bench_options bench; /* bench= seed= reps= records= */
	bool has_huge; /* there is one of those for huge pages: @huge is valid */
	bool meta_poison; /* meta_poison[=0|1]: metadata's memory is filled with garbage first */
	enum early_kind early; /* early=memblock|bootmem|nobootmem: the early allocator */
	uint64_t mem_limit_bytes; /* mem=SIZE: only the first so many bytes of memory; 0: all */
	unsigned int memtest_patterns; /* memtest[=N]: free memory is tested; 0: not */
	bool memblock_debug; /* memblock=debug: each call is printed */
	bool memblock_discard; /* memblock=discard: its grown arrays go back after the boot */
	bool movable_node; /* movable_node[=0|1]: nothing early in hotpluggable memory */
	bool verbose; /* verbose[=0|1]: long reports */
	bool numa; /* numa=on|off: nodes are told apart */
	bool cma; /* cma=on|off: reusable regions are lent */
	uint32_t harts; /* harts=N: so many at most, the boot hart included; 0: all */
	uint64_t highmem_start; /* highmem=SIZE: memory from this address on is HIGHMEM; 0: none */
	/* compound=on|off page_owner=on|off page_poison=on|off: enum page_alloc_features */
	uint32_t page_features;
	uint32_t reports; /* report=NAME,...|all: enum boot_report */
	enum buddy_setting buddy; /* buddy=default|healing: the system's page allocator */
	enum zb_option zb; /* zb=auto|off|on */
	bool selftest; /* selftest[=0|1|name]: self-tests, all or those of boot_selftest_name() */
	struct hugetlb_args
		huge; /* hugepagesz= hugepages= default_hugepagesz=; last: not cleared */
};

/* What holds without any argument. */
void boot_options_init(struct boot_options *opt);

/*
 * boot_options_parse() - reads @args, a string of any bytes. A key that is given twice counts
 * the last time. Unknown words are listed on @out in one line and otherwise ignored: a boot loader
 * may have added them for somebody else. O(length).
 * Returns 0, or -EMM_EINVAL: a known key has a bad value. All of these are reported on @out, and
 * the good ones hold.
 */
int boot_options_parse(struct boot_options *opt, const char *args, const struct printer *out);

/*
 * boot_selftest_name() - which self-tests @args, which boot_options_parse() has accepted, ask for:
 * those with @name in their names; "": all. Needed once at most, so it is not an option that each
 * boot clears and copies. O(length).
 */
void boot_selftest_name(const char *args, char name[MAX_SELFTEST_NAME]);

#endif
