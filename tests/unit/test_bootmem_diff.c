/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bootmem against a naive model: an array of pages, looked at one by one, and the address at which
 * the last allocation of a node ended. Random reserves, frees and allocations, good and bad; every
 * answer, every address, and every page are compared, and no two live blocks share a byte.
 * BOOTMEM_SEED and BOOTMEM_OPS in the environment choose another sequence.
 */
#include "helper_bootmem.h"

#include <stdlib.h>
#include <string.h>

#define OPS         300000UL
#define OPS_PER_MAP 1500UL
#define MAX_PAGES   1024
#define MAX_LIVE    400

struct model_node {
	uint64_t start, end; /* frames */
	int nid;
	uint64_t hint; /* the frame where the run of the last allocation was found */
	phys_addr_t tail; /* where that allocation ended, if inside a page; else 0 */
};

struct block {
	phys_addr_t pa, size;
};

struct model {
	struct helper_bootmem *h;
	struct helper_random rng;
	struct model_node node[BOOT_NODES];
	unsigned int nr_nodes;
	bool reserved[MAX_PAGES];
	struct block live[MAX_LIVE];
	unsigned int nr_live;
	unsigned long packed, wrapped, refused; /* statistics */
};

static const struct model_node *node_of(const struct model *m, uint64_t pfn)
{
	for (unsigned int i = 0; i < m->nr_nodes; i++) {
		if (pfn >= m->node[i].start && pfn < m->node[i].end)
			return &m->node[i];
	}
	return NULL;
}

/* Nodes that touch or not, from frame 0 on or not; the bitmaps lie behind all of them. */
static void new_map(struct model *m)
{
	struct bootmem *bm = &m->h->bm;
	uint64_t pfn = helper_below(&m->rng, 3) ? helper_below(&m->rng, 100) : 0;

	bootmem_init(bm, &m->h->ram.map, m->h->bdata, BOOT_NODES);
	memset(m->reserved, true, sizeof(m->reserved));
	m->nr_live = 0;
	m->nr_nodes = 1 + (unsigned int)helper_below(&m->rng, BOOT_NODES);
	for (unsigned int i = 0; i < m->nr_nodes; i++) {
		uint64_t pages = 1 + helper_below(&m->rng, i % 2 ? 64 : 300);
		int nid = (int)helper_below(&m->rng, 3);

		m->node[i] = (struct model_node){ pfn, pfn + pages, nid, pfn, 0 };
		assert_int_equal(init_bootmem_node(bm, nid, 2000 + i, pfn, pfn + pages, NULL), 0);
		pfn += pages + (helper_below(&m->rng, 2) ? helper_below(&m->rng, 70) : 0);
	}
	assert_true(pfn < MAX_PAGES);
}

static void compare(const struct model *m)
{
	for (unsigned int i = 0; i < m->nr_nodes; i++) {
		for (uint64_t pfn = m->node[i].start; pfn < m->node[i].end; pfn++) {
			if (helper_is_reserved(&m->h->bm, pfn) != m->reserved[pfn])
				fail_msg("frame %llu", (unsigned long long)pfn);
		}
	}
}

/* ---- ranges ---- */

/* Frames [start, end) on nodes with @nid, all of them free or all reserved? */
static int range_error(const struct model *m, int nid, uint64_t start, uint64_t end, bool reserved)
{
	for (uint64_t pfn = start; pfn < end; pfn++) {
		const struct model_node *node = node_of(m, pfn);

		if (!node || (nid != NONE && node->nid != nid))
			return -EMM_ERANGE;
		if (m->reserved[pfn] != reserved)
			/* A later node may still be wrong: the check goes node by node. */
			return reserved ? -EMM_EDOUBLE : -EMM_EBUSY;
	}
	return 0;
}

