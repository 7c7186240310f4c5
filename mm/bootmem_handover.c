/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The handover from bootmem to the buddy: runs of clear bits, the way that memblock's free ranges
 * go; then the bitmaps themselves, late. Whatever is to be known from the bitmaps for that is read
 * before the first of their pages is handed over.
 */
#include <earlymm/mm_init.h>
#include "bootmem_internal.h"
#include "buddy_build.h"

/* The frames of the node inside the limits of @mm that are still to be handed over. */
static bool frames_left(const struct bootmem_data *bdata, const struct mm *mm, uint64_t *start,
			uint64_t *end)
{
	*start = max_pfn_of(node_first_pfn(bdata), mm->start_pfn);
	*end = min_pfn_of(bdata->node_low_pfn, mm->end_pfn);
	/* Zones ascend: what begins below was handed over as a whole. */
	return *start < *end && bdata->handed_pfn <= *start;
}

static bool any_left(const struct bootmem *bm, const struct mm *mm, int nid)
{
	uint64_t start, end;

	for (uint32_t i = 0; i < bm->nr_nodes; i++) {
		if (node_is_on(&bm->bdata[i], nid) && frames_left(&bm->bdata[i], mm, &start, &end))
			return true;
	}
	return false;
}

/* The runs of clear bits in [start_pfn, end_pfn) of the node. */
static int free_all_bootmem_core(const struct bootmem_data *bdata, struct buddy_builder *bb,
				 uint64_t start_pfn, uint64_t end_pfn, uint64_t *managed)
{
	const uint64_t *map = bdata->node_bootmem_map;
	uint64_t first = node_first_pfn(bdata), to = end_pfn - first;
	uint64_t from = start_pfn - first;

	while ((from = bitmap_next_clear(map, from, to)) < to) {
		uint64_t stop = bitmap_next_set(map, from, to);
		int err = build_range(bb, first + from, first + stop);

		if (err)
			return err;
		*managed += stop - from;
		from = stop;
	}
	return 0;
}

/* One of the zones that share the struct; they ascend and do not overlap. */
static int add_zone(struct bootmem *bm, struct mm *mm)
{
	for (uint32_t i = 0; i < bm->nr_zones; i++) {
		if (bm->zones[i] == mm)
			return 0;
		if (mm->start_pfn < bm->zones[i]->end_pfn)
			return -EMM_EOVERLAP;
	}
	if (bm->nr_zones == BOOTMEM_MAX_ZONES)
		return -EMM_ENOSPC;
	bm->zones[bm->nr_zones++] = mm;
	return 0;
}

/* ---- the bitmaps' own pages ---- */

/* Nothing that is free is left. What no zone covers may be: no-map memory at a node's end. */
static bool all_handed_over(const struct bootmem *bm)
{
	for (uint32_t i = 0; i < bm->nr_nodes; i++) {
		const struct bootmem_data *bdata = &bm->bdata[i];
		uint64_t first = node_first_pfn(bdata), end = bdata->node_low_pfn;
		uint64_t from = max_pfn_of(bdata->handed_pfn, first);

		if (from < end && bitmap_next_clear(bdata->node_bootmem_map, from - first,
						    end - first) < end - first)
			return false;
	}
	return true;
}

