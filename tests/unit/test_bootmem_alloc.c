/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bootmem's allocations, by hand. In the drawings a letter is a page: '.' free, 'R' reserved before,
 * 'a', 'b' … the allocations in their order; node 0 begins at frame 16.
 */
#include "helper_bootmem.h"

#include <string.h>

/* The pages of @want, '.' free, from frame @start_pfn on; the bitmap is at frame 1024 and up. */
static struct bootmem_data *add_node(struct helper_bootmem *h, int nid, uint64_t start_pfn,
				     const char *want)
{
	uint64_t pages = strlen(want);

	assert_int_equal(init_bootmem_node(&h->bm, nid, 1024 + h->bm.nr_nodes, start_pfn,
					   start_pfn + pages, NULL),
			 0);
	for (uint64_t i = 0; i < pages; i++) {
		if (want[i] == '.')
			assert_int_equal(free_bootmem(&h->bm, PAGES(start_pfn + i), PAGE_SIZE), 0);
	}
	return &h->bdata[h->bm.nr_nodes - 1];
}

#define NO_LIMIT PHYS_ADDR_MAX

/* The frame, and that the block begins there; pages only. */
static uint64_t alloc_pages(struct helper_bootmem *h, uint64_t pages, uint64_t align_pages,
			    uint64_t goal_pfn, phys_addr_t limit)
{
	phys_addr_t pa = 1;
	int err = __alloc_bootmem_limit(&h->bm, PAGES(pages), PAGES(align_pages), PAGES(goal_pfn),
					limit, &pa);

	if (err) {
		assert_int_equal(err, -EMM_ENOMEM);
		assert_int_equal(pa, 1);
		return 0;
	}
	assert_int_equal(pa % PAGE_SIZE, 0);
	assert_true(helper_ram_is(&h->ram, pa, PAGES(pages), 0));
	return PFN_DOWN(pa);
}

/*
 *   16                    RR.R..R...R....
 *   3 pages, goal 0:             aaa        the first that fits
 *   1 page, goal 0:         b
 *   4 pages, goal 0:                 cccc
 *   1 page: frame 20, another: 21; then 2 pages: none
 */
static void test_first_fit(void **state)
{
	struct helper_bootmem *h = *state;

	add_node(h, 0, 16, "RR.R..R...R....");
	assert_int_equal(alloc_pages(h, 3, 1, 0, NO_LIMIT), 23);
	assert_int_equal(alloc_pages(h, 1, 1, 0, NO_LIMIT), 18);
	assert_int_equal(alloc_pages(h, 5, 1, 0, NO_LIMIT), 0);
	assert_int_equal(alloc_pages(h, 4, 1, 0, NO_LIMIT), 27);
	assert_int_equal(alloc_pages(h, 1, 1, 0, NO_LIMIT), 20);
	assert_int_equal(alloc_pages(h, 1, 1, 0, NO_LIMIT), 21);
	assert_int_equal(alloc_pages(h, 2, 1, 0, NO_LIMIT), 0);
	expect_bits(&h->bm, 16, "RRRRRRRRRRRRRRR");
	assert_string_equal(h->out.text, "bootmem alloc of 0x5000 bytes failed!\n"
					 "bootmem alloc of 0x2000 bytes failed!\n");
}

/*
 * The search begins at the goal, rounded up; at the last allocation if that is above the goal; and
 * once more from the start if there is nothing.
 *   16          .................
 *   goal 20:        a                   hint 20
 *   goal 19:         b                  from the hint, though 19 is free
 *   8 pages, goal 19:      cccccccc     hint 22
 *   goal 17:                       d    from the hint
 *   2 pages, goal 20: ee                none is left above: from the start, hint 16
 *   goal 18:      f                     hint 18
 * A goal outside the node, or 0, means its start, without the hint.
 */
