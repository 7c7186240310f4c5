/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs on the real buddy, and the checks of each answer and of the quiet state in the end. */
#include "program.h"
#include "ghost.h"
#include "buddy_tree.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_STATES 40000ULL
#define MAX_SLOTS  10
#define MAX_TREES  2
#define META_WORDS 32
/* What the metadata's memory holds before anything is written. */
#define POISON 0xbad0bad0bad0bad0ULL

struct slot {
	bool is_held, is_split;
	unsigned int order;
	uint64_t pfn;
};

/* All that a program changes. */
struct arena {
	struct buddy b;
	struct buddy_tree trees[MAX_TREES];
	struct buddy_hart harts[MAX_HARTS + 1]; /* the last one in use may be hart 0's sibling */
	uint64_t meta[MAX_TREES][META_WORDS];
	uint64_t box; /* 0, or 1 + slot's frame, and its order from bit 32 on */
	uint32_t box_knows;
	uint8_t box_is_taken;
	struct ghost ghost;
	struct slot slots[MAX_HARTS][MAX_SLOTS];
	uint8_t nr_slots[MAX_HARTS];
	uint32_t gives_back[MAX_HARTS]; /* pages, in the present operation */
};

struct operation {
	char what; /* a small letter */
	bool is_movable;
	unsigned int a, b;
	char text[12];
};

unsigned int model_share_from;

static struct arena arena;
static const struct program *program;
static struct operation operations[MAX_HARTS][MAX_OPS];
static unsigned int nr_operations[MAX_HARTS];

static unsigned int parse(const char *text, struct operation list[MAX_OPS])
{
	unsigned int n = 0;

	while (text && *text) {
		struct operation *op = &list[n];
		int length = 0;

		*op = (struct operation){ 0 };
		if (sscanf(text, "%11s%n", op->text, &length) != 1)
			break;
		if (n++ == MAX_OPS)
			model_fail("%s: more than %d operations", program->name, MAX_OPS);
		op->what = (char)tolower(op->text[0]);
		op->is_movable = op->what != op->text[0];
		sscanf(op->text + 1, "%u.%u", &op->a, &op->b);
		text += length;
	}
	return n;
}

/* With what the hart does the operation. */
static struct buddy_hart *hart_for(unsigned int h, const struct operation *op)
{
	struct buddy_hart *hart = &arena.harts[h];

	return op->is_movable && hart->sibling ? hart->sibling : hart;
}

static bool keeps_pages(unsigned int h)
{
	const struct buddy_hart *hart = &arena.harts[h];
	bool was = model_set_harts_run(false);
	bool keeps = buddy_nr_held(hart) || (hart->sibling && buddy_nr_held(hart->sibling));

	model_set_harts_run(was);
	return keeps;
}

static void fill_slot(unsigned int h, uint64_t pfn, unsigned int order)
{
	if (arena.nr_slots[h] == MAX_SLOTS)
		model_fail("%s: more than %d slots", program->name, MAX_SLOTS);
	arena.slots[h][arena.nr_slots[h]++] =
		(struct slot){ .is_held = true, .order = order, .pfn = pfn };
}

static void got_block(unsigned int h, uint64_t pfn, unsigned int order)
{
	uint64_t size = 1ULL << order;

	if (pfn + size > program->pages || (pfn & (size - 1)))
		model_bug("block %llu of order %u", (unsigned long long)pfn, order);
	ghost_take(&arena.ghost, h, ghost_mask(pfn, order));
	fill_slot(h, pfn, order);
}

static void do_alloc(unsigned int h, const struct operation *op)
{
	unsigned int order = op->a;
	int64_t pfn = buddy_alloc(hart_for(h, op), order);

	if (pfn >= 0) {
		got_block(h, (uint64_t)pfn, order);
		return;
	}
	arena.nr_slots[h]++;
	if (pfn == -EMM_ENOMEM)
		ghost_accuse(&arena.ghost, h, order, ~0U);
	else if (pfn != -EMM_EAGAIN)
		model_bug("buddy_alloc() says %lld", (long long)pfn);
}

/* The pages that an operation gives back. */
static uint32_t given_back(unsigned int h, const struct operation *op)
{
	const struct slot *s = &arena.slots[h][op->a];

	switch (op->what) {
	case 'f':
		return s->is_held ? ghost_mask(s->pfn, s->order) : 0;
	case 'p':
		return s->is_held ? ghost_mask(s->pfn + op->b, 0) : 0;
	case 'r':
		return ghost_mask(program->absent_end, 0) - ghost_mask(program->absent_start, 0);
	default:
		return 0;
	}
}

