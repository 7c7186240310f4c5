/* SPDX-License-Identifier: BSD-2-Clause */
/* /reserved-memory: its static children as claims; dynamic ones are checked, but not placed. */
#include "map.h"

#include <earlymm/error.h>

#include <inttypes.h>

struct reserved_walk {
	const struct dt_info *info;
	dt_claim_fn fn;
	void *ctx;
	uint32_t *seq;
	struct dt_log *log;
	struct dt_reserved_root root;
	char name[DT_NAME_SIZE];
};

enum dt_child dt_classify(const struct dt_node *child)
{
	if (!dt_is_enabled(child))
		return CHILD_DISABLED;
	if (dt_has(child, PROP_REG))
		return CHILD_STATIC;
	if (dt_has(child, PROP_SIZE))
		return CHILD_DYNAMIC;
	return dt_has(child, PROP_IOMMU_ADDRESSES) ? CHILD_IOMMU : CHILD_EMPTY;
}

void dt_read_reserved_root(const struct dt_info *info, const struct dt_node *node,
			   struct dt_reserved_root *root)
{
	root->tree = info->root_cells;
	root->valid = dt_node_cells(node, &root->own);
	root->given = dt_has(node, PROP_ADDRESS_CELLS) && dt_has(node, PROP_SIZE_CELLS);
}

/* The number after the '@' of a node's name, also as OpenSBI's "high,low". False: there is none. */
static bool unit_address(const char *name, uint64_t *address)
{
	uint64_t value = 0, high = 0;
	const char *p = name;

	while (*p && *p != '@')
		p++;
	if (!*p || !p[1])
		return false;
	while (*++p) {
		if (*p >= '0' && *p <= '9')
			value = value << 4 | (uint64_t)(*p - '0');
		else if ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'f')
			value = value << 4 | (uint64_t)((*p | 0x20) - 'a' + 10);
		else if (*p == ',' && !high) {
			high = value << 32;
			value = 0;
		} else
			return false;
	}
	*address = high | value;
	return true;
}

static bool same_cells(struct dt_cells a, struct dt_cells b)
{
	return a.addr == b.addr && a.size == b.size;
}

struct dt_cells dt_child_cells(const struct dt_reserved_root *root, const struct dt_node *child)
{
	const struct dt_prop_value *reg = &child->prop[PROP_REG];
	struct dt_cells own = root->own, tree = root->tree;
	uint64_t unit;

	if (same_cells(own, tree) || !reg->len || reg->len % dt_entry_bytes(tree))
		return own;
	if (reg->len % dt_entry_bytes(own))
		return tree;
	if (unit_address(child->name, &unit)) {
		if (dt_number(reg->data, own.addr) == unit)
			return own;
		if (dt_number(reg->data, tree.addr) == unit)
			return tree;
	}
	return root->given ? own : tree;
}

/* Linux ignores such a node with all that it protects; here it is honoured. */
static int reserved_root(struct reserved_walk *w, const struct dt_node *node)
{
	struct dt_reserved_root *root = &w->root;

	dt_read_reserved_root(w->info, node, root);
	if (!root->valid) {
		dt_error(w->log,
			 "dt: reserved-memory: #address-cells and #size-cells must be 1 or 2\n");
		return w->info->nr_static ? -EMM_EBADTREE : 0;
	}
	if (!dt_has(node, PROP_RANGES))
		dt_error(w->log,
			 "dt: reserved-memory: no ranges, its children count all the same\n");
	else if (node->prop[PROP_RANGES].len)
		dt_error(w->log,
			 "dt: reserved-memory: ranges is not empty: its children's addresses are "
			 "taken as they are\n");
	if (!root->given)
		dt_error(w->log, "dt: reserved-memory: #address-cells or #size-cells is missing\n");
	else if (!same_cells(root->own, root->tree))
		dt_error(w->log,
			 "dt: reserved-memory: %" PRIu32 " and %" PRIu32
			 " cells where the root has %" PRIu32 " and %" PRIu32
			 ", its own are used\n",
			 root->own.addr, root->own.size, root->tree.addr, root->tree.size);
	return 0;
}

static void to_pages(phys_addr_t *base, phys_addr_t *size)
{
	phys_addr_t end = *base + *size;

	*base &= PAGE_MASK;
	end = end > PHYS_ADDR_MAX - (PAGE_SIZE - 1) ? PHYS_ADDR_MAX
						    : (end + PAGE_SIZE - 1) & PAGE_MASK;
	*size = end - *base;
}

/* What a static child promises its users, beyond being reserved. */
static void check_static(struct reserved_walk *w, const struct dt_node *node,
			 const struct dt_claim *claim)
{
	const struct dt_prop_value *list = &node->prop[PROP_COMPATIBLE];
	bool reusable = dt_has(node, PROP_REUSABLE);

	if (reusable && dt_has(node, PROP_NO_MAP))
		dt_error(w->log, "dt: %s: no-map and reusable exclude each other: kept as no-map\n",
			 w->name);
	else if (reusable && dt_has(node, PROP_COMPATIBLE) &&
		 dt_list_holds((const char *)list->data, list->len, "shared-dma-pool") &&
		 ((claim->base | claim->size) & (DT_CMA_GRANULE - 1)))
		dt_error(w->log,
			 "dt: %s: a CMA area must be aligned to 0x%" PRIx64 ": " DT_RANGE
			 " is reserved, but cannot be lent\n",
			 w->name, (uint64_t)DT_CMA_GRANULE,
			 DT_RANGE_ARGS(claim->base, claim->size));
}

