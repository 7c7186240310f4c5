/* SPDX-License-Identifier: BSD-2-Clause */
/* What the reports have in common: the zones in order, their names and counters, tables. */
#include "report_internal.h"

const struct zone *report_next_zone(const struct page_alloc *pa, uint32_t *at)
{
	while (*at < pa->nr_nodes * pa->nr_zones) {
		const struct zone *z = &pa->zones[*at % pa->nr_zones];
		const uint32_t nid = (*at)++ / pa->nr_zones;

		if ((uint32_t)z->nid == nid)
			return z;
	}
	return NULL;
}

static char *put_number(char *at, uint64_t v)
{
	char digits[20];
	unsigned int nr = 0;

	do
		digits[nr++] = (char)('0' + v % 10);
	while (v /= 10);
	while (nr)
		*at++ = digits[--nr];
	return at;
}

static char *put_text(char *at, const char *text)
{
	while (*text)
		*at++ = *text++;
	return at;
}

char *report_zone_name(const struct page_alloc *pa, const struct zone *z, char *buf)
{
	char *at = put_text(buf, zone_name(z->type));

	/* Areas are the last zones, by address. */
	if (z->type == ZONE_CMA)
		at = put_number(at, (uint64_t)(z - pa->zones) - (pa->nr_zones - pa->nr_cma));
	*at = '\0';
	return buf;
}

char *report_size(char *buf, uint64_t bytes)
{
	static const char units[][5] = { " B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB" };
	unsigned int unit = 0;
	uint64_t tenths = 0;
	char *at;

	for (; bytes >= 1024; bytes /= 1024, unit++)
		tenths = bytes % 1024 * 10 / 1024;
	at = put_number(buf, bytes);
	if (tenths) {
		*at++ = '.';
		at = put_number(at, tenths);
	}
	*put_text(at, units[unit]) = '\0';
	return buf;
}

/* ---- counters ---- */

uint64_t report_held_blocks(const struct buddy_hart *c, unsigned int order)
{
	if (order >= BUDDY_NR_STACKS || !c->is_ready)
		return 0;
	return stack_depth(c, order);
}

uint64_t report_floor(const struct buddy_hart *c)
{
	return c->is_ready && c->tree ? c->base_pfn : UINT64_MAX;
}

uint64_t report_zone_held(const struct page_alloc *pa, const struct zone *z)
{
	uint64_t nr_pages = 0;

	for (uint32_t hart = 0; hart < pa->nr_harts; hart++)
		for (unsigned int type = 0; type < MIGRATE_TYPES; type++)
			nr_pages += buddy_nr_held(zone_context(z, hart, type));
	return nr_pages;
}

void report_count_order(const struct page_alloc *pa, const struct zone *z, unsigned int order,
			struct order_counts *n)
{
	*n = (struct order_counts){ .taken = 0 };
	for (uint32_t hart = 0; hart < pa->nr_harts; hart++) {
		const struct page_hart *h = &pa->harts[hart];
		const struct zone_hart *zh = &z->harts[hart];

		for (unsigned int type = 0; type < MIGRATE_TYPES; type++) {
			const struct buddy_hart *c = zone_context(z, hart, type);

			n->taken += zh->taken[type][order];
			n->held += report_held_blocks(c, order);
			if (order < BUDDY_NR_STACKS && c->is_ready)
				n->drained += c->drained[order];
		}
		n->freed += zh->freed[order];
		if (page_counts_for(h, z))
			n->freed += atomic_read(&h->freed[order]);
		n->fallbacks += zh->fallbacks[order];
		n->failures += zh->failures[order];
	}
	n->alloc = n->taken - n->drained - n->held;
}

/* ---- tables ---- */

/* As wide as Linux has them; those of orders that Linux does not have are narrow. */
#define WIDE_COLUMN   6
#define NARROW_COLUMN 3
#define LINUX_ORDERS  11

static unsigned int nr_digits(uint64_t v)
{
	unsigned int nr = 1;

	while (v /= 10)
		nr++;
	return nr;
}

void report_table_init(struct report_table *t, unsigned int prefix)
{
	t->prefix = prefix;
	t->nr = LINUX_ORDERS < NR_PAGE_ORDERS ? LINUX_ORDERS : NR_PAGE_ORDERS;
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
		t->digits[order] = nr_digits(order);
}

void report_table_add(struct report_table *t, const uint64_t counts[NR_PAGE_ORDERS])
{
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++) {
		unsigned int digits = nr_digits(counts[order]);

		if (counts[order] && order >= t->nr)
			t->nr = order + 1;
		if (digits > t->digits[order])
			t->digits[order] = digits;
	}
}

/* Wide columns become narrower until the line fits, as far as the numbers let them. */
void report_table_fit(struct report_table *t)
{
	for (unsigned int wide = WIDE_COLUMN; wide > 0; wide--) {
		unsigned int columns = t->prefix;

		for (unsigned int order = 0; order < t->nr; order++) {
			unsigned int width = order < LINUX_ORDERS ? wide : NARROW_COLUMN;

			if (wide < width)
				width = wide;
			if (width < t->digits[order])
				width = t->digits[order];
			t->width[order] = width;
			columns += 1 + width;
		}
		if (columns <= REPORT_COLUMNS)
			return;
	}
}

void report_table_row(const struct report_table *t, const uint64_t counts[NR_PAGE_ORDERS],
		      const struct printer *out)
{
	for (unsigned int order = 0; order < t->nr; order++)
		print_to(out, " %*llu", (int)t->width[order],
			 (unsigned long long)(counts ? counts[order] : order));
	print_to(out, "\n");
}
