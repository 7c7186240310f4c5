/* SPDX-License-Identifier: BSD-2-Clause */
/* Which memory an allocation takes: flags, mirrored memory, nodes, and their order. */
#include "helper_memblock.h"

static struct memblock *map_of(void **state)
{
	return &((struct helper_memblock *)*state)->mb;
}

/*
 *  16      18      20      22      24
 *  +-------+-------+-------+-------+
 *  | plain | HOT   | DRIVER| NOMAP |
 *  +-------+-------+-------+-------+
 * Expect NOMAP and DRIVER_MANAGED memory never to be handed out, HOTPLUG memory only until
 * movable_node is asked for; in both directions.
 */
static void flags_are_honoured(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_add(mb, MIB(16), MIB(8)), 0);
	assert_int_equal(memblock_mark_hotplug(mb, MIB(18), MIB(2)), 0);
	assert_int_equal(memblock_mark_driver_managed(mb, MIB(20), MIB(2)), 0);
	assert_int_equal(memblock_mark_nomap(mb, MIB(22), MIB(2)), 0);
	assert_int_equal(helper_alloc(mb, MIB(1), MIB(1)), MIB(19));
	mb->movable_node = true;
	assert_int_equal(helper_alloc(mb, MIB(1), MIB(1)), MIB(17));
	memblock_set_bottom_up(mb, true);
	assert_int_equal(helper_alloc(mb, MIB(1), MIB(1)), MIB(16));
	helper_no_alloc(mb, MIB(1), 1, 0, ANY, -EMM_ENOMEM);
	mb->movable_node = false;
	assert_int_equal(helper_alloc(mb, MIB(1), MIB(1)), MIB(18));
	helper_no_alloc(mb, 1, 1, 0, ANY, -EMM_ENOMEM);
}

/*
 *  16      18      20      22
 *  +-------+-------+-------+
 *  |       | MIRROR|       |
 *  +-------+-------+-------+
 * Expect mirrored memory first, without a word; then ordinary memory with a warning.
 */
static void mirror_comes_first(void **state)
{
	struct helper_memblock *h = *state;
	struct memblock *mb = &h->mb;

	mb->warn = &h->printer;
	assert_int_equal(memblock_add(mb, MIB(16), MIB(6)), 0);
	assert_int_equal(memblock_mark_mirror(mb, MIB(18), MIB(2)), 0);
	assert_int_equal(helper_alloc(mb, MIB(1), MIB(1)), MIB(19));
	assert_int_equal(helper_alloc(mb, MIB(1), MIB(1)), MIB(18));
	assert_string_equal(h->out.text, "");
	assert_int_equal(helper_alloc(mb, MIB(1), MIB(1)), MIB(21));
	assert_string_equal(h->out.text,
			    "memblock: could not allocate 0x100000 bytes of mirrored memory\n");
	/* A failure gives no such warning, and without mirrored memory there is nothing to say. */
	h->out.len = 0;
	h->out.text[0] = '\0';
	helper_no_alloc(mb, MIB(9), 1, 0, ANY, -EMM_ENOMEM);
	assert_int_equal(memblock_clear_mirror(mb, 0, PHYS_ADDR_MAX), 0);
	assert_int_equal(helper_alloc(mb, MIB(1), MIB(1)), MIB(20));
	assert_string_equal(h->out.text, "");
}

/*
 *  16          18          20
 *  +-----------+-----------+
 *  |  node 0   |  node 1   |
 *  |  MIRROR   |           |
 *  +-----------+-----------+
 * Expect mirrored memory on another node to go before ordinary memory on the node asked for,
 * unless that node is a must; and min_addr before mirrored memory.
 */
static void mirror_node_and_min(void **state)
{
	struct memblock *mb = map_of(state);
	phys_addr_t pa;

	assert_int_equal(memblock_add_node(mb, MIB(16), MIB(2), 0, MEMBLOCK_MIRROR), 0);
	assert_int_equal(memblock_add_node(mb, MIB(18), MIB(2), 1, 0), 0);
	assert_int_equal(memblock_phys_alloc(mb, 64, 64, 0, ANY, 1, CAUSE_FDT, &pa), 0);
	assert_int_equal(pa, MIB(18) - 64);
	assert_int_equal(memblock_phys_alloc_exact_nid(mb, 64, 64, 0, ANY, 1, CAUSE_FDT, &pa), 0);
	assert_int_equal(pa, MIB(20) - 64);
	assert_int_equal(memblock_phys_alloc(mb, 64, 64, MIB(19), ANY, NONE, CAUSE_FDT, &pa), 0);
	assert_int_equal(pa, MIB(20) - 128);
}

/*
 *  16          20          24          28
 *  +-----------+-----------+-----------+
 *  |  node 0   |  node 1   |  node 0   |
 *  +-----------+-----------+-----------+
 * Expect try_nid to look on the node, then anywhere, then again without min_addr; exact_nid never
 * to leave the node; and no block to span two nodes.
 */
