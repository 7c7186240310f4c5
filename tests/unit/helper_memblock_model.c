/* SPDX-License-Identifier: BSD-2-Clause */
#include "helper_memblock_model.h"

#include <stdlib.h>
#include <string.h>

#define ARRAY_FLAGS (((uint32_t)CAUSE_MEMBLOCK << MEMBLOCK_CAUSE_SHIFT) | MEMBLOCK_RSRV_KERN)

/* Growth leaves this many entries to spare: the header's "as often as the call at hand needs". */
#define SLACK 4

/* For what is worked out on the way. There is one model at a time. */
static struct pieces scratch, avoided;
static struct piece free_list[MODEL_MAX];

void model_init(struct model *m, phys_addr_t window, uint64_t window_size)
{
	m->map[MEMORY].n = m->map[RESERVED].n = 0;
	m->max[MEMORY] = m->max[RESERVED] = INIT_MEMBLOCK_REGIONS;
	memset(m->array, 0, sizeof(m->array));
	m->limit = PHYS_ADDR_MAX;
	m->bottom_up = m->movable_node = m->can_resize = false;
	m->window = window;
	m->window_size = window_size;
	m->grown = 0;
}

/* ---- lists of pieces ---- */

/* Appends [base, end), merged with the last piece where the two touch and are alike. */
static void append(struct pieces *to, phys_addr_t base, phys_addr_t end, uint32_t flags, int nid)
{
	struct piece *last = to->n ? &to->piece[to->n - 1] : NULL;

	if (base >= end)
		return;
	if (last && last->end == base && last->flags == flags && last->nid == nid) {
		last->end = end;
		return;
	}
	if (to->n == MODEL_MAX)
		abort();
	to->piece[to->n++] = (struct piece){ base, end, flags, nid };
}

static void copy(struct pieces *to, const struct pieces *from)
{
	to->n = from->n;
	memcpy(to->piece, from->piece, from->n * sizeof(from->piece[0]));
}

static phys_addr_t clamp(phys_addr_t x, phys_addr_t low, phys_addr_t high)
{
	return x < low ? low : x > high ? high : x;
}

/* @to: @from with @op made. */
static void rebuild(struct pieces *to, const struct pieces *from, const struct model_op *op)
{
	const phys_addr_t base = op->base, end = model_end(op->base, op->size);
	phys_addr_t done = base; /* how far gaps have been filled */
	unsigned long i;

	to->n = 0;
	for (i = 0; i < from->n; i++) {
		const struct piece *p = &from->piece[i];
		const phys_addr_t low = clamp(base, p->base, p->end);
		const phys_addr_t high = clamp(end, low, p->end);

		append(to, p->base, low, p->flags, p->nid);
		if (op->kind == ADD) {
			append(to, done, clamp(p->base, done, end), op->set, op->nid);
			done = clamp(p->end, done, end);
			append(to, low, high, p->flags, p->nid);
		} else if (op->kind == FLAGS) {
			append(to, low, high, (p->flags & ~op->clear) | op->set, p->nid);
		} else if (op->kind == NODE) {
			append(to, low, high, p->flags, op->nid);
		}
		append(to, high, p->end, p->flags, p->nid);
	}
	if (op->kind == ADD)
		append(to, done, end, op->set, op->nid);
}

/* ---- answers ---- */

const struct piece *model_at(const struct pieces *map, phys_addr_t addr)
{
	unsigned long i;

	for (i = 0; i < map->n; i++) {
		if (addr >= map->piece[i].base && addr < map->piece[i].end)
			return &map->piece[i];
	}
	return NULL;
}

bool model_in_window(const struct model *m, phys_addr_t base, phys_addr_t size)
{
	return base >= m->window && size <= m->window_size &&
	       base - m->window <= m->window_size - size;
}

bool model_in_array(const struct model *m, phys_addr_t base, phys_addr_t end)
{
	int t;

	for (t = MEMORY; t <= RESERVED; t++) {
		if (m->array[t].size && base < m->array[t].base + m->array[t].size &&
		    m->array[t].base < end)
			return true;
	}
	return false;
}

