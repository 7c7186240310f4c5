/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Physical memory as a machine may have it: windows that are there, stretches that fault, swallow
 * or repeat, words with stuck bits. For the tests of probing and of the memory test.
 */
#ifndef TESTS_UNIT_HELPER_MEMSIM_H
#define TESTS_UNIT_HELPER_MEMSIM_H

#include "helper_memblock.h"

#include <earlymm/error.h>
#include <earlymm/memblock.h>
#include <earlymm/memtest.h>

#define MEMSIM_MAX 64

enum memsim_kind {
	MEMSIM_FAULT, /* loads and stores fault */
	MEMSIM_ROM, /* stores fault */
	MEMSIM_NO_LOAD, /* loads fault */
	MEMSIM_ZERO, /* stores are swallowed, loads give 0 */
	MEMSIM_ONES, /* the same, all ones */
	MEMSIM_BUS, /* the same, the last value that was on the bus */
};

struct memsim {
	struct {
		phys_addr_t base;
		uint64_t size;
		unsigned char *ptr; /* not touched: not there */
	} window[8]; /* outside all of them accesses fault */
	unsigned int nr_windows;
	struct {
		phys_addr_t base;
		phys_addr_t end;
		enum memsim_kind kind;
	} odd[MEMSIM_MAX];
	unsigned int nr_odd;
	struct {
		phys_addr_t pa;
		uint64_t mask; /* these bits */
		uint64_t value; /* always read like these */
	} stuck[MEMSIM_MAX];
	unsigned int nr_stuck;
	unsigned int stuck_from_call; /* before this many calls they are not */
	bool (*is_bad)(phys_addr_t pa); /* words that read with the lowest bit inverted; or NULL */
	bool bad_is_1; /* or, instead, stuck at 1 */
	bool (*is_absent)(phys_addr_t pa); /* words that fault; or NULL */
	phys_addr_t
		mirror_base; /* above, memory repeats every mirror_period bytes; 0: it does not */
	uint64_t mirror_period;
	uint64_t last_bus;
	uint64_t patterns[32]; /* of the first fills, where they changed */
	unsigned int nr_patterns;
	unsigned int nr_calls; /* of fill and verify */
	uint64_t nr_loads;
	uint64_t nr_stores;
	uint64_t nr_faults;
	phys_addr_t highest_store;
	uint64_t told_bytes; /* progress: the last value */
	uint64_t told_step; /* and the largest step upwards */
	uint64_t told_total;
	uint64_t nr_told;
	struct memblock *allowed; /* accesses outside its free memory fail the test */
	struct mem_access access;
	struct phys_map map;
};

/* cmocka's set-up and tear-down: *state is a machine without memory. */
int helper_memsim_setup(void **state);
int helper_memsim_teardown(void **state);

/* The machine has no memory again, and nothing odd. */
void helper_memsim_reset(struct memsim *s);

/* [base, base + size) is there. */
void helper_memsim_add(struct memsim *s, phys_addr_t base, uint64_t size);

void helper_memsim_odd(struct memsim *s, phys_addr_t base, phys_addr_t end, enum memsim_kind kind);
void helper_memsim_stuck(struct memsim *s, phys_addr_t pa, uint64_t mask, uint64_t value);

/* The word at @pa, behind the machine's back. */
uint64_t *helper_memsim_word(struct memsim *s, phys_addr_t pa);

/* *@s and *@h for a test: its machine, and an empty map. done: neither has anything any more. */
void helper_memsim_map(void **state, struct memsim **s, struct helper_memblock **h);
void helper_memsim_done(struct memsim *s, struct helper_memblock *h);

/* memblock_probe_banks() over the map of @h, with every access checked against it. */
struct memprobe_result helper_memsim_probe(struct memsim *s, struct helper_memblock *h);

/*
 * early_memtest() with @nr_patterns over the map of @h; nothing but what was free when it began may
 * be touched, and @old, an array (or NULL). Returns its answer.
 */
int helper_memsim_memtest(struct memsim *s, struct helper_memblock *h, unsigned int nr_patterns,
			  const struct memblock_array *old, struct memtest_result *result);

/* A copy of a map for @allowed, to be freed with free(); and as it is now. */
struct memblock *helper_memsim_copy(const struct memblock *mb);

#define memsim_test(f) \
	cmocka_unit_test_setup_teardown(f, helper_memsim_setup, helper_memsim_teardown)

#endif
