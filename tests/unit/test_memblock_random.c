/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random sequences of operations against a naive model: an array of small cells, each of which is
 * in a map or not, with flags and a node. The maximal runs of equal cells must be the entries.
 * MEMBLOCK_SEED and MEMBLOCK_OPS in the environment choose another sequence.
 */
#include "helper_memblock.h"

#include <stdlib.h>
#include <string.h>

#define CELL        (PAGE_SIZE / 4)
#define CELLS       1000UL
#define OPS         200000UL
#define OPS_PER_MAP 3000UL

enum { MEMORY, RESERVED };

struct cell {
	uint32_t flags;
	int8_t nid;
	bool in;
};

struct model {
	struct helper_memblock *h;
	struct cell cell[2][CELLS];
	phys_addr_t base; /* of cell 0; the last cell may end one byte short of 2^64 */
	struct memblock_array array[2];
	unsigned long max[2];
	unsigned long ops, grown, refused; /* statistics */
};

static uint64_t seed;

static uint64_t random64(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static unsigned long below(unsigned long n)
{
	return (unsigned long)(random64() >> 11) % n;
}

static bool one_in(unsigned long n)
{
	return below(n) == 0;
}

static phys_addr_t addr(const struct model *m, unsigned long cell)
{
	phys_addr_t a = m->base + cell * CELL;

	return a < m->base ? PHYS_ADDR_MAX : a;
}

static struct memblock_type *type_of(const struct model *m, int t)
{
	return t == MEMORY ? &m->h->mb.memory : &m->h->mb.reserved;
}

static bool alike(const struct cell *a, const struct cell *b)
{
	return a->in == b->in && (!a->in || (a->flags == b->flags && a->nid == b->nid));
}

/* The end of the run of cells like @i. */
static unsigned long run_end(const struct cell *c, unsigned long i)
{
	unsigned long j = i + 1;

	while (j < CELLS && alike(&c[i], &c[j]))
		j++;
	return j;
}

static unsigned long count_runs(const struct cell *c)
{
	unsigned long i, n = 0;

	for (i = 0; i < CELLS; i = run_end(c, i))
		n += c[i].in;
	return n;
}

static void check_type(const struct model *m, int t)
{
	const struct memblock_type *type = type_of(m, t);
	const struct cell *c = m->cell[t];
	unsigned long i, n = 0;

	for (i = 0; i < CELLS; i = run_end(c, i)) {
		const struct memblock_region *r = &type->regions[n];

		if (!c[i].in)
			continue;
		if (n++ == type->cnt || r->base != addr(m, i) ||
		    r->base + r->size != addr(m, run_end(c, i)) || r->flags != c[i].flags ||
		    r->nid != c[i].nid)
			fail_msg("operation %lu: %s[%lu]: 0x%llx +0x%llx flags 0x%x node %d, not "
				 "0x%llx flags 0x%x node %d",
				 m->ops, type->name, n - 1, (unsigned long long)r->base,
				 (unsigned long long)r->size, r->flags, r->nid,
				 (unsigned long long)addr(m, i), c[i].flags, c[i].nid);
	}
	assert_int_equal(type->cnt, n);
}

/* ---- what the map leaves free ---- */

static bool usable(const struct model *m, unsigned long i, uint32_t flags, int nid)
{
	const struct cell *c = &m->cell[MEMORY][i];
	uint32_t skip = MEMBLOCK_NOMAP | MEMBLOCK_DRIVER_MANAGED;

	if (m->h->mb.movable_node && !(flags & MEMBLOCK_HOTPLUG))
		skip |= MEMBLOCK_HOTPLUG;
	return c->in && !(c->flags & skip) && !m->cell[RESERVED][i].in &&
	       (!(flags & MEMBLOCK_MIRROR) || (c->flags & MEMBLOCK_MIRROR)) &&
	       (nid == NONE || nid == c->nid);
}

/* The end of the free range that begins at cell @i. */
static unsigned long free_end(const struct model *m, unsigned long i, uint32_t flags, int nid)
{
	unsigned long j = i + 1;

	while (j < CELLS && usable(m, j, flags, nid) &&
	       alike(&m->cell[MEMORY][i], &m->cell[MEMORY][j]))
		j++;
	return j;
}

static void check_free_walk(const struct model *m, uint32_t flags, int nid)
{
	static phys_addr_t start[CELLS], end[CELLS];
	unsigned long i, n = 0;
	struct memblock_iter it;
	phys_addr_t s, e;

	memblock_iter_free_init(&it, &m->h->mb, nid, flags);
	for (i = 0; i < CELLS;) {
		unsigned long j = i + 1;

		if (usable(m, i, flags, nid)) {
			j = free_end(m, i, flags, nid);
			start[n] = addr(m, i);
			end[n] = addr(m, j);
			assert_true(memblock_next_free(&it, &s, &e));
			assert_int_equal(s, start[n]);
			assert_int_equal(e, end[n]);
			n++;
		}
		i = j;
	}
	assert_false(memblock_next_free(&it, &s, &e));
	memblock_iter_free_init_reverse(&it, &m->h->mb, nid, flags);
	while (n--) {
		assert_true(memblock_prev_free(&it, &s, &e));
		assert_int_equal(s, start[n]);
		assert_int_equal(e, end[n]);
	}
	assert_false(memblock_prev_free(&it, &s, &e));
}

static bool clear_of(phys_addr_t pa, phys_addr_t size, const struct memblock_array *avoid,
		     unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		if (avoid[i].size && pa < avoid[i].base + avoid[i].size &&
		    avoid[i].base < pa + size)
			return false;
	}
	return true;
}