static bool usable(const struct model *m, const struct piece *p, int nid, uint32_t flags)
{
	if (p->flags & (MEMBLOCK_NOMAP | MEMBLOCK_DRIVER_MANAGED))
		return false;
	if ((p->flags & MEMBLOCK_HOTPLUG) && m->movable_node && !(flags & MEMBLOCK_HOTPLUG))
		return false;
	if ((flags & MEMBLOCK_MIRROR) && !(p->flags & MEMBLOCK_MIRROR))
		return false;
	return nid == NUMA_NO_NODE || nid == p->nid;
}

unsigned long model_free(const struct model *m, const struct pieces *reserved, int nid,
			 uint32_t flags, struct piece *out)
{
	unsigned long i, j, n = 0;

	for (i = 0; i < m->map[MEMORY].n; i++) {
		const struct piece *p = &m->map[MEMORY].piece[i];
		phys_addr_t at = p->base;

		if (!usable(m, p, nid, flags))
			continue;
		for (j = 0; j < reserved->n && reserved->piece[j].base < p->end; j++) {
			const struct piece *r = &reserved->piece[j];

			if (r->base > at)
				out[n++] = (struct piece){ at, r->base, p->flags, p->nid };
			at = clamp(r->end, at, p->end);
		}
		if (at < p->end)
			out[n++] = (struct piece){ at, p->end, p->flags, p->nid };
	}
	return n;
}

/* The highest or the lowest fit inside [min, max). */
static bool place(const struct model *m, const struct pieces *reserved, int nid, uint32_t flags,
		  const struct model_want *want, phys_addr_t min, bool bottom_up, phys_addr_t *pa)
{
	const unsigned long n = model_free(m, reserved, nid, flags, free_list);
	bool found = false;
	unsigned long i;

	for (i = 0; i < n; i++) {
		const phys_addr_t low = free_list[i].base > min ? free_list[i].base : min;
		const phys_addr_t high =
			free_list[i].end < want->max ? free_list[i].end : want->max;
		phys_addr_t at;

		if (high < low || high - low < want->size)
			continue;
		at = high - want->size;
		at -= at % want->align;
		if (bottom_up) {
			at = low + (want->align - low % want->align) % want->align;
			if (at < low || at > high - want->size)
				continue;
		}
		if (at < low)
			continue;
		*pa = at;
		found = true;
		if (bottom_up)
			break;
	}
	return found;
}

static bool has_mirror(const struct model *m)
{
	unsigned long i;

	for (i = 0; i < m->map[MEMORY].n; i++) {
		if (m->map[MEMORY].piece[i].flags & MEMBLOCK_MIRROR)
			return true;
	}
	return false;
}

int model_find(const struct model *m, struct model_want *want, phys_addr_t *pa)
{
	const phys_addr_t min = want->min > PAGE_SIZE ? want->min : PAGE_SIZE;
	int no_min, no_mirror, any_node;

	want->mirror_missed = false;
	if (!want->align)
		want->align = SMP_CACHE_BYTES;
	if (!want->size || (want->align & (want->align - 1)) || want->nid < NUMA_NO_NODE)
		return -EMM_EINVAL;
	if (want->max > m->limit)
		want->max = m->limit;
	for (no_min = 0; no_min <= !want->hard_min; no_min++) {
		for (no_mirror = !has_mirror(m); no_mirror <= 1; no_mirror++) {
			for (any_node = 0; any_node <= !want->exact_nid; any_node++) {
				want->mirror_missed = no_mirror && has_mirror(m);
				if (place(m, &m->map[RESERVED], any_node ? NUMA_NO_NODE : want->nid,
					  no_mirror ? 0 : MEMBLOCK_MIRROR, want,
					  no_min ? PAGE_SIZE : min, m->bottom_up, pa))
					return 0;
			}
		}
	}
	want->mirror_missed = false;
	return -EMM_ENOMEM;
}

