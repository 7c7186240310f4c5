/* SPDX-License-Identifier: BSD-2-Clause */
/* The allocators that the benchmark measures. An adapter is added here and nowhere else. */
#include "page_allocator.h"

const struct page_allocator_ops *const bench_allocators[] = {
	&bench_alloc_buddy,         &bench_alloc_buddy_healing, &bench_alloc_api,
	&bench_alloc_api_unmovable, &bench_alloc_api_compound,  &bench_alloc_api_owner,
	&bench_alloc_api_poison,    &bench_alloc_list,          NULL,
};
