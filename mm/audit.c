/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The audit: what memory there is, against what the buddy has and what is reserved, to the page.
 * It counts from the map and from the bits; it believes no counter but the handover's own.
 */
#include <earlymm/error.h>
#include <earlymm/handover.h>

/* Frames [start, end) of a range of bytes, inside the limits of @mm. */
static bool clip(const struct mm *mm, uint64_t *start, uint64_t *end)
{
	if (*start < mm->start_pfn)
		*start = mm->start_pfn;
	if (*end > mm->end_pfn)
		*end = mm->end_pfn;
	return *start < *end;
}

/*
 * Reserved pages of [start, end) by cause, starting at reserved region *@at, which moves along. A
 * page that two regions share counts for the first.
 */
static void count_reserved(const struct memblock *mb, unsigned long *at, uint64_t start,
			   uint64_t end, struct mm_audit *audit)
{
	uint64_t seen = start;

	for (; *at < mb->reserved.cnt; ++*at) {
		const struct memblock_region *r = &mb->reserved.regions[*at];
		uint64_t from = PFN_DOWN(r->base), to = PFN_UP(r->base + r->size);

		if (from >= end)
			return;
		if (from < seen)
			from = seen;
		if (from < to) {
			uint64_t stop = to < end ? to : end;

			if (from < stop) {
				audit->reserved[MEMBLOCK_CAUSE(r->flags)] += stop - from;
				seen = stop;
			}
		}
		/* It may reach into the next bank. */
		if (to >= end)
			return;
	}
}

/* Pages of memory, with regions that touch taken together. */
static uint64_t count_present(const struct mm *mm, const struct memblock *mb)
{
	uint64_t nr_pages = 0;

	for (unsigned long i = 0; i < mb->memory.cnt; i++) {
		phys_addr_t base = mb->memory.regions[i].base;
		phys_addr_t limit = base + mb->memory.regions[i].size;
		uint64_t start, end;

		while (i + 1 < mb->memory.cnt && mb->memory.regions[i + 1].base == limit) {
			i++;
			limit += mb->memory.regions[i].size;
		}
		start = PFN_UP(base);
		end = PFN_DOWN(limit);
		if (clip(mm, &start, &end))
			nr_pages += end - start;
	}
	return nr_pages;
}

uint64_t mm_audit_reserved(const struct mm_audit *audit)
{
	uint64_t nr_pages = 0;

	for (unsigned int cause = 0; cause < NR_CAUSES; cause++)
		nr_pages += audit->reserved[cause];
	return nr_pages;
}

static uint64_t difference(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* The buddy's side of the books, and what is missing when both sides are there. */
static int balance(const struct mm *mm, uint64_t used_pages, struct mm_audit *audit)
{
	audit->managed = mm->managed_pages;
	audit->free = buddy_nr_free(&mm->buddy);
	audit->held = 0;
	for (uint32_t i = 0; i < mm->buddy.nr_harts; i++)
		audit->held += buddy_nr_held(&mm->buddy.harts[i]);
	audit->used = used_pages;
	audit->lost = difference(audit->present, audit->managed + mm_audit_reserved(audit)) +
		      difference(audit->managed, audit->free + audit->held + audit->used);
	return audit->lost ? -EMM_EINVAL : 0;
}

int mm_audit(const struct mm *mm, const struct memblock *mb, uint64_t used_pages,
	     struct mm_audit *audit)
{
	unsigned long at = 0;
	uint64_t whole = 0;

	if (mm->state != MM_HANDED_OVER)
		return -EMM_ESTATE;
	*audit = (struct mm_audit){ .present = count_present(mm, mb) };
	for (unsigned long i = 0; i < mb->memory.cnt; i++) {
		const struct memblock_region *r = &mb->memory.regions[i];
		uint64_t start = PFN_UP(r->base), end = PFN_DOWN(r->base + r->size);

		if (!clip(mm, &start, &end))
			continue;
		whole += end - start;
		if (r->flags & MEMBLOCK_NOT_FREE)
			audit->reserved[r->flags & MEMBLOCK_NOMAP ? CAUSE_NOMAP : CAUSE_OTHER] +=
				end - start;
		else
			count_reserved(mb, &at, start, end, audit);
	}
	audit->reserved[CAUSE_PARTIAL] = audit->present - whole;
	return balance(mm, used_pages, audit);
}

int mm_audit_again(const struct mm *mm, uint64_t used_pages, struct mm_audit *audit)
{
	uint64_t *reserved = &audit->reserved[CAUSE_MEMBLOCK];
	uint64_t added = mm->managed_pages - audit->managed;

	if (mm->state != MM_HANDED_OVER)
		return -EMM_ESTATE;
	/* More than there was: the excess shows as lost. */
	*reserved -= added < *reserved ? added : *reserved;
	return balance(mm, used_pages, audit);
}