static void forget(struct model *m, uint64_t start, uint64_t end)
{
	for (unsigned int i = 0; i < m->nr_live;) {
		struct block *b = &m->live[i];

		if (b->pa < PAGES(end) && b->pa + b->size > PAGES(start))
			*b = m->live[--m->nr_live];
		else
			i++;
	}
	for (unsigned int i = 0; i < m->nr_nodes; i++) {
		struct model_node *node = &m->node[i];
		uint64_t first = start < node->start ? node->start : start;

		if (first >= node->end || end <= node->start)
			continue;
		if (first < node->hint)
			node->hint = first;
		if (node->tail >= PAGES(start) && node->tail < PAGES(end))
			node->tail = 0;
	}
}

static phys_addr_t random_addr(struct model *m)
{
	const struct model_node *node = &m->node[helper_below(&m->rng, m->nr_nodes)];
	phys_addr_t at = PAGES(node->start) + helper_below(&m->rng, PAGES(node->end - node->start));

	return helper_below(&m->rng, 2) ? at & PAGE_MASK : at;
}

static phys_addr_t random_size(struct model *m)
{
	switch (helper_below(&m->rng, 5)) {
	case 0:
		return PAGES(1 + helper_below(&m->rng, 4));
	case 1:
		return 1 + helper_below(&m->rng, PAGES(60));
	default:
		return 1 + helper_below(&m->rng, 3000);
	}
}

static void random_range(struct model *m, bool free)
{
	phys_addr_t addr = random_addr(m), size = random_size(m);
	uint64_t start = free ? PFN_UP(addr) : PFN_DOWN(addr);
	uint64_t end = free ? PFN_DOWN(addr + size) : PFN_UP(addr + size);
	int nid = helper_below(&m->rng, 2) ? NONE : (int)helper_below(&m->rng, 3);
	int want, got;

	if (free && start >= end)
		want = range_error(m, nid, PFN_DOWN(addr), PFN_DOWN(addr) + 1, true) == -EMM_ERANGE
			       ? -EMM_ERANGE
			       : 0;
	else
		want = range_error(m, nid, start, end, free);
	got = free ? free_bootmem_node(&m->h->bm, nid, addr, size)
		   : reserve_bootmem_node(&m->h->bm, nid, addr, size);
	assert_int_equal(got, want);
	if (got) {
		m->refused++;
		return;
	}
	for (uint64_t pfn = start; pfn < end; pfn++)
		m->reserved[pfn] = !free;
	if (free && start < end)
		forget(m, start, end);
}

/* ---- allocations ---- */

static bool run_is_free(const struct model *m, uint64_t start, uint64_t end)
{
	for (uint64_t pfn = start; pfn < end; pfn++) {
		if (m->reserved[pfn])
			return false;
	}
	return true;
}

struct request {
	phys_addr_t size, align, goal, limit;
};

/* The first run for it that begins at @from or above; 0 if there is none. */
static uint64_t first_fit(const struct model *m, const struct model_node *node,
			  const struct request *r, uint64_t from)
{
	uint64_t pages = PFN_UP(r->size);

	for (uint64_t pfn = from; pfn + pages <= node->end; pfn++) {
		if (pfn && PAGES(pfn) % r->align == 0 && PAGES(pfn + pages) <= r->limit &&
		    run_is_free(m, pfn, pfn + pages))
			return pfn;
	}
	return 0;
}

static phys_addr_t model_alloc(struct model *m, struct model_node *node, const struct request *r)
{
	uint64_t from = node->start, pfn;
	phys_addr_t pa, align = r->align;

	/* A goal counts if its page is in the node and below the limit; so does the hint. */
	if (r->goal && PFN_DOWN(r->goal) >= node->start && PFN_DOWN(r->goal) < node->end &&
	    PAGES(PFN_DOWN(r->goal) + 1) <= r->limit) {
		from = PFN_UP(r->goal);
		if (node->hint > from && PAGES(node->hint + 1) <= r->limit)
			from = node->hint;
	}
	pfn = first_fit(m, node, r, from);
	if (!pfn) {
		m->wrapped += from != node->start;
		pfn = first_fit(m, node, r, node->start);
	}
	if (!pfn)
		return 0;
	pa = PAGES(pfn);
	if (align < PAGE_SIZE && node->tail && PFN_DOWN(node->tail) + 1 == pfn) {
		pa = (node->tail + align - 1) / align * align;
		m->packed++;
	}
	for (uint64_t i = pfn; i < PFN_UP(pa + r->size); i++)
		m->reserved[i] = true;
	node->hint = pfn;
	node->tail = (pa + r->size) % PAGE_SIZE ? pa + r->size : 0;
	return pa;
}