/* Tries every cell of each free range: all bounds and sizes are multiples of a cell. */
static bool find(const struct model *m, phys_addr_t size, phys_addr_t align, phys_addr_t min,
		 phys_addr_t max, uint32_t flags, int nid, bool bottom_up,
		 const struct memblock_array *avoid, unsigned int nr, phys_addr_t *pa)
{
	bool found = false;
	unsigned long i, j;

	if (min < PAGE_SIZE)
		min = PAGE_SIZE;
	for (i = 0; i < CELLS; i = j) {
		phys_addr_t at, end;

		j = i + 1;
		if (!usable(m, i, flags, nid))
			continue;
		j = free_end(m, i, flags, nid);
		end = addr(m, j) < max ? addr(m, j) : max;
		for (at = addr(m, i) > min ? addr(m, i) : min; at < end && end - at >= size;
		     at += CELL) {
			if (at % align || !clear_of(at, size, avoid, nr))
				continue;
			*pa = at;
			found = true;
			if (bottom_up)
				return true;
		}
	}
	return found;
}

/* With all the preferences of an allocation. */
static bool find_block(const struct model *m, phys_addr_t size, phys_addr_t align, phys_addr_t min,
		       phys_addr_t max, int nid, bool exact, bool hard, phys_addr_t *pa)
{
	const struct memblock *mb = &m->h->mb;
	bool mirror = false;
	int no_min, no_mirror;

	if (max > mb->current_limit)
		max = mb->current_limit;
	for (unsigned long i = 0; i < CELLS; i++)
		mirror |= m->cell[MEMORY][i].in && (m->cell[MEMORY][i].flags & MEMBLOCK_MIRROR);
	for (no_min = 0; no_min <= !hard; no_min++) {
		for (no_mirror = !mirror; no_mirror <= 1; no_mirror++) {
			const uint32_t flags = no_mirror ? 0 : MEMBLOCK_MIRROR;
			const phys_addr_t low = no_min ? 0 : min;

			if (find(m, size, align, low, max, flags, nid, mb->bottom_up, NULL, 0,
				 pa) ||
			    (!exact && find(m, size, align, low, max, flags, NONE, mb->bottom_up,
					    NULL, 0, pa)))
				return true;
		}
	}
	return false;
}

/* ---- growth ---- */

static void mark_array(struct model *m, const struct memblock_array *a, bool in)
{
	unsigned long i;

	for (i = 0; i < CELLS; i++) {
		struct cell *c = &m->cell[RESERVED][i];

		if (addr(m, i) - a->base >= a->size)
			continue;
		if (in) {
			assert_false(c->in);
			*c = (struct cell){ ALLOC(CAUSE_MEMBLOCK), NONE, true };
		} else if (c->in && MEMBLOCK_CAUSE(c->flags) == CAUSE_MEMBLOCK) {
			*c = (struct cell){ 0 };
		}
	}
}

static bool find_array(const struct model *m, phys_addr_t size, const struct memblock_array *avoid,
		       phys_addr_t *pa)
{
	const phys_addr_t limit = m->h->mb.current_limit;

	return find(m, size, PAGE_SIZE, 0, limit, MEMBLOCK_MIRROR, NONE, false, avoid, 3, pa) ||
	       find(m, size, PAGE_SIZE, 0, limit, 0, NONE, false, avoid, 3, pa);
}

static phys_addr_t array_bytes(unsigned long max)
{
	return (max * sizeof(struct memblock_region) + PAGE_SIZE - 1) & PAGE_MASK;
}

