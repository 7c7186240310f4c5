/* SPDX-License-Identifier: BSD-2-Clause */
#include "helper_memblock_ops_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned char *pristine;

/* ---- reading ---- */

uint8_t ops_byte(struct ops *o)
{
	return o->next < o->end ? *o->next++ : 0;
}

static uint64_t number(struct ops *o, unsigned int bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | ops_byte(o);
	return value;
}

phys_addr_t ops_corner(struct ops *o)
{
	static const phys_addr_t corners[] = {
		0,
		1,
		PAGE_SIZE - 1,
		PAGE_SIZE,
		PAGE_SIZE + 1,
		0xffffffff,
		0x100000000,
		PHYS_ADDR_MAX / 2,
		PHYS_ADDR_MAX / 2 + 1,
		PHYS_ADDR_MAX - PAGE_SIZE,
		PHYS_ADDR_MAX - 1,
		PHYS_ADDR_MAX,
	};

	return corners[ops_byte(o) % ARRAY_SIZE(corners)];
}

phys_addr_t ops_address(struct ops *o)
{
	const uint8_t how = ops_byte(o);
	const phys_addr_t cell = o->m.window + number(o, 2) % CELLS * CELL;
	const struct pieces *map = &o->m.map[how & 1];

	if (how < 212)
		return cell;
	if (how < 224)
		return cell + how - 218;
	if (how < 240 && map->n) {
		const struct piece *p = &map->piece[ops_byte(o) % map->n];

		return (how & 2 ? p->base : p->end) + (how & 8) / 8 - (how & 4) / 4;
	}
	if (how < 252)
		return ops_corner(o);
	return how < 254 ? cell : number(o, 8);
}

struct range {
	phys_addr_t base;
	phys_addr_t size;
};

/* Mostly a few cells. */
static struct range range(struct ops *o)
{
	struct range r = { .base = ops_address(o) };
	const uint8_t how = ops_byte(o);
	phys_addr_t other;

	if (how < 228) {
		r.size = (1 + how % 8) * CELL;
	} else if (how < 240) {
		other = ops_address(o);
		r.size = other > r.base ? other - r.base : r.base - other;
		r.base = other > r.base ? r.base : other;
	} else if (how < 244) {
		r.size = ops_corner(o);
	} else {
		r.size = ops_byte(o);
	}
	return r;
}

int ops_node(struct ops *o)
{
	return ops_byte(o) % 4 - 1;
}

/* ---- physical memory ---- */

static void *to_virt(void *ctx, phys_addr_t pa, uint64_t bytes)
{
	struct ops *o = ctx;

	return model_in_window(&o->m, pa, bytes) ? o->window + (pa - o->m.window) : NULL;
}

void ops_dirty(struct ops *o, phys_addr_t base, phys_addr_t size)
{
	if (o->nr_dirty == ARRAY_SIZE(o->dirty)) {
		o->next = o->end; /* enough for one run */
		o->nr_dirty--;
	}
	o->dirty[o->nr_dirty++] = (struct memblock_array){ base - o->m.window, size };
}

/* All of the window but what memblock was to write to is as it was. */
static void check_window(struct ops *o)
{
	unsigned int i;

	for (i = 0; i < o->nr_dirty; i++)
		memcpy(o->window + o->dirty[i].base, pristine + o->dirty[i].base, o->dirty[i].size);
	expect(o, !memcmp(o->window, pristine, WINDOW));
}

static void note_warning(void *ctx, const char *fmt, va_list ap)
{
	struct ops *o = ctx;
	char text[256];
	int n = vsnprintf(text, sizeof(text), fmt, ap);

	expect(o, n > 0 && (size_t)n < sizeof(text) && text[n - 1] == '\n');
	o->warned++;
	o->mirror_warned |= strstr(text, "mirrored") != NULL;
}

/* ---- calls that change a range ---- */

