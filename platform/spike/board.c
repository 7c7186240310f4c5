/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spike: the host-target interface ends the simulator with any status. SBI's shutdown is no way
 * out: with OpenSBI 1.1 it never returns.
 */
#include "platform.h"

/* Two 64-bit words: fromhost, tohost. Device 0, command 0 is the end, with the status above bit 0. */
#define HTIF_TOHOST       8
#define HTIF_EXIT(status) ((uint64_t)(uint32_t)(status) << 1 | 1)

static void spike_exit(const void *fdt, int status)
{
	phys_addr_t htif_pa, size;

	/* Under an ELF firmware the tree gives no address: its symbols told the simulator. */
	if (!dt_find_compatible(fdt, "ucb,htif0", &htif_pa, &size))
		probe_write64(htif_pa + HTIF_TOHOST, HTIF_EXIT(status));
}

BOARD(spike) = {
	.name = "spike",
	.compatible = "ucbbar,spike-bare-dev",
	.exit = spike_exit,
};
