/* SPDX-License-Identifier: BSD-2-Clause */
/* /reserved-memory: its children, the static ones as claims, the dynamic ones as requests. */
#include "map.h"

#include <earlymm/error.h>

#include <inttypes.h>

bool dt_is_dma_pool(const struct dt_node *child)
{
	const struct dt_prop_value *list = &child->prop[PROP_COMPATIBLE];

	return dt_has(child, PROP_COMPATIBLE) &&
	       dt_list_holds((const char *)list->data, list->len, "shared-dma-pool");
}

bool dt_is_pool(const struct dt_node *child)
{
	return dt_has(child, PROP_REUSABLE) || dt_has(child, PROP_CMA_DEFAULT) ||
	       dt_has(child, PROP_DMA_DEFAULT) || dt_is_dma_pool(child);
}

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

struct dt_cells dt_list_cells(const struct dt_reserved_root *root, const struct dt_prop_value *list,
			      const char *name)
{
	struct dt_cells own = root->own, tree = root->tree;
	uint64_t unit;

	if (dt_same_cells(own, tree) || !list->len || list->len % dt_entry_bytes(tree))
		return own;
	if (list->len % dt_entry_bytes(own))
		return tree;
	if (unit_address(name, &unit)) {
		if (dt_number(list->data, own.addr) == unit)
			return own;
		if (dt_number(list->data, tree.addr) == unit)
			return tree;
	}
	return root->given ? own : tree;
}

struct dt_cells dt_child_cells(const struct dt_reserved_root *root, const struct dt_node *child)
{
	return dt_list_cells(root, &child->prop[PROP_REG], child->name);
}

/* ---- what is said of a node ---- */

/* Linux ignores such a node with all that it protects; here it is honoured. */
static int check_root(const struct dt_info *info, const struct dt_reserved_root *root,
		      const struct dt_node *node, struct dt_log *log)
{
	if (!root->valid) {
		dt_error(log,
			 "dt: reserved-memory: #address-cells and #size-cells must be 1 or 2\n");
		return info->nr_static ? -EMM_EBADTREE : 0;
	}
	if (!dt_has(node, PROP_RANGES))
		dt_error(log, "dt: reserved-memory: no ranges, its children count all the same\n");
	else if (node->prop[PROP_RANGES].len)
		dt_error(log,
			 "dt: reserved-memory: ranges is not empty: its children's addresses are "
			 "taken as they are\n");
	if (!root->given)
		dt_error(log, "dt: reserved-memory: #address-cells or #size-cells is missing\n");
	else if (!dt_same_cells(root->own, root->tree))
		dt_error(log,
			 "dt: reserved-memory: %" PRIu32 " and %" PRIu32
			 " cells where the root has %" PRIu32 " and %" PRIu32
			 ", its own are used\n",
			 root->own.addr, root->own.size, root->tree.addr, root->tree.size);
	return 0;
}

/* What a static child promises its users, beyond being reserved. */
static void check_promises(const struct dt_node *child, const char *name,
			   const struct dt_claim *claim, struct dt_log *log)
{
	if (!dt_has(child, PROP_REUSABLE))
		return;
	if (dt_has(child, PROP_NO_MAP))
		dt_error(log, "dt: %s: no-map and reusable exclude each other: kept as no-map\n",
			 name);
	else if (dt_is_dma_pool(child) && ((claim->base | claim->size) & (DT_CMA_GRANULE - 1)))
		dt_error(log,
			 "dt: %s: a CMA area must be aligned to 0x%" PRIx64 ": " DT_RANGE
			 " is reserved, but cannot be lent\n",
			 name, (uint64_t)DT_CMA_GRANULE, DT_RANGE_ARGS(claim->base, claim->size));
}

/* ---- static children ---- */