/* The result is the model's, and so is what became of the maps; then a failure has a reason. */
static void expect_result(struct ops *o, int err, int want)
{
	expect(o, err == want);
	if (want == -EMM_ENOSPC || want == -EMM_EFAULT) {
		o->stats->refused++;
		expect(o, o->warned);
	} else {
		expect(o, !o->warned);
	}
}

void ops_change(struct ops *o, const struct model_op *op, int err)
{
	struct memblock_array was[2];
	int t, want;

	memcpy(was, o->m.array, sizeof(was));
	want = model_change(&o->m, op);
	expect_result(o, err, want);
	for (t = MEMORY; t <= RESERVED; t++) {
		if (memcmp(&was[t], &o->m.array[t], sizeof(was[t])))
			ops_dirty(o, o->m.array[t].base, o->m.array[t].size);
	}
}

static void add(struct ops *o)
{
	static const uint32_t flags[] = { 0, 0, 0, 0, 0, 1, 2, 4, 8, 3, 15 };
	const struct range r = range(o);
	struct model_op op = { MEMORY, ADD, r.base, r.size, 0, 0, NUMA_NO_NODE };
	const uint8_t how = ops_byte(o);

	if (how < 128) {
		ops_change(o, &op, memblock_add(&o->mb, r.base, r.size));
		return;
	}
	op.nid = ops_node(o);
	op.set = flags[how % ARRAY_SIZE(flags)];
	ops_change(o, &op, memblock_add_node(&o->mb, r.base, r.size, op.nid, op.set));
}

static void reserve(struct ops *o)
{
	static const enum memblock_cause causes[] = { CAUSE_OTHER, CAUSE_OTHER, CAUSE_IMAGE,
						      CAUSE_ALLOC, CAUSE_BAD };
	const struct range r = range(o);
	const uint8_t how = ops_byte(o);
	const enum memblock_cause cause = causes[how % ARRAY_SIZE(causes)];
	struct model_op op = { RESERVED, ADD, r.base, r.size, 0, 0, NUMA_NO_NODE };

	if (how >= 240) {
		ops_change(o, &op, memblock_reserve(&o->mb, r.base, r.size));
		return;
	}
	op.set = (uint32_t)cause << MEMBLOCK_CAUSE_SHIFT;
	if (how < 180) {
		ops_change(o, &op, memblock_reserve_cause(&o->mb, r.base, r.size, cause));
		return;
	}
	op.set |= MEMBLOCK_RSRV_KERN;
	ops_change(o, &op, memblock_reserve_kern(&o->mb, r.base, r.size, cause));
}

static void remove_memory(struct ops *o)
{
	const struct range r = range(o);
	const struct model_op op = { MEMORY, REMOVE, r.base, r.size, 0, 0, 0 };

	ops_change(o, &op, memblock_remove(&o->mb, r.base, r.size));
}

static void free_range(struct ops *o)
{
	const struct range r = range(o);
	const struct model_op op = { RESERVED, REMOVE, r.base, r.size, 0, 0, 0 };

	/* To free an array in use is misuse. */
	if (model_in_array(&o->m, r.base, model_end(r.base, r.size)))
		return;
	ops_change(o, &op, memblock_free(&o->mb, r.base, r.size));
}

static void flags(struct ops *o)
{
	static int (*const call[6][2])(struct memblock * mb, phys_addr_t base, phys_addr_t size) = {
		{ memblock_mark_hotplug, memblock_clear_hotplug },
		{ memblock_mark_mirror, memblock_clear_mirror },
		{ memblock_mark_nomap, memblock_clear_nomap },
		{ memblock_mark_driver_managed, memblock_clear_driver_managed },
		{ memblock_reserved_mark_noinit, memblock_reserved_clear_noinit },
		{ memblock_reserved_mark_kern, memblock_reserved_clear_kern },
	};
	const struct range r = range(o);
	const uint8_t how = ops_byte(o);
	const unsigned int i = how / 2 % 6;
	const bool clear = how & 1;
	const int t = i < 4 ? MEMORY : RESERVED;
	struct memblock_type *type = t == MEMORY ? &o->mb.memory : &o->mb.reserved;
	struct model_op op = { .t = t, .kind = FLAGS, .base = r.base, .size = r.size };

	*(clear ? &op.clear : &op.set) = 1U << i;
	if (how < 200)
		ops_change(o, &op, call[i][clear](&o->mb, r.base, r.size));
	else if (clear)
		ops_change(o, &op, memblock_clear_flags(&o->mb, type, r.base, r.size, op.clear));
	else
		ops_change(o, &op, memblock_set_flags(&o->mb, type, r.base, r.size, op.set));
}

