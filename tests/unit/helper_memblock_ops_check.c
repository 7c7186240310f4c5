/* SPDX-License-Identifier: BSD-2-Clause */
/* What must hold after each call, and what the queries must answer. */
#include "helper_memblock_ops_state.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- failure ---- */

static void print_map(const struct ops *o, const char *title, int t)
{
	const struct memblock_type *type = t == MEMORY ? &o->mb.memory : &o->mb.reserved;
	const struct pieces *want = &o->m.map[t];
	unsigned long i;

	fprintf(stderr, "%s: %lu entries of %lu, the model has %lu of %lu\n", title, type->cnt,
		type->max, want->n, o->m.max[t]);
	for (i = 0; i < type->cnt || i < want->n; i++) {
		if (i < type->cnt)
			fprintf(stderr, "  is 0x%llx +0x%llx flags 0x%x node %d",
				(unsigned long long)type->regions[i].base,
				(unsigned long long)type->regions[i].size, type->regions[i].flags,
				type->regions[i].nid);
		if (i < want->n)
			fprintf(stderr, "  want 0x%llx +0x%llx flags 0x%x node %d",
				(unsigned long long)want->piece[i].base,
				(unsigned long long)(want->piece[i].end - want->piece[i].base),
				want->piece[i].flags, want->piece[i].nid);
		fprintf(stderr, "\n");
	}
}

void ops_broken(const struct ops *o, const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: operation %lu, %s: %s\n", file, line, o->stats->ops, o->call, what);
	print_map(o, "memory", MEMORY);
	print_map(o, "reserved", RESERVED);
	abort();
}

/* ---- what the maps must be ---- */

static void check_type(const struct ops *o, int t)
{
	const struct memblock_type *type = t == MEMORY ? &o->mb.memory : &o->mb.reserved;
	const struct memblock_array *array =
		t == MEMORY ? &o->mb.memory_array : &o->mb.reserved_array;
	const struct pieces *want = &o->m.map[t];
	phys_addr_t total = 0;
	unsigned long i;

	expect(o, type->cnt == want->n);
	expect(o, type->max == o->m.max[t]);
	expect(o, array->base == o->m.array[t].base && array->size == o->m.array[t].size);
	expect(o, !array->size || (unsigned char *)type->regions ==
					  o->window + (array->base - o->m.window));
	for (i = 0; i < want->n; i++) {
		const struct memblock_region *r = &type->regions[i];
		const struct piece *p = &want->piece[i];

		expect(o, r->base == p->base && r->size == p->end - p->base &&
				  r->flags == p->flags && r->nid == p->nid);
		total += r->size;
	}
	expect(o, type->total_size == total);
}

void ops_check(struct ops *o)
{
	int t;

	for (t = MEMORY; t <= RESERVED; t++) {
		check_type(o, t);
		if (o->m.map[t].n > o->stats->most)
			o->stats->most = o->m.map[t].n;
	}
	expect(o, memblock_is_valid(&o->mb));
	expect(o, o->mb.bottom_up == o->m.bottom_up && o->mb.current_limit == o->m.limit &&
			  o->mb.can_resize == o->m.can_resize);
}

/* ---- calls that change nothing ---- */

static void walks(const struct ops *o, int nid, uint32_t flags)
{
	static struct piece want[MODEL_MAX];
	const unsigned long n = model_free(&o->m, &o->m.map[RESERVED], nid, flags, want);
	phys_addr_t start, end;
	struct memblock_iter it;
	unsigned long i;

	memblock_iter_free_init(&it, &o->mb, nid, flags);
	for (i = 0; i < n; i++) {
		expect(o, memblock_next_free(&it, &start, &end));
		expect(o, start == want[i].base && end == want[i].end);
	}
	expect(o, !memblock_next_free(&it, &start, &end));
	memblock_iter_free_init_reverse(&it, &o->mb, nid, flags);
	while (i--) {
		expect(o, memblock_prev_free(&it, &start, &end));
		expect(o, start == want[i].base && end == want[i].end);
	}
	expect(o, !memblock_prev_free(&it, &start, &end));
}

static void frame_walks(const struct ops *o, int nid)
{
	const struct pieces *map = o->m.map;
	const struct memblock_region *r;
	struct memblock_iter it;
	uint64_t start, end, seen;
	unsigned long i;
	int t;

	for (t = MEMORY; t <= RESERVED; t++) {
		memblock_iter_region_init(&it, t == MEMORY ? &o->mb.memory : &o->mb.reserved, nid);
		for (i = seen = 0; i < map[t].n; i++) {
			const struct piece *p = &map[t].piece[i];
			uint64_t from = p->base / PAGE_SIZE, to = p->end / PAGE_SIZE;

			if (nid != NUMA_NO_NODE && p->nid != nid)
				continue;
			if (t == MEMORY)
				from += p->base % PAGE_SIZE != 0;
			else
				to += p->end % PAGE_SIZE != 0;
			if (t == RESERVED && from < seen)
				from = seen;
			if (from >= to)
				continue;
			seen = to;
			expect(o, t == MEMORY ? memblock_next_mem_pfn_range(&it, &start, &end, &r)
					      : memblock_next_reserved_pfn_range(&it, &start, &end,
										 &r));
			expect(o, start == from && end == to && r->base == p->base);
		}
		expect(o, !(t == MEMORY ? memblock_next_mem_pfn_range(&it, &start, &end, &r)
					: memblock_next_reserved_pfn_range(&it, &start, &end, &r)));
	}
}

