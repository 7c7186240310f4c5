/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What others need for the same: instructions counted under QEMU (virt, -icount shift=0), rv64gc
 * without Zbb, gcc 12 -O2, 1 GiB of RAM. "-": not measured, or not possible.
 */
#include "report.h"

const struct reference bench_references[] = {
	/*
	 * Handover: memmap_init and memblock_free_all; for the leanest configuration (UP, flat
	 * memory model) all up to the end of mm init. Metadata: struct page.
	 */
	{
		"Linux 6.12, server [1]",
		{ "713", "4867", "562", "304", "316", "468", "22.1 M", "56", "0/0" },
	},
	{
		"Linux 6.12, leanest [1]",
		{ "539", "-", "450", "204", "207", "323", "19.7 M", "56", "0/0" },
	},
	{
		"LLFree (C) [2]",
		{ "687-782", "-", "439-502", "258-325", "250-325", "355-416", "30 k", "0.1436",
		  "320/320" },
	},
	{
		"FreeBSD vm_phys, core [2]",
		{ "113", "-", "78", "104", "103", "56.9", "2.9 M", "104", "0/0" },
	},
	{
		"RT-Thread mm_page [2]",
		{ "117", "-", "86", "92", "95", "60.9", "0.8 M", "32", "0/0" },
	},
	{
		"linked-list buddy [3]",
		{ "72", "-", "125", "158", "151", "38.6", "3.4 M", "64", "0/0" },
	},
	{
		"spaskalev/buddy_alloc [2]",
		{ "2559", "-", "2098", "975", "990", "2232", "0.5 M", "0.50", "381/265" },
	},
	{
		"OpenSBI sbi_heap [2][4]",
		{ "175", "-", "110", "79", "7174", "3698", "25", "~0", "-" },
	},
	{
		"xv6 kalloc [2][5]",
		{ "288", "-", "141", "147", "147", "-", "34.6 M", "0", "-" },
	},
	{ .name = NULL },
};

const char *const bench_reference_notes[] = {
	"age/burst: blocks of order 9, of 384 in 1 GiB. Others: icount, rv64gc without Zbb, gcc "
	"12, 1 GiB.",
	"[1] 6.12.117 running, each call counted alone; frees cost more at drains; age/burst: a "
	"model's",
	"[2] their code in loops as here, net; ranges: of settings  [3] a model, no locks or "
	"checks, so too",
	"[4] never merges fully  [5] order 0 only, filling of pages removed",
	NULL,
};

const struct detail_reference bench_detail_reference = {
	"Linux 6.12, server [1]",
	{ "-", "-", "-", "-", "-", "-", "-", "1220", "9811", "-", "4414", "43542" },
};