static void test_goal_and_hint(void **state)
{
	struct helper_bootmem *h = *state;
	struct bootmem_data *node = add_node(h, 0, 16, "...............");

	assert_int_equal(alloc_pages(h, 1, 1, 20, NO_LIMIT), 20);
	assert_int_equal(node->last_success, PAGES(4));
	assert_int_equal(alloc_pages(h, 1, 1, 19, NO_LIMIT), 21);
	assert_int_equal(alloc_pages(h, 8, 1, 19, NO_LIMIT), 22);
	assert_int_equal(alloc_pages(h, 1, 1, 17, NO_LIMIT), 30);
	assert_int_equal(node->last_success, PAGES(14));
	assert_int_equal(alloc_pages(h, 2, 1, 20, NO_LIMIT), 16);
	assert_int_equal(node->last_success, 0);
	assert_int_equal(alloc_pages(h, 1, 1, 15, NO_LIMIT), 18);
	assert_int_equal(alloc_pages(h, 1, 1, 31, NO_LIMIT), 19);
	expect_bits(&h->bm, 16, "RRRRRRRRRRRRRRR");
	/* What is freed below the hint lowers it. */
	assert_int_equal(free_bootmem(&h->bm, PAGES(25), PAGES(1)), 0);
	assert_int_equal(alloc_pages(h, 1, 1, 17, NO_LIMIT), 25);
	assert_int_equal(node->last_success, PAGES(9));
	assert_int_equal(free_bootmem(&h->bm, PAGES(27), PAGES(1)), 0);
	assert_int_equal(node->last_success, PAGES(9));
	assert_int_equal(free_bootmem(&h->bm, PAGES(17), PAGES(4)), 0);
	assert_int_equal(node->last_success, PAGES(1));
	/* Inside page 18: the first page at or above it is 19. */
	assert_int_equal(__alloc_bootmem_limit(&h->bm, PAGE_SIZE, PAGE_SIZE, PAGES(18) + 1,
					       NO_LIMIT, &(phys_addr_t){ 0 }),
			 0);
	expect_bits(&h->bm, 16, "R..R.RRRRRR.RRR");
}

/* In the goal's own page, which is not free, and the wrap that begins at the node's first page. */
static void test_wrap(void **state)
{
	struct helper_bootmem *h = *state;

	add_node(h, 0, 16, "..RR.");
	assert_int_equal(alloc_pages(h, 2, 1, 17, NO_LIMIT), 16);
	assert_int_equal(alloc_pages(h, 1, 1, 18, NO_LIMIT), 20);
	assert_int_equal(alloc_pages(h, 1, 1, 16, NO_LIMIT), 0);
}

/*
 * Alignment counts from frame 0, not from the node, and a failed run does not hide the next.
 *   frames   17 18 19 20 21 22 23 24 25 26 27 28 29
 *             .  .  .  .  R  .  .  .  .  .  .  .  .
 *   2 pages on 4: 24, not 20 (21 is reserved)
 *   1 page on 4: 20; another: 28; on 16: none
 */
static void test_alignment(void **state)
{
	struct helper_bootmem *h = *state;

	add_node(h, 0, 17, "....R........");
	assert_int_equal(alloc_pages(h, 2, 4, 0, NO_LIMIT), 24);
	assert_int_equal(alloc_pages(h, 1, 16, 0, NO_LIMIT), 0);
	assert_int_equal(alloc_pages(h, 1, 4, 0, NO_LIMIT), 20);
	assert_int_equal(alloc_pages(h, 1, 4, 0, NO_LIMIT), 28);
	assert_int_equal(alloc_pages(h, 1, 1ULL << 51, 0, NO_LIMIT), 0);
	expect_bits(&h->bm, 17, "...RR..RR..R.");
}

/* @limit is exclusive and hard, in bytes; a hint at or above it is not used. */
static void test_limit(void **state)
{
	struct helper_bootmem *h = *state;
	struct bootmem_data *node = add_node(h, 0, 16, "........");

	assert_int_equal(alloc_pages(h, 3, 1, 0, PAGES(19) - 1), 0);
	assert_int_equal(alloc_pages(h, 1, 1, 0, PAGES(16)), 0);
	assert_int_equal(alloc_pages(h, 1, 1, 0, 0), 0);
	assert_int_equal(alloc_pages(h, 1, 1, 22, NO_LIMIT), 22);
	assert_int_equal(node->last_success, PAGES(6));
	/* The goal is below the limit, the hint is not. */
	assert_int_equal(alloc_pages(h, 1, 1, 18, PAGES(22)), 18);
	/* The goal is not. */
	assert_int_equal(alloc_pages(h, 1, 1, 21, PAGES(21)), 16);
	assert_int_equal(alloc_pages(h, 2, 1, 0, PAGES(21)), 19);
	assert_int_equal(alloc_pages(h, 1, 1, 0, PAGES(22)), 17);
	assert_int_equal(alloc_pages(h, 1, 1, 0, PAGES(22) - 1), 0);
	expect_bits(&h->bm, 16, "RRRRR.R.");
}

