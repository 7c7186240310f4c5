/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A picture of memory: a character, the cell, for so many pages. What is reserved is known from
 * memblock, what is free from the trees' words; no page is looked at by itself.
 */
#include "report_internal.h"

#define CELLS_SHIFT 6 /* in a line */
#define CELLS       (1U << CELLS_SHIFT)
#define MAX_LINES   24
#define MAX_SHIFT   (64 - PAGE_SHIFT - CELLS_SHIFT)

enum kind { KIND_USED, KIND_RESERVED, KIND_NOMAP, KIND_IMAGE, KIND_METADATA, NR_KINDS_OF_CELL };

static const char kind_chars[NR_KINDS_OF_CELL] = { '#', 'R', 'x', 'I', 'M' };

/* What the pages of a cell are. */
struct cell {
	uint64_t present;
	uint64_t free; /* without CMA areas */
	uint64_t cma;
	uint64_t cma_free;
	uint64_t kinds[NR_KINDS_OF_CELL];
	unsigned int largest; /* the order of the largest free block, if @free */
};

struct map {
	const struct page_alloc *pa;
	const struct memblock *mb;
	const struct printer *out;
	unsigned int shift; /* pages of a cell */
	int digits; /* of an address */
	unsigned long memory_at; /* entries before these end before the next cell */
	unsigned long reserved_at;
};

/* The whole pages of an entry of memory, and all that a reservation has a part of. */
static struct pfn_range memory_frames(const struct memblock_region *r)
{
	return (struct pfn_range){ PFN_UP(r->base), PFN_DOWN(r->base + r->size) };
}

static struct pfn_range reserved_frames(const struct memblock_region *r)
{
	return (struct pfn_range){ PFN_DOWN(r->base), PFN_UP(r->base + r->size) };
}

static uint64_t overlap(const struct pfn_range *a, const struct pfn_range *b)
{
	uint64_t start = a->start > b->start ? a->start : b->start;
	uint64_t end = a->end < b->end ? a->end : b->end;

	return start < end ? end - start : 0;
}

static enum kind kind_of(enum memblock_cause cause)
{
	if (cause == CAUSE_IMAGE || cause == CAUSE_INIT)
		return KIND_IMAGE;
	return cause == CAUSE_METADATA ? KIND_METADATA : KIND_RESERVED;
}

/* Memory and what is reserved of it. Cells come in ascending order. */
static void look_at_memblock(struct map *m, const struct pfn_range *at, struct cell *c)
{
	const struct memblock_type *memory = &m->mb->memory, *reserved = &m->mb->reserved;

	for (unsigned long i = m->memory_at; i < memory->cnt; i++) {
		const struct pfn_range r = memory_frames(&memory->regions[i]);
		uint64_t nr_pages = overlap(&r, at);

		if (r.start >= at->end)
			break;
		c->present += nr_pages;
		if (memory->regions[i].flags & MEMBLOCK_NOMAP)
			c->kinds[KIND_NOMAP] += nr_pages;
		if (r.end <= at->end)
			m->memory_at = i + 1;
	}
	for (unsigned long i = m->reserved_at; i < reserved->cnt; i++) {
		const struct pfn_range r = reserved_frames(&reserved->regions[i]);

		if (r.start >= at->end)
			break;
		c->kinds[kind_of(MEMBLOCK_CAUSE(reserved->regions[i].flags))] += overlap(&r, at);
		if (r.end <= at->end)
			m->reserved_at = i + 1;
	}
}

/* Free pages of the zone in the cell, and the largest block; a block may also be larger than it. */
static uint64_t look_at_zone(const struct zone *z, const struct pfn_range *at,
			     unsigned int *largest)
{
	uint64_t counts[NR_PAGE_ORDERS], nr_pages = 0, nr_cell = at->end - at->start;

	buddy_nr_blocks_in(&z->mm.buddy, at->start, at->end, counts);
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++) {
		if (!counts[order])
			continue;
		nr_pages += counts[order] << order;
		if (order > *largest)
			*largest = order;
	}
	/* In a block that begins further below, as one larger than the cell. */
	if (!nr_pages && buddy_page_is_free(&z->mm.buddy, at->start))
		return nr_cell;
	return nr_pages < nr_cell ? nr_pages : nr_cell;
}

static void look_at_zones(const struct map *m, const struct pfn_range *at, struct cell *c)
{
	for (uint32_t i = 0; i < m->pa->nr_zones; i++) {
		const struct zone *z = &m->pa->zones[i];
		const struct pfn_range limits = { z->mm.start_pfn, z->mm.end_pfn };
		uint64_t nr_pages = overlap(&limits, at);
		unsigned int largest = 0;

		if (!nr_pages || z->mm.state != MM_HANDED_OVER)
			continue;
		if (z->type == ZONE_CMA) {
			c->cma += nr_pages;
			c->cma_free += look_at_zone(z, at, &largest);
		} else {
			c->free += look_at_zone(z, at, &c->largest);
		}
	}
}

