/* SPDX-License-Identifier: BSD-2-Clause */
#include "helper_memsim.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static unsigned char *window_ptr(struct memsim *s, phys_addr_t pa, uint64_t bytes)
{
	for (unsigned int i = 0; i < s->nr_windows; i++)
		if (pa >= s->window[i].base && pa - s->window[i].base < s->window[i].size &&
		    bytes <= s->window[i].size - (pa - s->window[i].base))
			return s->window[i].ptr + (pa - s->window[i].base);
	return NULL;
}

static void *sim_to_virt(void *ctx, phys_addr_t pa, uint64_t bytes)
{
	return window_ptr(ctx, pa, bytes);
}

static phys_addr_t real_address(const struct memsim *s, phys_addr_t pa)
{
	if (!s->mirror_period || pa < s->mirror_base)
		return pa;
	return s->mirror_base + (pa - s->mirror_base) % s->mirror_period;
}

static const void *odd_at(const struct memsim *s, phys_addr_t pa, enum memsim_kind *kind)
{
	for (unsigned int i = 0; i < s->nr_odd; i++)
		if (pa >= s->odd[i].base && pa < s->odd[i].end) {
			*kind = s->odd[i].kind;
			return &s->odd[i];
		}
	return NULL;
}

static void check_allowed(const struct memsim *s, phys_addr_t pa)
{
	const struct memblock *mb = s->allowed;
	const struct memblock_region *r;

	assert_int_equal(pa % 8, 0);
	if (!mb)
		return;
	r = memblock_search(&mb->memory, pa);
	if (!r || (r->flags & MEMBLOCK_NOT_FREE) || memblock_overlaps_region(&mb->reserved, pa, 8))
		fail_msg("0x%llx is not free memory", (unsigned long long)pa);
}

static bool access_faults(const struct memsim *s, phys_addr_t pa, bool is_there, bool is_store)
{
	enum memsim_kind kind;

	if (s->is_absent && s->is_absent(pa))
		return true;
	if (!odd_at(s, pa, &kind))
		return !is_there;
	return kind == MEMSIM_FAULT || kind == (is_store ? MEMSIM_ROM : MEMSIM_NO_LOAD);
}

/* What is read where @word has been written. */
static uint64_t damaged(const struct memsim *s, phys_addr_t pa, phys_addr_t real, uint64_t word)
{
	for (unsigned int i = 0; s->nr_calls >= s->stuck_from_call && i < s->nr_stuck; i++)
		if (s->stuck[i].pa == real)
			word = (word & ~s->stuck[i].mask) | (s->stuck[i].value & s->stuck[i].mask);
	if (s->is_bad && s->is_bad(pa))
		word = s->bad_is_1 ? word | 1 : word ^ 1;
	return word;
}

static int access_word(struct memsim *s, phys_addr_t pa, uint64_t *value, bool is_store)
{
	phys_addr_t real = real_address(s, pa);
	uint64_t *word = (uint64_t *)window_ptr(s, real, 8);
	enum memsim_kind kind = MEMSIM_FAULT;

	check_allowed(s, pa);
	if (access_faults(s, pa, word != NULL, is_store)) {
		s->nr_faults++;
		return -EMM_EFAULT;
	}
	if (odd_at(s, pa, &kind) && kind > MEMSIM_NO_LOAD) {
		if (!is_store)
			*value = kind == MEMSIM_BUS ? s->last_bus : kind == MEMSIM_ONES ? ~0ULL : 0;
	} else if (is_store) {
		*word = *value;
	} else {
		*value = damaged(s, pa, real, *word);
	}
	s->last_bus = *value;
	return 0;
}

static int sim_load(void *ctx, phys_addr_t pa, uint64_t *value)
{
	struct memsim *s = ctx;

	s->nr_loads++;
	return access_word(s, pa, value, false);
}

static int sim_store(void *ctx, phys_addr_t pa, uint64_t value)
{
	struct memsim *s = ctx;

	s->nr_stores++;
	if (s->highest_store < pa)
		s->highest_store = pa;
	return access_word(s, pa, &value, true);
}

static int sim_fill(void *ctx, phys_addr_t pa, uint64_t nr, uint64_t pattern, uint64_t *done)
{
	struct memsim *s = ctx;

	s->nr_calls++;
	if (s->nr_patterns < ARRAY_SIZE(s->patterns) &&
	    (!s->nr_patterns || s->patterns[s->nr_patterns - 1] != pattern))
		s->patterns[s->nr_patterns++] = pattern;
	for (uint64_t i = 0; i < nr; i++)
		if (sim_store(ctx, pa + i * 8, pattern)) {
			*done = i;
			return -EMM_EFAULT;
		}
	return 0;
}

static int sim_verify(void *ctx, phys_addr_t pa, uint64_t nr, uint64_t pattern, uint64_t *done)
{
	struct memsim *s = ctx;
	uint64_t value = 0;

	s->nr_calls++;
	for (uint64_t i = 0; i < nr; i++) {
		int err = sim_load(ctx, pa + i * 8, &value);

		if (err || value != pattern) {
			*done = i;
			return err ? err : -EMM_EINVAL;
		}
	}
	return 0;
}