/* ---- growth ---- */

struct growth {
	bool needed;
	unsigned long max;
	struct memblock_array at;
};

/* A place for a larger array, clear of @avoided, which gets it added. */
static int find_array(const struct model *m, int t, unsigned long entries, struct growth *g)
{
	struct model_want want = { .align = PAGE_SIZE, .max = m->limit };
	struct model_op avoid = { .kind = ADD, .nid = NUMA_NO_NODE };

	for (g->max = m->max[t]; g->max < entries + SLACK;)
		g->max *= 2;
	want.size = g->max * sizeof(struct memblock_region);
	want.size += (PAGE_SIZE - want.size % PAGE_SIZE) % PAGE_SIZE;
	if (!place(m, &avoided, NUMA_NO_NODE, MEMBLOCK_MIRROR, &want, PAGE_SIZE, false,
		   &g->at.base) &&
	    !place(m, &avoided, NUMA_NO_NODE, 0, &want, PAGE_SIZE, false, &g->at.base))
		return -EMM_ENOSPC;
	g->at.size = want.size;
	g->needed = true;
	avoid.base = g->at.base;
	avoid.size = g->at.size;
	copy(&scratch, &avoided);
	rebuild(&avoided, &scratch, &avoid);
	return model_in_window(m, g->at.base, g->at.size) ? 0 : -EMM_EFAULT;
}

/* What is reserved, and all else that a new array must keep clear of. */
static void collect_avoided(const struct model *m, phys_addr_t base, phys_addr_t size)
{
	const struct memblock_array range[3] = { { base, size }, m->array[0], m->array[1] };
	struct model_op avoid = { .kind = ADD, .nid = NUMA_NO_NODE };
	unsigned int i;

	copy(&avoided, &m->map[RESERVED]);
	for (i = 0; i < ARRAY_SIZE(range); i++) {
		avoid.base = range[i].base;
		avoid.size = range[i].size;
		copy(&scratch, &avoided);
		rebuild(&avoided, &scratch, &avoid);
	}
}

/* Takes away what of the range is reserved as memblock's own. */
static void free_array(struct model *m, const struct memblock_array *old)
{
	const phys_addr_t base = old->base, end = old->base + old->size;
	struct pieces *map = &m->map[RESERVED];
	unsigned long i;

	copy(&scratch, map);
	map->n = 0;
	for (i = 0; i < scratch.n; i++) {
		const struct piece *p = &scratch.piece[i];

		if (MEMBLOCK_CAUSE(p->flags) != CAUSE_MEMBLOCK) {
			append(map, p->base, p->end, p->flags, p->nid);
			continue;
		}
		append(map, p->base, clamp(base, p->base, p->end), p->flags, p->nid);
		append(map, clamp(end, p->base, p->end), p->end, p->flags, p->nid);
	}
}

static void use_array(struct model *m, int t, const struct growth *g)
{
	const struct memblock_array old = m->array[t];
	const struct model_op add = {
		.kind = ADD,
		.base = g->at.base,
		.size = g->at.size,
		.set = ARRAY_FLAGS,
		.nid = NUMA_NO_NODE,
	};

	if (!g->needed)
		return;
	copy(&scratch, &m->map[RESERVED]);
	rebuild(&m->map[RESERVED], &scratch, &add);
	m->array[t] = g->at;
	m->max[t] = g->max;
	m->grown++;
	free_array(m, &old);
}

/* Room for @entries of map @t, clear of the range that the call is about. */
static int grow(struct model *m, int t, unsigned long entries, phys_addr_t base, phys_addr_t size)
{
	const unsigned long reserved = m->map[RESERVED].n;
	struct growth g[2] = { { 0 }, { 0 } };
	int err = 0;

	if (!m->can_resize || !m->map[MEMORY].n)
		return -EMM_ENOSPC;
	collect_avoided(m, base, size);
	/* The new memory array must be recorded, the old one freed. */
	if (t == RESERVED || m->max[RESERVED] - reserved < 2)
		err = find_array(m, RESERVED, t == RESERVED ? entries : reserved, &g[RESERVED]);
	if (!err && t == MEMORY)
		err = find_array(m, MEMORY, entries, &g[MEMORY]);
	if (err)
		return err;
	use_array(m, RESERVED, &g[RESERVED]);
	use_array(m, MEMORY, &g[MEMORY]);
	return 0;
}

