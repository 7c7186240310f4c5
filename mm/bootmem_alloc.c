/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bootmem's allocation: first fit in a bitmap, from a goal or a hint upwards and then from the
 * start, and the sharing of pages by consecutive small allocations.
 */
#include "bootmem_internal.h"

bool bootmem_find(const struct bootmem_data *bdata, const struct bootmem_want *want, uint64_t *pfn)
{
	const uint64_t *map = bdata->node_bootmem_map;
	uint64_t first = node_first_pfn(bdata), mask = want->align_pages - 1;
	uint64_t end = min_pfn_of(want->end_pfn, bdata->node_low_pfn);
	/* Frame 0 is nobody's. */
	uint64_t at = max_pfn_of(max_pfn_of(want->start_pfn, first), 1);

	while (at < end) {
		uint64_t stop;

		at = first + bitmap_next_clear(map, at - first, end - first);
		at = (at + mask) & ~mask;
		if (at >= end || want->nr_pages > end - at)
			return false;
		stop = bitmap_next_set(map, at - first, at - first + want->nr_pages);
		if (stop == at - first + want->nr_pages) {
			*pfn = at;
			return true;
		}
		at = first + stop + 1;
	}
	return false;
}

bool bootmem_may_alloc(const struct bootmem *bm, const struct bootmem_data *bdata)
{
	return !(bm->mb && bm->mb->movable_node && (bdata->flags & MEMBLOCK_HOTPLUG));
}

/* First fit from the goal, or the hint above it, then from the node's start. */
static bool find_from_goal(const struct bootmem_data *bdata, phys_addr_t align, phys_addr_t goal,
			   struct bootmem_want *want, uint64_t *pfn)
{
	uint64_t first = node_first_pfn(bdata);
	uint64_t hint = first + PFN_DOWN(bdata->last_success);

	want->align_pages = align > PAGE_SIZE ? align >> PAGE_SHIFT : 1;
	want->end_pfn = min_pfn_of(want->end_pfn, bdata->node_low_pfn);
	want->start_pfn = first;
	if (goal && goal >= bdata->node_boot_start && PFN_DOWN(goal) < want->end_pfn) {
		want->start_pfn = PFN_UP(goal);
		if (hint > want->start_pfn && hint < want->end_pfn)
			want->start_pfn = hint;
	}
	if (bootmem_find(bdata, want, pfn))
		return true;
	if (want->start_pfn == first)
		return false;
	want->start_pfn = first;
	return bootmem_find(bdata, want, pfn);
}

/* Where an allocation goes, and what the node is to remember of it. */
struct place {
	phys_addr_t pa;
	uint64_t nr_pages; /* that it takes from the run that was found; 0: none */
	uint64_t last_pos;
	uint64_t last_offset;
};

/* @start: the page, from the node's first, of a free run that is large enough for all of it. */
static struct place place_at(const struct bootmem_data *bdata, uint64_t start, phys_addr_t size,
			     phys_addr_t align)
{
	struct place p = {
		.pa = bdata->node_boot_start + PFN_PHYS(start),
		.nr_pages = PFN_UP(size),
	};

	if (align < PAGE_SIZE && bdata->last_offset && bdata->last_pos + 1 == start) {
		/* Behind the one before, in what is left of its last page. */
		phys_addr_t offset = (bdata->last_offset + align - 1) & ~(align - 1);
		phys_addr_t rest = PAGE_SIZE - offset;

		p.pa -= rest;
		if (size < rest) {
			p.nr_pages = 0;
			p.last_pos = bdata->last_pos;
			p.last_offset = offset + size;
			return p;
		}
		size -= rest;
		p.nr_pages = PFN_UP(size);
	}
	p.last_pos = start + p.nr_pages - 1;
	p.last_offset = size & ~PAGE_MASK;
	return p;
}

static int check_request(const struct bootmem *bm, phys_addr_t size, phys_addr_t align, int nid)
{
	if (!size || (align & (align - 1)) || nid < NUMA_NO_NODE)
		return -EMM_EINVAL;
	return bm->handed_over ? -EMM_ESTATE : 0;
}

/* The arguments are checked; @align is not 0. */
static int alloc_on(struct bootmem *bm, struct bootmem_data *bdata, phys_addr_t size,
		    phys_addr_t align, phys_addr_t goal, phys_addr_t limit, phys_addr_t *pa)
{
	struct bootmem_want want = { .nr_pages = PFN_UP(size), .end_pfn = PFN_DOWN(limit) };
	uint64_t first = node_first_pfn(bdata), pfn;
	struct place p;
	void *block;
	int err;

	if (!bootmem_may_alloc(bm, bdata) || !find_from_goal(bdata, align, goal, &want, &pfn))
		return -EMM_ENOMEM;
	p = place_at(bdata, pfn - first, size, align);
	block = bm->map ? phys_to_virt(bm->map, p.pa, size) : NULL;
	if (!block)
		return -EMM_EFAULT;
	if (p.nr_pages) {
		err = bootmem_record(bm, pfn, pfn + p.nr_pages,
				     cause_flags(CAUSE_ALLOC) | MEMBLOCK_RSRV_KERN);
		if (err)
			return err;
		bitmap_set(bdata->node_bootmem_map, pfn - first, pfn - first + p.nr_pages);
	}
	bdata->last_success = PFN_PHYS(pfn - first);
	bdata->last_pos = p.last_pos;
	bdata->last_offset = p.last_offset;
	__builtin_memset(block, 0, (size_t)size);
	*pa = p.pa;
	return 0;
}