static void must_be_zero(int ret, const char *what)
{
	if (ret)
		model_bug("%s says %d", what, ret);
}

/*
 * A wrong free of pages that are free: it must be seen if they were so throughout, and if the
 * header promises it. What comes of it if it is not seen is not looked at.
 */
static void do_wrong_free(unsigned int h, const struct operation *op)
{
	uint64_t pfn = op->a;
	unsigned int order = op->b;
	int ret = buddy_free(hart_for(h, op), pfn, order);

	if (ret == -EMM_EDOUBLE)
		return;
	if (op->what == 'w' && ghost_was_free(&arena.ghost, h, ghost_mask(pfn, order)))
		model_bug("the double free of %llu gets %d", (unsigned long long)pfn, ret);
	model_abandon();
}

static void do_slot(unsigned int h, const struct operation *op)
{
	struct slot *s = &arena.slots[h][op->a];
	struct buddy_hart *hart = hart_for(h, op);

	if (!s->is_held)
		return;
	switch (op->what) {
	case 'f':
		must_be_zero(buddy_free(hart, s->pfn, s->order), "buddy_free()");
		s->is_held = false;
		break;
	case 's':
		s->is_split = true;
		must_be_zero(buddy_split(hart, s->pfn, s->order), "buddy_split()");
		break;
	case 'p':
		must_be_zero(buddy_free(hart, s->pfn + op->b, 0), "buddy_free()");
		break;
	case 'g':
		s->is_held = false;
		arena.box_knows = arena.ghost.knows[h];
		atomic_set_release(&arena.box, (1 + s->pfn) | (uint64_t)s->order << 32);
		break;
	}
}

static void do_take(unsigned int h)
{
	uint64_t box = atomic_read_acquire(&arena.box);

	if (!box || arena.box_is_taken) {
		arena.nr_slots[h]++;
		return;
	}
	arena.box_is_taken = true;
	arena.ghost.knows[h] |= arena.box_knows & ghost_owned_by(&arena.ghost, FREE);
	ghost_hand_over(&arena.ghost, h, ghost_mask((uint32_t)box - 1, (unsigned int)(box >> 32)));
	fill_slot(h, (uint32_t)box - 1, (unsigned int)(box >> 32));
}

static void do_claim(unsigned int h, const struct operation *op)
{
	uint64_t pfn = op->a;
	unsigned int order = op->b;
	int ret = buddy_claim(hart_for(h, op), pfn, order);

	if (!ret) {
		got_block(h, pfn, order);
		return;
	}
	arena.nr_slots[h]++;
	if (ret == -EMM_EBUSY && ghost_was_free(&arena.ghost, h, ghost_mask(pfn, order)))
		ghost_accuse(&arena.ghost, h, order, ghost_mask(pfn, order));
	else if (ret != -EMM_EBUSY && ret != -EMM_EAGAIN)
		model_bug("buddy_claim() says %d", ret);
}

static void do_operation(unsigned int h, const struct operation *op)
{
	struct buddy_hart *hart = hart_for(h, op);

	switch (op->what) {
	case 'a':
		do_alloc(h, op);
		break;
	case 'c':
		do_claim(h, op);
		break;
	case 'd':
		buddy_drain(hart);
		break;
	case 'q':
		buddy_request_drain(hart);
		break;
	case 'r':
		must_be_zero(buddy_add_range(hart, program->absent_start, program->absent_end,
					     program->absent_start, program->absent_end),
			     "buddy_add_range()");
		break;
	case 'w':
	case 'x':
		do_wrong_free(h, op);
		break;
	case 't':
		do_take(h);
		break;
	case 'f':
	case 's':
	case 'p':
	case 'g':
		do_slot(h, op);
		break;
	default:
		model_fail("%s: operation %s", program->name, op->text);
	}
}

static void run_hart(unsigned int h)
{
	for (unsigned int i = 0; i < nr_operations[h]; i++) {
		model_op_begin(operations[h][i].text);
		arena.gives_back[h] = given_back(h, &operations[h][i]);
		do_operation(h, &operations[h][i]);
		model_op_end();
		ghost_end(&arena.ghost, h, keeps_pages(h));
	}
}

static void begin(unsigned int h)
{
	ghost_begin(&arena.ghost, h);
	ghost_free(&arena.ghost, h, arena.gives_back[h]);
}

