/* SPDX-License-Identifier: BSD-2-Clause */
#include "helper_dt_model.h"

#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CLAIMS 65536U

struct cells {
	int addr;
	int size;
};

struct claim {
	phys_addr_t base;
	phys_addr_t end;
	enum memblock_cause cause;
};

static struct claim claims[MAX_CLAIMS];
static unsigned int nr_claims;

static void claim(phys_addr_t base, phys_addr_t size, enum memblock_cause cause)
{
	if (nr_claims == MAX_CLAIMS)
		abort();
	if (size && base < PHYS_ADDR_MAX)
		claims[nr_claims++] = (struct claim){ base, model_end(base, size), cause };
}

/* ---- properties ---- */

static uint64_t number(const fdt32_t *p, int cells)
{
	return cells == 2 ? (uint64_t)fdt32_ld(p) << 32 | fdt32_ld(p + 1) : fdt32_ld(p);
}

/* A number of one or two cells. */
static bool get_number(const void *fdt, int node, const char *name, uint64_t *value)
{
	int len;
	const fdt32_t *p = fdt_getprop(fdt, node, name, &len);

	if (!p || (len != 4 && len != 8))
		return false;
	*value = number(p, len / 4);
	return true;
}

static bool has(const void *fdt, int node, const char *name)
{
	return fdt_getprop(fdt, node, name, NULL) != NULL;
}

static bool begins_with(const void *fdt, int node, const char *name, const char *string)
{
	int len, want = (int)strlen(string) + 1;
	const char *p = fdt_getprop(fdt, node, name, &len);

	return p && len >= want && !memcmp(p, string, (size_t)want);
}

static bool enabled(const void *fdt, int node)
{
	return !has(fdt, node, "status") || begins_with(fdt, node, "status", "okay") ||
	       begins_with(fdt, node, "status", "ok");
}

/* 0: neither 1 nor 2. */
static int cell_count(const void *fdt, int node, const char *name, int absent)
{
	int len;
	const fdt32_t *p = fdt_getprop(fdt, node, name, &len);

	if (!p)
		return absent;
	return len == 4 && (fdt32_ld(p) == 1 || fdt32_ld(p) == 2) ? (int)fdt32_ld(p) : 0;
}

static struct cells cells_of(const void *fdt, int node)
{
	return (struct cells){ cell_count(fdt, node, "#address-cells", 2),
			       cell_count(fdt, node, "#size-cells", 1) };
}

static bool is_named(const void *fdt, int node, const char *want)
{
	const char *name = fdt_get_name(fdt, node, NULL);
	const size_t n = strlen(want);

	return name && !strncmp(name, want, n) && (!name[n] || name[n] == '@');
}

/* The first child of the root with this name; < 0: none. */
static int child_of_root(const void *fdt, const char *name)
{
	int node;

	fdt_for_each_subnode(node, fdt, 0)
	{
		if (is_named(fdt, node, name))
			return node;
	}
	return -1;
}

/* ---- memory ---- */

static void add_bank(struct dt_reading *r, phys_addr_t base, phys_addr_t end, int nid,
		     uint32_t flags)
{
	struct model_op op = { MEMORY, ADD, 0, 0, flags, 0, nid };
	const phys_addr_t last = end - end % PAGE_SIZE;
	const phys_addr_t first = base + (PAGE_SIZE - base % PAGE_SIZE) % PAGE_SIZE;

	if (first < base || first >= last)
		return;
	op.base = first;
	op.size = last - first;
	if (model_change(&r->m, &op))
		abort();
}

/* What of a bank lies in linux,usable-memory-range, of which eight ranges count. */
static void add_usable(struct dt_reading *r, const void *fdt, phys_addr_t base, phys_addr_t size,
		       int nid, uint32_t flags)
{
	const struct cells c = cells_of(fdt, 0);
	const int chosen = child_of_root(fdt, "chosen");
	const phys_addr_t end = model_end(base, size);
	const fdt32_t *p = NULL;
	int len = 0, i;

	if (chosen >= 0)
		p = fdt_getprop(fdt, chosen, "linux,usable-memory-range", &len);
	if (!p) {
		add_bank(r, base, end, nid, flags);
		return;
	}
	for (i = 0; i < len / 4 / (c.addr + c.size) && i < DT_MAX_USABLE; i++) {
		const fdt32_t *at = p + i * (c.addr + c.size);
		const phys_addr_t from = number(at, c.addr);
		const phys_addr_t to = model_end(from, number(at + c.addr, c.size));

		add_bank(r, from > base ? from : base, to < end ? to : end, nid, flags);
	}
}

static void read_memory(struct dt_reading *r, const void *fdt, int node)
{
	const char *name = has(fdt, node, "linux,usable-memory") ? "linux,usable-memory" : "reg";
	const uint32_t flags = has(fdt, node, "hotpluggable") ? MEMBLOCK_HOTPLUG : MEMBLOCK_NONE;
	const struct cells c = cells_of(fdt, 0);
	int len, i, nid = NUMA_NO_NODE;
	const fdt32_t *p = fdt_getprop(fdt, node, name, &len);
	uint64_t id;

	if (get_number(fdt, node, "numa-node-id", &id) && id <= DT_MAX_NID)
		nid = (int)id;
	for (i = 0; p && i < len / 4 / (c.addr + c.size); i++) {
		const fdt32_t *at = p + i * (c.addr + c.size);

		add_usable(r, fdt, number(at, c.addr), number(at + c.addr, c.size), nid, flags);
	}
}