/* How many bytes of [base, end) are in the map. */
static phys_addr_t covered(const struct pieces *map, phys_addr_t base, phys_addr_t end)
{
	phys_addr_t bytes = 0;
	unsigned long i;

	for (i = 0; i < map->n; i++) {
		const phys_addr_t low = map->piece[i].base > base ? map->piece[i].base : base;
		const phys_addr_t high = map->piece[i].end < end ? map->piece[i].end : end;

		bytes += low < high ? high - low : 0;
	}
	return bytes;
}

static void queries(const struct ops *o, phys_addr_t base, phys_addr_t size)
{
	const struct memblock *mb = &o->mb;
	const struct pieces *memory = &o->m.map[MEMORY], *reserved = &o->m.map[RESERVED];
	const phys_addr_t end = model_end(base, size);
	const struct piece *p = model_at(memory, base);
	const uint64_t pfn = base / PAGE_SIZE;
	uint64_t start_pfn, end_pfn;
	int nid;

	expect(o, memblock_is_memory(mb, base) == (p != NULL));
	expect(o, memblock_is_map_memory(mb, base) == (p && !(p->flags & MEMBLOCK_NOMAP)));
	expect(o, memblock_is_reserved(mb, base) == (model_at(reserved, base) != NULL));
	expect(o, memblock_is_region_memory(mb, base, size) ==
			  (base < end && covered(memory, base, end) == end - base));
	expect(o,
	       memblock_is_region_reserved(mb, base, size) == (covered(reserved, base, end) > 0));
	expect(o, memblock_overlaps_region(&mb->memory, base, size) ==
			  (covered(memory, base, end) > 0));
	expect(o, memblock_phys_mem_size(mb) == covered(memory, 0, PHYS_ADDR_MAX));
	expect(o, memblock_reserved_size(mb) == covered(reserved, 0, PHYS_ADDR_MAX));
	expect(o, memblock_start_of_DRAM(mb) == (memory->n ? memory->piece[0].base : 0));
	expect(o, memblock_end_of_DRAM(mb) == (memory->n ? memory->piece[memory->n - 1].end : 0));
	p = model_at(memory, pfn * PAGE_SIZE);
	expect(o, memblock_search_pfn_nid(mb, pfn, &start_pfn, &end_pfn, &nid) ==
			  (p ? 0 : -EMM_ENOENT));
	expect(o, !p || (start_pfn == p->base / PAGE_SIZE && end_pfn == p->end / PAGE_SIZE &&
			 nid == p->nid));
}

/* Each with one argument that is out of range. */
void ops_bad_calls(struct ops *o, phys_addr_t base, phys_addr_t size)
{
	struct memblock *mb = &o->mb;
	struct memblock_type other = mb->memory;
	phys_addr_t pa;

	expect(o, memblock_add_node(mb, base, size, -2, 0) == -EMM_EINVAL);
	expect(o, memblock_add_node(mb, base, size, 0, MEMBLOCK_RSRV_KERN) == -EMM_EINVAL);
	expect(o, memblock_reserve_cause(mb, base, size, NR_CAUSES) == -EMM_EINVAL);
	expect(o, memblock_reserve_kern(mb, base, size, NR_CAUSES) == -EMM_EINVAL);
	expect(o, memblock_set_flags(mb, &other, base, size, 1) == -EMM_EINVAL);
	expect(o, memblock_set_flags(mb, &mb->memory, base, size, 0x100) == -EMM_EINVAL);
	expect(o, memblock_clear_flags(mb, &mb->reserved, base, size, 1) == -EMM_EINVAL);
	expect(o, memblock_set_node(mb, base, size, &other, 0) == -EMM_EINVAL);
	expect(o, memblock_set_node(mb, base, size, &mb->memory, -2) == -EMM_EINVAL);
	expect(o, memblock_place_array(mb, &other, base, 64) == -EMM_EINVAL);
	expect(o, memblock_place_array(mb, &mb->memory, base | 1, 64) == -EMM_EINVAL);
	expect(o, memblock_place_array(mb, &mb->memory, base & ~7ULL, ~0UL) == -EMM_EINVAL);
	expect(o, memblock_phys_alloc(mb, size, 48, 0, base, 0, CAUSE_FDT, &pa) == -EMM_EINVAL);
	expect(o, memblock_phys_alloc(mb, 0, 8, 0, base, 0, CAUSE_FDT, &pa) == -EMM_EINVAL);
	expect(o, memblock_phys_alloc(mb, 1, 8, 0, base, -2, CAUSE_FDT, &pa) == -EMM_EINVAL);
	expect(o, memblock_phys_alloc(mb, 1, 8, 0, base, 0, NR_CAUSES, &pa) == -EMM_EINVAL);
	expect(o, memblock_free_ptr(mb, NULL, size) == 0);
	expect(o, memblock_free_ptr(mb, o->window, 0) == 0);
	expect(o, memblock_free_ptr(mb, o, 1) == -EMM_ENOENT);
}

void ops_look(struct ops *o, int nid, uint32_t flags, phys_addr_t base, phys_addr_t size)
{
	walks(o, nid, flags);
	frame_walks(o, nid);
	queries(o, base, size);
}
