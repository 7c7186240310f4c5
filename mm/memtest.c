/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory test: pattern by pattern, each free range is written as a whole and then read back
 * (what has just been written would come from a cache). Bad pages are gathered to ranges and
 * reserved. That may need a larger array, which only goes where memory was found good.
 */
#include <earlymm/memtest.h>
#include "memblock_internal.h"

/* Bytes a hook gets at a time; progress is told at least this often, or a little later. */
#define CHUNK_BYTES ((phys_addr_t)32 << 20)

#define TEST_LINES  16

/* After this many absent pages in a row steps double, up to so many bytes. */
#define ABSENT_PAGES 16
#define ABSENT_BYTES ((phys_addr_t)64 << 20)

/* Places with bad memory that are given up before the array is said not to grow. */
#define GROW_TRIES 16

/* An array of a multiple of this many entries takes whole pages. */
#define ENTRIES_STEP (PAGE_SIZE / 8)
_Static_assert(sizeof(struct memblock_region) == 24, "ENTRIES_STEP entries are three pages");

#define WORD sizeof(uint64_t)

/* Linux's, in its order; they are used from the last one wanted down to the first, which clears. */
static const uint64_t patterns[MEMTEST_NR_PATTERNS] = {
	0,
	0xffffffffffffffff,
	0x5555555555555555,
	0xaaaaaaaaaaaaaaaa,
	0x1111111111111111,
	0x2222222222222222,
	0x4444444444444444,
	0x8888888888888888,
	0x3333333333333333,
	0x6666666666666666,
	0x9999999999999999,
	0xcccccccccccccccc,
	0x7777777777777777,
	0xbbbbbbbbbbbbbbbb,
	0xdddddddddddddddd,
	0xeeeeeeeeeeeeeeee,
	0x7a6c7258554e494c,
};

/* A stretch that is bad, and how it showed. */
struct bad_range {
	phys_addr_t start;
	phys_addr_t end; /* as start: there is none */
	uint64_t pattern;
	bool absent; /* it faulted */
};

struct tester {
	struct memblock *mb;
	const struct mem_access *access;
	const struct printer *out;
	struct memtest_result *result;
	unsigned int nr_patterns;
	uint64_t pattern;
	phys_addr_t start; /* the free range at hand */
	phys_addr_t end;
	struct bad_range bad; /* what is not reserved yet */
	unsigned int nr_absent; /* pages in a row that faulted */
	bool grown; /* the reserved array has moved: maybe into the range at hand */
	bool full; /* and it will not any more */
	uint64_t done_bytes;
	uint64_t told_bytes;
	uint64_t total_bytes;
};

static phys_addr_t page_of(phys_addr_t pa)
{
	return pa & PAGE_MASK;
}

/* The end of the page of @pa, or @limit if that comes first. */
static phys_addr_t page_end(phys_addr_t pa, phys_addr_t limit)
{
	return limit - page_of(pa) > PAGE_SIZE ? page_of(pa) + PAGE_SIZE : limit;
}

/* The page of the word @pa, as far as it is in [start, end). */
static struct bad_range bad_page(const struct tester *t, phys_addr_t pa, phys_addr_t start,
				 phys_addr_t end, int err)
{
	return (struct bad_range){
		.start = max_addr_of(page_of(pa), start),
		.end = page_end(pa, end),
		.pattern = t->pattern,
		.absent = err == -EMM_EFAULT,
	};
}

static void add_done(struct tester *t, uint64_t bytes)
{
	t->done_bytes += bytes;
	/* Also after a step back. */
	if (t->done_bytes - t->told_bytes >= CHUNK_BYTES) {
		t->told_bytes = t->done_bytes;
		if (t->access->progress)
			t->access->progress(t->access->ctx, t->done_bytes, t->total_bytes);
	}
}