static char order_char(unsigned int order)
{
	return (char)(order < 10 ? '0' + order : 'a' + (order - 10));
}

/* Nothing in it is free: what most of it is. */
static char busiest(struct cell *c)
{
	uint64_t *kinds = c->kinds, others = c->cma;
	unsigned int best = KIND_USED;

	kinds[KIND_RESERVED] -= c->cma < kinds[KIND_RESERVED] ? c->cma : kinds[KIND_RESERVED];
	for (unsigned int kind = KIND_USED + 1; kind < NR_KINDS_OF_CELL; kind++)
		others += kinds[kind];
	kinds[KIND_USED] = others < c->present ? c->present - others : 0;
	for (unsigned int kind = KIND_USED + 1; kind < NR_KINDS_OF_CELL; kind++)
		if (kinds[kind] > kinds[best])
			best = kind;
	return kind_chars[best];
}

static char cell_char(struct cell *c)
{
	if (!c->present)
		return ' ';
	if (2 * c->cma >= c->present)
		return c->cma_free == c->cma ? 'c' : 'C';
	if (c->free == c->present)
		return '.';
	return c->free ? order_char(c->largest) : busiest(c);
}

static void print_line(struct map *m, uint64_t line)
{
	char text[CELLS + 1];
	unsigned int len = 0;

	for (unsigned int i = 0; i < CELLS; i++) {
		const uint64_t first = ((line << CELLS_SHIFT) + i) << m->shift;
		const struct pfn_range at = { first, first + (1ULL << m->shift) };
		struct cell c = { .present = 0 };

		look_at_memblock(m, &at, &c);
		if (c.present)
			look_at_zones(m, &at, &c);
		text[i] = cell_char(&c);
		if (c.present)
			len = i + 1;
	}
	text[len] = '\0';
	print_to(m->out, "%0*llx %s\n", m->digits,
		 (unsigned long long)PFN_PHYS(line << (CELLS_SHIFT + m->shift)), text);
}

/* The lines that memory takes. @m: they are printed, else only counted. */
static unsigned int go_over_lines(const struct memblock_type *memory, unsigned int shift,
				  struct map *m)
{
	uint64_t next = 0, end_pfn = 0;
	unsigned int nr = 0;
	char size[SIZE_TEXT_LEN];

	for (unsigned long i = 0; i < memory->cnt; i++) {
		const struct pfn_range r = memory_frames(&memory->regions[i]);
		uint64_t line = r.start >> (CELLS_SHIFT + shift), last;

		if (r.start >= r.end)
			continue;
		if (m && nr && line > next)
			print_to(m->out, "%*s ... hole of %s\n", m->digits, "",
				 report_size(size, PFN_PHYS(r.start - end_pfn)));
		if (line < next)
			line = next;
		last = (r.end - 1) >> (CELLS_SHIFT + shift);
		for (; line <= last; line++) {
			if (m)
				print_line(m, line);
			next = line + 1;
			nr++;
			if (!m && nr > MAX_LINES)
				return nr;
		}
		end_pfn = r.end;
	}
	return nr;
}

static void print_heading(const struct map *m)
{
	char size[SIZE_TEXT_LEN];

	print_to(m->out, "a character for %s (%llu pages)\n",
		 report_size(size, PFN_PHYS(1ULL << m->shift)), 1ULL << m->shift);
	print_to(m->out, "  .  all free      0-9 a-%c  in part: the largest free block's order\n",
		 order_char(BUDDY_MAX_ORDER));
	print_to(m->out, "  c  CMA area, all free      C  CMA area, some of it lent out\n");
	print_to(m->out, "  #  in use   I  image   M  metadata   R  reserved   x  no-map\n");
}

void report_memory_map(const struct page_alloc *pa, const struct memblock *mb,
		       const struct printer *out)
{
	struct map m = { .pa = pa, .mb = mb, .out = out, .digits = 8 };

	if (!mb->memory.cnt)
		return;
	while (m.shift < MAX_SHIFT && go_over_lines(&mb->memory, m.shift, NULL) > MAX_LINES)
		m.shift++;
	while (m.digits < 16 && (memblock_end_of_DRAM(mb) - 1) >> (4 * m.digits))
		m.digits++;
	print_heading(&m);
	go_over_lines(&mb->memory, m.shift, &m);
}
