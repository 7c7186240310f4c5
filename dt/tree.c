/* SPDX-License-Identifier: BSD-2-Clause */
/* The cursor over a tree's tags, and the reading of properties. See tree.h. */
#include "tree.h"

#include <earlymm/error.h>

#include <inttypes.h>
#include <string.h>

/* Sorted by first character; enum dt_prop has the same order. */
static const char *const prop_names[] = {
	[PROP_ADDRESS_CELLS] = "#address-cells",
	[PROP_SIZE_CELLS] = "#size-cells",
	[PROP_ALIGNMENT] = "alignment",
	[PROP_ALLOC_RANGES] = "alloc-ranges",
	[PROP_BOOTARGS] = "bootargs",
	[PROP_COMPATIBLE] = "compatible",
	[PROP_DEVICE_TYPE] = "device_type",
	[PROP_DISTANCE_MATRIX] = "distance-matrix",
	[PROP_HOTPLUGGABLE] = "hotpluggable",
	[PROP_IOMMU_ADDRESSES] = "iommu-addresses",
	[PROP_KASLR_SEED] = "kaslr-seed",
	[PROP_ELFCOREHDR] = "linux,elfcorehdr",
	[PROP_INITRD_END] = "linux,initrd-end",
	[PROP_INITRD_START] = "linux,initrd-start",
	[PROP_USABLE_MEMORY] = "linux,usable-memory",
	[PROP_USABLE_RANGE] = "linux,usable-memory-range",
	[PROP_CMA_DEFAULT] = "linux,cma-default",
	[PROP_DMA_DEFAULT] = "linux,dma-default",
	[PROP_MMU_TYPE] = "mmu-type",
	[PROP_MODEL] = "model",
	[PROP_NO_MAP] = "no-map",
	[PROP_NUMA_NODE_ID] = "numa-node-id",
	[PROP_REG] = "reg",
	[PROP_RANGES] = "ranges",
	[PROP_REUSABLE] = "reusable",
	[PROP_ISA] = "riscv,isa",
	[PROP_ISA_BASE] = "riscv,isa-base",
	[PROP_ISA_EXTENSIONS] = "riscv,isa-extensions",
	[PROP_RNG_SEED] = "rng-seed",
	[PROP_SIZE] = "size",
	[PROP_STATUS] = "status",
	[PROP_STDOUT_PATH] = "stdout-path",
	[PROP_TIMEBASE] = "timebase-frequency",
};

/* The first name that begins with a letter. Other letters: any entry, it will not match. */
static const uint8_t prop_start['z' - 'a' + 1] = {
	['a' - 'a'] = PROP_ALIGNMENT,    ['b' - 'a'] = PROP_BOOTARGS,
	['c' - 'a'] = PROP_COMPATIBLE,   ['d' - 'a'] = PROP_DEVICE_TYPE,
	['h' - 'a'] = PROP_HOTPLUGGABLE, ['i' - 'a'] = PROP_IOMMU_ADDRESSES,
	['k' - 'a'] = PROP_KASLR_SEED,   ['l' - 'a'] = PROP_ELFCOREHDR,
	['m' - 'a'] = PROP_MMU_TYPE,     ['n' - 'a'] = PROP_NO_MAP,
	['r' - 'a'] = PROP_REG,          ['s' - 'a'] = PROP_SIZE,
	['t' - 'a'] = PROP_TIMEBASE,
};

_Static_assert(ARRAY_SIZE(prop_names) == NR_DT_PROPS, "a name for each property");
_Static_assert(NR_DT_PROPS <= 64, "a bit for each property in struct dt_node's seen");

void dt_cursor_init(struct dt_cursor *cur, const void *fdt, int offset)
{
	const char *blob = fdt;

	cur->fdt = fdt;
	cur->structs = blob + fdt_off_dt_struct(fdt);
	cur->strings = blob + fdt_off_dt_strings(fdt);
	cur->size_strings = fdt_size_dt_strings(fdt);
	cur->offset = offset;
	cur->next = offset;
	cur->depth = 0;
	cur->level = 0;
	cur->tag = FDT_NOP;
	cur->closed = false;
	cur->held = false;
	cur->walked = false;
	cur->damage = NULL;
}

void dt_cursor_revisit(struct dt_cursor *cur, const void *fdt, int offset)
{
	dt_cursor_init(cur, fdt, offset);
	cur->walked = true;
}

static int damage(struct dt_cursor *cur, const char *what)
{
	cur->damage = what;
	return -EMM_EBADTREE;
}