/* ---- claims ---- */

/* The address that a node's name ends with, "@hex" or "@high,low". 0: none, -1: who can tell. */
static int unit_address(const char *name, uint64_t *address)
{
	const char *at = strchr(name, '@');
	const size_t digits = at ? strspn(at + 1, "0123456789abcdef") : 0;
	const char *comma = digits ? at + 1 + digits : NULL;

	if (!at || !at[1])
		return 0;
	if (!digits || digits > 16 || (*comma && *comma != ','))
		return -1;
	*address = strtoull(at + 1, NULL, 16);
	if (!*comma)
		return 1;
	if (!comma[1] || comma[1 + strspn(comma + 1, "0123456789abcdef")] || strlen(comma) > 9)
		return -1;
	*address = *address << 32 | strtoull(comma + 1, NULL, 16);
	return 1;
}

/*
 * The cells of a static child's reg: its parent's or the root's. Where both fit the length, the
 * child's unit address decides, and then whether the parent has any of its own.
 */
static struct cells reg_cells(const void *fdt, int node, int parent, bool *unclear)
{
	const struct cells own = cells_of(fdt, parent), root = cells_of(fdt, 0);
	const bool given = has(fdt, parent, "#address-cells") && has(fdt, parent, "#size-cells");
	uint64_t unit;
	int len, named;
	const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &len);

	if ((own.addr == root.addr && own.size == root.size) || !len ||
	    len % (4 * (root.addr + root.size)))
		return own;
	if (len % (4 * (own.addr + own.size)))
		return root;
	named = unit_address(fdt_get_name(fdt, node, NULL), &unit);
	*unclear = named < 0;
	if (named > 0 && number(reg, own.addr) == unit)
		return own;
	if (named > 0 && number(reg, root.addr) == unit)
		return root;
	return given ? own : root;
}

static void claim_child(struct dt_reading *r, const void *fdt, int node, int parent)
{
	const struct cells own = cells_of(fdt, parent);
	const bool nomap = has(fdt, node, "no-map");
	bool unclear = false;
	struct cells c;
	int len, i;
	const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &len);

	if (!reg || !enabled(fdt, node))
		return;
	if (!own.addr || !own.size)
		return;
	c = reg_cells(fdt, node, parent, &unclear);
	r->unclear |= unclear;
	for (i = 0; !unclear && i < len / 4 / (c.addr + c.size); i++) {
		const fdt32_t *at = reg + i * (c.addr + c.size);
		phys_addr_t base = number(at, c.addr);
		phys_addr_t end = model_end(base, number(at + c.addr, c.size));

		if (nomap && base < end) {
			base -= base % PAGE_SIZE;
			end += (PAGE_SIZE - end % PAGE_SIZE) % PAGE_SIZE;
			end = end > base ? end : PHYS_ADDR_MAX;
		}
		claim(base, end - base, nomap ? CAUSE_NOMAP : CAUSE_RESERVED_MEMORY);
	}
}

static void claim_reserved_memory(struct dt_reading *r, const void *fdt)
{
	bool bad = false, any = false;
	int node, child;

	fdt_for_each_subnode(node, fdt, 0)
	{
		const struct cells own = cells_of(fdt, node);

		if (!is_named(fdt, node, "reserved-memory"))
			continue;
		bad |= !own.addr || !own.size;
		fdt_for_each_subnode(child, fdt, node)
		{
			any |= enabled(fdt, child) && has(fdt, child, "reg");
			claim_child(r, fdt, child, node);
		}
	}
	r->bad_cells = bad && any;
}

/* In the order of registration, without the initrd. */
static void collect_claims(struct dt_reading *r, const void *fdt, const struct dt_machine *machine)
{
	const struct cells c = cells_of(fdt, 0);
	const int chosen = child_of_root(fdt, "chosen");
	uint64_t base, size;
	const fdt32_t *p;
	unsigned int i;
	int n, len;

	nr_claims = 0;
	for (i = 0; i < machine->nr_fixed; i++)
		claim(machine->fixed[i].base, machine->fixed[i].size, machine->fixed[i].cause);
	claim(machine->fdt_pa, fdt_totalsize(fdt), CAUSE_FDT);
	/* Up to the entry that is all zero; libfdt's count ends with the first of size 0. */
	for (n = 0; !fdt_get_mem_rsv(fdt, n, &base, &size) && (base || size); n++)
		claim(base, size, CAUSE_MEMRESERVE);
	p = chosen < 0 ? NULL : fdt_getprop(fdt, chosen, "linux,elfcorehdr", &len);
	if (p && len >= 4 * (c.addr + c.size))
		claim(number(p, c.addr), number(p + c.addr, c.size), CAUSE_OTHER);
	claim_reserved_memory(r, fdt);
}