static void to_pages(phys_addr_t *base, phys_addr_t *size)
{
	phys_addr_t end = *base + *size;

	*base &= PAGE_MASK;
	end = end > PHYS_ADDR_MAX - (PAGE_SIZE - 1) ? PHYS_ADDR_MAX
						    : (end + PAGE_SIZE - 1) & PAGE_MASK;
	*size = end - *base;
}

int dt_for_each_entry(const struct dt_reserved_root *root, const struct dt_node *child,
		      dt_claim_fn fn, void *ctx, uint32_t *seq, struct dt_log *log)
{
	const struct dt_prop_value *reg = &child->prop[PROP_REG];
	struct dt_cells cells = dt_child_cells(root, child);
	uint32_t bytes = dt_entry_bytes(cells), n = reg->len / bytes, i;
	bool nomap = dt_has(child, PROP_NO_MAP);
	struct dt_claim claim = {
		.cause = nomap ? CAUSE_NOMAP : CAUSE_RESERVED_MEMORY,
		.name = child->name,
	};
	char name[DT_NAME_SIZE];
	int ret = 0;

	if (log)
		dt_printable(child->name, name, sizeof(name));
	if (root->given && !dt_same_cells(cells, root->own))
		dt_error(log, "dt: %s: its reg has the root's cells, which are used\n", name);
	if (reg->len % bytes || !n)
		dt_error(log,
			 "dt: %s: reg has %" PRIu32 " bytes, no multiple of %" PRIu32
			 ": the first %" PRIu32 " entries are reserved\n",
			 name, reg->len, bytes, n);
	for (i = 0; !ret && i < n; i++) {
		if (!dt_read_entry(reg->data + i * (cells.addr + cells.size), cells, &claim.base,
				   &claim.size))
			dt_error(log, DT_CUT_MESSAGE, name, claim.base);
		if (!claim.size) {
			dt_error(log, "dt: %s: an entry at 0x%" PRIx64 " reserves nothing\n", name,
				 claim.base);
			continue;
		}
		if (log)
			check_promises(child, name, &claim, log);
		if (nomap)
			to_pages(&claim.base, &claim.size);
		claim.seq = (*seq)++;
		ret = fn(ctx, &claim);
	}
	return ret;
}

/* ---- all of them ---- */

int dt_for_each_child(const void *fdt, const struct dt_info *info, dt_child_fn fn, void *ctx,
		      struct dt_log *log)
{
	struct dt_reserved_root root;
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
			if (ret)
				return ret;
			dt_read_reserved_root(info, &node, &root);
			ret = check_root(info, &root, &node, log);
		} else if (inside) {
			ret = dt_read_node(&cur, &node);
			if (!ret)
				ret = fn(ctx, &root, &node);
		}
	}
	return ret;
}

struct claim_walk {
	dt_claim_fn fn;
	void *ctx;
	uint32_t *seq;
	struct dt_log *log;
};

static int claims_of(void *ctx, const struct dt_reserved_root *root, const struct dt_node *child)
{
	struct claim_walk *w = ctx;
	char name[DT_NAME_SIZE];

	switch (dt_classify(child)) {
	case CHILD_STATIC:
		return dt_for_each_entry(root, child, w->fn, w->ctx, w->seq, w->log);
	case CHILD_DYNAMIC:
		if (w->log)
			dt_check_dynamic(root, child, w->log);
		break;
	case CHILD_EMPTY:
		if (w->log)
			dt_error(w->log, "dt: %s: neither reg nor size, ignored\n",
				 dt_printable(child->name, name, sizeof(name)));
		break;
	case CHILD_DISABLED:
	case CHILD_IOMMU:
		break;
	}
	return 0;
}

int dt_for_each_reserved(const void *fdt, const struct dt_info *info, dt_claim_fn fn, void *ctx,
			 uint32_t *seq, struct dt_log *log)
{
	struct claim_walk w = { .fn = fn, .ctx = ctx, .seq = seq, .log = log };

	return dt_for_each_child(fdt, info, claims_of, &w, log);
}
