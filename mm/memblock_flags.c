/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changing the flags or the node of a range: what lies inside is isolated, changed, and merged
 * with what it now resembles.
 */
#include "memblock_internal.h"

struct change {
	phys_addr_t base;
	phys_addr_t end;
	uint32_t set;
	uint32_t clear;
	bool set_nid;
	int nid;
};

/* The entries [first, last) that a change meets, and what it does. */
struct change_plan {
	unsigned long first;
	unsigned long last;
	bool cut_low; /* the first entry begins below the range and must be split */
	bool cut_high; /* the last one ends above it and must be split */
	unsigned long merges;
};

static struct memblock_region changed(const struct memblock_region *r, const struct change *c)
{
	struct memblock_region new = *r;

	new.flags = (r->flags & ~c->clear) | c->set;
	if (c->set_nid)
		new.nid = c->nid;
	return new;
}

static bool is_changed(const struct memblock_region *r, const struct change *c)
{
	return ((r->flags & ~c->clear) | c->set) != r->flags || (c->set_nid && c->nid != r->nid);
}

static bool mergeable(const struct memblock_region *left, const struct memblock_region *right)
{
	return region_end(left) == right->base && same_kind(left, right);
}

static void plan_change(const struct memblock_type *type, const struct change *c,
			struct change_plan *plan)
{
	const struct memblock_region *r = type->regions;
	unsigned long i = memblock_first_above(type, c->base);

	*plan = (struct change_plan){ .first = i, .last = i };
	if (c->base >= c->end || i == type->cnt || r[i].base >= c->end)
		return;
	while (plan->last < type->cnt && r[plan->last].base < c->end)
		plan->last++;
	plan->cut_low = r[plan->first].base < c->base && is_changed(&r[plan->first], c);
	plan->cut_high =
		region_end(&r[plan->last - 1]) > c->end && is_changed(&r[plan->last - 1], c);
	/* A side that is cut off keeps its kind, so it merges with nothing. */
	for (i = plan->first + plan->cut_low; i <= plan->last - plan->cut_high; i++) {
		struct memblock_region left, right;

		if (i == 0 || i == type->cnt)
			continue;
		left = i > plan->first ? changed(&r[i - 1], c) : r[i - 1];
		right = i < plan->last ? changed(&r[i], c) : r[i];
		plan->merges += mergeable(&left, &right);
	}
}

/* Merges entries [first, end) in one pass. Returns the end of what is left of them. */
static unsigned long merge_entries(struct memblock_region *r, unsigned long first,
				   unsigned long end)
{
	unsigned long from, to = first;

	for (from = first + 1; from < end; from++) {
		if (mergeable(&r[to], &r[from]))
			r[to].size += r[from].size;
		else
			r[++to] = r[from];
	}
	return to + 1;
}

/*
 * The parts outside the range are set aside, the rest is changed and merged, and they come back.
 * The entries above move once, to where they stay.
 */
static void do_change(struct memblock_type *type, const struct change *c,
		      const struct change_plan *plan)
{
	struct memblock_region *r = type->regions;
	struct memblock_region low = r[plan->first], high = r[plan->last - 1];
	unsigned long i, tail = plan->last, end = tail;

	if (plan->cut_low) {
		low.size = c->base - low.base;
		r[plan->first].base += low.size;
		r[plan->first].size -= low.size;
	}
	if (plan->cut_high) {
		high.size = region_end(&high) - c->end;
		high.base = c->end;
		r[plan->last - 1].size -= high.size;
	}
	for (i = plan->first; i < plan->last; i++)
		r[i] = changed(&r[i], c);
	if (plan->merges) {
		/* With the neighbours: a side that is cut off comes between. */
		tail += !plan->cut_high && plan->last < type->cnt;
		end = merge_entries(r, plan->first - (!plan->cut_low && plan->first), tail);
	}
	memblock_move_tail(type, tail, end + plan->cut_low + plan->cut_high);
	if (plan->cut_high)
		r[end + plan->cut_low] = high;
	if (plan->cut_low) {
		for (i = end; i > plan->first; i--)
			r[i] = r[i - 1];
		r[plan->first] = low;
	}
}