static uint32_t present(void)
{
	return ~ghost_owned_by(&arena.ghost, ABSENT);
}

/* Free and held pages are all there is. */
static void check_books(uint32_t held)
{
	uint64_t sum = buddy_nr_free(&arena.b) + hweight64(held);

	for (unsigned int h = 0; h < arena.b.nr_harts; h++)
		sum += buddy_nr_held(&arena.harts[h]);
	if (sum != hweight64(present()))
		model_bug("%llu of %u pages are there", (unsigned long long)sum,
			  hweight64(present()));
	if (!buddy_is_valid(&arena.b))
		model_bug("the buddy is not valid");
}

/* What is left of @pages, in the largest blocks. */
static void count_maximal(uint32_t pages, uint64_t counts[BUDDY_MAX_ORDER + 1])
{
	for (unsigned int order = BUDDY_MAX_ORDER + 1; order-- > 0;) {
		counts[order] = 0;
		for (uint64_t pfn = 0; pfn < MAX_PAGES; pfn += 1ULL << order)
			if (!(ghost_mask(pfn, order) & ~pages)) {
				counts[order]++;
				pages &= ~ghost_mask(pfn, order);
			}
	}
}

static void give_back_all(void)
{
	for (unsigned int h = 0; h < MAX_HARTS; h++)
		for (unsigned int i = 0; i < arena.nr_slots[h]; i++) {
			const struct slot *s = &arena.slots[h][i];
			unsigned int order = s->is_split ? 0 : s->order;

			for (uint64_t at = 0; s->is_held && at < 1ULL << s->order;
			     at += 1ULL << order)
				if (arena.ghost.owner[s->pfn + at] == HELD + h) {
					must_be_zero(buddy_free(&arena.harts[h], s->pfn + at,
								order),
						     "in the end buddy_free()");
					/* A page of a split slot may be in a later one again. */
					ghost_free(&arena.ghost, h, ghost_mask(s->pfn + at, order));
				}
		}
	if (arena.box && !arena.box_is_taken)
		must_be_zero(buddy_free(&arena.harts[0], (uint32_t)arena.box - 1,
					(unsigned int)(arena.box >> 32)),
			     "in the end buddy_free()");
	for (unsigned int h = 0; h < arena.b.nr_harts; h++)
		buddy_drain(&arena.harts[h]);
}

/* The quiet state in the end: books, invariants, everything merges. */
static void end(void)
{
	uint64_t counts[BUDDY_MAX_ORDER + 1], expected[BUDDY_MAX_ORDER + 1];

	check_books(present() & ~ghost_owned_by(&arena.ghost, FREE));
	give_back_all();
	check_books(0);
	buddy_nr_blocks(&arena.b, counts);
	count_maximal(present(), expected);
	for (unsigned int order = 0; order <= BUDDY_MAX_ORDER; order++)
		if (counts[order] != expected[order])
			model_bug("all is free, but there are %llu blocks of order %u, not %llu",
				  (unsigned long long)counts[order], order,
				  (unsigned long long)expected[order]);
}

static uint64_t hash_shared(void)
{
	return hash_mix(ghost_hash(&arena.ghost), arena.box_knows * 2ULL + arena.box_is_taken);
}

static bool is_in(const struct buddy_hart *hart, const void *p)
{
	return (const char *)p >= (const char *)hart && (const char *)p < (const char *)(hart + 1);
}

static bool is_in_hart(unsigned int h, const void *p)
{
	const struct buddy_hart *hart = &arena.harts[h];

	/* The sibling's is hart 0's, too; it is no other hart's. */
	if (hart->is_movable)
		return false;
	return is_in(hart, p) || (hart->sibling && is_in(hart->sibling, p));
}

static bool is_narrow(const void *p)
{
	for (unsigned int h = 0; h <= MAX_HARTS; h++)
		if (p == &arena.harts[h].nr_orders || p == &arena.harts[h].is_ready)
			return true;
	return false;
}

/* All of its struct that is not accessed atomically, but for the counters. */
static uint64_t hash_hart(const struct buddy_hart *hart, uint64_t x)
{
	const char *bytes = (const char *)hart;
	size_t events = offsetof(struct buddy_hart, events);
	size_t counters_end = offsetof(struct buddy_hart, drained) + sizeof(hart->drained);

	for (size_t at = 0; at < sizeof(*hart); at += sizeof(uint32_t)) {
		bool skip = at >= events && at < counters_end;
		uint32_t word;

		for (unsigned int loc = 0; loc < machine_nr_locs() && !skip; loc++) {
			const char *p = machine_ptr(loc);

			skip = bytes + at >= p && bytes + at < p + (is_narrow(p) ? 4 : 8);
		}
		memcpy(&word, bytes + at, sizeof(word));
		if (!skip)
			x = hash_mix(x, word);
	}
	return x;
}

