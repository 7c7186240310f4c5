/* SPDX-License-Identifier: BSD-2-Clause */
#include "helper_page_model.h"

#include <stdlib.h>
#include <string.h>

void page_model_init(struct page_model *m, uint64_t base_pfn, uint64_t nr_pages, uint64_t seed)
{
	memset(m, 0, sizeof(*m));
	m->rng = seed * 0x9e3779b97f4a7c15ULL + 1;
	m->base_pfn = base_pfn;
	m->nr_pages = nr_pages;
	m->state = calloc(nr_pages, 1);
	assert_non_null(m->state);
	for (unsigned int k = 0; k < MODEL_ORDERS; k++) {
		m->nr_free[k] = calloc((nr_pages >> k) + 2, sizeof(uint32_t));
		assert_non_null(m->nr_free[k]);
	}
}

void page_model_exit(struct page_model *m)
{
	for (unsigned int k = 0; k < MODEL_ORDERS; k++)
		free(m->nr_free[k]);
	free(m->state);
}

uint64_t page_model_random(struct page_model *m)
{
	m->rng ^= m->rng << 13;
	m->rng ^= m->rng >> 7;
	m->rng ^= m->rng << 17;
	return m->rng;
}

/* The aligned blocks of order @k inside [at, at + 2^order), all of whose pages change. */
static void set_inner(struct page_model *m, uint64_t at, unsigned int order, unsigned int k,
		      bool to_free)
{
	uint32_t *count = &m->nr_free[k][at >> k], all = to_free ? 1U << k : 0;
	uint64_t blocks = 1ULL << (order - k);

	for (uint64_t i = 0; i < blocks; i++)
		count[i] = all;
	m->nr_whole[k] += to_free ? blocks : -blocks;
}

void page_model_set(struct page_model *m, uint64_t pfn, unsigned int order, enum page_state to)
{
	uint64_t at = pfn - m->base_pfn;
	uint32_t nr = 1U << order;
	bool to_free = to == PAGE_FREE, was_free = m->state[at] == PAGE_FREE;

	memset(&m->state[at], (int)to, nr);
	if (to_free == was_free)
		return;
	m->total_free += to_free ? nr : -(uint64_t)nr;
	for (unsigned int k = 0; k < order; k++)
		set_inner(m, at, order, k, to_free);
	for (unsigned int k = order; k < MODEL_ORDERS; k++) {
		uint32_t *count = &m->nr_free[k][at >> k];

		m->nr_whole[k] -= *count == 1U << k;
		*count += to_free ? nr : -nr;
		m->nr_whole[k] += *count == 1U << k;
	}
}

void page_model_add(struct page_model *m, uint64_t start, uint64_t end)
{
	for (uint64_t pfn = start; pfn < end; pfn++)
		page_model_set(m, pfn, 0, PAGE_FREE);
}

enum page_state page_model_state(const struct page_model *m, uint64_t pfn)
{
	return m->state[pfn - m->base_pfn];
}

void page_model_take(struct page_model *m, int64_t pfn, unsigned int order)
{
	uint64_t nr = 1ULL << order, all_free = 0;

	assert_int_equal((uint64_t)pfn & (nr - 1), 0);
	assert_in_range((uint64_t)pfn, m->base_pfn, m->base_pfn + m->nr_pages - nr);
	/* One assertion for all: there may be 2^18. */
	while (all_free < nr && page_model_state(m, (uint64_t)pfn + all_free) == PAGE_FREE)
		all_free++;
	assert_int_equal(all_free, nr);
	page_model_set(m, (uint64_t)pfn, order, PAGE_USED);
	m->live[m->nr_live++] = (struct live_block){ (uint64_t)pfn, order };
}

void page_model_nr_blocks(const struct page_model *m, uint64_t counts[MODEL_ORDERS],
			  unsigned int top)
{
	for (unsigned int k = 0; k < MODEL_ORDERS; k++) {
		counts[k] = k <= top ? m->nr_whole[k] : 0;
		/* Two for each larger one that is whole. */
		if (k < top)
			counts[k] -= 2 * m->nr_whole[k + 1];
	}
}

void page_model_fold(uint64_t counts[MODEL_ORDERS], unsigned int top)
{
	for (unsigned int k = MODEL_ORDERS - 1; k > top; k--) {
		counts[k - 1] += 2 * counts[k];
		counts[k] = 0;
	}
}

unsigned int page_model_random_order(struct page_model *m, unsigned int max_order)
{
	uint64_t pick = page_model_random(m) >> 32;

	switch (pick % 8) {
	case 0:
	case 1:
		return (unsigned int)(pick / 8 % (max_order + 1));
	case 2:
	case 3:
		return (unsigned int)(pick / 8 % (max_order < 5 ? max_order + 1 : 6));
	default:
		return 0;
	}
}

uint64_t page_model_env(const char *name, uint64_t otherwise)
{
	const char *value = getenv(name);

	return value ? strtoull(value, NULL, 0) : otherwise;
}