static int static_child(struct reserved_walk *w, const struct dt_node *node)
{
	const struct dt_prop_value *reg = &node->prop[PROP_REG];
	struct dt_cells cells = dt_child_cells(&w->root, node);
	uint32_t bytes = dt_entry_bytes(cells), n = reg->len / bytes, i;
	bool nomap = dt_has(node, PROP_NO_MAP);
	struct dt_claim claim = {
		.cause = nomap ? CAUSE_NOMAP : CAUSE_RESERVED_MEMORY,
		.name = node->name,
	};
	int ret = 0;

	if (w->root.given && !same_cells(cells, w->root.own))
		dt_error(w->log, "dt: %s: its reg has the root's cells, which are used\n", w->name);
	if (reg->len % bytes || !n)
		dt_error(w->log,
			 "dt: %s: reg has %" PRIu32 " bytes, no multiple of %" PRIu32
			 ": the first %" PRIu32 " entries are reserved\n",
			 w->name, reg->len, bytes, n);
	for (i = 0; !ret && i < n; i++) {
		dt_read_entry(reg->data + i * (cells.addr + cells.size), cells, &claim.base,
			      &claim.size);
		if (!claim.size) {
			dt_error(w->log, "dt: %s: an entry at 0x%" PRIx64 " reserves nothing\n",
				 w->name, claim.base);
			continue;
		}
		if (w->log)
			check_static(w, node, &claim);
		if (nomap)
			to_pages(&claim.base, &claim.size);
		claim.seq = (*w->seq)++;
		ret = w->fn(w->ctx, &claim);
	}
	return ret;
}

/* What is wrong with a dynamic child, or NULL. */
static const char *dynamic_error(const struct reserved_walk *w, const struct dt_node *node)
{
	uint64_t size, alignment;

	if (!dt_prop_number(node, PROP_SIZE, &size) || !size)
		return "size is not a number above 0 in one or two cells";
	if (dt_has(node, PROP_ALIGNMENT) && (!dt_prop_number(node, PROP_ALIGNMENT, &alignment) ||
					     !alignment || (alignment & (alignment - 1))))
		return "alignment is not a power of two";
	if (dt_has(node, PROP_ALLOC_RANGES) &&
	    (!node->prop[PROP_ALLOC_RANGES].len ||
	     (node->prop[PROP_ALLOC_RANGES].len % dt_entry_bytes(w->root.own) &&
	      node->prop[PROP_ALLOC_RANGES].len % dt_entry_bytes(w->root.tree))))
		return "alloc-ranges is not a list of ranges";
	if (dt_has(node, PROP_NO_MAP) && dt_has(node, PROP_REUSABLE))
		return "no-map and reusable exclude each other";
	return NULL;
}

static void dynamic_child(struct reserved_walk *w, const struct dt_node *node)
{
	const char *error = dynamic_error(w, node);
	uint64_t size = 0;

	if (error) {
		w->log->dynamic_bad++;
		dt_error(w->log, "dt: %s: %s: it will not be placed\n", w->name, error);
		return;
	}
	dt_prop_number(node, PROP_SIZE, &size);
	dt_note(w->log, "dt: %s: 0x%" PRIx64 " bytes by size, not placed yet\n", w->name, size);
}

static int child(struct reserved_walk *w, const struct dt_node *node)
{
	if (w->log)
		dt_printable(node->name, w->name, sizeof(w->name));
	switch (dt_classify(node)) {
	case CHILD_STATIC:
		return static_child(w, node);
	case CHILD_DYNAMIC:
		if (w->log)
			dynamic_child(w, node);
		return 0;
	case CHILD_EMPTY:
		dt_error(w->log, "dt: %s: neither reg nor size, ignored\n", w->name);
		return 0;
	case CHILD_DISABLED:
	case CHILD_IOMMU:
		return 0;
	}
	return 0;
}

int dt_for_each_reserved(const void *fdt, const struct dt_info *info, dt_claim_fn fn, void *ctx,
			 uint32_t *seq, struct dt_log *log)
{
	struct reserved_walk w = { .info = info, .fn = fn, .ctx = ctx, .seq = seq, .log = log };
	struct dt_cursor cur;
	struct dt_node node;
	bool inside = false;
	int ret = 0;

	if (info->reserved.first < 0)
		return 0;
	dt_cursor_revisit(&cur, fdt, info->reserved.first);
	/* Until the last of them is closed: mostly there is just one. */
	while (!ret && (cur.depth || cur.next <= info->reserved.last)) {
		ret = dt_next(&cur);
		if (ret <= 0)
			return ret ? ret : -EMM_EBADTREE;
		ret = 0;
		if (cur.tag != FDT_BEGIN_NODE || cur.level > 1)
			continue;
		if (cur.level == 0) {
			inside = dt_name_is(dt_cursor_name(&cur), "reserved-memory");
			if (!inside)
				continue;
			ret = dt_read_node(&cur, &node);
			if (!ret)
				ret = reserved_root(&w, &node);
		} else if (inside) {
			ret = dt_read_node(&cur, &node);
			if (!ret)
				ret = child(&w, &node);
		}
	}
	return ret;
}
