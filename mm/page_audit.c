/* SPDX-License-Identifier: BSD-2-Clause */
/* The audit of a page allocator: that of its zones, with each page that is lent counted once. */
#include <earlymm/error.h>
#include <earlymm/page_audit.h>
#include <earlymm/page_owner.h>

static uint64_t difference(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* Frames that are in both ranges. */
static uint64_t common(uint64_t start, uint64_t end, uint64_t other_start, uint64_t other_end)
{
	if (start < other_start)
		start = other_start;
	if (end > other_end)
		end = other_end;
	return start < end ? end - start : 0;
}

/* What areas that are lent have of the zone. */
static uint64_t lent_pages(const struct page_alloc *pa, const struct zone *z)
{
	uint64_t nr_pages = 0;

	for (uint32_t i = 0; i < pa->nr_cma; i++)
		nr_pages +=
			common(pa->cma[i].start, pa->cma[i].end, z->mm.start_pfn, z->mm.end_pfn);
	return nr_pages;
}

/* The area itself is there for whom it is lent to; for the zone around it, it is a hole. */
static void count_lent(const struct page_alloc *pa, const struct zone *z, struct mm_audit *a)
{
	uint64_t lent = lent_pages(pa, z);

	a->reserved[CAUSE_RESERVED_MEMORY] -= lent;
	if (z->type != ZONE_CMA)
		a->present -= lent;
}

/* What is lost of a zone, its users' own books aside: with these it would be used. */
static void balance_zone(const struct page_alloc *pa, const struct zone *z, struct mm_audit *a)
{
	uint64_t there;

	a->held += page_quarantined(pa, z);
	there = a->free + a->held;
	a->used = a->managed > there ? a->managed - there : 0;
	a->lost = difference(a->present, a->managed + mm_audit_reserved(a)) +
		  difference(a->managed, there + a->used) +
		  difference(a->free, zone_free_pages(pa, z));
}

static void add(struct mm_audit *sum, const struct mm_audit *a)
{
	sum->present += a->present;
	sum->managed += a->managed;
	sum->free += a->free;
	sum->held += a->held;
	sum->used += a->used;
	sum->lost += a->lost;
	for (unsigned int cause = 0; cause < NR_CAUSES; cause++)
		sum->reserved[cause] += a->reserved[cause];
}

/* Memory that may not be handed out, where no zone is. */
static void count_outside(const struct page_alloc *pa, const struct memblock *mb,
			  struct mm_audit *sum)
{
	for (unsigned long i = 0; i < mb->memory.cnt; i++) {
		const struct memblock_region *r = &mb->memory.regions[i];
		uint64_t start = PFN_UP(r->base), end = PFN_DOWN(r->base + r->size), nr_pages;

		if (!(r->flags & MEMBLOCK_NOT_FREE) || start >= end)
			continue;
		nr_pages = end - start;
		for (uint32_t k = 0; k < pa->nr_zones; k++)
			if (pa->zones[k].type != ZONE_CMA)
				nr_pages -= common(start, end, pa->zones[k].mm.start_pfn,
						   pa->zones[k].mm.end_pfn);
		sum->present += nr_pages;
		sum->reserved[r->flags & MEMBLOCK_NOMAP ? CAUSE_NOMAP : CAUSE_OTHER] += nr_pages;
	}
}

static bool all_handed_over(const struct page_alloc *pa)
{
	for (uint32_t i = 0; i < pa->nr_zones; i++)
		if (pa->zones[i].mm.state != MM_HANDED_OVER || !pa->zones[i].harts)
			return false;
	return pa->nr_zones != 0;
}

static int balance_all(struct page_audit *audit, uint64_t used_pages)
{
	struct mm_audit *total = &audit->total;

	total->lost += difference(total->used, used_pages);
	total->used = used_pages;
	return total->lost ? -EMM_EINVAL : 0;
}

int page_alloc_audit(const struct page_alloc *pa, const struct memblock *mb, uint64_t used_pages,
		     struct page_audit *audit)
{
	if (!all_handed_over(pa))
		return -EMM_ESTATE;
	audit->total = (struct mm_audit){ .present = 0 };
	for (uint32_t i = 0; i < pa->nr_zones; i++) {
		const struct zone *z = &pa->zones[i];
		struct mm_audit *a = &audit->zone[i];

		mm_audit(&z->mm, mb, 0, a);
		count_lent(pa, z, a);
		balance_zone(pa, z, a);
		add(&audit->total, a);
	}
	count_outside(pa, mb, &audit->total);
	return balance_all(audit, used_pages);
}

int page_alloc_audit_again(const struct page_alloc *pa, uint64_t used_pages,
			   struct page_audit *audit)
{
	struct mm_audit *total = &audit->total;
	uint64_t outside[2] = { total->reserved[CAUSE_NOMAP], total->reserved[CAUSE_OTHER] };

	if (!all_handed_over(pa))
		return -EMM_ESTATE;
	for (uint32_t i = 0; i < pa->nr_zones; i++) {
		outside[0] -= audit->zone[i].reserved[CAUSE_NOMAP];
		outside[1] -= audit->zone[i].reserved[CAUSE_OTHER];
	}
	*total = (struct mm_audit){ .present = outside[0] + outside[1] };
	total->reserved[CAUSE_NOMAP] = outside[0];
	total->reserved[CAUSE_OTHER] = outside[1];
	for (uint32_t i = 0; i < pa->nr_zones; i++) {
		struct mm_audit *a = &audit->zone[i];

		mm_audit_again(&pa->zones[i].mm, 0, a);
		balance_zone(pa, &pa->zones[i], a);
		add(total, a);
	}
	return balance_all(audit, used_pages);
}
