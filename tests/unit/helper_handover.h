/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine with RAM, its map, and the handover of it: what tests of later times begin with. */
#ifndef TESTS_UNIT_HELPER_HANDOVER_H
#define TESTS_UNIT_HELPER_HANDOVER_H

#include "helper_memblock.h"
#include "helper_memsim.h"

#include <earlymm/handover.h>
#include <earlymm/reserved_area.h>

struct helper_handover {
	struct helper_memblock *h; /* its map reaches the memory of @s */
	struct memsim *s;
	struct mm mm;
};

/* cmocka's set-up and tear-down: *state is a struct helper_handover without memory. */
int helper_handover_setup(void **state);
int helper_handover_teardown(void **state);

/* RAM that is there, and in the map. */
void helper_add_ram(struct helper_handover *f, phys_addr_t base, uint64_t size, int nid);

/* The handover of the frames [start, end), with garbage where the metadata goes; of all memory. */
void helper_handover_limits(struct helper_handover *f, uint64_t start_pfn, uint64_t end_pfn);
void helper_handover(struct helper_handover *f);

/* Nothing is lost, @used pages being in use, and both maps and the buddy are valid. */
void helper_expect_balance(const struct helper_handover *f, uint64_t used);

/* Frees the range: @nr pages of it become free; or it is refused, and nothing changes. */
void helper_expect_freed(struct helper_handover *f, phys_addr_t base, phys_addr_t size,
			 uint64_t nr);
void helper_expect_refused(struct helper_handover *f, phys_addr_t base, phys_addr_t size, int err);

#define handover_test(f) \
	cmocka_unit_test_setup_teardown(f, helper_handover_setup, helper_handover_teardown)

#endif
