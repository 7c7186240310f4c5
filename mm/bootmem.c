/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bootmem's nodes, and ranges in them that are reserved or freed by hand. Each range is checked
 * over all its nodes first, then recorded, then changed, so that a failure changes nothing.
 */
#include "bootmem_internal.h"

uint64_t bootmem_bootmap_pages(uint64_t pages)
{
	return PFN_UP(pages / 8 + (pages % 8 != 0));
}

void bootmem_init(struct bootmem *bm, const struct phys_map *map, struct bootmem_data *bdata,
		  uint32_t max_nodes)
{
	*bm = (struct bootmem){
		.bdata = bdata,
		.max_nodes = max_nodes,
		.map = map,
		.max_dma_address = MAX_DMA_ADDRESS,
	};
}

int bootmem_add_node(struct bootmem *bm, int nid, uint32_t flags, phys_addr_t map_base,
		     uint64_t start_pfn, uint64_t end_pfn)
{
	uint64_t bytes = bitmap_bytes(end_pfn - start_pfn);
	uint64_t *map;

	if (bm->nr_nodes == bm->max_nodes)
		return -EMM_ENOSPC;
	if (bm->nr_nodes && start_pfn < bm->bdata[bm->nr_nodes - 1].node_low_pfn)
		return -EMM_EOVERLAP;
	map = bm->map ? phys_to_virt(bm->map, map_base, bytes) : NULL;
	if (!map)
		return -EMM_EFAULT;
	bm->bdata[bm->nr_nodes] = (struct bootmem_data){
		.node_boot_start = PFN_PHYS(start_pfn),
		.node_low_pfn = end_pfn,
		.node_bootmem_map = map,
		.nid = nid,
		.flags = flags,
		.map_pfn = PFN_DOWN(map_base),
		.map_pages = PFN_UP(map_base + bytes) - PFN_DOWN(map_base),
		.handed_pfn = start_pfn,
	};
	if (!bm->nr_nodes++) {
		bm->min_low_pfn = start_pfn;
		bm->max_dma_address = max_addr_of(MAX_DMA_ADDRESS, PFN_PHYS(start_pfn));
	}
	bm->max_low_pfn = end_pfn;
	bm->max_pfn = end_pfn;
	bm->saved_max_pfn = max_pfn_of(bm->saved_max_pfn, end_pfn);
	return 0;
}

int init_bootmem_core(struct bootmem *bm, int nid, uint32_t flags, phys_addr_t map_base,
		      uint64_t start_pfn, uint64_t end_pfn, uint64_t *bytes)
{
	uint64_t pages = end_pfn - start_pfn;
	int err;

	if (bm->nobootmem || start_pfn >= end_pfn || end_pfn > PFN_DOWN(PHYS_ADDR_MAX) ||
	    map_base % sizeof(uint64_t) || bitmap_bytes(pages) > PHYS_ADDR_MAX - map_base ||
	    nid < NUMA_NO_NODE || (flags & ~(uint32_t)(MEMBLOCK_HOTPLUG | MEMBLOCK_MIRROR)))
		return -EMM_EINVAL;
	if (bm->handed_over || bm->mb)
		return -EMM_ESTATE;
	err = bootmem_add_node(bm, nid, flags, map_base, start_pfn, end_pfn);
	if (err)
		return err;
	bitmap_set(bm->bdata[bm->nr_nodes - 1].node_bootmem_map, 0, bitmap_bytes(pages) * 8);
	bm->nr_all_pages += pages;
	if (bytes)
		*bytes = bitmap_bytes(pages);
	return 0;
}

int init_bootmem_node(struct bootmem *bm, int nid, uint64_t map_pfn, uint64_t start_pfn,
		      uint64_t end_pfn, uint64_t *bytes)
{
	if (map_pfn > PFN_DOWN(PHYS_ADDR_MAX))
		return -EMM_EINVAL;
	return init_bootmem_core(bm, nid, 0, PFN_PHYS(map_pfn), start_pfn, end_pfn, bytes);
}

int init_bootmem(struct bootmem *bm, uint64_t map_pfn, uint64_t pages, uint64_t *bytes)
{
	int err = init_bootmem_node(bm, 0, map_pfn, 0, pages, bytes);

	if (!err)
		bm->min_low_pfn = map_pfn;
	return err;
}

void bootmem_clear_frames(struct bootmem_data *bdata, uint64_t start_pfn, uint64_t end_pfn)
{
	uint64_t first = node_first_pfn(bdata);
	uint64_t last_pfn = first + bdata->last_pos;

	bitmap_clear(bdata->node_bootmem_map, start_pfn - first, end_pfn - first);
	if (PFN_PHYS(start_pfn - first) < bdata->last_success)
		bdata->last_success = PFN_PHYS(start_pfn - first);
	/* A page that is free is not to be packed into. */
	if (start_pfn <= last_pfn && last_pfn < end_pfn)
		bdata->last_offset = 0;
}

/* Frames of one request: on a node, or on those with @nid. */
struct range {
	uint64_t start_pfn;
	uint64_t end_pfn;
	struct bootmem_data *only; /* NULL: any node on @nid */
	int nid;
};