static void take_block(struct model *m, phys_addr_t pa, phys_addr_t size)
{
	unsigned char *at = helper_ram_at(&m->h->ram, pa);

	for (unsigned int i = 0; i < m->nr_live; i++) {
		const struct block *b = &m->live[i];

		assert_true(pa >= b->pa + b->size || b->pa >= pa + size);
	}
	for (phys_addr_t i = 0; i < size; i += i + 64 < size ? 61 : 1)
		assert_int_equal(at[i], 0);
	memset(at, ARENA_FILL, size);
	if (m->nr_live < MAX_LIVE)
		m->live[m->nr_live++] = (struct block){ pa, size };
}

static void random_alloc(struct model *m)
{
	struct bootmem *bm = &m->h->bm;
	struct request r = {
		.size = random_size(m),
		.align = 1ULL << helper_below(&m->rng, helper_below(&m->rng, 4) ? 8 : 17),
		.goal = helper_below(&m->rng, 2) ? random_addr(m) : 0,
		.limit = helper_below(&m->rng, 4) ? PHYS_ADDR_MAX : random_addr(m),
	};
	unsigned int one = (unsigned int)helper_below(&m->rng, m->nr_nodes);
	phys_addr_t want = 0, got = 0;
	int err, nid = (int)helper_below(&m->rng, 3);

	switch (helper_below(&m->rng, 3)) {
	case 0:
		want = model_alloc(m, &m->node[one], &r);
		err = __alloc_bootmem_core(bm, &m->h->bdata[one], r.size, r.align, r.goal, r.limit,
					   &got);
		break;
	case 1:
		for (unsigned int i = 0; i < m->nr_nodes && !want; i++)
			want = m->node[i].nid == nid ? model_alloc(m, &m->node[i], &r) : 0;
		for (unsigned int i = 0; i < m->nr_nodes && !want; i++)
			want = model_alloc(m, &m->node[i], &r);
		err = __alloc_bootmem_node_limit(bm, nid, r.size, r.align, r.goal, r.limit, &got);
		break;
	default:
		for (unsigned int i = 0; i < m->nr_nodes && !want; i++)
			want = model_alloc(m, &m->node[i], &r);
		err = __alloc_bootmem_limit(bm, r.size, r.align, r.goal, r.limit, &got);
		break;
	}
	assert_int_equal(err, want ? 0 : -EMM_ENOMEM);
	assert_int_equal(got, want);
	if (want)
		take_block(m, got, r.size);
	else
		m->refused++;
}

static void test_against_model(void **state)
{
	const char *seed = getenv("BOOTMEM_SEED"), *nr_ops = getenv("BOOTMEM_OPS");
	unsigned long ops = nr_ops ? strtoul(nr_ops, NULL, 0) : OPS;
	struct model *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	m->h = *state;
	m->rng.state = seed ? strtoull(seed, NULL, 0) : 20051115;
	for (unsigned long op = 0; op < ops; op++) {
		if (op % OPS_PER_MAP == 0) {
			if (op)
				compare(m);
			new_map(m);
		}
		switch (helper_below(&m->rng, 7)) {
		case 0:
		case 1:
		case 2:
			random_range(m, true);
			break;
		case 3:
			random_range(m, false);
			break;
		default:
			random_alloc(m);
		}
		if (op % 16 == 0)
			compare(m);
	}
	/* What is to be compared must have happened. */
	if (!nr_ops) {
		assert_true(m->packed > OPS / 100);
		assert_true(m->wrapped > OPS / 100);
		assert_true(m->refused > OPS / 100 && m->refused < OPS * 2 / 3);
	}
	print_message("%lu packed, %lu wrapped, %lu refused of %lu\n", m->packed, m->wrapped,
		      m->refused, ops);
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = { bootmem_test(test_against_model) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
