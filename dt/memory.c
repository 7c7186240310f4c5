/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory nodes: their entries as banks of whole pages, inside the usable ranges. */
#include "map.h"

#include <earlymm/error.h>

#include <inttypes.h>

struct bank_walk {
	const void *fdt;
	const struct dt_info *info;
	dt_bank_fn fn;
	void *ctx;
	struct dt_log *log;
	struct dt_bank bank; /* nid and flags of the node */
	char name[DT_NAME_SIZE];
};

/* Rounds [base, end) inward and hands it on. Returns what @fn does; *@kept: it was not empty. */
static int emit(struct bank_walk *w, phys_addr_t base, phys_addr_t end, bool *kept)
{
	phys_addr_t last = end & PAGE_MASK;

	if (base > PHYS_ADDR_MAX - (PAGE_SIZE - 1))
		return 0;
	base = (base + PAGE_SIZE - 1) & PAGE_MASK;
	if (base >= last)
		return 0;
	*kept = true;
	w->bank.base = base;
	w->bank.size = last - base;
	return w->fn(w->ctx, &w->bank);
}

/* Number of ranges in linux,usable-memory-range that count. */
static uint32_t nr_usable(const struct dt_info *info)
{
	uint32_t n = info->usable.len / dt_entry_bytes(info->root_cells);

	return n < DT_MAX_USABLE ? n : DT_MAX_USABLE;
}

/* The parts of a bank inside the usable ranges; all of it where there is no such property. */
static int clip(struct bank_walk *w, phys_addr_t base, phys_addr_t end, bool *kept)
{
	const struct dt_info *info = w->info;
	const char *blob = w->fdt;
	const fdt32_t *p = (const void *)(blob + info->usable.offset);
	uint32_t i, cells = info->root_cells.addr + info->root_cells.size;
	int ret = 0;

	if (!info->has_usable)
		return emit(w, base, end, kept);
	for (i = 0; !ret && i < nr_usable(info); i++) {
		phys_addr_t from, to, size;

		dt_read_entry(p + i * cells, info->root_cells, &from, &size);
		to = from + size;
		from = from > base ? from : base;
		to = to < end ? to : end;
		if (from < to)
			ret = emit(w, from, to, kept);
	}
	return ret;
}

static int entry(struct bank_walk *w, const fdt32_t *p)
{
	phys_addr_t base, size;
	bool kept = false;
	int ret;

	if (!dt_read_entry(p, w->info->root_cells, &base, &size))
		dt_error(w->log, DT_CUT_MESSAGE, w->name, base);
	ret = clip(w, base, base + size, &kept);
	if (ret || kept || !w->log)
		return ret;
	w->log->banks_skipped++;
	if (size)
		dt_note(w->log, "dt: %s: " DT_RANGE " skipped: %s\n", w->name,
			DT_RANGE_ARGS(base, size),
			w->info->has_usable ? "no whole page in linux,usable-memory-range"
					    : "no whole page");
	return 0;
}

static void read_attributes(struct bank_walk *w, const struct dt_node *node)
{
	uint64_t nid;

	w->bank.flags = dt_has(node, PROP_HOTPLUGGABLE) ? MEMBLOCK_HOTPLUG : MEMBLOCK_NONE;
	w->bank.nid = NUMA_NO_NODE;
	if (!dt_has(node, PROP_NUMA_NODE_ID))
		return;
	if (dt_prop_number(node, PROP_NUMA_NODE_ID, &nid) && nid <= DT_MAX_NID)
		w->bank.nid = (int)nid;
	else
		dt_error(w->log, "dt: %s: numa-node-id is not a number up to %d, ignored\n",
			 w->name, DT_MAX_NID);
}

static int memory_node(struct bank_walk *w, const struct dt_node *node)
{
	enum dt_prop prop = dt_has(node, PROP_USABLE_MEMORY) ? PROP_USABLE_MEMORY : PROP_REG;
	uint32_t bytes = dt_entry_bytes(w->info->root_cells), i, len;
	const struct dt_prop_value *reg = &node->prop[prop];
	int ret = 0;

	if (w->log)
		dt_printable(node->name, w->name, sizeof(w->name));
	if (!dt_has(node, prop)) {
		dt_error(w->log, "dt: %s: memory without reg, ignored\n", w->name);
		return 0;
	}
	read_attributes(w, node);
	len = reg->len / bytes;
	if (reg->len % bytes)
		dt_error(w->log,
			 "dt: %s: %s has %" PRIu32 " bytes, no multiple of %" PRIu32
			 ": the first %" PRIu32 " entries are used\n",
			 w->name, prop == PROP_REG ? "reg" : "linux,usable-memory", reg->len, bytes,
			 len);
	for (i = 0; !ret && i < len; i++)
		ret = entry(w, reg->data + i * (bytes / sizeof(fdt32_t)));
	return ret;
}

static void check_usable(const struct dt_info *info, struct dt_log *log)
{
	uint32_t bytes = dt_entry_bytes(info->root_cells);

	if (!info->has_usable || !log)
		return;
	if (!info->usable.len || info->usable.len % bytes ||
	    info->usable.len / bytes > DT_MAX_USABLE)
		dt_error(log,
			 "dt: chosen: linux,usable-memory-range has %" PRIu32
			 " bytes: its first %" PRIu32 " ranges are used\n",
			 info->usable.len, nr_usable(info));
}

int dt_for_each_bank(const void *fdt, const struct dt_info *info, dt_bank_fn fn, void *ctx,
		     struct dt_log *log)
{
	struct bank_walk w = { .fdt = fdt, .info = info, .fn = fn, .ctx = ctx, .log = log };
	struct dt_cursor cur;
	struct dt_node node;
	int ret = 0;

	check_usable(info, log);
	if (info->memory.first < 0)
		return 0;
	dt_cursor_revisit(&cur, fdt, info->memory.first);
	while (!ret && cur.next <= info->memory.last) {
		ret = dt_next(&cur);
		if (ret <= 0)
			return ret ? ret : -EMM_EBADTREE;
		ret = 0;
		if (cur.tag != FDT_BEGIN_NODE || cur.level != 0)
			continue;
		ret = dt_read_node(&cur, &node);
		if (!ret && dt_is_enabled(&node) &&
		    dt_prop_equals(&node, PROP_DEVICE_TYPE, "memory"))
			ret = memory_node(&w, &node);
	}
	return ret;
}
