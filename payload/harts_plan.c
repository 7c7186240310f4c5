/* SPDX-License-Identifier: BSD-2-Clause */
/* Which harts may run, and the memory that each has for itself. */
#include "harts_state.h"

#include <string.h>

#include "console.h"

/* The others in front, without the boot hart, up to @most of them. Returns how many. */
static uint32_t without_boot_hart(uint32_t nr, uint32_t most)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < nr && n < most; i++)
		if (harts_found[i].id != boot_hart.id)
			harts_found[n++] = harts_found[i];
	return n;
}

uint32_t harts_plan(const void *fdt, const struct dt_info *info, uint32_t most)
{
	uint32_t nr;

	harts.nr_usable = info->nr_harts;
	harts.nr_planned = harts.nr = 1;
	harts_list[0] = &boot_hart;
	wait_set_timebase(info->timebase_hz);
	harts.has_hsm = most == 1 || sbi_has_extension(SBI_EXT_HSM);
	if (most == 1 || !harts.has_hsm)
		return 1;
	nr = dt_harts(fdt, info, harts_found, MAX_HARTS);
	if (nr > MAX_HARTS) {
		print("harts: the tree has %u, of which %u can run\n", nr, MAX_HARTS);
		nr = MAX_HARTS;
	}
	if (!most || most > MAX_HARTS)
		most = MAX_HARTS;
	nr = without_boot_hart(nr, most - 1);
	/* A hart's facts at the place that it has in the list. */
	memmove(&harts_found[1], &harts_found[0], nr * sizeof(harts_found[0]));
	for (uint32_t i = 1; i <= nr; i++)
		harts_list[i] = NULL;
	harts.nr_planned = nr + 1;
	return harts.nr_planned;
}

int harts_plan_nid(uint32_t i)
{
	return harts_found[i].nid;
}

void harts_give(uint32_t i, phys_addr_t pa, int nid)
{
	struct hart *hart = (struct hart *)(uintptr_t)(pa + HART_BYTES - HART_SIZE);

	memset(hart, 0, sizeof(*hart));
	hart->stack = pa;
	hart->id = harts_found[i].id;
	hart->nid = nid;
	hart->state = HART_PLANNED;
	*(uint64_t *)(uintptr_t)pa = STACK_CANARY;
	harts_list[i] = hart;
}
