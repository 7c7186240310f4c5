/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What dt_walk() and the parts of dt_to_memblock() share: the enumeration of banks and of claims,
 * in one place each, so that what is counted, kept clear of and registered is the same set.
 * Private to dt/.
 */
#ifndef DT_MAP_H
#define DT_MAP_H

#include "tree.h"

/* How a child of /reserved-memory is to be read. */
enum dt_child {
	CHILD_DISABLED,
	CHILD_STATIC, /* has reg */
	CHILD_DYNAMIC, /* has size */
	CHILD_IOMMU, /* only iommu-addresses: no memory is reserved */
	CHILD_EMPTY, /* neither */
};

/* The cells that a /reserved-memory node gives its children. */
struct dt_reserved_root {
	struct dt_cells own; /* with the specification's defaults */
	struct dt_cells tree; /* the root's */
	bool given; /* the node has both properties */
	bool valid; /* its cells are 1 or 2 */
};

/* A range that is taken, with who takes it. */
struct dt_claim {
	phys_addr_t base;
	phys_addr_t size; /* never 0; no-map: whole pages */
	enum memblock_cause cause; /* CAUSE_NOMAP: a no-map child */
	const char *name;
	uint32_t seq; /* its number in the enumeration */
};

/* What dt_to_memblock() works on. */
struct dt_map {
	struct dt_info *info;
	const void *fdt;
	phys_addr_t fdt_pa;
	const struct dt_fixed *fixed;
	unsigned int nr_fixed;
	struct memblock *mb;
	struct dt_log log;
	bool no_room; /* an array should have been placed, and could not */
};

/* What a dynamic child asks for. */
struct dt_dynamic {
	phys_addr_t asked; /* its size property */
	phys_addr_t size; /* that, as whole pages (no-map) or granules (CMA) */
	phys_addr_t align; /* a power of two */
	bool nomap;
	const fdt32_t *ranges; /* alloc-ranges; NULL: anywhere */
	uint32_t nr_ranges;
	struct dt_cells cells; /* of a range */
};

enum dt_child dt_classify(const struct dt_node *child);

/*
 * dt_isa_read() - what a hart's node lists of enum dt_isa. @isa: its riscv,isa, or NULL. Looked at
 * only if there is no riscv,isa-extensions. O(length). 0, after an error in @log, if what is there
 * cannot be read.
 */
uint32_t dt_isa_read(const struct dt_node *node, const char *isa, struct dt_log *log);

/* Is its compatible list's word that it is a shared-dma-pool? */
bool dt_is_dma_pool(const struct dt_node *child);

/* Is there more to a static child than that it is reserved: is it reusable, a pool, a default? */
bool dt_is_pool(const struct dt_node *child);

void dt_read_reserved_root(const struct dt_info *info, const struct dt_node *node,
			   struct dt_reserved_root *root);

/*
 * The cells to read a static child's reg with: those of /reserved-memory itself. The root's, if
 * they alone fit the length, or if both fit and the child's unit address is the first address that
 * the root's give: OpenSBI adds its own memory with the root's, whatever the node has. The root's
 * too, in doubt, if the node has none.
 */
struct dt_cells dt_child_cells(const struct dt_reserved_root *root, const struct dt_node *child);

/* The same for any list of ranges; @name is the child's, or "" where its unit address says nothing. */
struct dt_cells dt_list_cells(const struct dt_reserved_root *root, const struct dt_prop_value *list,
			      const char *name);

/* 0 to go on; anything else ends the enumeration and is returned by it. */
typedef int (*dt_child_fn)(void *ctx, const struct dt_reserved_root *root,
			   const struct dt_node *child);

/* All children of /reserved-memory, in the tree's order. With @log, says what is wrong with it. */
int dt_for_each_child(const void *fdt, const struct dt_info *info, dt_child_fn fn, void *ctx,
		      struct dt_log *log);