static void report(const struct tester *t, const struct bad_range *bad, uint64_t good_pages)
{
	print_to(t->out, "memtest: [0x%016llx-0x%016llx] ", (unsigned long long)bad->start,
		 (unsigned long long)(bad->end - 1));
	if (bad->absent)
		print_to(t->out, "does not answer: reserved");
	else
		print_to(t->out, "fails pattern 0x%016llx: reserved",
			 (unsigned long long)bad->pattern);
	if (good_pages)
		print_to(t->out, ", and %llu good pages next to it: the reserved array is full",
			 (unsigned long long)good_pages);
	print_to(t->out, "\n");
}

/* Reserves [start, end), which holds the range @bad and, for want of entries, good pages. */
static int record(struct tester *t, const struct bad_range *bad, phys_addr_t start, phys_addr_t end)
{
	struct memtest_result *result = t->result;
	uint64_t good_pages = PFN_DOWN(bad->start - start) + PFN_DOWN(end - bad->end);
	int err = memblock_reserve_cause(t->mb, start, end - start, CAUSE_BAD);

	if (err)
		return err;
	result->bad_ranges++;
	result->bad_pages += PFN_UP(bad->end) - PFN_DOWN(bad->start);
	result->good_pages += good_pages;
	if (result->bad_ranges <= TEST_LINES)
		report(t, bad, good_pages);
	return 0;
}

/* All patterns over a place, which is free. False, and the first page that fails one. */
static bool is_good(const struct tester *t, phys_addr_t base, phys_addr_t size,
		    struct bad_range *bad)
{
	const struct mem_access *a = t->access;
	uint64_t nr = size / WORD, done = 0;

	for (unsigned int i = t->nr_patterns; i-- > 0;) {
		uint64_t pattern = patterns[i % MEMTEST_NR_PATTERNS];
		int err = a->fill(a->ctx, base, nr, pattern, &done);

		if (!err)
			err = a->verify(a->ctx, base, nr, pattern, &done);
		if (err) {
			*bad = bad_page(t, base + (done < nr ? done : nr - 1) * WORD, base,
					base + size, err);
			bad->pattern = pattern;
			return false;
		}
	}
	return true;
}

/* What a search for a place has met: ranges to keep clear of, and what is bad of them. */
struct places {
	struct memblock_array avoid[GROW_TRIES + 1];
	struct bad_range bad[GROW_TRIES + 1];
	unsigned int nr;
};

/* A good place for a larger reserved array, clear of what is about to be reserved. */
static int find_good_place(struct tester *t, phys_addr_t size, struct places *met,
			   phys_addr_t *base)
{
	struct memblock_want want = {
		.size = size,
		.align = PAGE_SIZE,
		.start = PAGE_SIZE,
		.end = t->mb->current_limit,
		.nid = NUMA_NO_NODE,
		.avoid = met->avoid,
	};

	met->nr = 1;
	met->avoid[0] = (struct memblock_array){ t->bad.start, t->bad.end - t->bad.start };
	while (met->nr <= GROW_TRIES) {
		struct bad_range *bad = &met->bad[met->nr];

		want.nr_avoid = met->nr;
		if (memblock_find(t->mb, &want, base))
			break;
		if (is_good(t, *base, size, bad))
			return 0;
		met->avoid[met->nr++] =
			(struct memblock_array){ bad->start, bad->end - bad->start };
	}
	return -EMM_ENOSPC;
}

/* What an array has left behind is free now, and was never tested. There is room for all of it. */
static void test_left_place(struct tester *t, const struct memblock_array *old)
{
	phys_addr_t end, next = old->base, old_end = old->base + old->size;

	while (next < old_end) {
		struct memblock_iter it;
		struct bad_range bad;
		phys_addr_t base;

		memblock_iter_free_init(&it, t->mb, NUMA_NO_NODE, MEMBLOCK_HOTPLUG);
		it.cur = next;
		if (!memblock_next_free(&it, &base, &end))
			return;
		next = min_addr_of(end, old_end);
		base += -base & (WORD - 1);
		if (base < next && !is_good(t, base, next - base, &bad)) {
			next = bad.end;
			record(t, &bad, bad.start, bad.end);
		}
	}
}

