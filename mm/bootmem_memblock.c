/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bootmem on a memblock map: its nodes and bitmaps made from it, and the two kept in step. The map
 * is the truth: a bit says what memblock has of the whole page.
 */
#include "bootmem_internal.h"

/* Walks over the memory that gets a node each: banks alike, with no large gap between them. */
struct group_iter {
	const struct memblock *mb;
	unsigned long next;
};

struct group {
	uint64_t start_pfn;
	uint64_t end_pfn;
	uint32_t flags;
	int nid;
};

static bool next_bank(struct group_iter *it, struct group *bank)
{
	while (it->next < it->mb->memory.cnt) {
		const struct memblock_region *r = &it->mb->memory.regions[it->next++];

		bank->start_pfn = PFN_UP(r->base);
		bank->end_pfn = PFN_DOWN(region_end(r));
		bank->flags = r->flags;
		bank->nid = r->nid;
		if (bank->start_pfn < bank->end_pfn && !(r->flags & MEMBLOCK_NOT_FREE))
			return true;
	}
	return false;
}

static bool next_group(struct group_iter *it, struct group *group)
{
	if (!next_bank(it, group))
		return false;
	for (;;) {
		unsigned long here = it->next;
		struct group bank;

		if (!next_bank(it, &bank))
			return true;
		if (bank.nid != group->nid || bank.flags != group->flags ||
		    bank.start_pfn - group->end_pfn > BOOTMEM_GAP_PAGES) {
			it->next = here;
			return true;
		}
		group->end_pfn = bank.end_pfn;
	}
}

int memblock_reserve_frame_0(struct memblock *mb, bool *done)
{
	int err;

	*done = false;
	/* A page that is reserved in part is never handed out either. */
	if (!memblock_is_map_memory(mb, 0) || memblock_is_region_reserved(mb, 0, PAGE_SIZE))
		return 0;
	err = memblock_reserve(mb, 0, PAGE_SIZE);
	*done = !err;
	return err;
}

int memblock_may_free(const struct memblock *mb, phys_addr_t base, phys_addr_t end)
{
	const struct memblock_type *mem = &mb->memory, *rsv = &mb->reserved;
	phys_addr_t at = base;
	unsigned long i;

	if (base < PAGE_SIZE)
		return -EMM_ERANGE;
	for (i = memblock_first_above(mem, base); at < end; i++) {
		/* A page that two entries share belongs to neither. */
		if (i == mem->cnt || mem->regions[i].base > at ||
		    (mem->regions[i].flags & MEMBLOCK_NOT_FREE) || (at > base && at % PAGE_SIZE))
			return -EMM_ERANGE;
		at = region_end(&mem->regions[i]);
	}
	for (i = memblock_first_above(rsv, base); i < rsv->cnt && rsv->regions[i].base < end; i++) {
		enum memblock_cause cause = MEMBLOCK_CAUSE(rsv->regions[i].flags);

		if (cause == CAUSE_MEMBLOCK || cause == CAUSE_BOOTMEM)
			return -EMM_EBUSY;
	}
	return 0;
}

/* ---- the bits ---- */

/*
 * Clears what is memory, whole pages of each entry, in [start_pfn, end_pfn) of the node. Frame 0,
 * too: it is reserved, at least in part, and is set again with all that is.
 */
static void free_memory(struct bootmem_data *bdata, const struct memblock *mb, uint64_t start_pfn,
			uint64_t end_pfn)
{
	const struct memblock_type *mem = &mb->memory;

	for (unsigned long i = memblock_first_above(mem, PFN_PHYS(start_pfn)); i < mem->cnt; i++) {
		const struct memblock_region *r = &mem->regions[i];
		uint64_t start = max_pfn_of(PFN_UP(r->base), start_pfn);
		uint64_t end = min_pfn_of(PFN_DOWN(region_end(r)), end_pfn);

		if (PFN_UP(r->base) >= end_pfn)
			break;
		if (start < end && !(r->flags & MEMBLOCK_NOT_FREE))
			bootmem_clear_frames(bdata, start, end);
	}
}

/* Sets what is reserved, any part of a page, in [start_pfn, end_pfn) of the node. */
static void reserve_reserved(struct bootmem_data *bdata, const struct memblock *mb,
			     uint64_t start_pfn, uint64_t end_pfn)
{
	const struct memblock_type *rsv = &mb->reserved;
	uint64_t first = node_first_pfn(bdata);

	for (unsigned long i = memblock_first_above(rsv, PFN_PHYS(start_pfn)); i < rsv->cnt; i++) {
		const struct memblock_region *r = &rsv->regions[i];
		uint64_t start = max_pfn_of(PFN_DOWN(r->base), start_pfn);
		uint64_t end = min_pfn_of(PFN_UP(region_end(r)), end_pfn);

		if (PFN_DOWN(r->base) >= end_pfn)
			break;
		bitmap_set(bdata->node_bootmem_map, start - first, end - first);
	}
}

void bootmem_follow(struct bootmem *bm, uint64_t start_pfn, uint64_t end_pfn)
{
	for (uint32_t i = 0; i < bm->nr_nodes; i++) {
		struct bootmem_data *bdata = &bm->bdata[i];
		uint64_t first = node_first_pfn(bdata);
		uint64_t start = max_pfn_of(start_pfn, first);
		uint64_t end = min_pfn_of(end_pfn, bdata->node_low_pfn);

		if (start >= end)
			continue;
		bitmap_set(bdata->node_bootmem_map, start - first, end - first);
		free_memory(bdata, bm->mb, start, end);
		reserve_reserved(bdata, bm->mb, start, end);
	}
}