/* Arrays that are others now must be where the model expects them; the old ones are freed. */
static void follow_growth(struct model *m, const struct memblock_array *range)
{
	const struct memblock *mb = &m->h->mb;
	const struct memblock_array old[2] = { m->array[0], m->array[1] };
	const struct memblock_array avoid[3] = { *range, m->array[0], m->array[1] };
	phys_addr_t pa = 0;
	int t;

	for (t = RESERVED; t >= MEMORY; t--) {
		const struct memblock_array *now =
			t == MEMORY ? &mb->memory_array : &mb->reserved_array;
		const unsigned long max = type_of(m, t)->max;

		if (max == m->max[t])
			continue;
		assert_true(mb->can_resize);
		assert_true(max > m->max[t] && max % m->max[t] == 0);
		assert_int_equal(now->size, array_bytes(max));
		assert_true(find_array(m, now->size, avoid, &pa));
		assert_int_equal(now->base, pa);
		mark_array(m, now, true);
		m->array[t] = *now;
		m->max[t] = max;
		m->grown++;
	}
	for (t = RESERVED; t >= MEMORY; t--) {
		if (m->array[t].base != old[t].base || m->array[t].size != old[t].size)
			mark_array(m, &old[t], false);
	}
}

/* ---- operations ---- */

enum kind { ADD, REMOVE, FLAGS, NODE };

struct op {
	int t;
	enum kind kind;
	unsigned long from, to; /* cells */
	uint32_t set, clear;
	int nid;
};

static void apply(const struct op *op, struct cell *c)
{
	unsigned long i;

	for (i = op->from; i < op->to; i++) {
		if (op->kind == ADD && !c[i].in)
			c[i] = (struct cell){ op->set, (int8_t)op->nid, true };
		else if (op->kind == REMOVE)
			c[i] = (struct cell){ 0 };
		else if (op->kind == FLAGS && c[i].in)
			c[i].flags = (c[i].flags & ~op->clear) | op->set;
		else if (op->kind == NODE && c[i].in)
			c[i].nid = (int8_t)op->nid;
	}
}

/* Growth must have been needed, a refusal too; then the model follows both. */
static void expect_result(struct model *m, const struct op *op, int err)
{
	const struct memblock *mb = &m->h->mb;
	const int t = op->t;
	const struct memblock_array range = { addr(m, op->from),
					      addr(m, op->to) - addr(m, op->from) };
	const struct memblock_array avoid[3] = { range, m->array[0], m->array[1] };
	static struct cell after[CELLS];
	unsigned long runs;
	phys_addr_t pa;

	memcpy(after, m->cell[t], sizeof(after));
	apply(op, after);
	runs = count_runs(after);
	if (err) {
		assert_int_equal(err, -EMM_ENOSPC);
		assert_true(runs > m->max[t]);
		assert_int_equal(mb->memory.max, m->max[MEMORY]);
		assert_int_equal(mb->reserved.max, m->max[RESERVED]);
		/* Where one doubling would do, there must have been no place for it. */
		if (mb->can_resize && t == RESERVED && runs + 4 <= 2 * m->max[t])
			assert_false(find_array(m, array_bytes(2 * m->max[t]), avoid, &pa));
		m->refused++;
		return;
	}
	if (runs > m->max[t])
		assert_true(type_of(m, t)->max > m->max[t]);
	else
		assert_int_equal(type_of(m, t)->max, m->max[t]);
	if (runs <= m->max[t] || t == RESERVED)
		assert_int_equal(mb->memory.max, m->max[MEMORY]);
	if (runs <= m->max[t])
		assert_int_equal(mb->reserved.max, m->max[RESERVED]);
	follow_growth(m, &range);
	apply(op, m->cell[t]);
}

static int call(struct memblock *mb, const struct op *op, phys_addr_t base, phys_addr_t size)
{
	struct memblock_type *type = op->t == MEMORY ? &mb->memory : &mb->reserved;

	switch (op->kind) {
	case ADD:
		if (op->t == MEMORY && op->nid == NONE && !op->set)
			return memblock_add(mb, base, size);
		if (op->t == MEMORY)
			return memblock_add_node(mb, base, size, op->nid, op->set);
		if (op->set & MEMBLOCK_RSRV_KERN)
			return memblock_reserve_kern(mb, base, size, MEMBLOCK_CAUSE(op->set));
		return memblock_reserve_cause(mb, base, size, MEMBLOCK_CAUSE(op->set));
	case REMOVE:
		return op->t == MEMORY ? memblock_remove(mb, base, size)
				       : memblock_free(mb, base, size);
	case FLAGS:
		return op->set ? memblock_set_flags(mb, type, base, size, op->set)
			       : memblock_clear_flags(mb, type, base, size, op->clear);
	default:
		return memblock_set_node(mb, base, size, type, op->nid);
	}
}

