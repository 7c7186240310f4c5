/* SPDX-License-Identifier: BSD-2-Clause */
/* The boot, and all that it finds out. */
#ifndef PAYLOAD_BOOT_H
#define PAYLOAD_BOOT_H

#include <stdint.h>

#include "bootargs.h"
#include "dt.h"
#include "hot.h"
#include "memory.h"
#include "phase.h"

struct boot {
	uint64_t hart;
	void *first_fdt; /* where the firmware put it */
	void *fdt;
	struct dt_info tree;
	struct boot_options options;
	struct hot hot;
	struct phase_log phases;
	bool selftest_failed;
	struct memory memory;
};

/*
 * boot_up() - everything up to a working page allocator. @b need not be zeroed. Whatever fails ends
 * the run. This function and the objects that it alone uses are init memory (init.h).
 */
void boot_up(struct boot *b, uint64_t hart, uint64_t fdt_pa);

#endif