/* Node 0 first, whatever the goal; the next one if there is no room. */
static void test_nodes_in_order(void **state)
{
	struct helper_bootmem *h = *state;
	phys_addr_t pa;

	add_node(h, 0, 16, "...");
	add_node(h, 1, 24, "....");
	add_node(h, 2, 32, "........");
	/* The goal is in node 2, but node 0 has room. */
	assert_int_equal(alloc_pages(h, 1, 1, 33, NO_LIMIT), 16);
	assert_int_equal(alloc_pages(h, 4, 1, 0, NO_LIMIT), 24);
	assert_int_equal(alloc_pages(h, 3, 1, 33, NO_LIMIT), 33);
	assert_int_equal(alloc_pages(h, 9, 1, 0, NO_LIMIT), 0);
	/* On a node, then on any. */
	assert_int_equal(__alloc_bootmem_node(&h->bm, 2, PAGE_SIZE, PAGE_SIZE, 0, &pa), 0);
	assert_int_equal(pa, PAGES(32));
	assert_int_equal(__alloc_bootmem_node(&h->bm, 1, PAGE_SIZE, PAGE_SIZE, 0, &pa), 0);
	assert_int_equal(pa, PAGES(17));
	assert_int_equal(__alloc_bootmem_node(&h->bm, 7, PAGE_SIZE, PAGE_SIZE, 0, &pa), 0);
	assert_int_equal(pa, PAGES(18));
	assert_int_equal(__alloc_bootmem_node_limit(&h->bm, 1, PAGE_SIZE, PAGE_SIZE, 0, PAGES(36),
						    &pa),
			 -EMM_ENOMEM);
	/* In one bdata only. */
	assert_int_equal(__alloc_bootmem_core(&h->bm, &h->bdata[0], PAGE_SIZE, 0, 0, NO_LIMIT, &pa),
			 -EMM_ENOMEM);
	assert_int_equal(__alloc_bootmem_core(&h->bm, &h->bdata[2], PAGE_SIZE, 0, 0, NO_LIMIT, &pa),
			 0);
	assert_int_equal(pa, PAGES(36));
}

static phys_addr_t alloc_bytes(struct helper_bootmem *h, phys_addr_t size, phys_addr_t align,
			       phys_addr_t goal)
{
	phys_addr_t pa = 0;

	assert_int_equal(__alloc_bootmem(&h->bm, size, align, goal, &pa), 0);
	assert_true(helper_ram_is(&h->ram, pa, size, 0));
	return pa;
}

/*
 *   page 16                 page 17           page 18
 *   |a 100|b 64..|c     ..........|...c  |d          |e
 * a: 0-100; b: 128-192; c from 192, 5000 bytes, into page 17; d 256-aligned; what fills a page
 * exactly leaves nothing to pack behind.
 */