/* A larger reserved array. False: there is none, now or later. */
static bool grow(struct tester *t)
{
	struct memblock *mb = t->mb;
	struct memblock_array old = mb->reserved_array;
	unsigned long max = (2 * mb->reserved.max + ENTRIES_STEP - 1) & ~(ENTRIES_STEP - 1);
	phys_addr_t size = max * sizeof(struct memblock_region), base;
	struct places met;

	if (t->full)
		return false;
	t->full = !mb->can_resize || find_good_place(t, size, &met, &base) ||
		  memblock_place_array(mb, &mb->reserved, base, max);
	if (t->full)
		return false;
	t->grown = true;
	/* None of these can fail: half of the new array is empty. */
	memblock_reserve_kern(mb, base, size, CAUSE_MEMBLOCK);
	for (unsigned int i = 1; i < met.nr; i++)
		record(t, &met.bad[i], met.bad[i].start, met.bad[i].end);
	if (old.size)
		test_left_place(t, &old);
	return true;
}

/* Is entry @i bad memory that touches the free range at hand, or is in it? */
static bool is_bad_entry(const struct tester *t, unsigned long i)
{
	const struct memblock_region *r = &t->mb->reserved.regions[i];

	return i < t->mb->reserved.cnt && r->flags == cause_flags(CAUSE_BAD) &&
	       region_end(r) >= t->start && r->base <= t->end;
}

/*
 * Without a new entry: joins the bad range with the bad entry before or behind it, with the free
 * pages of the range at hand that are between them.
 */
static int join_bad(struct tester *t)
{
	const struct memblock_type *type = &t->mb->reserved;
	unsigned long i = memblock_first_above(type, t->bad.start);

	if (i && is_bad_entry(t, i - 1))
		return record(t, &t->bad, region_end(&type->regions[i - 1]), t->bad.end);
	if (is_bad_entry(t, i))
		return record(t, &t->bad, t->bad.start, type->regions[i].base);
	return -EMM_ENOSPC;
}

/* Reserves and reports what was gathered. */
static int flush_bad(struct tester *t)
{
	int err;

	if (t->bad.start >= t->bad.end)
		return 0;
	if (memblock_has_room(&t->mb->reserved, 1) || grow(t))
		err = record(t, &t->bad, t->bad.start, t->bad.end);
	else
		err = join_bad(t);
	t->bad.end = t->bad.start;
	return err;
}

/* Gathers bad pages. Those that are reserved by now have shown before. */
static int note_bad(struct tester *t, struct bad_range bad)
{
	const struct memblock_region *r;
	int err;

	while (bad.start < bad.end && (r = memblock_search(&t->mb->reserved, bad.start)))
		bad.start = region_end(r);
	if (bad.start >= bad.end)
		return 0;
	if (t->bad.end == bad.start && t->bad.start < t->bad.end && t->bad.absent == bad.absent) {
		t->bad.end = bad.end;
		return 0;
	}
	err = flush_bad(t);
	t->bad = bad;
	return err;
}

/* The first page behind absent ones that may answer; @next: the page behind the last of these. */
static phys_addr_t skip_absent(struct tester *t, phys_addr_t next, phys_addr_t end)
{
	const struct mem_access *a = t->access;
	phys_addr_t step = PAGE_SIZE;
	uint64_t value;

	if (++t->nr_absent < ABSENT_PAGES)
		return next;
	while (end - next >= step && a->load(a->ctx, next, &value) &&
	       a->load(a->ctx, next + step - WORD, &value)) {
		next += step;
		if (step < ABSENT_BYTES)
			step *= 2;
	}
	return next;
}

typedef int (*word_hook)(void *ctx, phys_addr_t pa, uint64_t nr, uint64_t pattern, uint64_t *done);

