/* SPDX-License-Identifier: BSD-2-Clause */
#include "helper_list.h"

#include <stdlib.h>
#include <string.h>

struct helper_list *helper_list_mapped(uint64_t start, uint64_t end, unsigned int max_order)
{
	struct helper_list *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(list_zone_init(&f->z, f->harts, 2, start, end, max_order, NUMA_NO_NODE),
			 0);
	f->memmap_bytes = list_memmap_bytes(start, end, max_order);
	f->memmap = malloc(f->memmap_bytes);
	assert_non_null(f->memmap);
	memset(f->memmap, 0xa5, f->memmap_bytes);
	assert_int_equal(list_set_memmap(&f->z, f->memmap, f->memmap_bytes), 0);
	assert_int_equal(list_memmap_init(&f->z, NULL), 0);
	return f;
}

struct helper_list *helper_list_new(uint64_t start, uint64_t end, unsigned int max_order)
{
	struct helper_list *f = helper_list_mapped(start, end, max_order);

	assert_int_equal(list_add_range(&f->z, start, end), 0);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(list_set_pcp(&f->harts[i], 1, 1), 0);
	return f;
}

void helper_list_delete(struct helper_list *f)
{
	free(f->memmap);
	free(f->snapshot);
	free(f);
}

void helper_list_remember(struct helper_list *f)
{
	char *at;

	if (!f->snapshot)
		f->snapshot = malloc(f->memmap_bytes + sizeof(f->z) + sizeof(f->harts));
	assert_non_null(f->snapshot);
	at = f->snapshot;
	memcpy(at, f->memmap, f->memmap_bytes);
	memcpy(at + f->memmap_bytes, &f->z, sizeof(f->z));
	memcpy(at + f->memmap_bytes + sizeof(f->z), f->harts, sizeof(f->harts));
}

void helper_list_check_unchanged(struct helper_list *f)
{
	const char *at = f->snapshot;

	assert_memory_equal(at, f->memmap, f->memmap_bytes);
	assert_memory_equal(at + f->memmap_bytes, &f->z, sizeof(f->z));
	assert_memory_equal(at + f->memmap_bytes + sizeof(f->z), f->harts, sizeof(f->harts));
}

void helper_list_expect(const struct helper_list *f, const uint64_t *counts, unsigned int n,
			const char *file, int line)
{
	uint64_t got[LIST_MAX_ORDER + 1], pages = 0;

	list_nr_blocks(&f->z, got);
	for (unsigned int order = 0; order <= LIST_MAX_ORDER; order++) {
		uint64_t want = order < n ? counts[order] : 0;

		if (got[order] != want)
			print_error("order %u: %u blocks, expected %u\n", order,
				    (unsigned int)got[order], (unsigned int)want);
		_assert_int_equal(got[order], want, file, line);
		pages += got[order] << order;
	}
	_assert_int_equal(list_nr_free(&f->z), pages, file, line);
	_assert_true(list_is_valid(&f->z), "the zone is valid", file, line);
}
