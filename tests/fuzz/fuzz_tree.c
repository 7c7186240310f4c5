/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Device trees, all the way to the audit: an input is a flattened tree, as a .dtb file is, and what
 * lies behind the size that its header claims describes the machine that it is for. FUZZ_TRACE=1
 * prints the messages about an input: FUZZ_TRACE=1 build/fuzz-tree/fuzz_tree FILE
 */
#include "fuzz.h"
#include "helper_dt_run.h"

#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An input may claim more than it has, but not so much that zeros are all that is tested. */
#define MAX_CLAIM (64U << 10)

struct bytes {
	const uint8_t *next;
	const uint8_t *end;
};

static uint64_t number(struct bytes *b, unsigned int bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | (b->next < b->end ? *b->next++ : 0);
	return value;
}

static phys_addr_t page(struct bytes *b)
{
	return 0x80000000 + number(b, 3) * PAGE_SIZE / 16;
}

static void read_machine(struct dt_machine *machine, struct bytes b)
{
	const uint64_t how = number(&b, 1);

	dt_machine_init(machine);
	machine->boot_hart = number(&b, 1);
	machine->bottom_up = how & 1;
	machine->unreachable = (how & 0x82) == 0x82;
	machine->nr_harts = how & 4 ? 2 : 1;
	if (how & 8)
		machine->fixed[0].base = page(&b);
	if (how & 16)
		machine->fdt_pa = page(&b);
	if (how & 32) {
		machine->fixed[1] =
			(struct dt_fixed){ page(&b), number(&b, 3), CAUSE_INIT, "init" };
		machine->nr_fixed = 2;
	}
	if (how & 64)
		machine->current_limit = number(&b, 1) % 2 ? page(&b) : number(&b, 8);
	if (number(&b, 1) & 1)
		machine->start_pfn = page(&b) / PAGE_SIZE;
	if (number(&b, 1) & 1)
		machine->end_pfn = page(&b) / PAGE_SIZE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dt_run_stats stats = { 0 };
	struct bytes behind = { data + size, data + size };
	uint32_t claimed = 0;
	struct dt_machine machine;
	uint8_t header[FDT_V17_SIZE] = { 0 };

	memcpy(header, data, size < sizeof(header) ? size : sizeof(header));
	claimed = fdt_totalsize(header);
	if (claimed <= DT_MAX_SIZE && claimed > size + MAX_CLAIM)
		return 0;
	if (claimed < size)
		behind.next = data + claimed;
	read_machine(&machine, behind);
	dt_run(data, claimed < size ? claimed : size, &machine, true, &stats);
	if (getenv("FUZZ_TRACE"))
		fputs(dt_run_text(), stderr);
	return 0;
}