/* One hook over the range at hand, until the array moves: maybe into it. */
static int sweep(struct tester *t, word_hook hook)
{
	phys_addr_t end = t->end & ~(WORD - 1), at;

	t->nr_absent = 0;
	if (end <= t->start)
		return 0;
	at = t->start + (-t->start & (WORD - 1));
	while (at < end && !t->grown) {
		uint64_t nr = min_addr_of(end - at, CHUNK_BYTES) / WORD, done = 0;
		int err = hook(t->access->ctx, at, nr, t->pattern, &done);
		phys_addr_t next = at + nr * WORD;

		if (err) {
			phys_addr_t pa = at + (done < nr ? done : nr - 1) * WORD;
			struct bad_range bad = bad_page(t, pa, t->start, t->end, err);

			if (pa != at || !bad.absent)
				t->nr_absent = 0;
			if (bad.absent)
				bad.end = skip_absent(t, bad.end, t->end);
			next = min_addr_of(bad.end, end);
			err = note_bad(t, bad);
			if (err)
				return err;
		}
		add_done(t, next - at);
		at = next;
	}
	return flush_bad(t);
}

/* The range at hand; -EMM_EAGAIN: the array has moved, and the range is to be taken anew. */
static int test_range(struct tester *t)
{
	uint64_t done_bytes = t->done_bytes;
	int err;

	t->grown = false;
	err = sweep(t, t->access->fill);
	if (!err)
		err = sweep(t, t->access->verify);
	if (!err && t->grown) {
		t->done_bytes = done_bytes;
		err = -EMM_EAGAIN;
	}
	return err;
}

/* The pattern over all free ranges. They change only where bad ones are found. */
static int test_pattern(struct tester *t, bool first)
{
	uint64_t bad_ranges = t->result->bad_ranges;
	struct memblock_iter it;

	memblock_iter_free_init(&it, t->mb, NUMA_NO_NODE, MEMBLOCK_HOTPLUG);
	while (memblock_next_free(&it, &t->start, &t->end)) {
		phys_addr_t next = t->end;
		int err = test_range(t);

		if (err == -EMM_EAGAIN)
			next = t->start;
		else if (err)
			return err;
		else if (first)
			t->result->tested_bytes += t->end - t->start;
		if (bad_ranges != t->result->bad_ranges || err) {
			bad_ranges = t->result->bad_ranges;
			memblock_iter_free_init(&it, t->mb, NUMA_NO_NODE, MEMBLOCK_HOTPLUG);
			it.cur = next;
		}
	}
	return 0;
}

static uint64_t free_bytes(const struct memblock *mb)
{
	struct memblock_iter it;
	phys_addr_t start, end;
	uint64_t bytes = 0;

	memblock_iter_free_init(&it, mb, NUMA_NO_NODE, MEMBLOCK_HOTPLUG);
	while (memblock_next_free(&it, &start, &end))
		bytes += end - start;
	return bytes;
}

int early_memtest(struct memblock *mb, const struct mem_access *access, unsigned int nr_patterns,
		  const struct printer *out, struct memtest_result *result)
{
	struct tester t = {
		.mb = mb,
		.access = access,
		.out = out,
		.result = result,
		.nr_patterns = nr_patterns,
	};
	int err = 0;

	*result = (struct memtest_result){ 0 };
	if (nr_patterns > MEMTEST_MAX_PATTERNS || !access->load || !access->fill || !access->verify)
		return -EMM_EINVAL;
	t.total_bytes = free_bytes(mb) * nr_patterns * 2;
	for (unsigned int i = nr_patterns; !err && i-- > 0;) {
		t.pattern = patterns[i % MEMTEST_NR_PATTERNS];
		err = test_pattern(&t, i + 1 == nr_patterns);
	}
	if (result->bad_ranges > TEST_LINES)
		print_to(out, "memtest: ... and %llu more bad ranges\n",
			 (unsigned long long)(result->bad_ranges - TEST_LINES));
	if (!err && nr_patterns && access->progress)
		access->progress(access->ctx, t.total_bytes, t.total_bytes);
	return err;
}
