/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What others need for the same: instructions counted under QEMU (virt, -icount shift=0), rv64gc
 * without Zbb, gcc 12 -O2, 1 GiB of RAM. "-": not measured, or not possible.
 */
#include "bench_impl.h"

const struct reference bench_references[] = {
	/*
	 * Linux 6.12.117 for riscv64, running; each call counted alone, not net of a loop. Its
	 * frees cost more when the per-CPU lists are drained. Handover: memmap_init and
	 * memblock_free_all; for the leanest configuration (UP, flat memory model) all up to the
	 * end of mm init. Metadata: struct page.
	 */
	{
		"Linux 6.12, server",
		{ "713", "4867", "562", "304", "316", "468", "-", "22.1 M", "56" },
	},
	{
		"Linux 6.12, leanest",
		{ "539", "-", "450", "204", "207", "323", "-", "19.7 M", "56" },
	},
	/* The C implementation, in the loops of this benchmark, net; the range is over settings. */
	{
		"LLFree (C)",
		{ "687-782", "-", "439-502", "258-325", "250-325", "355-416", "-", "30 k",
		  "0.1436" },
	},
	/* The core of vm_phys.c, without locks, in the loops of this benchmark, net. */
	{
		"FreeBSD vm_phys, core",
		{ "113", "-", "78", "104", "103", "56.9", "-", "2.9 M", "104" },
	},
	/* The textbook's buddy: free lists, per-CPU lists, no locks and no checks; net. */
	{
		"linked-list buddy, a model",
		{ "72", "-", "125", "158", "151", "38.6", "-", "3.4 M", "64" },
	},
	{ .name = NULL },
};
