/* SPDX-License-Identifier: BSD-2-Clause */
/* Looking things up after the boot: a reservation's name, the harts, a device by compatible. */
#include "map.h"

#include <earlymm/error.h>

#include <string.h>

struct name_search {
	phys_addr_t addr;
	bool nomap;
	const char *name;
};

static int covers(void *ctx, const struct dt_claim *c)
{
	struct name_search *s = ctx;

	if (s->addr < c->base || s->addr >= dt_claim_end(c) ||
	    s->nomap != (c->cause == CAUSE_NOMAP))
		return 0;
	s->name = c->name;
	return 1;
}

/* What no static child covers is a dynamic region's, if it is in the table at all. */
static const char *dynamic_name(const struct dt_info *info, phys_addr_t addr, bool nomap)
{
	uint32_t i;

	for (i = 0; i < info->nr_regions; i++) {
		const struct dt_region *r = &info->regions[i];

		if (addr >= r->base && addr - r->base < r->size &&
		    nomap == ((r->flags & DT_REGION_NOMAP) != 0))
			return r->name;
	}
	return NULL;
}

int dt_reserved_name(const void *fdt, const struct dt_info *info, phys_addr_t addr, bool nomap,
		     char *buf, size_t n)
{
	struct name_search s = { .addr = addr, .nomap = nomap };
	uint32_t seq = 0;

	if (!buf || !n)
		return -EMM_EINVAL;
	if (dt_for_each_reserved(fdt, info, covers, &s, &seq, NULL) != 1)
		s.name = dynamic_name(info, addr, nomap);
	if (!s.name)
		return -EMM_ENOENT;
	dt_printable(s.name, buf, n);
	return 0;
}

static int hart_nid(const struct dt_node *node)
{
	uint64_t nid;

	if (!dt_prop_number(node, PROP_NUMA_NODE_ID, &nid) || nid > DT_MAX_NID)
		return NUMA_NO_NODE;
	return (int)nid;
}

unsigned int dt_harts(const void *fdt, const struct dt_info *info, struct dt_hart *harts,
		      unsigned int max)
{
	uint64_t id;

	struct dt_cursor cur;
	struct dt_node node;
	unsigned int n = 0;
	bool inside = false;

	if (info->cpus.first < 0)
		return 0;
	dt_cursor_revisit(&cur, fdt, info->cpus.first);
	while ((cur.depth || cur.next <= info->cpus.last) && dt_next(&cur) > 0) {
		if (cur.tag != FDT_BEGIN_NODE || cur.level > 1)
			continue;
		if (cur.level == 0) {
			inside = dt_name_is(dt_cursor_name(&cur), "cpus");
			continue;
		}
		if (!inside || dt_read_node(&cur, &node))
			continue;
		if (!dt_is_usable_hart(&node, &id))
			continue;
		if (n < max)
			harts[n] = (struct dt_hart){ id, hart_nid(&node) };
		n++;
	}
	return n;
}

/* What a node tells about the addresses of its children, for each node that is open. */
struct bus {
	struct dt_cells cells;
	bool valid; /* cells are 1 or 2 */
	bool enabled; /* the node and all above it */
	bool has_ranges;
	struct dt_prop_value ranges; /* empty: addresses are the same on both sides */
};

/* From an address on the bus that @bus leads to, to one on the bus that it is on itself. */
static bool translate(const struct bus *bus, const struct bus *parent, phys_addr_t *addr)
{
	uint32_t words = bus->cells.addr + parent->cells.addr + bus->cells.size, i;
	const fdt32_t *p = bus->ranges.data;

	if (!bus->has_ranges || !bus->valid || !parent->valid)
		return false;
	if (!bus->ranges.len)
		return true;
	for (i = 0; i < bus->ranges.len / (words * sizeof(fdt32_t)); i++, p += words) {
		uint64_t child = dt_number(p, bus->cells.addr);
		uint64_t size = dt_number(p + words - bus->cells.size, bus->cells.size);

		if (*addr >= child && *addr - child < size) {
			*addr = *addr - child + dt_number(p + bus->cells.addr, parent->cells.addr);
			return true;
		}
	}
	return false;
}

/* The first reg entry of @node at @level; buses[0 .. level - 1] are the nodes above it. */
static bool device_address(const struct dt_node *node, const struct bus *buses, int level,
			   phys_addr_t *base, phys_addr_t *size)
{
	const struct bus *bus;

	if (level < 1)
		return false;
	bus = &buses[level - 1];
	if (!bus->valid || !dt_has(node, PROP_REG) ||
	    node->prop[PROP_REG].len < dt_entry_bytes(bus->cells))
		return false;
	dt_read_entry(node->prop[PROP_REG].data, bus->cells, base, size);
	for (; bus > buses; bus--) {
		if (!translate(bus, bus - 1, base))
			return false;
	}
	return true;
}

int dt_find_compatible(const void *fdt, const char *compatible, phys_addr_t *base,
		       phys_addr_t *size)
{
	struct bus buses[DT_MAX_DEPTH];
	struct dt_cursor cur;
	struct dt_node node;
	phys_addr_t at = 0, bytes = 0;
	int ret;

	dt_cursor_init(&cur, fdt, 0);
	while ((ret = dt_next(&cur)) > 0) {
		const struct dt_prop_value *list = &node.prop[PROP_COMPATIBLE];
		int level = cur.level;
		struct bus *bus = &buses[level];

		if (cur.tag != FDT_BEGIN_NODE)
			continue;
		ret = dt_read_node(&cur, &node);
		if (ret)
			return ret;
		bus->valid = dt_node_cells(&node, &bus->cells);
		bus->enabled = dt_is_enabled(&node) && (!level || bus[-1].enabled);
		bus->has_ranges = dt_has(&node, PROP_RANGES);
		if (bus->has_ranges)
			bus->ranges = node.prop[PROP_RANGES];
		if (!bus->enabled || !dt_has(&node, PROP_COMPATIBLE) ||
		    !dt_list_holds((const char *)list->data, list->len, compatible) ||
		    !device_address(&node, buses, level, &at, &bytes))
			continue;
		*base = at;
		*size = bytes;
		return 0;
	}
	return ret ? ret : -EMM_ENOENT;
}