/* ---- the ledger ---- */

static void follow_array(struct bootmem *bm, const struct memblock_array *array)
{
	if (array->size)
		bootmem_follow(bm, PFN_DOWN(array->base), PFN_UP(array->base + array->size));
}

static void follow_growth(struct bootmem *bm, const struct memblock_array *old)
{
	const struct memblock_array *new = &bm->mb->reserved_array;

	if (old->base != new->base || old->size != new->size) {
		follow_array(bm, old);
		follow_array(bm, new);
	}
}

int bootmem_record(struct bootmem *bm, uint64_t start_pfn, uint64_t end_pfn, uint32_t flags)
{
	const struct memblock_region add = {
		.base = PFN_PHYS(start_pfn),
		.size = PFN_PHYS(end_pfn - start_pfn),
		.flags = flags,
		.nid = NUMA_NO_NODE,
	};
	struct memblock_array old;
	int err;

	if (!bm->mb)
		return 0;
	memblock_debug_call(bm->mb, "bootmem reserve", add.base, add.size, flags, MEMBLOCK_CALLER);
	old = bm->mb->reserved_array;
	err = memblock_add_range(bm->mb, &bm->mb->reserved, &add);
	follow_growth(bm, &old);
	return err;
}

int bootmem_erase(struct bootmem *bm, uint64_t start_pfn, uint64_t end_pfn)
{
	phys_addr_t base = PFN_PHYS(start_pfn), end = PFN_PHYS(end_pfn);
	struct memblock_array old;
	int err;

	if (!bm->mb)
		return 0;
	err = memblock_may_free(bm->mb, base, end);
	if (err)
		return err;
	memblock_debug_call(bm->mb, "bootmem free", base, end - base, 0, MEMBLOCK_CALLER);
	old = bm->mb->reserved_array;
	err = memblock_remove_range(bm->mb, &bm->mb->reserved, base, end);
	follow_growth(bm, &old);
	return err;
}

/* ---- set-up ---- */

/* Takes @bytes, in whole pages, as high as they fit. */
static int take_room(struct memblock *mb, uint64_t bytes, phys_addr_t *base)
{
	bool bottom_up = mb->bottom_up;
	int err;

	mb->bottom_up = false;
	err = memblock_phys_alloc(mb, PFN_PHYS(PFN_UP(bytes)), PAGE_SIZE, 0, PHYS_ADDR_MAX,
				  NUMA_NO_NODE, CAUSE_BOOTMEM, base);
	mb->bottom_up = bottom_up;
	return err;
}

/* A node and room for its bitmap; in the first node's, the array of all nodes comes before it. */
static int take_node(struct bootmem *bm, const struct group *group)
{
	uint64_t array_bytes = bm->nr_nodes ? 0 : bm->max_nodes * sizeof(struct bootmem_data);
	uint64_t bytes = array_bytes + bitmap_bytes(group->end_pfn - group->start_pfn);
	struct bootmem_data *bdata;
	phys_addr_t base;
	int err = take_room(bm->mb, bytes, &base);

	if (err)
		return err;
	if (array_bytes)
		bm->bdata = bm->map ? phys_to_virt(bm->map, base, array_bytes) : NULL;
	err = bm->bdata ? bootmem_add_node(bm, group->nid, group->flags, base + array_bytes,
					   group->start_pfn, group->end_pfn)
			: -EMM_EFAULT;
	if (err) {
		memblock_free(bm->mb, base, PFN_PHYS(PFN_UP(bytes)));
		return err;
	}
	bdata = &bm->bdata[bm->nr_nodes - 1];
	bdata->map_pfn = PFN_DOWN(base);
	bdata->map_pages = PFN_UP(bytes);
	return 0;
}

/* The array lies in the first node's room, which goes last. */
static void give_back_maps(struct bootmem *bm)
{
	for (uint32_t i = bm->nr_nodes; i-- > 0;)
		memblock_free(bm->mb, PFN_PHYS(bm->bdata[i].map_pfn),
			      PFN_PHYS(bm->bdata[i].map_pages));
	bm->nr_nodes = 0;
}

int do_init_bootmem(struct bootmem *bm, struct memblock *mb)
{
	struct group_iter it = { .mb = mb };
	struct group group;
	uint32_t nr_nodes = 0;
	bool frame_0;
	int err;

	while (next_group(&it, &group))
		nr_nodes++;
	if (!nr_nodes)
		return -EMM_ENOENT;
	err = memblock_reserve_frame_0(mb, &frame_0);
	if (err)
		return err;
	bootmem_init(bm, mb->map, NULL, nr_nodes);
	bm->mb = mb;
	bm->printer = mb->warn;
	it.next = 0;
	while (!err && next_group(&it, &group))
		err = take_node(bm, &group);
	if (err) {
		give_back_maps(bm);
		if (frame_0)
			memblock_free(mb, 0, PAGE_SIZE);
		return err;
	}
	for (uint32_t i = 0; i < bm->nr_nodes; i++) {
		struct bootmem_data *bdata = &bm->bdata[i];
		uint64_t first = node_first_pfn(bdata);

		bitmap_set(bdata->node_bootmem_map, 0,
			   bitmap_bytes(bdata->node_low_pfn - first) * 8);
		free_memory(bdata, mb, first, bdata->node_low_pfn);
		reserve_reserved(bdata, mb, first, bdata->node_low_pfn);
	}
	it.next = 0;
	while (next_bank(&it, &group))
		bm->nr_all_pages += group.end_pfn - group.start_pfn;
	return 0;
}
