/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of bootmem, nobootmem and early share: physical memory of any size, of which only
 * the pages that are asked for through the map exist. They hold garbage at first; all others trap.
 */
#ifndef TESTS_UNIT_HELPER_BOOTMEM_H
#define TESTS_UNIT_HELPER_BOOTMEM_H

#include "helper_memblock.h"

#include <earlymm/bootmem.h>
#include <earlymm/handover.h>

#define PAGES(n) ((phys_addr_t)(n) << PAGE_SHIFT)

struct helper_ram {
	struct phys_map map;
	phys_addr_t base;
	uint64_t size;
	unsigned char *at; /* of base */
	uint8_t *exists; /* by page */
	unsigned int refuse; /* the n-th request from now on is answered with NULL; 0: none */
	bool unreachable;
};

/* [base, base + size), whole pages. */
void helper_ram_init(struct helper_ram *ram, phys_addr_t base, uint64_t size);
void helper_ram_free(struct helper_ram *ram);

/* The host's address of a page that exists. */
unsigned char *helper_ram_at(struct helper_ram *ram, phys_addr_t pa);

/* Is every byte of [pa, pa + bytes), in pages that exist, @value? */
bool helper_ram_is(struct helper_ram *ram, phys_addr_t pa, uint64_t bytes, unsigned char value);

/* A struct bootmem with room for nodes, its memory, a memblock and a printer: fresh. */
#define BOOT_NODES     4
#define BOOT_RAM_PAGES 65536

struct helper_bootmem {
	struct bootmem bm;
	struct bootmem_data bdata[BOOT_NODES];
	struct helper_ram ram; /* from 0, BOOT_RAM_PAGES */
	struct memblock mb;
	struct mm mm;
	struct helper_text out;
	struct printer printer;
};

int helper_bootmem_setup(void **state);
int helper_bootmem_teardown(void **state);

#define bootmem_test(f) \
	cmocka_unit_test_setup_teardown(f, helper_bootmem_setup, helper_bootmem_teardown)

/* Is the frame's bit set? Frames of no node count as reserved. */
bool helper_is_reserved(const struct bootmem *bm, uint64_t pfn);

/* The bits of frames [start_pfn, ...) as text: '.' free, 'R' reserved. */
void helper_expect_bits(const struct bootmem *bm, uint64_t start_pfn, const char *want,
			const char *file, int line);
#define expect_bits(bm, start_pfn, want) helper_expect_bits(bm, start_pfn, want, __FILE__, __LINE__)

/* Every bit says what the memblock has of the page. */
void helper_check_follows(const struct bootmem *bm, const struct memblock *mb);

/* The buddy for the limits of @mm; its metadata lies at @meta_pa, which is the caller's. */
void helper_ready(struct mm *mm, struct memblock *mb, uint64_t start_pfn, uint64_t end_pfn,
		  phys_addr_t meta_pa);

struct helper_random {
	uint64_t state;
};
uint64_t helper_random(struct helper_random *rng);
uint64_t helper_below(struct helper_random *rng, uint64_t n);

#endif