/* ---- the initrd ---- */

static bool is_memory(const struct dt_reading *r, phys_addr_t base, phys_addr_t end)
{
	const struct piece *p;

	while (base < end && (p = model_at(&r->m.map[MEMORY], base)) != NULL)
		base = p->end;
	return base >= end;
}

/* In memory, and clear of every claim but a /memreserve/ entry for just its pages. */
static bool can_be_used(const struct dt_reading *r, phys_addr_t base, phys_addr_t end)
{
	unsigned int i;

	if (!is_memory(r, base, end))
		return false;
	for (i = 0; i < nr_claims; i++) {
		const struct claim *c = &claims[i];
		const bool its_own = c->cause == CAUSE_MEMRESERVE &&
				     c->base / PAGE_SIZE == base / PAGE_SIZE &&
				     (c->end - 1) / PAGE_SIZE == (end - 1) / PAGE_SIZE;

		if (c->base < end && base < c->end && !its_own)
			return false;
	}
	return true;
}

static void read_initrd(struct dt_reading *r, const void *fdt)
{
	const int chosen = child_of_root(fdt, "chosen");
	uint64_t start, end;
	unsigned int i;

	/* What it may collide with is not known. */
	if (r->unclear)
		return;
	if (chosen < 0 || !get_number(fdt, chosen, "linux,initrd-start", &start) ||
	    !get_number(fdt, chosen, "linux,initrd-end", &end) || start >= end ||
	    !can_be_used(r, start, end))
		return;
	r->has_initrd = true;
	/* It comes right behind the tree: before /memreserve/. */
	claim(start, end - start, CAUSE_INITRD);
	for (i = nr_claims - 1; i > 0 && claims[i - 1].cause != CAUSE_FDT; i--) {
		const struct claim c = claims[i];

		claims[i] = claims[i - 1];
		claims[i - 1] = c;
	}
}

/* ---- registration ---- */

static void reserve(struct dt_reading *r, phys_addr_t base, phys_addr_t end,
		    enum memblock_cause cause)
{
	const struct model_op op = {
		.t = RESERVED,
		.kind = ADD,
		.base = base,
		.size = end - base,
		.set = (uint32_t)cause << MEMBLOCK_CAUSE_SHIFT,
		.nid = NUMA_NO_NODE,
	};

	if (base < end && model_change(&r->m, &op))
		abort();
}

static void mark_nomap(struct dt_reading *r, phys_addr_t base, phys_addr_t end)
{
	const struct model_op op = {
		.t = MEMORY,
		.kind = FLAGS,
		.base = base,
		.size = end - base,
		.set = MEMBLOCK_NOMAP,
	};

	if (base < end && model_change(&r->m, &op))
		abort();
}

/* The claims that are in use now, the first @n: the image and the tree. */
static bool in_use(phys_addr_t page, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (claims[i].base / PAGE_SIZE <= page / PAGE_SIZE &&
		    page / PAGE_SIZE <= (claims[i].end - 1) / PAGE_SIZE)
			return true;
	}
	return false;
}

/* Where what is in use begins or ends inside a no-map claim, and so the answer may change. */
static phys_addr_t next_border(phys_addr_t at, phys_addr_t end, unsigned int n)
{
	phys_addr_t next = end;
	unsigned int i;

	for (i = 0; i < n; i++) {
		const phys_addr_t base = claims[i].base - claims[i].base % PAGE_SIZE;
		const phys_addr_t last = claims[i].end - 1;
		const phys_addr_t behind = last - last % PAGE_SIZE + PAGE_SIZE;

		if (base > at && base < next)
			next = base;
		if (behind > at && behind < next)
			next = behind;
	}
	return next;
}

static void register_claims(struct dt_reading *r, const struct dt_machine *machine)
{
	unsigned int i, n = 0;

	for (i = 0; i < machine->nr_fixed; i++)
		n += machine->fixed[i].size != 0 && machine->fixed[i].base < PHYS_ADDR_MAX;
	n++; /* the tree */
	for (i = 0; i < nr_claims; i++) {
		const struct claim *c = &claims[i];
		phys_addr_t at, next;

		if (c->cause != CAUSE_NOMAP) {
			reserve(r, c->base, c->end, c->cause);
			continue;
		}
		for (at = c->base; at < c->end; at = next) {
			next = next_border(at, c->end, n);
			if (in_use(at, n))
				reserve(r, at, next, CAUSE_RESERVED_MEMORY);
			else
				mark_nomap(r, at, next);
		}
	}
}

void dt_read(struct dt_reading *r, const void *fdt, const struct dt_machine *machine)
{
	int node;

	model_init(&r->m, 0, 0);
	r->m.max[MEMORY] = r->m.max[RESERVED] = MODEL_MAX;
	r->unclear = r->bad_cells = r->has_initrd = false;
	fdt_for_each_subnode(node, fdt, 0)
	{
		if (begins_with(fdt, node, "device_type", "memory") && enabled(fdt, node))
			read_memory(r, fdt, node);
	}
	collect_claims(r, fdt, machine);
	read_initrd(r, fdt);
	register_claims(r, machine);
}