static struct op random_op(void)
{
	static const enum kind kind[] = { ADD, ADD, ADD, ADD, REMOVE, FLAGS, FLAGS, NODE };
	static const enum memblock_cause cause[] = { CAUSE_OTHER, CAUSE_OTHER, CAUSE_IMAGE,
						     CAUSE_ALLOC };
	struct op op = { .t = below(2) ? RESERVED : MEMORY, .kind = kind[below(8)] };
	uint32_t flag = op.t == MEMORY ? 1U << below(4) : 0x10U << below(2);

	op.from = below(CELLS);
	op.to = op.from + (one_in(50) ? below(CELLS) : below(8));
	if (op.to > CELLS)
		op.to = CELLS;
	op.nid = (int)below(3) - 1;
	if (op.kind == ADD && op.t == MEMORY)
		op.set = one_in(3) ? flag : 0;
	if (op.kind == ADD && op.t == RESERVED) {
		op.set = RSRV(cause[below(4)]) | (one_in(4) ? (uint32_t)MEMBLOCK_RSRV_KERN : 0);
		op.nid = NONE;
	}
	if (op.kind == FLAGS && below(2))
		op.set = flag;
	else if (op.kind == FLAGS)
		op.clear = flag;
	return op;
}

static void change(struct model *m)
{
	const struct op op = random_op();
	const phys_addr_t base = addr(m, op.from);
	phys_addr_t size = addr(m, op.to) - base;

	/* To free memblock's own array is misuse. */
	if (op.kind == REMOVE && op.t == RESERVED && !clear_of(base, size, m->array, 2))
		return;
	/* What passes the top of the address space is cut there. */
	if (size && base + size == PHYS_ADDR_MAX && below(2))
		size = PHYS_ADDR_MAX - below(100);
	expect_result(m, &op, call(&m->h->mb, &op, base, size));
}

static void allocate(struct model *m)
{
	struct memblock *mb = &m->h->mb;
	const phys_addr_t size = (1 + below(one_in(5) ? 60 : 3)) * CELL;
	const phys_addr_t align = (phys_addr_t)1 << below(one_in(4) ? 20 : 13);
	const phys_addr_t min = below(2) ? 0 : addr(m, below(CELLS));
	const phys_addr_t max = below(2) ? PHYS_ADDR_MAX : addr(m, below(CELLS));
	const unsigned long how = below(3);
	const int nid = how == 2 ? NONE : (int)below(4) - 1;
	struct op op = { .t = RESERVED, .kind = ADD, .set = ALLOC(CAUSE_ALLOC), .nid = NONE };
	phys_addr_t pa = 42, want = 0;
	bool possible;
	int err;

	possible = find_block(m, size, align, min, max, nid, how == 1, how == 2, &want);
	if (how == 0)
		err = memblock_phys_alloc(mb, size, align, min, max, nid, CAUSE_ALLOC, &pa);
	else if (how == 1)
		err = memblock_phys_alloc_exact_nid(mb, size, align, min, max, nid, CAUSE_ALLOC,
						    &pa);
	else
		err = memblock_phys_alloc_range(mb, size, align, min, max, CAUSE_ALLOC, &pa);
	assert_int_equal(pa, err ? 42 : want);
	if (!possible) {
		assert_int_equal(err, -EMM_ENOMEM);
		return;
	}
	op.from = (unsigned long)((want - m->base) / CELL);
	op.to = op.from + (unsigned long)(size / CELL);
	expect_result(m, &op, err);
}

/* Limits, rarely: they take away much. */
static void limit(struct model *m)
{
	struct memblock *mb = &m->h->mb;
	unsigned long i, from = below(CELLS / 8), to = CELLS - below(CELLS / 8), n = 0;
	const bool nomap = below(2), enforce = below(2);

	if (enforce) {
		/* As many cells of memory as lie below cell @to. */
		from = 0;
		for (i = 0; i < to; i++)
			n += m->cell[MEMORY][i].in;
		while (to && !m->cell[MEMORY][to - 1].in)
			to--;
		if (!n || (to == CELLS && addr(m, CELLS) == PHYS_ADDR_MAX))
			return;
		if (nomap)
			memblock_mem_limit_remove_map(mb, n * CELL);
		else
			memblock_enforce_memory_limit(mb, n * CELL);
	} else {
		n = mb->memory.cnt;
		memblock_cap_memory_range(mb, addr(m, from), addr(m, to) - addr(m, from));
		if (!n)
			return;
	}
	for (i = 0; i < CELLS; i++) {
		const bool keep =
			(nomap || !enforce) && (m->cell[MEMORY][i].flags & MEMBLOCK_NOMAP);

		if (i >= from && i < to)
			continue;
		if (!keep)
			m->cell[MEMORY][i] = (struct cell){ 0 };
		m->cell[RESERVED][i] = (struct cell){ 0 };
	}
}