/* ---- changes ---- */

int model_change(struct model *m, const struct model_op *op)
{
	struct pieces *map = &m->map[op->t];
	int err;

	rebuild(&scratch, map, op);
	if (scratch.n > m->max[op->t]) {
		err = grow(m, op->t, scratch.n, op->base, model_end(op->base, op->size) - op->base);
		if (err)
			return err;
		/* An array that is gone may have been part of the range. */
		rebuild(&scratch, map, op);
		if (scratch.n > m->max[op->t])
			abort();
	}
	copy(map, &scratch);
	return 0;
}

int model_trim(struct model *m, phys_addr_t align)
{
	struct pieces *map = &m->map[MEMORY];
	unsigned long i;

	if (!align || (align & (align - 1)))
		return -EMM_EINVAL;
	copy(&scratch, map);
	map->n = 0;
	for (i = 0; i < scratch.n; i++) {
		const struct piece *p = &scratch.piece[i];
		const phys_addr_t first = p->base + (align - p->base % align) % align;

		if (first >= p->base)
			append(map, first, p->end - p->end % align, p->flags, p->nid);
	}
	return 0;
}

/* Keeps [base, end), NOMAP memory if asked for, and reservations that hold an array in use. */
static void keep(struct model *m, phys_addr_t base, phys_addr_t end, bool keep_nomap)
{
	unsigned long i;
	int t;

	for (t = MEMORY; t <= RESERVED; t++) {
		copy(&scratch, &m->map[t]);
		m->map[t].n = 0;
		for (i = 0; i < scratch.n; i++) {
			const struct piece *p = &scratch.piece[i];
			const bool whole = t == RESERVED
						   ? model_in_array(m, p->base, p->end)
						   : keep_nomap && (p->flags & MEMBLOCK_NOMAP);
			const phys_addr_t low = clamp(base, p->base, p->end);

			if (whole)
				append(&m->map[t], p->base, p->end, p->flags, p->nid);
			else
				append(&m->map[t], low, clamp(end, low, p->end), p->flags, p->nid);
		}
	}
}

void model_enforce_limit(struct model *m, phys_addr_t limit, bool keep_nomap)
{
	unsigned long i;

	for (i = 0; limit && i < m->map[MEMORY].n; i++) {
		const struct piece *p = &m->map[MEMORY].piece[i];

		if (limit <= p->end - p->base) {
			keep(m, 0, p->base + limit, keep_nomap);
			return;
		}
		limit -= p->end - p->base;
	}
}

void model_cap(struct model *m, phys_addr_t base, phys_addr_t size)
{
	if (size && m->map[MEMORY].n)
		keep(m, base, model_end(base, size), true);
}

int model_place_array(struct model *m, int t, phys_addr_t base, unsigned long max)
{
	const struct memblock_array old = m->array[t];
	const phys_addr_t bytes = max * sizeof(struct memblock_region);
	unsigned long room;

	if (base % 8 || !max || max < m->map[t].n ||
	    max > (PHYS_ADDR_MAX - base) / sizeof(struct memblock_region))
		return -EMM_EINVAL;
	if (!model_in_window(m, base, bytes))
		return -EMM_EFAULT;
	if (model_in_array(m, base, base + bytes))
		return -EMM_EOVERLAP;
	room = (t == RESERVED ? max : m->max[RESERVED]) - m->map[RESERVED].n;
	if (old.size && !room)
		return -EMM_ENOSPC;
	m->array[t] = (struct memblock_array){ base, bytes };
	m->max[t] = max;
	m->grown++;
	free_array(m, &old);
	return 0;
}
