/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Free pages are filled with a pattern, and looked at again when they are handed out. A bit a page
 * says which have been filled: those that came to the allocator by another way have not. Linux:
 * mm/page_poison.c.
 */
#include "page_record.h"

#define PATTERN_BYTE 0xaaU
#define PATTERN      0xaaaaaaaaaaaaaaaaULL
#define PAGE_WORDS   (PAGE_SIZE / sizeof(uint64_t))
#define UNROLLED     8U

/* The bits of a block: one run of a word, or whole words. */
struct bit_run {
	uint64_t *word;
	uint64_t nr_words;
	uint64_t mask;
};

static struct bit_run bits_of(const struct page_records *r, uint64_t pfn, unsigned int order)
{
	struct bit_run run = { bit_word(r->filled, pfn), 1, ~0ULL };

	if (order < 6)
		run.mask = ((1ULL << (1U << order)) - 1) << (pfn & 63);
	else
		run.nr_words = 1ULL << (order - 6);
	return run;
}

static uint64_t *page_words(const struct page_alloc *pa, uint64_t pfn)
{
	return phys_to_virt(pa->map, PFN_PHYS(pfn), PAGE_SIZE);
}

static void fill_page(const struct page_alloc *pa, uint64_t pfn)
{
	uint64_t *p = page_words(pa, pfn);

	if (p)
		fill_words(p, PATTERN, PAGE_WORDS);
}

void page_poison_init(const struct page_alloc *pa, const struct zone *z)
{
	const struct buddy *b = &z->mm.buddy;

	for (uint32_t i = 0; i < b->nr_trees; i++)
		for (uint64_t pfn = b->trees[i].start_pfn; pfn < b->trees[i].end_pfn; pfn++)
			if (buddy_page_is_free(b, pfn)) {
				fill_page(pa, pfn);
				*bit_word(z->records[i].filled, pfn) |= 1ULL << (pfn & 63);
			}
}

/* ---- when a block comes back ---- */

/* False if a page of the block has its bit already: nothing has changed then. */
static bool set_bits(const struct bit_run *run)
{
	for (uint64_t i = 0; i < run->nr_words; i++) {
		uint64_t old = atomic_fetch_or(&run->word[i], run->mask) & run->mask;

		if (likely(!old))
			continue;
		atomic_fetch_and(&run->word[i], ~(run->mask & ~old));
		while (i-- > 0)
			atomic_fetch_and(&run->word[i], ~run->mask);
		return false;
	}
	return true;
}

int page_poison_fill(struct page_hart *h, const struct page_records *r, uint64_t pfn,
		     unsigned int order, uintptr_t caller)
{
	const struct bit_run run = bits_of(r, pfn, order);

	if (!set_bits(&run)) {
		page_count_misuse(&h->pa->misuses);
		print_to(h->pa->out,
			 "page_poison: free of pfn 0x%llx, order %u: double free; called from "
			 "0x%llx\n",
			 (unsigned long long)pfn, order, (unsigned long long)caller);
		return -EMM_EDOUBLE;
	}
	for (uint64_t i = 0; i < 1ULL << order; i++)
		fill_page(h->pa, pfn + i);
	return 0;
}

/* ---- when it is handed out ---- */

/* The first word that differs, or NULL. */
static const uint64_t *find_damage(const uint64_t *p)
{
	const uint64_t *end = p + PAGE_WORDS;

	for (; p < end; p += UNROLLED)
		if (unlikely(p[0] != PATTERN || p[1] != PATTERN || p[2] != PATTERN ||
			     p[3] != PATTERN || p[4] != PATTERN || p[5] != PATTERN ||
			     p[6] != PATTERN || p[7] != PATTERN))
			break;
	for (; p < end; p++)
		if (*p != PATTERN)
			return p;
	return NULL;
}

static void __attribute__((noinline))
tell_damage(struct page_hart *h, uint64_t pfn, const void *page, const uint64_t *word,
	    uintptr_t caller)
{
	const uint8_t *byte = (const uint8_t *)word, *end = (const uint8_t *)page + PAGE_SIZE;
	struct page_owner_info info;
	uint64_t at, nr_bytes = 0;
	unsigned int found;

	while (*byte == PATTERN_BYTE)
		byte++;
	at = PFN_PHYS(pfn) + (uint64_t)(byte - (const uint8_t *)page);
	found = *byte;
	for (; byte < end; byte++)
		nr_bytes += *byte != PATTERN_BYTE;
	found ^= PATTERN_BYTE;
	page_count_misuse(&h->pa->damaged_pages);
	page_owner_lookup(h->pa, pfn, &info);
	print_to(
		h->pa->out,
		"page_poison: pfn 0x%llx was written to while free: %s at 0x%llx, 0x%02x expected, "
		"0x%02x found, %llu bytes differ; freed by 0x%llx, handed out to 0x%llx\n",
		(unsigned long long)pfn,
		nr_bytes == 1 && !(found & (found - 1)) ? "a single bit" : "first",
		(unsigned long long)at, PATTERN_BYTE, found ^ PATTERN_BYTE,
		(unsigned long long)nr_bytes, (unsigned long long)info.freed_by,
		(unsigned long long)caller);
}

static void check_page(struct page_hart *h, uint64_t pfn, uintptr_t caller)
{
	const uint64_t *page = page_words(h->pa, pfn), *damaged;

	if (!page)
		return;
	damaged = find_damage(page);
	if (unlikely(damaged))
		tell_damage(h, pfn, page, damaged, caller);
}

void page_poison_check(struct page_hart *h, const struct page_records *r, uint64_t pfn,
		       unsigned int order, uintptr_t caller)
{
	const struct bit_run run = bits_of(r, pfn, order);

	for (uint64_t i = 0; i < run.nr_words; i++) {
		uint64_t filled = atomic_fetch_and(&run.word[i], ~run.mask) & run.mask;
		uint64_t first = (pfn & ~63ULL) + i * 64;

		for (; filled; filled &= filled - 1)
			check_page(h, first + ffs64(filled), caller);
	}
}