int __alloc_bootmem_core(struct bootmem *bm, struct bootmem_data *bdata, phys_addr_t size,
			 phys_addr_t align, phys_addr_t goal, phys_addr_t limit, phys_addr_t *pa)
{
	int err = check_request(bm, size, align, NUMA_NO_NODE);

	if (err)
		return err;
	if (bm->nobootmem || !bdata)
		return -EMM_EINVAL;
	return alloc_on(bm, bdata, size, align ? align : SMP_CACHE_BYTES, goal, limit, pa);
}

static int alloc_on_nodes(struct bootmem *bm, int nid, phys_addr_t size, phys_addr_t align,
			  phys_addr_t goal, phys_addr_t limit, phys_addr_t *pa)
{
	for (uint32_t i = 0; i < bm->nr_nodes; i++) {
		int err;

		if (!node_is_on(&bm->bdata[i], nid))
			continue;
		err = alloc_on(bm, &bm->bdata[i], size, align, goal, limit, pa);
		if (err != -EMM_ENOMEM)
			return err;
	}
	return -EMM_ENOMEM;
}

int __alloc_bootmem_node_limit(struct bootmem *bm, int nid, phys_addr_t size, phys_addr_t align,
			       phys_addr_t goal, phys_addr_t limit, phys_addr_t *pa)
{
	int err = check_request(bm, size, align, nid);

	if (err)
		return err;
	if (!align)
		align = SMP_CACHE_BYTES;
	if (bm->nobootmem) {
		err = nobootmem_alloc(bm, size, align, goal, limit, nid, CAUSE_ALLOC, true, pa);
	} else {
		err = alloc_on_nodes(bm, nid, size, align, goal, limit, pa);
		if (err == -EMM_ENOMEM && nid != NUMA_NO_NODE)
			err = alloc_on_nodes(bm, NUMA_NO_NODE, size, align, goal, limit, pa);
	}
	if (err == -EMM_ENOMEM)
		print_to(bm->printer, "bootmem alloc of 0x%llx bytes failed!\n",
			 (unsigned long long)size);
	return err;
}

int __alloc_bootmem_limit(struct bootmem *bm, phys_addr_t size, phys_addr_t align, phys_addr_t goal,
			  phys_addr_t limit, phys_addr_t *pa)
{
	return __alloc_bootmem_node_limit(bm, NUMA_NO_NODE, size, align, goal, limit, pa);
}

/* ---- the lowest fit: memblock_phys_alloc()'s order of preferences ---- */

/* On nodes with @nid, in mirrored memory only if @mirror. */
static bool find_lowest(const struct bootmem *bm, const struct bootmem_want *want, int nid,
			bool mirror, uint32_t *node, uint64_t *pfn)
{
	for (uint32_t i = 0; i < bm->nr_nodes; i++) {
		const struct bootmem_data *bdata = &bm->bdata[i];

		if (!node_is_on(bdata, nid) || !bootmem_may_alloc(bm, bdata) ||
		    (mirror && !(bdata->flags & MEMBLOCK_MIRROR)))
			continue;
		if (bootmem_find(bdata, want, pfn)) {
			*node = i;
			return true;
		}
	}
	return false;
}

static bool find_on_nid_first(const struct bootmem *bm, const struct bootmem_want *want, int nid,
			      bool mirror, uint32_t *node, uint64_t *pfn)
{
	if (find_lowest(bm, want, nid, mirror, node, pfn))
		return true;
	return nid != NUMA_NO_NODE && find_lowest(bm, want, NUMA_NO_NODE, mirror, node, pfn);
}

static bool find_mirror_first(const struct bootmem *bm, const struct bootmem_want *want, int nid,
			      uint32_t *node, uint64_t *pfn)
{
	bool mirror = memblock_choose_flags(bm->mb) != 0;

	if (find_on_nid_first(bm, want, nid, mirror, node, pfn))
		return true;
	if (!mirror || !find_on_nid_first(bm, want, nid, false, node, pfn))
		return false;
	print_to(bm->mb->warn, "bootmem: could not allocate 0x%llx pages of mirrored memory\n",
		 (unsigned long long)want->nr_pages);
	return true;
}

int bootmem_alloc_lowest(struct bootmem *bm, phys_addr_t size, phys_addr_t align, phys_addr_t goal,
			 phys_addr_t limit, int nid, enum memblock_cause cause, phys_addr_t *pa)
{
	struct bootmem_want want = {
		.nr_pages = PFN_DOWN(size),
		.align_pages = PFN_DOWN(align),
		.start_pfn = PFN_UP(goal),
		.end_pfn = PFN_DOWN(min_addr_of(limit, bm->mb->current_limit)),
	};
	uint64_t pfn, first;
	uint32_t node;
	int err;

	if (!find_mirror_first(bm, &want, nid, &node, &pfn)) {
		want.start_pfn = 0;
		if (!find_mirror_first(bm, &want, nid, &node, &pfn))
			return -EMM_ENOMEM;
	}
	err = bootmem_record(bm, pfn, pfn + want.nr_pages, cause_flags(cause) | MEMBLOCK_RSRV_KERN);
	if (err)
		return err;
	first = node_first_pfn(&bm->bdata[node]);
	bitmap_set(bm->bdata[node].node_bootmem_map, pfn - first, pfn - first + want.nr_pages);
	*pa = PFN_PHYS(pfn);
	return 0;
}