static void test_packing(void **state)
{
	struct helper_bootmem *h = *state;
	struct bootmem_data *node = add_node(h, 0, 16, "........");
	phys_addr_t base = PAGES(16);

	assert_int_equal(alloc_bytes(h, 100, 0, 0), base);
	assert_int_equal(node->last_pos, 0);
	assert_int_equal(node->last_offset, 100);
	assert_int_equal(alloc_bytes(h, 64, 64, 0), base + 128);
	expect_bits(&h->bm, 16, "R.......");
	assert_int_equal(node->last_pos, 0);
	assert_int_equal(alloc_bytes(h, 5000, 8, 0), base + 192);
	expect_bits(&h->bm, 16, "RR......");
	assert_int_equal(node->last_pos, 1);
	assert_int_equal(node->last_offset, 192 + 5000 - 4096);
	assert_int_equal(alloc_bytes(h, 1, 256, 0), PAGES(17) + 1280);
	/* To the last byte of the page: nothing is left, the next one begins a page. */
	assert_int_equal(alloc_bytes(h, 4096 - 1281, 1, 0), PAGES(17) + 1281);
	assert_int_equal(node->last_offset, 0);
	expect_bits(&h->bm, 16, "RR......");
	assert_int_equal(alloc_bytes(h, 4095, 1, 0), PAGES(18));
	/* One byte is left; 2 take a page more, and lie across the border. */
	assert_int_equal(alloc_bytes(h, 2, 1, 0), PAGES(19) - 1);
	expect_bits(&h->bm, 16, "RRRR....");
	assert_int_equal(node->last_pos, 3);
	assert_int_equal(node->last_offset, 1);
	/* The alignment leaves nothing of the page. */
	assert_int_equal(alloc_bytes(h, 4000, 2048, 0), PAGES(19) + 2048);
	assert_int_equal(node->last_offset, 2048 + 4000 - 4096);
	assert_int_equal(alloc_bytes(h, 8, 4096, 0), PAGES(21));
	/* 8 bytes are used of page 21, and more than 2048 is past the middle: page 22 begins. */
	assert_int_equal(alloc_bytes(h, 2100, 1, 0), PAGES(21) + 8);
	assert_int_equal(alloc_bytes(h, 16, 2048, 0), PAGES(22));
	expect_bits(&h->bm, 16, "RRRRRRR.");
}

/*
 * Only the page right before the run that was found is packed into:
 *   16  ..R...      a 10 bytes in 16; b with goal 19 in 19; c finds 17, not behind b: a page anew;
 *   d finds 20, but the last one was c in 17.
 */
static void test_packing_needs_neighbours(void **state)
{
	struct helper_bootmem *h = *state;

	add_node(h, 0, 16, "..R...");
	assert_int_equal(alloc_bytes(h, 10, 2, 0), PAGES(16));
	assert_int_equal(alloc_bytes(h, 10, 2, PAGES(19)), PAGES(19));
	assert_int_equal(alloc_bytes(h, 10, 2, 0), PAGES(17));
	assert_int_equal(alloc_bytes(h, 10, 2, PAGES(20)), PAGES(20));
	expect_bits(&h->bm, 16, "RRRRR.");
}

/*
 * A page that was freed is not packed into:
 *   16  .....    a 100 bytes in 16; 16 is freed; b with goal 17 finds 17: not behind a.
 */
static void test_packing_after_free(void **state)
{
	struct helper_bootmem *h = *state;

	add_node(h, 0, 16, ".....");
	assert_int_equal(alloc_bytes(h, 100, 2, 0), PAGES(16));
	assert_int_equal(free_bootmem(&h->bm, PAGES(16), PAGES(1)), 0);
	assert_int_equal(alloc_bytes(h, 100, 2, PAGES(17)), PAGES(17));
	/* One that ends before it, or begins behind it, does not matter. */
	assert_int_equal(alloc_bytes(h, PAGES(1), PAGE_SIZE, 0), PAGES(16));
	assert_int_equal(alloc_bytes(h, 100, 2, 0), PAGES(18));
	assert_int_equal(free_bootmem(&h->bm, PAGES(16), PAGES(2)), 0);
	assert_int_equal(alloc_bytes(h, 100, 2, PAGES(19)), PAGES(18) + 100);
}

/* The block is as large as asked for, and nothing behind it is zeroed. */
static void test_zeroes(void **state)
{
	struct helper_bootmem *h = *state;
	phys_addr_t pa = 1;

	add_node(h, 0, 16, "....");
	assert_int_equal(alloc_bytes(h, 100, 0, 0), PAGES(16));
	assert_true(helper_ram_is(&h->ram, PAGES(16) + 100, 28, ARENA_FILL));
	assert_int_equal(alloc_bytes(h, 5000, 64, 0), PAGES(16) + 128);
	assert_true(helper_ram_is(&h->ram, PAGES(16) + 100, 28, ARENA_FILL));
	assert_int_equal(*helper_ram_at(&h->ram, PAGES(16) + 128 + 5000), ARENA_FILL);
	/* Out of reach: nothing changed. */
	h->ram.unreachable = true;
	assert_int_equal(__alloc_bootmem(&h->bm, 8, 8, 0, &pa), -EMM_EFAULT);
	h->bm.map = NULL;
	assert_int_equal(__alloc_bootmem(&h->bm, 8, 8, 0, &pa), -EMM_EFAULT);
	assert_int_equal(pa, 1);
	expect_bits(&h->bm, 16, "RR..");
	assert_int_equal(h->bdata[0].last_offset, 128 + 5000 - 4096);
	h->bm.map = &h->ram.map;
	h->ram.unreachable = false;
	assert_int_equal(alloc_bytes(h, 8, 8, 0), PAGES(17) + 1032);
}

