/* SPDX-License-Identifier: BSD-2-Clause */
/* The choice between the two builds of the hot files. */
#include "hot.h"

#include <string.h>

#include "console.h"
#include "exit.h"

/* Of the second build, whose names all begin so (mk/link-hot). */
extern const struct page_allocator_ops zb_bench_alloc_buddy, zb_bench_alloc_buddy_healing;
extern const struct page_allocator_ops zb_bench_alloc_api, zb_bench_alloc_api_unmovable;
extern const struct page_allocator_ops zb_bench_alloc_api_compound, zb_bench_alloc_api_owner;
extern const struct page_allocator_ops zb_bench_alloc_api_poison;
void zb_page_allocator_from_pages(struct page_allocator *pa, struct page_hart *hart);

/* The second build of an allocator, NULL if there is none. */
static const struct page_allocator_ops *second_build(const struct page_allocator_ops *ops)
{
	static const struct {
		const struct page_allocator_ops *first, *second;
	} builds[] = {
		{ &bench_alloc_buddy, &zb_bench_alloc_buddy },
		{ &bench_alloc_buddy_healing, &zb_bench_alloc_buddy_healing },
		{ &bench_alloc_api, &zb_bench_alloc_api },
		{ &bench_alloc_api_unmovable, &zb_bench_alloc_api_unmovable },
		{ &bench_alloc_api_compound, &zb_bench_alloc_api_compound },
		{ &bench_alloc_api_owner, &zb_bench_alloc_api_owner },
		{ &bench_alloc_api_poison, &zb_bench_alloc_api_poison },
	};

	for (size_t i = 0; i < ARRAY_SIZE(builds); i++)
		if (ops == builds[i].first)
			return builds[i].second;
	return NULL;
}

/* All that are measured: each with its second build right behind it, where that may run. */
static void list_allocators(struct hot *hot)
{
	unsigned int n = 0;

	for (unsigned int i = 0; bench_allocators[i] && n < BENCH_MAX_ALLOCATORS; i++) {
		const struct page_allocator_ops *second = second_build(bench_allocators[i]);

		hot->allocators[n++] = bench_allocators[i];
		if (hot->has_zb && second && strcmp(second->hot, bench_allocators[i]->hot) &&
		    n < BENCH_MAX_ALLOCATORS)
			hot->allocators[n++] = second;
	}
	hot->allocators[n] = NULL;
}

/* Why not, as a half sentence. */
static void print_lacking(const struct dt_info *info)
{
	if (!info->isa_lacks[0]) {
		print("the tree does not have the boot hart");
		return;
	}
	print_text(info->isa_lacks, 40);
	print(" does not list zba, zbb and zbs");
}

void hot_choose(struct hot *hot, const struct dt_info *info, enum zb_option zb)
{
	hot->has_zb = hot_has_zb(info, zb);
	hot->name = hot->has_zb ? zb_bench_alloc_buddy.hot : bench_alloc_buddy.hot;
	list_allocators(hot);

	print("hot paths built for %s (hot=%s): ",
	      hot->has_zb ? "Zba, Zbb and Zbs" : bench_build_isa(), hot->name);
	if (zb == ZB_OFF)
		print("zb=off");
	else if (hot->has_zb)
		print("listed by %u of %u hart%s", info->nr_harts, info->nr_harts,
		      info->nr_harts > 1 ? "s" : "");
	else
		print_lacking(info);
	print("\n");
	if (zb == ZB_ON && !hot->has_zb)
		payload_fail("zb=on, but not every hart is said to have Zba, Zbb and Zbs");
}

void hot_allocator(const struct hot *hot, struct page_allocator *pa, struct page_hart *hart)
{
	if (hot->has_zb)
		zb_page_allocator_from_pages(pa, hart);
	else
		page_allocator_from_pages(pa, hart);
}