/* The node of @pfn, and how much of the range it has: [pfn, *end). NULL if none has it. */
static struct bootmem_data *node_of(const struct bootmem *bm, const struct range *r, uint64_t pfn,
				    uint64_t *end)
{
	for (uint32_t i = 0; i < bm->nr_nodes; i++) {
		struct bootmem_data *bdata = &bm->bdata[i];

		if (pfn >= bdata->node_low_pfn)
			continue;
		if (pfn < node_first_pfn(bdata) || (r->only && r->only != bdata) ||
		    !node_is_on(bdata, r->nid))
			return NULL;
		*end = min_pfn_of(r->end_pfn, bdata->node_low_pfn);
		return bdata;
	}
	return NULL;
}

/* Whether all of the range lies in nodes, and all its bits are @set. */
static int check_range(const struct bootmem *bm, const struct range *r, bool set)
{
	uint64_t pfn, end = 0;

	for (pfn = r->start_pfn; pfn < r->end_pfn; pfn = end) {
		const struct bootmem_data *bdata = node_of(bm, r, pfn, &end);
		uint64_t first, at;

		if (!bdata) {
			print_to(bm->printer, "bootmem: frame 0x%llx is on no such node\n",
				 (unsigned long long)pfn);
			return -EMM_ERANGE;
		}
		first = node_first_pfn(bdata);
		at = set ? bitmap_next_clear(bdata->node_bootmem_map, pfn - first, end - first)
			 : bitmap_next_set(bdata->node_bootmem_map, pfn - first, end - first);
		if (at < end - first) {
			unsigned long long bad = first + at;

			print_to(bm->printer, "bootmem: frame 0x%llx is %s twice\n", bad,
				 set ? "freed" : "reserved");
			return set ? -EMM_EDOUBLE : -EMM_EBUSY;
		}
	}
	return 0;
}

static int reserve_range(struct bootmem *bm, struct bootmem_data *only, int nid, phys_addr_t addr,
			 phys_addr_t size)
{
	struct range r = { .only = only, .nid = nid };
	uint64_t end = 0;
	int err;

	if (!size)
		return -EMM_EINVAL;
	if (bm->handed_over)
		return -EMM_ESTATE;
	if (size > PHYS_ADDR_MAX - addr)
		return -EMM_ERANGE;
	r.start_pfn = PFN_DOWN(addr);
	r.end_pfn = PFN_UP(addr + size);
	err = check_range(bm, &r, false);
	if (!err)
		err = bootmem_record(bm, r.start_pfn, r.end_pfn, cause_flags(CAUSE_OTHER));
	for (uint64_t pfn = r.start_pfn; !err && pfn < r.end_pfn; pfn = end) {
		struct bootmem_data *bdata = node_of(bm, &r, pfn, &end);

		bitmap_set(bdata->node_bootmem_map, pfn - node_first_pfn(bdata),
			   end - node_first_pfn(bdata));
	}
	return err;
}

static int free_range(struct bootmem *bm, struct bootmem_data *only, int nid, phys_addr_t addr,
		      phys_addr_t size)
{
	struct range r = { .only = only, .nid = nid };
	uint64_t end = 0;
	int err;

	if (!size)
		return -EMM_EINVAL;
	if (bm->handed_over)
		return -EMM_ESTATE;
	if (size > PHYS_ADDR_MAX - addr)
		return -EMM_ERANGE;
	r.start_pfn = PFN_UP(addr);
	r.end_pfn = PFN_DOWN(addr + size);
	if (r.start_pfn >= r.end_pfn)
		return node_of(bm, &r, PFN_DOWN(addr), &end) ? 0 : -EMM_ERANGE;
	err = check_range(bm, &r, true);
	if (!err)
		err = bootmem_erase(bm, r.start_pfn, r.end_pfn);
	for (uint64_t pfn = r.start_pfn; !err && pfn < r.end_pfn; pfn = end) {
		struct bootmem_data *bdata = node_of(bm, &r, pfn, &end);

		bootmem_clear_frames(bdata, pfn, end);
	}
	return err;
}

int reserve_bootmem_node(struct bootmem *bm, int nid, phys_addr_t addr, phys_addr_t size)
{
	if (nid < NUMA_NO_NODE)
		return -EMM_EINVAL;
	if (bm->nobootmem)
		return nobootmem_reserve(bm, addr, size);
	return reserve_range(bm, NULL, nid, addr, size);
}

int reserve_bootmem(struct bootmem *bm, phys_addr_t addr, phys_addr_t size)
{
	return reserve_bootmem_node(bm, NUMA_NO_NODE, addr, size);
}

int reserve_bootmem_core(struct bootmem *bm, struct bootmem_data *bdata, phys_addr_t addr,
			 phys_addr_t size)
{
	if (bm->nobootmem || !bdata)
		return -EMM_EINVAL;
	return reserve_range(bm, bdata, NUMA_NO_NODE, addr, size);
}

int free_bootmem_node(struct bootmem *bm, int nid, phys_addr_t addr, phys_addr_t size)
{
	if (nid < NUMA_NO_NODE)
		return -EMM_EINVAL;
	if (bm->nobootmem)
		return nobootmem_free(bm, addr, size);
	return free_range(bm, NULL, nid, addr, size);
}

int free_bootmem(struct bootmem *bm, phys_addr_t addr, phys_addr_t size)
{
	return free_bootmem_node(bm, NUMA_NO_NODE, addr, size);
}

int free_bootmem_core(struct bootmem *bm, struct bootmem_data *bdata, phys_addr_t addr,
		      phys_addr_t size)
{
	if (bm->nobootmem || !bdata)
		return -EMM_EINVAL;
	return free_range(bm, bdata, NUMA_NO_NODE, addr, size);
}