static void test_bad_requests(void **state)
{
	struct helper_bootmem *h = *state;
	struct bootmem *bm = &h->bm;
	phys_addr_t pa = 1;

	add_node(h, 0, 16, "....");
	assert_int_equal(__alloc_bootmem(bm, 0, 8, 0, &pa), -EMM_EINVAL);
	assert_int_equal(__alloc_bootmem(bm, 8, 24, 0, &pa), -EMM_EINVAL);
	assert_int_equal(__alloc_bootmem(bm, 8, PAGE_SIZE + 8, 0, &pa), -EMM_EINVAL);
	assert_int_equal(__alloc_bootmem_node(bm, -2, 8, 8, 0, &pa), -EMM_EINVAL);
	assert_int_equal(__alloc_bootmem_core(bm, NULL, 8, 8, 0, NO_LIMIT, &pa), -EMM_EINVAL);
	assert_int_equal(__alloc_bootmem_core(bm, bm->bdata, 0, 8, 0, NO_LIMIT, &pa), -EMM_EINVAL);
	assert_int_equal(__alloc_bootmem_core(bm, bm->bdata, 8, 9, 0, NO_LIMIT, &pa), -EMM_EINVAL);
	assert_int_equal(__alloc_bootmem(bm, PHYS_ADDR_MAX, 8, 0, &pa), -EMM_ENOMEM);
	assert_int_equal(__alloc_bootmem(bm, PHYS_ADDR_MAX, 1ULL << 63, PHYS_ADDR_MAX, &pa),
			 -EMM_ENOMEM);
	assert_int_equal(pa, 1);
	expect_bits(bm, 16, "....");
}

/* Frame 0 can be freed and reserved, but not had. */
static void test_frame_0(void **state)
{
	struct helper_bootmem *h = *state;

	assert_int_equal(init_bootmem(&h->bm, 1024, 4, NULL), 0);
	assert_int_equal(free_bootmem(&h->bm, 0, PAGES(4)), 0);
	assert_int_equal(alloc_pages(h, 4, 1, 0, NO_LIMIT), 0);
	assert_int_equal(alloc_pages(h, 1, 4, 0, NO_LIMIT), 0);
	assert_int_equal(alloc_pages(h, 1, 1, 0, NO_LIMIT), 1);
	expect_bits(&h->bm, 0, ".R..");
}

