/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests of dt/: trees built in memory, a machine to map them on, and what its map should be.
 * Ranges in a test's tree are guest addresses; nothing is there.
 */
#ifndef TESTS_HELPER_DT_H
#define TESTS_HELPER_DT_H

#include "dt.h"

#include <earlymm/handover.h>
#include <earlymm/memblock.h>

/* ---- building a tree ---- */

/* A tree being written, in document order: reservations, then nodes. */
struct tree {
	void *buf;
	int room;
	int addr_cells; /* that tree_reg() writes */
	int size_cells;
	bool in_nodes;
};

#define MIB(n) ((phys_addr_t)(n) << 20)
#define GIB(n) ((phys_addr_t)(n) << 30)

void tree_begin(struct tree *t);
void tree_begin_sized(struct tree *t, int room);
void tree_memreserve(struct tree *t, uint64_t base, uint64_t size);
/* The root, or another node. The root gets #address-cells = #size-cells = @cells unless 0. */
void tree_root(struct tree *t, int cells);
void tree_node(struct tree *t, const char *name);
void tree_end(struct tree *t);
void tree_flag(struct tree *t, const char *name);
void tree_string(struct tree *t, const char *name, const char *value);
void tree_bytes(struct tree *t, const char *name, const void *value, int len);
void tree_u32(struct tree *t, const char *name, uint32_t value);
void tree_u64(struct tree *t, const char *name, uint64_t value);
/* @n numbers, each in as many cells as tree_cells() said: address, size, address, size … */
void tree_list(struct tree *t, const char *name, int n, const uint64_t *values);
#define tree_reg(t, name, ...)                                                            \
	tree_list(t, name, (int)(sizeof((uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t)), \
		  (const uint64_t[]){ __VA_ARGS__ })
void tree_cells(struct tree *t, int addr_cells, int size_cells);
/* A memory node with one entry. */
void tree_memory(struct tree *t, uint64_t base, uint64_t size);
/* /reserved-memory with the cells in force and ranges; children follow; then tree_end(). */
void tree_reserved(struct tree *t);
/* A child of it with one entry; @flag (no-map, reusable) may be NULL. */
void tree_region(struct tree *t, const char *name, uint64_t base, uint64_t size, const char *flag);
/* Begins a child of it by size; @alignment 0: none. More properties may follow; then tree_end(). */
void tree_dynamic(struct tree *t, const char *name, uint64_t size, uint64_t alignment);
/* The property of a shared DMA pool. */
void tree_pool(struct tree *t);
/* Ends the root and returns the blob, in a heap block of exactly its size: ASan sees overruns. */
void *tree_finish(struct tree *t);

/* ---- a machine ---- */

#define IMAGE_BASE      ((uint64_t)0x80200000)
#define IMAGE_SIZE      ((uint64_t)0x20000)
#define TREE_BASE       ((uint64_t)0x82200000)

#define MAX_ARRAYS      16
#define MACHINE_REGIONS 32

struct machine {
	struct dt_fixed fixed[4]; /* one image at IMAGE_BASE, unless the test says otherwise */
	unsigned int nr_fixed;
	phys_addr_t fdt_pa;
	uint64_t boot_hart;
	void *fdt; /* owned */
	struct dt_info info;
	struct dt_region regions[MACHINE_REGIONS];
	struct memblock mb;
	struct mm mm; /* from machine_hand_over() */
	struct phys_map map;
	struct {
		phys_addr_t pa;
		uint64_t bytes;
		void *at;
	} arrays[MAX_ARRAYS]; /* what phys_to_virt has made of addresses */
	unsigned int nr_arrays;
	bool unreachable; /* phys_to_virt answers NULL */
	struct printer out;
	char text[16384]; /* what was printed */
	size_t len;
};

void machine_init(struct machine *m);
/* *state is a struct machine. */
int machine_setup(void **state);
int machine_teardown(void **state);
#define machine_test(f) cmocka_unit_test_setup_teardown(f, machine_setup, machine_teardown)
/* Takes @fdt over, and runs all three steps up to the first that fails. Returns its result. */
int machine_load(struct machine *m, void *fdt);
/* The same with an assertion that all went well and that the map is valid. */
void machine_boot(struct machine *m, void *fdt);
/* After that: places the dynamic regions, and asserts that nothing is lost by it. */
void machine_place(struct machine *m);
/* And after that: the handover to the buddy, and an audit that nothing is lost. */
void machine_hand_over(struct machine *m, struct mm_audit *audit);
/* Asserts that no page of the range has been handed over, nor part of one. */
void expect_kept(const struct machine *m, phys_addr_t base, phys_addr_t size);
void machine_free(struct machine *m);
/* The same and a new machine: for several in one test. */
void machine_again(struct machine *m);

/* Is @text in what was printed? And how often? */
bool said(const struct machine *m, const char *text);
int times_said(const struct machine *m, const char *text);

/* ---- what the map should be ---- */

struct want {
	phys_addr_t base;
	phys_addr_t size;
	uint32_t flags; /* of memory */
	int nid; /* of memory: node number plus 1, 0: none */
	enum memblock_cause cause; /* of reserved */
};

void expect_regions(const struct memblock_type *type, const struct want *want, size_t n,
		    const char *file, int line);
#define expect_banks(m, ...)                                                               \
	expect_regions(&(m)->mb.memory, (const struct want[]){ __VA_ARGS__ },              \
		       sizeof((const struct want[]){ __VA_ARGS__ }) / sizeof(struct want), \
		       __FILE__, __LINE__)
/* All reservations but the image's at IMAGE_BASE and the tree's at TREE_BASE. */
void expect_others(const struct machine *m, const struct want *want, size_t n, const char *file,
		   int line);
#define expect_reserved(m, ...)                                                           \
	expect_others(m, (const struct want[]){ __VA_ARGS__ },                            \
		      sizeof((const struct want[]){ __VA_ARGS__ }) / sizeof(struct want), \
		      __FILE__, __LINE__)
#define expect_none_reserved(m) expect_others(m, NULL, 0, __FILE__, __LINE__)

/* The first region of that name in the table; fails if there is none. */
const struct dt_region *region_named(const struct machine *m, const char *name);
/* Is it as told? */
void expect_region(const struct machine *m, const char *name, phys_addr_t base, phys_addr_t size,
		   uint32_t flags);

/* Is no byte of the range free for allocation? */
bool is_taken(const struct machine *m, phys_addr_t base, phys_addr_t size);

/* That memblock's arrays lie in mapped memory and are reserved as what they are. */
void check_arrays(const struct machine *m);

/* Reserved regions of that cause. */
uint64_t count_cause(const struct machine *m, enum memblock_cause cause);

#endif
