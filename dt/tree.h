/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading a tree tag by tag: a cursor that checks what it passes, a node's properties of interest,
 * numbers and names. Private to dt/. Nothing here looks anything up by walking from the root.
 */
#ifndef DT_TREE_H
#define DT_TREE_H

#include "dt.h"

#include <libfdt.h>

/* In the order of the names, see prop_names in tree.c. */
enum dt_prop {
	PROP_ADDRESS_CELLS,
	PROP_SIZE_CELLS,
	PROP_ALIGNMENT,
	PROP_ALLOC_RANGES,
	PROP_BOOTARGS,
	PROP_COMPATIBLE,
	PROP_DEVICE_TYPE,
	PROP_DISTANCE_MATRIX,
	PROP_HOTPLUGGABLE,
	PROP_IOMMU_ADDRESSES,
	PROP_KASLR_SEED,
	PROP_ELFCOREHDR,
	PROP_INITRD_END,
	PROP_INITRD_START,
	PROP_USABLE_MEMORY,
	PROP_USABLE_RANGE,
	PROP_CMA_DEFAULT,
	PROP_DMA_DEFAULT,
	PROP_MMU_TYPE,
	PROP_MODEL,
	PROP_NO_MAP,
	PROP_NUMA_NODE_ID,
	PROP_REG,
	PROP_RANGES,
	PROP_REUSABLE,
	PROP_ISA,
	PROP_ISA_BASE,
	PROP_ISA_EXTENSIONS,
	PROP_RNG_SEED,
	PROP_SIZE,
	PROP_STATUS,
	PROP_STDOUT_PATH,
	PROP_TIMEBASE,
	NR_DT_PROPS
};

struct dt_prop_value {
	const fdt32_t *data;
	uint32_t len; /* bytes */
};

/* The properties of one node that anybody here asks for. Of two with one name the first counts. */
struct dt_node {
	int offset;
	const char *name; /* ends within the tree */
	uint64_t seen; /* bit PROP_...: prop[PROP_...] is valid */
	struct dt_prop_value prop[NR_DT_PROPS];
};

/* Stands on a tag; before the first dt_next() on none. Levels: the node it started at is 0. */
struct dt_cursor {
	const void *fdt;
	const char *structs;
	const char *strings;
	uint32_t size_strings;
	int offset; /* of the tag */
	int next; /* of the one after it */
	int depth; /* nodes open */
	int level; /* of the node that the tag belongs to */
	uint32_t tag; /* FDT_BEGIN_NODE, FDT_END_NODE, FDT_PROP, FDT_NOP */
	bool closed; /* a child has been closed: no property may follow */
	bool walked; /* the tree has passed dt_walk() */
	bool held; /* dt_next() is to return this tag once more */
	const char *damage; /* what was wrong, after -EMM_EBADTREE */
};

/* The messages of one call: it stops printing after DT_MAX_LINES. And what they were about. */
struct dt_log {
	const struct printer *out;
	uint32_t lines;
	uint32_t dropped;
	uint32_t errors;
	uint32_t banks_skipped;
	uint32_t dynamic_bad;
};

/* Longest node name that a message shows, with its NUL. */
#define DT_NAME_SIZE 48

/* Puts @cur before the node (or, for the whole tree, 0) at @offset of the structure block. */
void dt_cursor_init(struct dt_cursor *cur, const void *fdt, int offset);

/* The same in a tree that has passed dt_walk() and is unchanged since: it is not checked again. */
void dt_cursor_revisit(struct dt_cursor *cur, const void *fdt, int offset);

/*
 * On to the next tag. Returns 1, 0 at the tree's end, or -EMM_EBADTREE. Checks what libfdt does,
 * and that it gets on, the depth, the nesting, that properties come before children, that a
 * property's value and name lie within their blocks.
 */
int dt_next(struct dt_cursor *cur);

/*
 * Reads the properties of the node whose FDT_BEGIN_NODE @cur is on; the next dt_next() returns the
 * first tag behind them. Returns 0 or -EMM_EBADTREE.
 */
int dt_read_node(struct dt_cursor *cur, struct dt_node *node);

static inline bool dt_has(const struct dt_node *node, enum dt_prop prop)
{
	return node->seen >> prop & 1;
}

/* The name of the node whose FDT_BEGIN_NODE @cur is on. */
static inline const char *dt_cursor_name(const struct dt_cursor *cur)
{
	return cur->structs + cur->offset + FDT_TAGSIZE;
}

/* Is @name @want, with or without a unit address? */
bool dt_name_is(const char *name, const char *want);

/* Does the string list @prop hold @want as its first string? */
bool dt_prop_equals(const struct dt_node *node, enum dt_prop prop, const char *want);

/* Does the string list in @len bytes at @list hold @want? */
bool dt_list_holds(const char *list, uint32_t len, const char *want);

/* status absent, "okay" or "ok". */
bool dt_is_enabled(const struct dt_node *node);

/* Is this child of /cpus a hart? */
bool dt_is_hart(const struct dt_node *node);

/* And one that may be started? Then *@id is its id, unless @id is NULL. */
bool dt_is_usable_hart(const struct dt_node *node, uint64_t *id);

/* The number in @cells (1 or 2) cells at @p. */
uint64_t dt_number(const fdt32_t *p, uint32_t cells);

/* A property of one or two cells. Returns false, *@value unchanged, if it has another length. */
bool dt_prop_number(const struct dt_node *node, enum dt_prop prop, uint64_t *value);

/*
 * #address-cells and #size-cells for a node's children; 2 and 1 where absent. Returns false if one
 * is malformed or not 1 or 2; *@cells then has the default in its place.
 */
bool dt_node_cells(const struct dt_node *node, struct dt_cells *cells);

/* Bytes of one (address, size) entry. */
static inline uint32_t dt_entry_bytes(struct dt_cells cells)
{
	return (cells.addr + cells.size) * (uint32_t)sizeof(fdt32_t);
}

static inline bool dt_same_cells(struct dt_cells a, struct dt_cells b)
{
	return a.addr == b.addr && a.size == b.size;
}

/*
 * The (address, size) entry at @p. Returns false if it passes the top of the address space: then
 * it is cut there. (One that ends at the top exactly is a byte shorter, for want of an end.)
 */
bool dt_read_entry(const fdt32_t *p, struct dt_cells cells, phys_addr_t *base, phys_addr_t *size);

/* What to say of it: node, address. */
#define DT_CUT_MESSAGE "dt: %s: the entry at 0x%" PRIx64 " passes 2^64 and is cut there\n"

/* @name, cut, with '?' for bytes that do not print; the root's is "/". Returns @buf. @n >= 1. */
const char *dt_printable(const char *name, char *buf, size_t n);

/* A message; an error is one that counts in nr_errors. Without @log nothing happens. */
__attribute__((format(printf, 2, 3))) void dt_note(struct dt_log *log, const char *fmt, ...);
__attribute__((format(printf, 2, 3))) void dt_error(struct dt_log *log, const char *fmt, ...);

/* Says how many messages were dropped, if any. */
void dt_log_end(const struct dt_log *log);

/* -EMM_EBADTREE, after a message about the place where @cur stopped. */
int dt_damaged(const struct dt_cursor *cur, const char *node, const struct printer *out);

#endif