static void sim_progress(void *ctx, uint64_t done_bytes, uint64_t total_bytes)
{
	struct memsim *s = ctx;

	assert_true(done_bytes <= total_bytes);
	if (done_bytes > s->told_bytes && done_bytes - s->told_bytes > s->told_step)
		s->told_step = done_bytes - s->told_bytes;
	s->nr_told++;
	s->told_bytes = done_bytes;
	s->told_total = total_bytes;
}

int helper_memsim_setup(void **state)
{
	struct memsim *s = calloc(1, sizeof(*s));

	if (!s)
		return -1;
	s->access =
		(struct mem_access){ sim_load, sim_store, sim_fill, sim_verify, sim_progress, s };
	s->map = (struct phys_map){ sim_to_virt, s };
	*state = s;
	return 0;
}

void helper_memsim_reset(struct memsim *s)
{
	for (unsigned int i = 0; i < s->nr_windows; i++)
		munmap(s->window[i].ptr, s->window[i].size);
	s->nr_windows = s->nr_odd = s->nr_stuck = 0;
	s->mirror_period = 0;
}

int helper_memsim_teardown(void **state)
{
	struct memsim *s = *state;

	helper_memsim_reset(s);
	free(s->allowed);
	free(s);
	return 0;
}

void helper_memsim_add(struct memsim *s, phys_addr_t base, uint64_t size)
{
	void *ptr = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	assert_true(ptr != MAP_FAILED && s->nr_windows < ARRAY_SIZE(s->window));
	s->window[s->nr_windows].base = base;
	s->window[s->nr_windows].size = size;
	s->window[s->nr_windows++].ptr = ptr;
}

void helper_memsim_odd(struct memsim *s, phys_addr_t base, phys_addr_t end, enum memsim_kind kind)
{
	assert_true(s->nr_odd < ARRAY_SIZE(s->odd));
	s->odd[s->nr_odd].base = base;
	s->odd[s->nr_odd].end = end;
	s->odd[s->nr_odd++].kind = kind;
}

void helper_memsim_stuck(struct memsim *s, phys_addr_t pa, uint64_t mask, uint64_t value)
{
	assert_true(s->nr_stuck < ARRAY_SIZE(s->stuck));
	s->stuck[s->nr_stuck].pa = pa;
	s->stuck[s->nr_stuck].mask = mask;
	s->stuck[s->nr_stuck++].value = value;
}

uint64_t *helper_memsim_word(struct memsim *s, phys_addr_t pa)
{
	uint64_t *word = (uint64_t *)window_ptr(s, pa, 8);

	assert_non_null(word);
	return word;
}

struct memblock *helper_memsim_copy(const struct memblock *mb)
{
	size_t memory = (mb->memory.cnt + 1) * sizeof(struct memblock_region);
	size_t reserved = (mb->reserved.cnt + 1) * sizeof(struct memblock_region);
	struct memblock *copy = malloc(sizeof(*copy) + memory + reserved);
	unsigned char *arrays = (unsigned char *)(copy + 1);

	assert_non_null(copy);
	*copy = *mb;
	copy->memory.regions =
		memcpy(arrays, mb->memory.regions, mb->memory.cnt * sizeof(struct memblock_region));
	copy->reserved.regions = memcpy(arrays + memory, mb->reserved.regions,
					mb->reserved.cnt * sizeof(struct memblock_region));
	return copy;
}

void helper_memsim_map(void **state, struct memsim **s, struct helper_memblock **h)
{
	*s = *state;
	assert_int_equal(helper_memblock_setup((void **)h), 0);
	(*h)->mb.map = &(*s)->map;
}

void helper_memsim_done(struct memsim *s, struct helper_memblock *h)
{
	s->is_bad = s->is_absent = NULL;
	s->bad_is_1 = false;
	s->stuck_from_call = 0;
	helper_memsim_reset(s);
	helper_memblock_teardown((void **)&h);
}

struct memprobe_result helper_memsim_probe(struct memsim *s, struct helper_memblock *h)
{
	struct memprobe_result result;

	s->allowed = &h->mb;
	s->nr_loads = s->nr_stores = 0;
	assert_int_equal(memblock_probe_banks(&h->mb, &s->access, &h->printer, &result), 0);
	assert_int_equal(result.nr_accesses, s->nr_loads + s->nr_stores);
	assert_true(memblock_is_valid(&h->mb));
	s->allowed = NULL;
	return result;
}

int helper_memsim_memtest(struct memsim *s, struct helper_memblock *h, unsigned int nr_patterns,
			  const struct memblock_array *old, struct memtest_result *result)
{
	int err;

	s->allowed = helper_memsim_copy(&h->mb);
	if (old)
		assert_int_equal(memblock_free(s->allowed, old->base, old->size), 0);
	s->nr_patterns = s->nr_calls = 0;
	s->told_bytes = s->told_step = s->told_total = s->nr_told = 0;
	err = early_memtest(&h->mb, &s->access, nr_patterns, &h->printer, result);
	assert_true(memblock_is_valid(&h->mb));
	free(s->allowed);
	s->allowed = NULL;
	return err;
}
