/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Probing of the ends of the banks. Free pages of a bank are numbered upwards from 0, so that a
 * bisection is over what may be touched and over nothing else.
 */
#include <earlymm/memtest.h>
#include "bitops.h"
#include "memblock_internal.h"

/* Banks that get a line. */
#define PROBE_LINES 8

/* RAM is taken to begin at a multiple of this, or of its size where that is smaller. */
#define RAM_ALIGN ((phys_addr_t)256 << 20)

/* Entries of the memory map that touch and are of one node. */
struct bank {
	phys_addr_t base;
	phys_addr_t end;
	uint64_t nr_free; /* whole free pages, */
	uint64_t first_pfn; /* the first of them, */
	uint64_t last_pfn; /* and the last */
};

struct prober {
	struct memblock *mb;
	const struct mem_access *access;
	const struct printer *out;
	struct memprobe_result *result;
	struct bank bank;
};

static bool load(struct prober *p, phys_addr_t pa, uint64_t *value)
{
	p->result->nr_accesses++;
	return !p->access->load(p->access->ctx, pa, value);
}

static bool store(struct prober *p, phys_addr_t pa, uint64_t value)
{
	p->result->nr_accesses++;
	return !p->access->store(p->access->ctx, pa, value);
}

/* The word of a page that is probed, and another one in it. */
static phys_addr_t word_of(uint64_t pfn)
{
	return PFN_PHYS(pfn) + PAGE_SIZE - sizeof(uint64_t);
}

static phys_addr_t neighbour_of(phys_addr_t word)
{
	return word ^ (PAGE_SIZE / 2);
}

/* A value for the word @pa that is not there yet, as its complement is not there in another one. */
static uint64_t pattern_for(phys_addr_t pa, uint64_t old, uint64_t old_other)
{
	uint64_t pattern = pa * 0x9e3779b97f4a7c15;

	while (pattern == old || ~pattern == old_other)
		pattern += 0x5bd1e995;
	return pattern;
}

/* Does @other hold what is stored to @pa, not by chance? */
static bool is_mirror(struct prober *p, phys_addr_t pa, phys_addr_t other, uint64_t pattern)
{
	uint64_t value;

	return load(p, other, &value) && value == pattern && store(p, pa, pattern + 1) &&
	       load(p, other, &value) && value == pattern + 1;
}

/*
 * Is there memory at the word @pa? A pattern is stored there and its complement to its neighbour, so
 * that a bus that keeps its last value shows. *@mirrors: whether the word @other, if that is not 0,
 * is the same. All is as before afterwards.
 */
static bool probe_word(struct prober *p, phys_addr_t pa, phys_addr_t other, bool *mirrors)
{
	phys_addr_t next = neighbour_of(pa);
	uint64_t old, old_next, pattern, value;
	bool answers = false;

	*mirrors = false;
	if (!load(p, pa, &old) || !load(p, next, &old_next))
		return false;
	pattern = pattern_for(pa, old, old_next);
	if (!store(p, pa, pattern))
		return false;
	if (store(p, next, ~pattern)) {
		answers = load(p, pa, &value) && value == pattern && load(p, next, &value) &&
			  value == ~pattern;
		*mirrors = answers && other && is_mirror(p, pa, other, pattern);
		store(p, next, old_next);
	}
	store(p, pa, old);
	return answers;
}

/* The first bank that ends above @from. */
static bool next_bank(const struct memblock *mb, phys_addr_t from, struct bank *bank)
{
	const struct memblock_type *memory = &mb->memory;
	unsigned long i = memblock_first_above(memory, from);
	const struct memblock_region *r = &memory->regions[i];

	if (i == memory->cnt)
		return false;
	bank->base = r->base;
	for (; i + 1 < memory->cnt && region_end(r) == r[1].base && r->nid == r[1].nid; i++)
		r++;
	bank->end = region_end(r);
	return true;
}

/* A walk over the bank's free ranges that have whole pages: frames [*first, *end). */
static void pages_begin(const struct prober *p, struct memblock_iter *it)
{
	memblock_iter_free_init(it, p->mb, NUMA_NO_NODE, MEMBLOCK_HOTPLUG);
	it->mem_stop = it->mem + memblock_first_above(&p->mb->memory, p->bank.end);
	it->mem += memblock_first_above(&p->mb->memory, p->bank.base);
	it->rsv += memblock_first_above(&p->mb->reserved, p->bank.base);
}