/* The same for claims. */
typedef int (*dt_claim_fn)(void *ctx, const struct dt_claim *claim);

/*
 * All claims, in the order in which they are to be registered: fixed ranges, the tree, the initrd
 * (if not disabled), /memreserve/, elfcorehdr, static children. With @log, also says what is wrong
 * with them, and with dynamic children.
 */
int dt_for_each_claim(struct dt_map *map, dt_claim_fn fn, void *ctx, struct dt_log *log);

/* The last part of it. *@seq counts on. */
int dt_for_each_reserved(const void *fdt, const struct dt_info *info, dt_claim_fn fn, void *ctx,
			 uint32_t *seq, struct dt_log *log);

/* And of that, the entries of one static child. */
int dt_for_each_entry(const struct dt_reserved_root *root, const struct dt_node *child,
		      dt_claim_fn fn, void *ctx, uint32_t *seq, struct dt_log *log);

/* What is wrong with a dynamic child, or NULL: then *@d is what it asks for. */
const char *dt_read_dynamic(const struct dt_reserved_root *root, const struct dt_node *child,
			    struct dt_dynamic *d);

/* Counts and reports what is wrong with it. */
void dt_check_dynamic(const struct dt_reserved_root *root, const struct dt_node *child,
		      struct dt_log *log);

/* The search before, and what it found: the next may begin there. All zero: none. */
struct dt_found {
	phys_addr_t end; /* the bound it had */
	phys_addr_t size;
	phys_addr_t align;
	phys_addr_t base;
	bool movable_node; /* as it was in struct memblock */
};

/*
 * Where there is room for it: 0 and *@base, or -EMM_ENOMEM. Nothing is recorded but in *@last; the
 * caller takes what was found, or clears *@last.
 */
int dt_find_dynamic(const struct memblock *mb, struct dt_found *last, const struct dt_dynamic *d,
		    phys_addr_t *base);

/* Says that there is none. */
void dt_report_no_room(const struct dt_dynamic *d, const char *name, struct dt_log *log);

/* A piece of memory: whole pages, not empty, inside linux,usable-memory-range. */
struct dt_bank {
	phys_addr_t base;
	phys_addr_t size;
	int nid;
	uint32_t flags;
};

typedef int (*dt_bank_fn)(void *ctx, const struct dt_bank *bank);

/* All banks, in the tree's order. With @log, also counts and reports what is left out. */
int dt_for_each_bank(const void *fdt, const struct dt_info *info, dt_bank_fn fn, void *ctx,
		     struct dt_log *log);

/*
 * Moves memblock's arrays to larger ones where the tree's counts ask for it, and reserves them.
 * Returns 0 also where there is no room: map->no_room tells.
 */
int dt_place_arrays(struct dt_map *map);

/* Registers all claims in map->mb and reports overlaps. */
int dt_register_claims(struct dt_map *map);

/* Disables an initrd that is not in memory or collides with another claim. */
void dt_check_initrd(struct dt_map *map);

/* A /memreserve/ entry for just these pages: loaders write one for the tree and the initrd. */
bool dt_is_own_entry(const struct dt_claim *c, phys_addr_t base, phys_addr_t size);

/* Does any of [base, end) lie in a NOMAP entry of the memory map? O(log n + entries covered). */
bool dt_overlaps_nomap(const struct memblock *mb, phys_addr_t base, phys_addr_t end);

static inline bool dt_intersect(phys_addr_t a, phys_addr_t a_size, phys_addr_t b,
				phys_addr_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

static inline phys_addr_t dt_claim_end(const struct dt_claim *claim)
{
	return claim->base + claim->size;
}

/* First and last byte of a range, for messages. */
#define DT_RANGE                  "[0x%" PRIx64 "-0x%" PRIx64 "]"
#define DT_RANGE_ARGS(base, size) (uint64_t)(base), (uint64_t)((base) + (size)-1)

#endif