static int check_property(struct dt_cursor *cur)
{
	const struct fdt_property *p = (const void *)(cur->structs + cur->offset);
	uint32_t room = (uint32_t)(cur->next - cur->offset) - (uint32_t)sizeof(*p);

	if (!cur->depth)
		return damage(cur, "property outside any node");
	if (cur->closed)
		return damage(cur, "property after a child node");
	/* libfdt 1.6 lets a length near 2^32 wrap. */
	if ((uint32_t)(cur->next - cur->offset) < sizeof(*p) || fdt32_to_cpu(p->len) > room)
		return damage(cur, "property longer than the tree");
	if (fdt32_to_cpu(p->nameoff) >= cur->size_strings)
		return damage(cur, "property name outside the strings block");
	return 1;
}

/*
 * fdt_next_tag() for a tree that has passed dt_walk(): without its checks, which look at each
 * letter of each name through a function. That is half of what the second visits would cost. A tag
 * that has been seen is one of five small numbers: its last byte tells.
 */
static uint32_t next_known_tag(struct dt_cursor *cur, int offset)
{
	const char *p = cur->structs + offset;
	const struct fdt_property *prop = (const void *)p;
	uint32_t tag = (uint8_t)p[FDT_TAGSIZE - 1], bytes = FDT_TAGSIZE;

	if (tag == FDT_PROP)
		bytes = (uint32_t)sizeof(*prop) + fdt32_to_cpu(prop->len);
	else if (tag == FDT_BEGIN_NODE)
		bytes += (uint32_t)strlen(p + FDT_TAGSIZE) + 1;
	cur->next = offset + (int)((bytes + FDT_TAGSIZE - 1) & ~(FDT_TAGSIZE - 1U));
	return tag;
}

int dt_next(struct dt_cursor *cur)
{
	int offset = cur->next;

	if (cur->held) {
		cur->held = false;
		return 1;
	}
	cur->offset = offset;
	cur->tag = cur->walked ? next_known_tag(cur, offset)
			       : fdt_next_tag(cur->fdt, offset, &cur->next);
	switch (cur->tag) {
	case FDT_BEGIN_NODE:
		if (cur->depth == DT_MAX_DEPTH)
			return damage(cur, "nodes nested too deeply");
		cur->level = cur->depth++;
		cur->closed = false;
		break;
	case FDT_END_NODE:
		if (!cur->depth)
			return damage(cur, "end of a node that was not begun");
		cur->level = --cur->depth;
		cur->closed = true;
		break;
	case FDT_PROP:
		cur->level = cur->depth - 1;
		if (cur->walked)
			return 1;
		if (cur->next <= offset)
			break;
		return check_property(cur);
	case FDT_NOP:
		break;
	default: /* FDT_END, also for what libfdt does not accept */
		if (cur->next < 0)
			return damage(cur, "damaged or cut off");
		return cur->depth ? damage(cur, "end of the tree inside a node") : 0;
	}
	return cur->next > offset ? 1 : damage(cur, "a tag that leads nowhere");
}

/* @name ends within the strings block: dt_check() saw the NUL at its end. */
static enum dt_prop prop_id(const char *name)
{
	char c = name[0];
	unsigned int id = c >= 'a' && c <= 'z' ? prop_start[c - 'a'] : 0;

	for (; id < NR_DT_PROPS && prop_names[id][0] == c; id++) {
		/* Two letters tell most names apart, without a call. */
		if (prop_names[id][1] == name[1] && !strcmp(prop_names[id], name))
			break;
	}
	return id < NR_DT_PROPS && prop_names[id][0] == c ? id : NR_DT_PROPS;
}

int dt_read_node(struct dt_cursor *cur, struct dt_node *node)
{
	int ret;

	node->offset = cur->offset;
	node->name = dt_cursor_name(cur);
	node->seen = 0;
	while ((ret = dt_next(cur)) > 0) {
		const struct fdt_property *p = (const void *)(cur->structs + cur->offset);
		enum dt_prop id;

		if (cur->tag == FDT_NOP)
			continue;
		if (cur->tag != FDT_PROP) {
			cur->held = true;
			return 0;
		}
		id = prop_id(cur->strings + fdt32_to_cpu(p->nameoff));
		if (id == NR_DT_PROPS || dt_has(node, id))
			continue;
		node->seen |= 1ULL << id;
		node->prop[id].data = (const fdt32_t *)(const void *)p->data;
		node->prop[id].len = fdt32_to_cpu(p->len);
	}
	return ret < 0 ? ret : damage(cur, "end of the tree inside a node");
}

bool dt_name_is(const char *name, const char *want)
{
	for (; *want; name++, want++) {
		if (*name != *want)
			return false;
	}
	return *name == '\0' || *name == '@';
}

bool dt_list_holds(const char *list, uint32_t len, const char *want)
{
	size_t bytes = strlen(want) + 1;

	while (len >= bytes) {
		const char *end;

		if (!memcmp(list, want, bytes))
			return true;
		end = memchr(list, '\0', len);
		if (!end)
			return false;
		len -= (uint32_t)(end + 1 - list);
		list = end + 1;
	}
	return false;
}