static bool pages_next(struct memblock_iter *it, uint64_t *first, uint64_t *end)
{
	phys_addr_t from, to;

	while (memblock_next_free(it, &from, &to)) {
		*first = PFN_UP(from);
		*end = PFN_DOWN(to);
		if (*first < *end)
			return true;
	}
	return false;
}

static void count_pages(struct prober *p)
{
	struct memblock_iter it;
	uint64_t first, end;

	p->bank.nr_free = 0;
	pages_begin(p, &it);
	while (pages_next(&it, &first, &end)) {
		if (!p->bank.nr_free)
			p->bank.first_pfn = first;
		p->bank.last_pfn = end - 1;
		p->bank.nr_free += end - first;
	}
}

/* The frame of free page @nr of the bank, nr < nr_free. */
static uint64_t page_at(const struct prober *p, uint64_t nr)
{
	struct memblock_iter it;
	uint64_t first = 0, end;

	pages_begin(p, &it);
	while (pages_next(&it, &first, &end) && nr >= end - first)
		nr -= end - first;
	return first + nr;
}

static bool page_answers(struct prober *p, uint64_t nr)
{
	bool mirrors;

	return probe_word(p, word_of(page_at(p, nr)), 0, &mirrors);
}

/* The same, for a page above the bank's first one, which is there: it must be another one. */
static bool upper_page_answers(struct prober *p, uint64_t nr)
{
	bool mirrors;

	return probe_word(p, word_of(page_at(p, nr)), word_of(p->bank.first_pfn), &mirrors) &&
	       !mirrors;
}

/* A range at an end of the bank leaves the map: no entry is cut in two, so this cannot fail. */
static void cut(struct prober *p, phys_addr_t base, phys_addr_t end)
{
	p->result->removed_bytes += end - base;
	memblock_remove(p->mb, base, end - base);
	if (base == p->bank.base)
		p->bank.base = end;
	else
		p->bank.end = base;
	count_pages(p);
}

/* The bank's first page is absent: cuts up to the first that answers. False: none was found. */
static bool find_start(struct prober *p)
{
	uint64_t absent = 0, there = p->bank.nr_free - 1, step;

	if (!there)
		return false;
	if (!page_answers(p, there)) {
		for (step = 1; step < there && !page_answers(p, step); step *= 2)
			absent = step;
		if (step >= there)
			return false;
		there = step;
	}
	while (there - absent > 1) {
		uint64_t mid = absent + (there - absent) / 2;

		if (page_answers(p, mid))
			there = mid;
		else
			absent = mid;
	}
	cut(p, p->bank.base, PFN_PHYS(page_at(p, there)));
	return true;
}

/* The bank's last page is absent, its first is not: cuts from the first absent one on. */
static void find_end(struct prober *p)
{
	uint64_t there = 0, absent = p->bank.nr_free - 1;

	while (absent - there > 1) {
		uint64_t mid = there + (absent - there) / 2;

		if (upper_page_answers(p, mid))
			there = mid;
		else
			absent = mid;
	}
	cut(p, PFN_PHYS(page_at(p, absent)), p->bank.end);
}

/* Is the page of the word @pa free as a whole? */
static bool is_free_page(const struct memblock *mb, phys_addr_t pa)
{
	phys_addr_t page = pa & PAGE_MASK;
	const struct memblock_region *r = memblock_search(&mb->memory, page);

	return r && !(r->flags & MEMBLOCK_NOT_FREE) && region_end(r) - page >= PAGE_SIZE &&
	       !memblock_overlaps_region(&mb->reserved, page, PAGE_SIZE);
}

/*
 * The word @distance above the first free page's, if that is a free page of the bank, else 0.
 * Only loads go there, and stores to the lower word: whatever a mirror hides is not written to.
 */
static phys_addr_t word_above(const struct prober *p, phys_addr_t word, phys_addr_t distance)
{
	if (distance >= p->bank.end - word || !is_free_page(p->mb, word + distance))
		return 0;
	return word + distance;
}

/* The largest distance, a power of two, at which there is such a word; 0: there is none. */
static phys_addr_t mirror_distance(const struct prober *p, phys_addr_t word)
{
	phys_addr_t distance = 1ULL << fls64(p->bank.end - word);

	while (distance >= PAGE_SIZE && !word_above(p, word, distance))
		distance /= 2;
	return distance >= PAGE_SIZE ? distance : 0;
}