/* The number of nodes that begin below @pfn. */
static uint32_t nodes_below(const struct bootmem *bm, uint64_t pfn)
{
	uint32_t low = 0, high = bm->nr_nodes;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (node_first_pfn(&bm->bdata[mid]) < pfn)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* The first of the nodes that end above @pfn. */
static uint32_t node_above(const struct bootmem *bm, uint64_t pfn)
{
	uint32_t i = nodes_below(bm, pfn);

	return i && bm->bdata[i - 1].node_low_pfn > pfn ? i - 1 : i;
}

/* The hole around [start, end): from node to node, up to the nearest clear bits. */
static void find_hole(const struct bootmem *bm, uint64_t start, uint64_t end,
		      struct bootmem_data *of)
{
	of->hole_start = 0;
	of->hole_end = UINT64_MAX;
	for (uint32_t i = nodes_below(bm, start); i-- > 0 && !of->hole_start;) {
		const struct bootmem_data *bdata = &bm->bdata[i];
		uint64_t first = node_first_pfn(bdata);
		uint64_t at = bitmap_after_last_clear(
			bdata->node_bootmem_map, min_pfn_of(start, bdata->node_low_pfn) - first);

		if (at)
			of->hole_start = first + at;
	}
	for (uint32_t i = node_above(bm, end); i < bm->nr_nodes && of->hole_end == UINT64_MAX;
	     i++) {
		const struct bootmem_data *bdata = &bm->bdata[i];
		uint64_t first = node_first_pfn(bdata), pages = bdata->node_low_pfn - first;
		uint64_t at = bitmap_next_clear(bdata->node_bootmem_map,
						max_pfn_of(end, first) - first, pages);

		if (at < pages)
			of->hole_end = first + at;
	}
}

/* Is the bitmap's place reserved as a whole, and the nodes' to give? */
static bool map_is_reserved(const struct bootmem *bm, uint64_t start, uint64_t end)
{
	for (uint32_t i = node_above(bm, start); start < end; i++) {
		const struct bootmem_data *bdata = &bm->bdata[i];
		uint64_t first, stop;

		if (i == bm->nr_nodes || node_first_pfn(bdata) > start)
			return false;
		first = node_first_pfn(bdata);
		stop = min_pfn_of(end, bdata->node_low_pfn) - first;
		if (bitmap_next_clear(bdata->node_bootmem_map, start - first, stop) < stop)
			return false;
		start = first + stop;
	}
	return true;
}

/*
 * The hole around each bitmap, as it will be when those behind it in the array are free: their bits
 * are cleared on the way. The first one, which holds the array, goes last.
 */
static void find_holes(struct bootmem *bm)
{
	for (uint32_t i = bm->nr_nodes; i-- > 0;) {
		struct bootmem_data *of = &bm->bdata[i];
		uint64_t start = of->map_pfn, end = start + of->map_pages;

		/* One that lies outside, or in what is free already, is not the nodes' to give. */
		if (!map_is_reserved(bm, start, end)) {
			of->map_pages = 0;
			continue;
		}
		find_hole(bm, start, end, of);
		for (uint32_t k = node_above(bm, start); start < end; k++) {
			uint64_t first = node_first_pfn(&bm->bdata[k]);
			uint64_t stop = min_pfn_of(end, bm->bdata[k].node_low_pfn);

			bitmap_clear(bm->bdata[k].node_bootmem_map, start - first, stop - first);
			start = stop;
		}
	}
}

/* The part of a bitmap's place that lies in the zone, first out of the ledger, then into its buddy. */
static int release_in_zone(struct bootmem *bm, const struct bootmem_data *bdata, struct mm *mm)
{
	uint64_t start = max_pfn_of(bdata->map_pfn, mm->start_pfn);
	uint64_t end = min_pfn_of(bdata->map_pfn + bdata->map_pages, mm->end_pfn);
	int err = 0;

	if (start >= end)
		return 0;
	if (bm->mb) {
		/* What is free there is the buddy's by now: the array must not grow into it. */
		bool can_resize = bm->mb->can_resize;

		bm->mb->can_resize = false;
		err = memblock_free(bm->mb, PFN_PHYS(start), PFN_PHYS(end - start));
		bm->mb->can_resize = can_resize;
	}
	if (!err)
		err = buddy_add_range(mm->buddy.harts, start, end, bdata->hole_start,
				      bdata->hole_end);
	if (!err)
		mm->managed_pages += end - start;
	return err;
}

static int release_maps(struct bootmem *bm)
{
	int err = 0;

	find_holes(bm);
	for (uint32_t i = bm->nr_nodes; i-- > 0 && !err;) {
		/* Its own place may be what is released. */
		const struct bootmem_data bdata = bm->bdata[i];

		for (uint32_t z = 0; z < bm->nr_zones && !err; z++)
			err = release_in_zone(bm, &bdata, bm->zones[z]);
	}
	bm->bdata = NULL;
	bm->nr_nodes = 0;
	return err;
}

/* ---- the calls ---- */

static int hand_over_nodes(struct bootmem *bm, struct mm *mm, int nid)
{
	struct buddy_builder bb;
	uint64_t managed = 0, start, end;

	build_begin(&bb, &mm->buddy);
	for (uint32_t i = 0; i < bm->nr_nodes; i++) {
		struct bootmem_data *bdata = &bm->bdata[i];
		int err;

		if (!node_is_on(bdata, nid) || !frames_left(bdata, mm, &start, &end))
			continue;
		/* Frame 0 is nobody's, whatever was freed by hand. */
		if (!start)
			bitmap_set(bdata->node_bootmem_map, 0, 1);
		err = free_all_bootmem_core(bdata, &bb, start, end, &managed);
		if (err)
			return err;
		bdata->handed_pfn = end;
	}
	build_end(&bb);
	mm->managed_pages += managed;
	return 0;
}

static int hand_over(struct bootmem *bm, struct mm *mm, int nid)
{
	/* What is left for zones above has no free page. */
	const bool all_gone = bm->handed_over && !bm->nr_nodes && bm->nr_zones &&
			      mm->start_pfn >= bm->zones[bm->nr_zones - 1]->end_pfn;
	int err;

	if (mm->state != MM_READY || (!all_gone && !any_left(bm, mm, nid)))
		return -EMM_ESTATE;
	err = add_zone(bm, mm);
	if (err)
		return err;
	bm->handed_over = true;
	err = hand_over_nodes(bm, mm, nid);
	if (err)
		return err;
	if (!any_left(bm, mm, NUMA_NO_NODE))
		mm->state = MM_HANDED_OVER;
	return all_handed_over(bm) ? release_maps(bm) : 0;
}

int free_all_bootmem(struct bootmem *bm, struct mm *mm)
{
	return bm->nobootmem ? nobootmem_free_all(bm, mm) : hand_over(bm, mm, NUMA_NO_NODE);
}

int free_all_bootmem_node(struct bootmem *bm, struct mm *mm, int nid)
{
	if (nid < NUMA_NO_NODE)
		return -EMM_EINVAL;
	return bm->nobootmem ? 0 : hand_over(bm, mm, nid);
}
