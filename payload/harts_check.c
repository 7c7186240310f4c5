/* SPDX-License-Identifier: BSD-2-Clause */
/* Does each hart get on with the page allocator? A page each, all at the same time. */
#include "harts_state.h"

#include <earlymm/error.h>

#include "console.h"

struct page_of_hart {
	int64_t pfn; /* or why it had none */
	int freed; /* 0, or why it could not be */
	bool kept; /* what was written to it */
};

struct check {
	struct page_alloc *pages;
	struct harts_barrier barrier;
	uint32_t nr;
	struct page_of_hart of[MAX_HARTS];
};

/* By a hart; other ones' words differ. */
static uint64_t mark(uint32_t hart)
{
	return 0x9e3779b97f4a7c15 * (hart + 1);
}

static void have_page(void *arg, uint32_t hart)
{
	struct check *c = arg;
	struct page_hart *h = &c->pages->harts[hart];
	struct page_of_hart *page = &c->of[hart];
	volatile uint64_t *word;

	page->pfn = alloc_pages(h, GFP_KERNEL, 0);
	page->kept = true;
	page->freed = 0;
	word = (volatile uint64_t *)(uintptr_t)PFN_PHYS(page->pfn);
	if (page->pfn >= 0)
		*word = mark(hart);
	/* Should one not come, harts_run() says which. */
	if (harts_barrier_wait(&c->barrier, c->nr) || page->pfn < 0)
		return;
	page->kept = *word == mark(hart);
	page->freed = free_pages(h, (uint64_t)page->pfn, 0);
}

static int home_of(const struct page_alloc *pages, uint32_t hart)
{
	return pages->harts[hart].local->nid;
}

static int node_of(const struct page_alloc *pages, const struct page_of_hart *page)
{
	const struct zone *z = page_zone(pages, (uint64_t)page->pfn);

	return z ? z->nid : NUMA_NO_NODE;
}

/* Each hart speaks for itself: their lines come in any order. */
static void print_hart(void *arg, uint32_t i)
{
	const struct check *c = arg;
	const struct hart *hart = harts_list[i];
	const struct page_of_hart *page = &c->of[i];

	print("  hart %u: id %lu, node %d, stack %#lx; ", i, hart->id, home_of(c->pages, i),
	      hart->stack);
	if (page->pfn < 0)
		print("no page: %s\n", emm_strerror((int)page->pfn));
	else
		print("page %#lx of node %d\n", PFN_PHYS((uint64_t)page->pfn),
		      node_of(c->pages, page));
}

/* All that is wrong with it. */
static bool is_good(const struct check *c, uint32_t i)
{
	const struct page_of_hart *page = &c->of[i];

	if (!page->kept)
		print("harts: hart %lu FAILED: its page was somebody else's, too\n",
		      harts_list[i]->id);
	if (page->freed)
		print("harts: hart %lu FAILED to free its page: %s\n", harts_list[i]->id,
		      emm_strerror(page->freed));
	return page->kept && !page->freed;
}

static bool judge(struct check *c, bool verbose)
{
	uint32_t none = 0, away = 0, bad = 0;

	for (uint32_t i = 0; i < c->nr; i++) {
		const struct page_of_hart *page = &c->of[i];

		none += page->pfn < 0;
		away += page->pfn >= 0 && node_of(c->pages, page) != home_of(c->pages, i);
		bad += !is_good(c, i);
	}
	print("harts: %u of %u run, started in %lu us; each has had a page of its own", c->nr,
	      harts.nr_usable, harts.took_us);
	if (none)
		print(", but for %u: there was none", none);
	if (away)
		print(", %u of them from another node", away);
	print("\n");
	if (verbose && harts_run(c->nr, print_hart, c))
		return false;
	return !bad;
}

bool harts_check(struct page_alloc *pages, bool verbose)
{
	static struct check check __attribute__((section(".noinit")));

	if (harts.nr < 2)
		return true;
	check.pages = pages;
	check.nr = harts.nr;
	check.barrier = (struct harts_barrier){ .arrived = 0 };
	if (harts_run(check.nr, have_page, &check))
		return false;
	page_hart_drain(&pages->harts[0]);
	return judge(&check, verbose);
}