/*
 * The fast way, over two pages at once: the pattern in the first, its complement in the last. True
 * if all is well. While the first may have a mirror nothing is stored to the last.
 */
static bool ends_answer(struct prober *p)
{
	phys_addr_t first = word_of(p->bank.first_pfn), last = word_of(p->bank.last_pfn);
	phys_addr_t distance = mirror_distance(p, first);
	uint64_t old_first, old_last, pattern, value;
	bool good = false;

	if (!load(p, first, &old_first) || !load(p, last, &old_last))
		return false;
	pattern = pattern_for(first, old_first, old_last);
	if (!store(p, first, pattern))
		return false;
	if ((!distance || !load(p, first + distance, &value) || value != pattern) &&
	    store(p, last, ~pattern)) {
		good = load(p, first, &value) && value == pattern && load(p, last, &value) &&
		       value == ~pattern;
		store(p, last, old_last);
	}
	store(p, first, old_first);
	return good;
}

/* Probes the first page and cuts the bank to one period if it repeats. False: the page is absent. */
static bool first_page_answers(struct prober *p, bool *repeats)
{
	phys_addr_t word = word_of(p->bank.first_pfn), distance = mirror_distance(p, word), period,
		    ram;

	if (!probe_word(p, word, distance ? word + distance : 0, repeats))
		return false;
	if (!*repeats)
		return true;
	/* At this distance, or earlier? */
	for (period = PAGE_SIZE; period < distance; period *= 2) {
		phys_addr_t other = word_above(p, word, period);
		bool mirrors = false;

		if (other)
			probe_word(p, word, other, &mirrors);
		if (mirrors)
			break;
	}
	ram = p->bank.base & ~((period < RAM_ALIGN ? period : RAM_ALIGN) - 1);
	cut(p, ram + period, p->bank.end);
	return true;
}

static void report(const struct prober *p, const struct bank *claimed, const char *why)
{
	const struct memprobe_result *result = p->result;

	if (result->nr_cut + result->nr_removed > PROBE_LINES)
		return;
	print_to(p->out, "memory: bank [0x%016llx-0x%016llx] ", (unsigned long long)claimed->base,
		 (unsigned long long)(claimed->end - 1));
	if (p->bank.base < p->bank.end)
		print_to(p->out, "is cut to [0x%016llx-0x%016llx]: %s\n",
			 (unsigned long long)p->bank.base, (unsigned long long)(p->bank.end - 1),
			 why);
	else
		print_to(p->out, "is removed: %s\n", why);
}

static void probe_bank(struct prober *p)
{
	const struct bank claimed = p->bank;
	const char *why = "the rest does not answer";
	bool repeats;

	if (ends_answer(p))
		return;
	if (!first_page_answers(p, &repeats) &&
	    (!find_start(p) || !first_page_answers(p, &repeats))) {
		cut(p, p->bank.base, p->bank.end);
		p->result->nr_removed++;
		report(p, &claimed, "nothing of it answers");
		return;
	}
	if (repeats)
		why = "the rest repeats it";
	if (p->bank.nr_free > 1 && !upper_page_answers(p, p->bank.nr_free - 1))
		find_end(p);
	if (p->bank.base == claimed.base && p->bank.end == claimed.end)
		return;
	p->result->nr_cut++;
	report(p, &claimed, why);
}

int memblock_probe_banks(struct memblock *mb, const struct mem_access *access,
			 const struct printer *out, struct memprobe_result *result)
{
	struct prober p = { .mb = mb, .access = access, .out = out, .result = result };
	uint64_t changed;

	*result = (struct memprobe_result){ 0 };
	if (!access->load || !access->store)
		return -EMM_EINVAL;
	for (phys_addr_t next = 0; next_bank(mb, next, &p.bank);) {
		next = p.bank.end;
		count_pages(&p);
		if (!p.bank.nr_free)
			continue;
		result->nr_banks++;
		probe_bank(&p);
	}
	changed = result->nr_cut + result->nr_removed;
	if (changed > PROBE_LINES)
		print_to(out, "memory: ... and %llu more banks are cut or removed\n",
			 (unsigned long long)(changed - PROBE_LINES));
	return 0;
}