bool dt_prop_equals(const struct dt_node *node, enum dt_prop prop, const char *want)
{
	size_t bytes = strlen(want) + 1;

	return dt_has(node, prop) && node->prop[prop].len >= bytes &&
	       !memcmp(node->prop[prop].data, want, bytes);
}

bool dt_is_enabled(const struct dt_node *node)
{
	return !dt_has(node, PROP_STATUS) || dt_prop_equals(node, PROP_STATUS, "okay") ||
	       dt_prop_equals(node, PROP_STATUS, "ok");
}

bool dt_is_hart(const struct dt_node *node)
{
	return dt_prop_equals(node, PROP_DEVICE_TYPE, "cpu") ||
	       (!dt_has(node, PROP_DEVICE_TYPE) && dt_name_is(node->name, "cpu"));
}

bool dt_is_usable_hart(const struct dt_node *node, uint64_t *id)
{
	uint64_t reg;

	if (!dt_is_hart(node) || !dt_is_enabled(node) || !dt_prop_number(node, PROP_REG, &reg))
		return false;
	if (id)
		*id = reg;
	return true;
}

uint64_t dt_number(const fdt32_t *p, uint32_t cells)
{
	uint64_t value = fdt32_to_cpu(p[0]);

	return cells == 2 ? value << 32 | fdt32_to_cpu(p[1]) : value;
}

bool dt_prop_number(const struct dt_node *node, enum dt_prop prop, uint64_t *value)
{
	uint32_t len;

	if (!dt_has(node, prop))
		return false;
	len = node->prop[prop].len;
	if (len != sizeof(fdt32_t) && len != 2 * sizeof(fdt32_t))
		return false;
	*value = dt_number(node->prop[prop].data, len / (uint32_t)sizeof(fdt32_t));
	return true;
}

/* Returns false, *@cells unchanged, for a value that is not one cell holding 1 or 2. */
static bool read_cells(const struct dt_node *node, enum dt_prop prop, uint32_t *cells)
{
	uint32_t value;

	if (!dt_has(node, prop))
		return true;
	if (node->prop[prop].len != sizeof(fdt32_t))
		return false;
	value = fdt32_to_cpu(node->prop[prop].data[0]);
	if (value != 1 && value != 2)
		return false;
	*cells = value;
	return true;
}

bool dt_node_cells(const struct dt_node *node, struct dt_cells *cells)
{
	bool ok;

	cells->addr = 2;
	cells->size = 1;
	ok = read_cells(node, PROP_ADDRESS_CELLS, &cells->addr);
	return read_cells(node, PROP_SIZE_CELLS, &cells->size) && ok;
}

bool dt_read_entry(const fdt32_t *p, struct dt_cells cells, phys_addr_t *base, phys_addr_t *size)
{
	bool below_top;

	*base = dt_number(p, cells.addr);
	*size = dt_number(p + cells.addr, cells.size);
	if (*size <= PHYS_ADDR_MAX - *base)
		return true;
	below_top = *base + *size == 0;
	*size = PHYS_ADDR_MAX - *base;
	return below_top;
}

const char *dt_printable(const char *name, char *buf, size_t n)
{
	size_t i;

	if (!name[0])
		name = "/";
	for (i = 0; i + 1 < n && name[i]; i++)
		buf[i] = name[i] >= ' ' && name[i] <= '~' ? name[i] : '?';
	buf[i] = '\0';
	return buf;
}

__attribute__((format(printf, 2, 0))) static void log_line(struct dt_log *log, const char *fmt,
							   va_list ap)
{
	if (!log->out || !log->out->vprint)
		return;
	if (log->lines++ < DT_MAX_LINES)
		log->out->vprint(log->out->ctx, fmt, ap);
	else
		log->dropped++;
}

void dt_note(struct dt_log *log, const char *fmt, ...)
{
	va_list ap;

	if (!log)
		return;
	va_start(ap, fmt);
	log_line(log, fmt, ap);
	va_end(ap);
}

void dt_error(struct dt_log *log, const char *fmt, ...)
{
	va_list ap;

	if (!log)
		return;
	log->errors++;
	va_start(ap, fmt);
	log_line(log, fmt, ap);
	va_end(ap);
}

void dt_log_end(const struct dt_log *log)
{
	if (log->dropped)
		print_to(log->out, "dt: %" PRIu32 " more messages not shown\n", log->dropped);
}

int dt_damaged(const struct dt_cursor *cur, const char *node, const struct printer *out)
{
	char name[DT_NAME_SIZE];

	print_to(out, "dt: damaged tree: %s at offset 0x%x of the structure block (%s%s)\n",
		 cur->damage ? cur->damage : "?", (unsigned int)cur->offset,
		 node ? "in or after node " : "before the first node",
		 node ? dt_printable(node, name, sizeof(name)) : "");
	return -EMM_EBADTREE;
}