/* What each form asks for: its goal, its alignment, its node, its limit. */
static void test_forms(void **state)
{
	struct helper_bootmem *h = *state;
	struct bootmem *bm = &h->bm;
	phys_addr_t pa;

	add_node(h, 0, 16, "........................");
	add_node(h, 1, 48, "........................");
	bm->max_dma_address = PAGES(24);
	/* The goal: above the DMA limit, or from the start. */
	assert_int_equal(alloc_bootmem(bm, 1, &pa), 0);
	assert_int_equal(pa, PAGES(24));
	assert_int_equal(alloc_bootmem_low(bm, 1, &pa), 0);
	assert_int_equal(pa, PAGES(16));
	/* A cache line, behind the one before. */
	assert_int_equal(alloc_bootmem_low(bm, 1, &pa), 0);
	assert_int_equal(pa, PAGES(16) + SMP_CACHE_BYTES);
	assert_int_equal(alloc_bootmem_low_pages(bm, 1, &pa), 0);
	assert_int_equal(pa, PAGES(17));
	assert_int_equal(alloc_bootmem_pages(bm, 1, &pa), 0);
	assert_int_equal(pa, PAGES(25));
	assert_int_equal(alloc_bootmem(bm, 1, &pa), 0);
	assert_int_equal(pa, PAGES(25) + SMP_CACHE_BYTES);
	assert_int_equal(alloc_bootmem_node(bm, 1, 1, &pa), 0);
	assert_int_equal(pa, PAGES(48));
	assert_int_equal(alloc_bootmem_node(bm, 1, 1, &pa), 0);
	assert_int_equal(pa, PAGES(48) + SMP_CACHE_BYTES);
	assert_int_equal(alloc_bootmem_pages_node(bm, 0, 1, &pa), 0);
	assert_int_equal(pa, PAGES(26));
	assert_int_equal(alloc_bootmem_low_pages_node(bm, 0, 1, &pa), 0);
	assert_int_equal(pa, PAGES(18));
	/* The same with a limit, which is hard. */
	assert_int_equal(alloc_bootmem_limit(bm, PAGES(8), PAGES(35), &pa), 0);
	assert_int_equal(pa, PAGES(27));
	assert_int_equal(alloc_bootmem_limit(bm, PAGES(8), PAGES(35), &pa), -EMM_ENOMEM);
	assert_int_equal(alloc_bootmem_pages_limit(bm, PAGES(2), PAGES(36), &pa), 0);
	assert_int_equal(pa, PAGES(19));
	assert_int_equal(alloc_bootmem_low_limit(bm, PAGES(4), PAGES(24), &pa), -EMM_ENOMEM);
	assert_int_equal(alloc_bootmem_low_limit(bm, 8, PAGES(24), &pa), 0);
	assert_int_equal(pa, PAGES(21));
	assert_int_equal(alloc_bootmem_low_pages_limit(bm, 8, PAGES(24), &pa), 0);
	assert_int_equal(pa, PAGES(22));
	assert_int_equal(alloc_bootmem_node_limit(bm, 1, PAGES(6), PAGES(50), &pa), -EMM_ENOMEM);
	assert_int_equal(alloc_bootmem_node_limit(bm, 1, 8, PAGES(50), &pa), 0);
	assert_int_equal(pa, PAGES(48) + 2 * SMP_CACHE_BYTES);
	assert_int_equal(alloc_bootmem_pages_node_limit(bm, 1, 8, PAGES(51), &pa), 0);
	assert_int_equal(pa, PAGES(49));
	assert_int_equal(alloc_bootmem_pages_node_limit(bm, 0, PAGES(6), PAGES(40), &pa),
			 -EMM_ENOMEM);
	assert_int_equal(alloc_bootmem_low_pages_node_limit(bm, 0, 8, PAGES(40), &pa), 0);
	assert_int_equal(pa, PAGES(23));
	assert_int_equal(alloc_bootmem_low_pages_node_limit(bm, 0, 8, PAGES(35), &pa), -EMM_ENOMEM);
}

/* 4 GiB, or the start of RAM where that is above. */
static void test_default_goal(void **state)
{
	struct helper_bootmem *h = *state;

	assert_int_equal(h->bm.max_dma_address, MAX_DMA_ADDRESS);
	add_node(h, 0, 16, ".");
	assert_int_equal(h->bm.max_dma_address, 0x100000000);
	bootmem_init(&h->bm, &h->ram.map, h->bdata, BOOT_NODES);
	assert_int_equal(init_bootmem_node(&h->bm, 0, 1024, 0x100000, 0x100010, NULL), 0);
	assert_int_equal(h->bm.max_dma_address, 0x100000000);
	bootmem_init(&h->bm, &h->ram.map, h->bdata, BOOT_NODES);
	assert_int_equal(init_bootmem_node(&h->bm, 0, 1024, 0x100001, 0x100010, NULL), 0);
	assert_int_equal(h->bm.max_dma_address, 0x100001000);
	assert_int_equal(init_bootmem_node(&h->bm, 0, 1024, 0x200000, 0x200010, NULL), 0);
	assert_int_equal(h->bm.max_dma_address, 0x100001000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		bootmem_test(test_first_fit),
		bootmem_test(test_goal_and_hint),
		bootmem_test(test_wrap),
		bootmem_test(test_alignment),
		bootmem_test(test_limit),
		bootmem_test(test_nodes_in_order),
		bootmem_test(test_packing),
		bootmem_test(test_packing_needs_neighbours),
		bootmem_test(test_packing_after_free),
		bootmem_test(test_zeroes),
		bootmem_test(test_bad_requests),
		bootmem_test(test_frame_0),
		bootmem_test(test_forms),
		bootmem_test(test_default_goal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