static void look(struct model *m)
{
	const struct memblock *mb = &m->h->mb;
	unsigned long i = below(CELLS), n = 1 + below(6), j, in = 0, rsv = 0;
	const struct cell *c = &m->cell[MEMORY][i];
	const phys_addr_t at = addr(m, i) + below(CELL - 1);

	if (i + n > CELLS)
		n = CELLS - i;
	assert_int_equal(memblock_is_memory(mb, at), c->in);
	assert_int_equal(memblock_is_map_memory(mb, at), c->in && !(c->flags & MEMBLOCK_NOMAP));
	assert_int_equal(memblock_is_reserved(mb, at), m->cell[RESERVED][i].in);
	for (j = i; j < i + n; j++) {
		in += m->cell[MEMORY][j].in;
		rsv += m->cell[RESERVED][j].in;
	}
	assert_int_equal(memblock_is_region_memory(mb, addr(m, i), addr(m, i + n) - addr(m, i)),
			 in == n);
	assert_int_equal(memblock_is_region_reserved(mb, addr(m, i), addr(m, i + n) - addr(m, i)),
			 rsv > 0);
	check_free_walk(m,
			one_in(3)   ? MEMBLOCK_MIRROR
			: one_in(2) ? MEMBLOCK_HOTPLUG
				    : 0,
			(int)below(3) - 1);
}

static void set_knobs(struct model *m)
{
	struct memblock *mb = &m->h->mb;

	memblock_set_bottom_up(mb, below(2));
	mb->movable_node = one_in(3);
	memblock_set_current_limit(mb, one_in(3) ? addr(m, CELLS / 2 + below(CELLS / 2))
						 : addr(m, CELLS - 1));
	if (one_in(4))
		memblock_allow_resize(mb);
}

static void start_map(struct model *m, unsigned long round)
{
	static const phys_addr_t base[] = { 0, MIB(2048), -(CELLS * CELL), PAGE_SIZE };

	memblock_init(&m->h->mb, &m->h->map);
	memset(m->cell, 0, sizeof(m->cell));
	memset(m->array, 0, sizeof(m->array));
	m->max[0] = m->max[1] = INIT_MEMBLOCK_REGIONS;
	m->base = base[round % ARRAY_SIZE(base)];
	helper_memblock_arena(m->h, m->base, CELLS * CELL - 1);
	set_knobs(m);
}

static unsigned long from_environment(const char *name, unsigned long otherwise)
{
	const char *s = getenv(name);

	return s ? strtoul(s, NULL, 0) : otherwise;
}

static void random_operations(void **state)
{
	static struct model m;
	const unsigned long ops = from_environment("MEMBLOCK_OPS", OPS);
	unsigned long most = 0;

	seed = from_environment("MEMBLOCK_SEED", 42);
	seed += !seed; /* 0 would stay 0 */
	print_message("MEMBLOCK_SEED=%llu MEMBLOCK_OPS=%lu\n", (unsigned long long)seed, ops);
	m = (struct model){ .h = *state };
	for (m.ops = 0; m.ops < ops; m.ops++) {
		unsigned long what = below(100);

		if (m.ops % OPS_PER_MAP == 0)
			start_map(&m, m.ops / OPS_PER_MAP);
		if (what < 86)
			change(&m);
		else if (what < 94)
			allocate(&m);
		else if (what < 99)
			look(&m);
		else if (one_in(10))
			limit(&m);
		else
			set_knobs(&m);
		if (!memblock_is_valid(&m.h->mb))
			fail_msg("operation %lu: the map is not valid", m.ops);
		check_type(&m, MEMORY);
		check_type(&m, RESERVED);
		if (m.h->mb.reserved.cnt > most)
			most = m.h->mb.reserved.cnt;
	}
	print_message("grown %lu times, refused %lu times, up to %lu reservations\n", m.grown,
		      m.refused, most);
	if (ops >= OPS) {
		assert_true(m.grown > 20);
		assert_true(m.refused > 20);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		memblock_test(random_operations),
	};

	return cmocka_run_group_tests_name("memblock: random operations", tests, NULL, NULL);
}