static int change_range(struct memblock *mb, struct memblock_type *type, const struct change *c)
{
	struct change_plan plan;
	unsigned long cuts;
	int err;

	for (;;) {
		plan_change(type, c, &plan);
		if (plan.first == plan.last)
			return 0;
		cuts = (unsigned long)plan.cut_low + plan.cut_high;
		if (cuts <= plan.merges || memblock_has_room(type, cuts - plan.merges))
			break;
		/* Growth changes the reserved array: plan again. */
		err = memblock_make_room(mb, type, cuts - plan.merges, c->base, c->end);
		if (err)
			return err;
	}
	do_change(type, c, &plan);
	return 0;
}

static int change_flags(struct memblock *mb, struct memblock_type *type, phys_addr_t base,
			phys_addr_t size, uint32_t set, uint32_t clear)
{
	const struct change c = {
		.base = base,
		.end = range_end(base, size),
		.set = set,
		.clear = clear,
	};
	uint32_t allowed = type == &mb->memory ? MEMBLOCK_MEMORY_FLAGS : MEMBLOCK_RESERVED_FLAGS;

	if (!type_is_of(mb, type) || ((set | clear) & ~allowed))
		return -EMM_EINVAL;
	return change_range(mb, type, &c);
}

int memblock_set_flags(struct memblock *mb, struct memblock_type *type, phys_addr_t base,
		       phys_addr_t size, uint32_t flag)
{
	memblock_debug_call(mb, "memblock_set_flags", base, size, flag, MEMBLOCK_CALLER);
	return change_flags(mb, type, base, size, flag, 0);
}

int memblock_clear_flags(struct memblock *mb, struct memblock_type *type, phys_addr_t base,
			 phys_addr_t size, uint32_t flag)
{
	memblock_debug_call(mb, "memblock_clear_flags", base, size, flag, MEMBLOCK_CALLER);
	return change_flags(mb, type, base, size, 0, flag);
}

/* A mark call and a clear call under Linux's names. */
#define FLAG_CALLS(mark, clear, type, flag)                                         \
	int mark(struct memblock *mb, phys_addr_t base, phys_addr_t size)           \
	{                                                                           \
		memblock_debug_call(mb, #mark, base, size, flag, MEMBLOCK_CALLER);  \
		return change_flags(mb, &mb->type, base, size, flag, 0);            \
	}                                                                           \
	int clear(struct memblock *mb, phys_addr_t base, phys_addr_t size)          \
	{                                                                           \
		memblock_debug_call(mb, #clear, base, size, flag, MEMBLOCK_CALLER); \
		return change_flags(mb, &mb->type, base, size, 0, flag);            \
	}

FLAG_CALLS(memblock_mark_hotplug, memblock_clear_hotplug, memory, MEMBLOCK_HOTPLUG)
FLAG_CALLS(memblock_mark_mirror, memblock_clear_mirror, memory, MEMBLOCK_MIRROR)
FLAG_CALLS(memblock_mark_nomap, memblock_clear_nomap, memory, MEMBLOCK_NOMAP)
FLAG_CALLS(memblock_mark_driver_managed, memblock_clear_driver_managed, memory,
	   MEMBLOCK_DRIVER_MANAGED)
FLAG_CALLS(memblock_reserved_mark_noinit, memblock_reserved_clear_noinit, reserved,
	   MEMBLOCK_RSRV_NOINIT)
FLAG_CALLS(memblock_reserved_mark_kern, memblock_reserved_clear_kern, reserved, MEMBLOCK_RSRV_KERN)

int memblock_set_node(struct memblock *mb, phys_addr_t base, phys_addr_t size,
		      struct memblock_type *type, int nid)
{
	const struct change c = {
		.base = base,
		.end = range_end(base, size),
		.set_nid = true,
		.nid = nid,
	};

	memblock_debug_call(mb, "memblock_set_node", base, size, 0, MEMBLOCK_CALLER);
	if (!type_is_of(mb, type) || nid < NUMA_NO_NODE)
		return -EMM_EINVAL;
	return change_range(mb, type, &c);
}