/* A hart's own. */
static uint64_t hash_local(unsigned int h)
{
	uint64_t x = hash_hart(&arena.harts[h], h);

	if (arena.harts[h].sibling)
		x = hash_hart(arena.harts[h].sibling, x);
	for (unsigned int i = 0; i < arena.nr_slots[h]; i++) {
		const struct slot *s = &arena.slots[h][i];

		x = hash_mix(x, s->pfn << 16 | s->order << 8 | (unsigned int)s->is_split << 1 |
					s->is_held);
	}
	return x;
}

static bool is_in_tree(const void *p)
{
	return (const char *)p >= (const char *)arena.meta &&
	       (const char *)p < (const char *)arena.meta + sizeof(arena.meta);
}

static bool is_defined(const void *p)
{
	return !is_in_tree(p) || *(const uint64_t *)p != POISON;
}

/* "any" are level 0's; else the level that the hint is for, and its kind. */
static void name_hint(char *buf, size_t size, const struct buddy_tree *t, unsigned int level,
		      unsigned int idx, unsigned int at)
{
	uint64_t *n = buddy_node(t, level, idx);

	snprintf(buf, size, "hint L%u[%u].any", level, idx);
	for (unsigned int l = 1; l < level; l++)
		for (unsigned int kind = 0; kind < RADIX_SHIFT; kind++)
			if (node_hint(n, l, kind) == n + at)
				snprintf(buf, size, "hint L%u[%u].%u.%u", level, idx, l, kind);
}

static bool name_in_tree(char *buf, size_t size, const struct buddy_tree *t, const uint64_t *p)
{
	for (unsigned int level = 0; level < BUDDY_LEVELS; level++)
		for (uint64_t idx = t->start_pfn >> WORD_SHIFT(level);
		     idx << WORD_SHIFT(level) < t->end_pfn; idx++) {
			const uint64_t *n = buddy_node(t, level, idx);
			unsigned int at;

			if (p < n || p >= n + NODE_WORDS(level))
				continue;
			at = (unsigned int)(p - n);
			if (!at)
				snprintf(buf, size, "L%u[%u]", level, (unsigned int)idx);
			else
				name_hint(buf, size, t, level, (unsigned int)idx, at);
			return true;
		}
	return false;
}