static void set_node(struct ops *o)
{
	const struct range r = range(o);
	const int t = ops_byte(o) % 4 ? MEMORY : RESERVED;
	const struct model_op op = { t, NODE, r.base, r.size, 0, 0, ops_node(o) };

	ops_change(o, &op,
		   memblock_set_node(&o->mb, r.base, r.size,
				     t == MEMORY ? &o->mb.memory : &o->mb.reserved, op.nid));
}

/* ---- settings, limits, arrays ---- */

static void settings(struct ops *o)
{
	struct memblock *mb = &o->mb;
	const uint8_t how = ops_byte(o);

	switch (how % 8) {
	case 0:
	case 1:
		o->m.bottom_up = how & 1;
		memblock_set_bottom_up(mb, how & 1);
		break;
	case 2:
		o->m.movable_node = mb->movable_node = how & 8;
		break;
	case 3:
	case 4:
		o->m.limit = how & 8 ? ops_address(o) : PHYS_ADDR_MAX;
		memblock_set_current_limit(mb, o->m.limit);
		expect(o, memblock_get_current_limit(mb) == o->m.limit);
		break;
	default:
		o->m.can_resize = true;
		memblock_allow_resize(mb);
	}
}

static void limits(struct ops *o)
{
	const uint8_t how = ops_byte(o);
	const struct range r = range(o);
	phys_addr_t align;

	switch (how % 8) {
	case 0:
		memblock_enforce_memory_limit(&o->mb, r.size);
		model_enforce_limit(&o->m, r.size, false);
		break;
	case 1:
		memblock_enforce_memory_limit(&o->mb, r.base - o->m.window);
		model_enforce_limit(&o->m, r.base - o->m.window, false);
		break;
	case 2:
		memblock_mem_limit_remove_map(&o->mb, r.base - o->m.window);
		model_enforce_limit(&o->m, r.base - o->m.window, true);
		break;
	case 3:
	case 4:
		memblock_cap_memory_range(&o->mb, r.base, r.size);
		model_cap(&o->m, r.base, r.size);
		break;
	default:
		align = how < 240 ? (phys_addr_t)1 << how / 8 : r.size;
		expect(o, memblock_trim_memory(&o->mb, align) == model_trim(&o->m, align));
	}
}

/* Where memory is free and can be reached, and then reserved, as the header asks for. */
static void place_array(struct ops *o)
{
	const int t = ops_byte(o) % 2;
	struct memblock_type *type = t == MEMORY ? &o->mb.memory : &o->mb.reserved;
	unsigned long max = o->m.map[t].n + ops_byte(o) % 64;
	phys_addr_t base = ops_address(o) & ~(phys_addr_t)(ops_byte(o) % 8 ? 7 : 0);
	const phys_addr_t bytes = max * sizeof(struct memblock_region);
	struct model_op op = { RESERVED, ADD, base, bytes, 0, 0, NUMA_NO_NODE };
	unsigned long room = (t == RESERVED ? max : o->m.max[RESERVED]) - o->m.map[RESERVED].n;
	phys_addr_t at;
	int err, want;

	/* An address in the window that is not free is misuse. */
	if (model_in_window(&o->m, base, bytes) &&
	    (room < 2 ||
	     memblock_find_in_range(&o->mb, base, model_end(base, bytes), bytes, 1, &at) ||
	     at != base) &&
	    !model_in_array(&o->m, base, model_end(base, bytes)))
		return;
	o->warned = o->mirror_warned = 0;
	want = model_place_array(&o->m, t, base, max);
	err = memblock_place_array(&o->mb, type, base, max);
	expect(o, err == want);
	expect(o, o->warned == (want == -EMM_ENOSPC));
	if (err)
		return;
	ops_check(o);
	ops_dirty(o, base, bytes);
	o->call = "memblock_reserve_cause";
	op.set = (uint32_t)CAUSE_MEMBLOCK << MEMBLOCK_CAUSE_SHIFT;
	ops_change(o, &op, memblock_reserve_cause(&o->mb, base, bytes, CAUSE_MEMBLOCK));
}