static void nodes(void **state)
{
	struct memblock *mb = map_of(state);
	phys_addr_t pa = 42;

	assert_int_equal(memblock_add_node(mb, MIB(16), MIB(4), 0, 0), 0);
	assert_int_equal(memblock_add_node(mb, MIB(20), MIB(4), 1, 0), 0);
	assert_int_equal(memblock_add_node(mb, MIB(24), MIB(4), 0, 0), 0);
	helper_no_alloc(mb, MIB(5), 1, 0, ANY, -EMM_ENOMEM);
	/* On the node. */
	assert_int_equal(memblock_phys_alloc(mb, MIB(2), MIB(1), 0, ANY, 1, CAUSE_FDT, &pa), 0);
	assert_int_equal(pa, MIB(22));
	/* Not on the node within the bounds: another node, rather than below min_addr. */
	assert_int_equal(memblock_phys_alloc(mb, MIB(1), MIB(1), MIB(26), ANY, 1, CAUSE_FDT, &pa),
			 0);
	assert_int_equal(pa, MIB(27));
	/* Neither within the bounds: on the node without min_addr. */
	assert_int_equal(memblock_phys_alloc(mb, MIB(1), MIB(1), MIB(27), ANY, 1, CAUSE_FDT, &pa),
			 0);
	assert_int_equal(pa, MIB(21));
	/* exact_nid drops min_addr, too, but not the node. */
	assert_int_equal(memblock_phys_alloc_exact_nid(mb, MIB(1), MIB(1), MIB(25), ANY, 1,
						       CAUSE_FDT, &pa),
			 0);
	assert_int_equal(pa, MIB(20));
	pa = 42;
	assert_int_equal(memblock_phys_alloc_exact_nid(mb, 1, 1, 0, ANY, 1, CAUSE_FDT, &pa),
			 -EMM_ENOMEM);
	assert_int_equal(memblock_phys_alloc_exact_nid(mb, 1, 1, 0, ANY, 7, CAUSE_FDT, &pa),
			 -EMM_ENOMEM);
	assert_int_equal(pa, 42);
	/* The node is full: any other. */
	assert_int_equal(memblock_phys_alloc(mb, MIB(1), MIB(1), 0, ANY, 1, CAUSE_FDT, &pa), 0);
	assert_int_equal(pa, MIB(26));
	assert_int_equal(memblock_phys_alloc(mb, MIB(1), MIB(1), 0, ANY, 7, CAUSE_FDT, &pa), 0);
	assert_int_equal(pa, MIB(25));
}

/*
 *  16          20          24          28
 *  +-----------+-----------+-----------+
 *  |  node 0   |  node 1   |  node 1   |
 *  |           |           |  MIRROR   |
 *  +-----------+-----------+-----------+
 *                                ^ max_addr, then none
 * Expect bottom-up placement to honour node, mirror and max_addr just as top-down does.
 */
static void bottom_up_honours_all(void **state)
{
	struct memblock *mb = map_of(state);
	phys_addr_t pa = 42;

	assert_int_equal(memblock_add_node(mb, MIB(16), MIB(4), 0, 0), 0);
	assert_int_equal(memblock_add_node(mb, MIB(20), MIB(4), 1, 0), 0);
	memblock_set_bottom_up(mb, true);
	assert_int_equal(memblock_phys_alloc_exact_nid(mb, MIB(1), 1, 0, ANY, 1, CAUSE_FDT, &pa),
			 0);
	assert_int_equal(pa, MIB(20));
	pa = 42;
	assert_int_equal(memblock_phys_alloc_range(mb, MIB(5), 1, 0, MIB(20), CAUSE_FDT, &pa),
			 -EMM_ENOMEM);
	assert_int_equal(memblock_phys_alloc_range(mb, MIB(4), 1, 0, MIB(20) - 1, CAUSE_FDT, &pa),
			 -EMM_ENOMEM);
	assert_int_equal(pa, 42);
	assert_int_equal(memblock_add_node(mb, MIB(24), MIB(4), 1, MEMBLOCK_MIRROR), 0);
	assert_int_equal(helper_alloc(mb, MIB(1), 1), MIB(24));
	assert_int_equal(memblock_phys_alloc(mb, MIB(2), 1, 0, MIB(26), NONE, CAUSE_FDT, &pa), 0);
	assert_int_equal(pa, MIB(16));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		memblock_test(flags_are_honoured),    memblock_test(mirror_comes_first),
		memblock_test(mirror_node_and_min),   memblock_test(nodes),
		memblock_test(bottom_up_honours_all),
	};

	return cmocka_run_group_tests_name("memblock: which memory", tests, NULL, NULL);
}