static void name_in_hart(char *buf, size_t size, unsigned int h, const void *p)
{
	static const struct {
		const char *name;
		size_t offset;
	} fields[] = {
		{ "seq", offsetof(struct buddy_hart, seq) },
		{ "request", offsetof(struct buddy_hart, request) },
		{ "holds", offsetof(struct buddy_hart, holds) },
		{ "nr_orders", offsetof(struct buddy_hart, nr_orders) },
		{ "window_pages", offsetof(struct buddy_hart, window_pages) },
	};
	const struct buddy_hart *hart = &arena.harts[h];
	const char *which = "";
	size_t at;

	if (!is_in(hart, p)) {
		hart = hart->sibling;
		which = "m";
	}
	at = (size_t)((const char *)p - (const char *)hart);
	snprintf(buf, size, "hart %u%s + %zu", h, which, at);
	for (unsigned int i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (fields[i].offset == at)
			snprintf(buf, size, "%s %u%s", fields[i].name, h, which);
}

static void name(char *buf, size_t size, const void *p)
{
	if (p == &arena.box)
		snprintf(buf, size, "box");
	for (unsigned int i = 0; i < arena.b.nr_trees && is_in_tree(p); i++)
		if (name_in_tree(buf, size, &arena.trees[i], p))
			return;
	for (unsigned int h = 0; h < MAX_HARTS; h++)
		if (is_in_hart(h, p))
			name_in_hart(buf, size, h, p);
}

static int add_trees(const struct program *p)
{
	unsigned int end = p->second_tree ? p->second_tree : p->pages;
	int ret;

	for (unsigned int i = 0; i < MAX_TREES * META_WORDS; i++)
		arena.meta[i / META_WORDS][i % META_WORDS] = POISON;
	ret = buddy_add_tree(&arena.b, 0, end, arena.meta[0], sizeof(arena.meta[0]));
	if (p->second_tree)
		ret |= buddy_add_tree(&arena.b, end, p->pages, arena.meta[1],
				      sizeof(arena.meta[1]));
	return ret;
}

static void set_up(unsigned int nr_harts)
{
	const struct program *p = program;
	int ret;

	memset(&arena, 0, sizeof(arena));
	model_share_from = p->has_spans ? 2 : MAX_HARTS + 1;
	ret = buddy_init(&arena.b, arena.trees, MAX_TREES, arena.harts, nr_harts + p->is_paired);
	ret |= add_trees(p);
	if (p->is_paired)
		buddy_pair(&arena.harts[0], &arena.harts[nr_harts]);
	buddy_tune(&arena.b, p->is_healing ? BUDDY_HEALING : BUDDY_DEFAULT);
	if (p->second_tree) {
		ret |= buddy_add_range(&arena.harts[0], 0, p->second_tree, 0, UINT64_MAX);
		ret |= buddy_add_range(&arena.harts[0], p->second_tree, p->pages, 0, UINT64_MAX);
	} else if (p->absent_start < p->absent_end) {
		if (p->absent_start)
			ret |= buddy_add_range(&arena.harts[0], 0, p->absent_start, 0, UINT64_MAX);
		if (p->absent_end < p->pages)
			ret |= buddy_add_range(&arena.harts[0], p->absent_end, p->pages,
					       p->absent_start, UINT64_MAX);
	} else {
		ret |= buddy_add_range(&arena.harts[0], 0, p->pages, 0, UINT64_MAX);
	}
	if (ret)
		model_fail("%s: set-up: %d", p->name, ret);
	for (unsigned int i = 0; i < p->pages; i++)
		arena.ghost.owner[i] = i >= p->absent_start && i < p->absent_end ? ABSENT : FREE;
}

/* Each hart's first operations, which set it up; no word below the top is written for that. */
static void warm_up(void)
{
	for (unsigned int h = 0; h < arena.b.nr_harts; h++) {
		int64_t pfn = buddy_alloc(&arena.harts[h], BUDDY_MAX_ORDER);

		if (pfn >= 0)
			must_be_zero(buddy_free(&arena.harts[h], (uint64_t)pfn, BUDDY_MAX_ORDER),
				     "in the set-up buddy_free()");
	}
}

static void run_before(unsigned int nr_harts)
{
	struct operation list[MAX_OPS];

	warm_up();
	for (unsigned int h = 0; h < nr_harts; h++) {
		unsigned int n = parse(program->before[h], list);

		for (unsigned int i = 0; i < n; i++) {
			ghost_begin(&arena.ghost, h);
			ghost_free(&arena.ghost, h, given_back(h, &list[i]));
			do_operation(h, &list[i]);
			ghost_end(&arena.ghost, h, keeps_pages(h));
		}
	}
	arena.ghost.keeping = 0;
	for (unsigned int h = 0; h < nr_harts; h++) {
		arena.ghost.knows[h] = ghost_owned_by(&arena.ghost, FREE);
		arena.ghost.keeping |= (uint8_t)(keeps_pages(h) << h);
	}
}

/* MODEL_STATES in the environment is for longer runs. */
uint64_t program_max_states(void)
{
	const char *states = getenv("MODEL_STATES");

	return states ? strtoull(states, NULL, 0) : MAX_STATES;
}

void program_explore(const struct program *p, uint64_t order, struct outcome *outcome)
{
	struct client client = {
		.arena = &arena,
		.arena_bytes = sizeof(arena),
		.hart = run_hart,
		.begin = begin,
		.end = end,
		.hash_shared = hash_shared,
		.hash_local = hash_local,
		.is_defined = is_defined,
		.is_narrow = is_narrow,
		.is_own = is_in_hart,
		.name = name,
		.max_states = p->max_states ? p->max_states : program_max_states(),
		.order = order,
	};

	program = p;
	while (client.nr_harts < MAX_HARTS && p->harts[client.nr_harts])
		client.nr_harts++;
	client.stores_arrive_late = client.nr_harts > 2;
	for (unsigned int h = 0; h < client.nr_harts; h++)
		nr_operations[h] = parse(p->harts[h], operations[h]);
	model_open(&client, outcome);
	set_up(client.nr_harts);
	run_before(client.nr_harts);
	model_explore(true);
}