/* ---- the whole ---- */

static void look(struct ops *o)
{
	static const uint32_t flags[] = { 0, MEMBLOCK_HOTPLUG, MEMBLOCK_MIRROR,
					  MEMBLOCK_HOTPLUG | MEMBLOCK_MIRROR | MEMBLOCK_NOMAP };
	const struct range r = range(o);

	ops_look(o, ops_node(o), flags[ops_byte(o) % ARRAY_SIZE(flags)], r.base, r.size);
}

static void bad_calls(struct ops *o)
{
	const struct range r = range(o);

	ops_bad_calls(o, r.base, r.size);
}

static const struct {
	const char *name;
	void (*run)(struct ops *o);
	unsigned int share; /* of 256 */
} calls[] = {
	{ "memblock_add", add, 62 },
	{ "memblock_reserve", reserve, 80 },
	{ "memblock_remove", remove_memory, 12 },
	{ "memblock_free", free_range, 16 },
	{ "memblock_mark and clear", flags, 26 },
	{ "memblock_set_node", set_node, 8 },
	{ "memblock_phys_alloc", ops_alloc_phys, 16 },
	{ "memblock_alloc", ops_alloc_pointer, 12 },
	{ "settings", settings, 8 },
	{ "limits", limits, 1 },
	{ "memblock_place_array", place_array, 3 },
	{ "queries", look, 10 },
	{ "bad arguments", bad_calls, 2 },
};

static void one_call(struct ops *o)
{
	unsigned int pick = ops_byte(o), i = 0;

	while (pick >= calls[i].share)
		pick -= calls[i++].share;
	o->call = calls[i].name;
	o->warned = o->mirror_warned = 0;
	calls[i].run(o);
	ops_check(o);
	o->stats->ops++;
}

static void print(void *ctx, const char *fmt, va_list ap)
{
	(void)ctx;
	vfprintf(stderr, fmt, ap);
}

static void start(struct ops *o, const uint8_t *data, size_t size, bool trace)
{
	static const phys_addr_t windows[] = { 0, 0x80000000, -WINDOW, PAGE_SIZE,
					       0x100000000 - WINDOW / 2 };

	if (!o->window) {
		o->window = malloc(WINDOW);
		pristine = malloc(WINDOW);
		if (!o->window || !pristine)
			abort();
		memset(o->window, FILL, WINDOW);
		memset(pristine, FILL, WINDOW);
	}
	o->next = data;
	o->end = data + size;
	o->map = (struct phys_map){ to_virt, o };
	o->trace = (struct printer){ print, NULL };
	o->warn = (struct printer){ note_warning, o };
	o->nr_dirty = 0;
	o->call = "memblock_init";
	/* One byte short where the window ends with the address space. */
	model_init(&o->m, windows[ops_byte(o) % ARRAY_SIZE(windows)], WINDOW - 1);
	memset(&o->mb, FILL, sizeof(o->mb));
	memblock_init(&o->mb, &o->map);
	o->mb.warn = &o->warn;
	o->mb.debug = trace ? &o->trace : NULL;
}

void ops_run(const uint8_t *data, size_t size, bool trace, struct ops_stats *stats)
{
	static struct ops o;

	o.stats = stats;
	start(&o, data, size, trace);
	ops_check(&o);
	while (o.next < o.end)
		one_call(&o);
	check_window(&o);
	stats->grown += o.m.grown;
}
