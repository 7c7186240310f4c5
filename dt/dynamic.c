/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dynamic children of /reserved-memory: what they ask for, and where there is room for it.
 * Linux: __reserved_mem_alloc_size.
 */
#include "map.h"

#include <earlymm/error.h>

#include <inttypes.h>

/* What the place and the size of a child are multiples of, besides its alignment. */
static phys_addr_t granule_of(const struct dt_node *child)
{
	if (dt_has(child, PROP_NO_MAP))
		return PAGE_SIZE;
	return dt_has(child, PROP_REUSABLE) && dt_is_dma_pool(child) ? DT_CMA_GRANULE : 1;
}

const char *dt_read_dynamic(const struct dt_reserved_root *root, const struct dt_node *child,
			    struct dt_dynamic *d)
{
	const struct dt_prop_value *ranges = &child->prop[PROP_ALLOC_RANGES];
	phys_addr_t granule = granule_of(child);
	uint64_t size, align = PAGE_SIZE;

	*d = (struct dt_dynamic){ .nomap = dt_has(child, PROP_NO_MAP) };
	if (!dt_prop_number(child, PROP_SIZE, &size) || !size)
		return "size is not a number above 0 in one or two cells";
	if (dt_has(child, PROP_ALIGNMENT) &&
	    (!dt_prop_number(child, PROP_ALIGNMENT, &align) || !align || (align & (align - 1))))
		return "alignment is not a power of two";
	if (d->nomap && dt_has(child, PROP_REUSABLE))
		return "no-map and reusable exclude each other";
	if (size > PHYS_ADDR_MAX - (granule - 1))
		return "size is larger than the address space";
	d->asked = size;
	d->size = (size + granule - 1) & ~(granule - 1);
	d->align = align > granule ? align : granule;
	if (!dt_has(child, PROP_ALLOC_RANGES))
		return NULL;
	d->cells = dt_list_cells(root, ranges, "");
	if (!root->valid || !ranges->len || ranges->len % dt_entry_bytes(d->cells))
		return "alloc-ranges is not a list of ranges";
	d->ranges = ranges->data;
	d->nr_ranges = ranges->len / dt_entry_bytes(d->cells);
	return NULL;
}

void dt_check_dynamic(const struct dt_reserved_root *root, const struct dt_node *child,
		      struct dt_log *log)
{
	char name[DT_NAME_SIZE];
	struct dt_dynamic d;
	const char *error = dt_read_dynamic(root, child, &d);

	dt_printable(child->name, name, sizeof(name));
	if (error) {
		log->dynamic_bad++;
		dt_error(log, "dt: %s: %s: it will not be placed\n", name, error);
		return;
	}
	if (d.size != d.asked && !d.nomap)
		dt_error(log,
			 "dt: %s: a CMA area must be a multiple of 0x%" PRIx64 ": size 0x%" PRIx64
			 " is rounded up to 0x%" PRIx64 "\n",
			 name, (uint64_t)DT_CMA_GRANULE, d.asked, d.size);
	if (d.nr_ranges && root->given && !dt_same_cells(d.cells, root->own))
		dt_error(log, "dt: %s: its alloc-ranges has the root's cells, which are used\n",
			 name);
	if (d.nr_ranges > DT_MAX_ALLOC_RANGES)
		dt_error(log,
			 "dt: %s: alloc-ranges has %" PRIu32 " ranges: the first %d are tried\n",
			 name, d.nr_ranges, DT_MAX_ALLOC_RANGES);
}

/* The next of the ranges to be tried, from *@i on, that holds anything. */
static bool next_range(const struct dt_dynamic *d, uint32_t *i, phys_addr_t *base,
		       phys_addr_t *size)
{
	uint32_t n = d->nr_ranges < DT_MAX_ALLOC_RANGES ? d->nr_ranges : DT_MAX_ALLOC_RANGES;

	while (*i < n) {
		dt_read_entry(d->ranges + *i * (d->cells.addr + d->cells.size), d->cells, base,
			      size);
		++*i;
		if (*size)
			return true;
	}
	return false;
}

/*
 * Free memory only shrinks, so what asks for no less than the request before it, below the same
 * bound, fits below what that got; or, where memblock prefers one kind of memory to another,
 * anywhere.
 */
static int find_in(const struct memblock *mb, struct dt_found *last, const struct dt_dynamic *d,
		   phys_addr_t start, phys_addr_t end, phys_addr_t *base)
{
	int ret = -EMM_ENOMEM;

	if (!mb->bottom_up && last->movable_node == mb->movable_node && last->end == end &&
	    d->size >= last->size && d->align >= last->align)
		ret = memblock_find_in_range(mb, start, last->base, d->size, d->align, base);
	if (ret)
		ret = memblock_find_in_range(mb, start, end, d->size, d->align, base);
	if (!ret)
		*last = (struct dt_found){ end, d->size, d->align, *base, mb->movable_node };
	return ret;
}

int dt_find_dynamic(const struct memblock *mb, struct dt_found *last, const struct dt_dynamic *d,
		    phys_addr_t *base)
{
	phys_addr_t start, size;
	uint32_t i = 0;

	if (!d->ranges)
		return find_in(mb, last, d, 0, MEMBLOCK_ALLOC_ANYWHERE, base);
	while (next_range(d, &i, &start, &size)) {
		if (!find_in(mb, last, d, start, start + size, base))
			return 0;
	}
	return -EMM_ENOMEM;
}

void dt_report_no_room(const struct dt_dynamic *d, const char *name, struct dt_log *log)
{
	phys_addr_t base, size;
	uint32_t i = 0, lines = 0, more = 0;

	if (!next_range(d, &i, &base, &size)) {
		dt_error(log,
			 "dt: %s: not placed: no 0x%" PRIx64 " bytes aligned to 0x%" PRIx64
			 " are free in %s\n",
			 name, d->size, d->align,
			 d->ranges ? "its alloc-ranges, which are empty" : "memory");
		return;
	}
	dt_error(log,
		 "dt: %s: not placed: no 0x%" PRIx64 " bytes aligned to 0x%" PRIx64
		 " are free in " DT_RANGE "\n",
		 name, d->size, d->align, DT_RANGE_ARGS(base, size));
	while (next_range(d, &i, &base, &size)) {
		if (++lines < DT_MAX_RANGE_LINES)
			dt_note(log, "dt: %s: nor in " DT_RANGE "\n", name,
				DT_RANGE_ARGS(base, size));
		else
			more++;
	}
	if (more)
		dt_note(log, "dt: %s: nor in %" PRIu32 " more ranges\n", name, more);
}
