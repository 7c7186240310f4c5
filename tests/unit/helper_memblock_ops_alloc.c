/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocations, by address and by pointer, and what they must have come to. */
#include "helper_memblock_ops_state.h"

static struct model_want wanted(struct ops *o)
{
	const uint8_t how = ops_byte(o), size = ops_byte(o), align = ops_byte(o);
	struct model_want want = { .nid = NUMA_NO_NODE, .max = MEMBLOCK_ALLOC_ANYWHERE };

	want.size = size < 160 ? (1 + size % 4) * CELL : size < 200 ? size * CELL : size - 200U;
	want.align = align < 200   ? (phys_addr_t)1 << align % 22
		     : align < 240 ? 0
				   : (phys_addr_t)1 << align % 64;
	if (how & 1)
		want.nid = ops_node(o);
	if (how & 2)
		want.min = ops_address(o);
	if (how & 4)
		want.max = ops_address(o);
	if ((how & 0xf8) == 8)
		want.size = ops_corner(o);
	if ((how & 0xf8) == 16)
		want.align = ops_corner(o);
	return want;
}

/* The model's answer, and what the warnings must have been. Then the reservation. */
static void allocated(struct ops *o, struct model_want *want, enum memblock_cause cause, int err,
		      bool mapped, phys_addr_t pa)
{
	struct model_op op = { .t = RESERVED, .kind = ADD, .size = want->size };
	phys_addr_t at = 0;
	const int found = model_find(&o->m, want, &at);

	expect(o, o->mirror_warned == want->mirror_missed);
	o->warned -= o->mirror_warned;
	if (found || (mapped && !model_in_window(&o->m, at, want->size))) {
		expect(o, err == (found ? found : -EMM_EFAULT));
		expect(o, !o->warned);
		return;
	}
	op.base = at;
	op.set = (uint32_t)cause << MEMBLOCK_CAUSE_SHIFT | MEMBLOCK_RSRV_KERN;
	op.nid = NUMA_NO_NODE;
	ops_change(o, &op, err);
	expect(o, err || pa == at);
	o->stats->placed += !err;
}

void ops_alloc_phys(struct ops *o)
{
	struct model_want want = wanted(o);
	const uint8_t how = ops_byte(o);
	const phys_addr_t untouched = 0x5a5a5a5a5a5a5a5a;
	phys_addr_t pa = untouched, at;
	int err;

	if (how < 100) {
		err = memblock_phys_alloc(&o->mb, want.size, want.align, want.min, want.max,
					  want.nid, CAUSE_METADATA, &pa);
	} else if (how < 150) {
		want.exact_nid = true;
		err = memblock_phys_alloc_exact_nid(&o->mb, want.size, want.align, want.min,
						    want.max, want.nid, CAUSE_METADATA, &pa);
	} else {
		want.nid = NUMA_NO_NODE;
		want.hard_min = true;
		if (how >= 200) {
			struct model_want same = want;

			err = memblock_find_in_range(&o->mb, want.min, want.max, want.size,
						     want.align, &pa);
			expect(o, err == model_find(&o->m, &same, &at));
			expect(o, pa == (err ? untouched : at));
			expect(o, o->mirror_warned == same.mirror_missed);
			return;
		}
		err = memblock_phys_alloc_range(&o->mb, want.size, want.align, want.min, want.max,
						CAUSE_METADATA, &pa);
	}
	expect(o, !err || pa == untouched);
	allocated(o, &want, CAUSE_METADATA, err, false, pa);
}

/* One of the calls by pointer; @want is made what it asks for. *@zeroed: what the name says. */
static int call_by_pointer(struct ops *o, uint8_t how, struct model_want *want, bool *zeroed,
			   void **ptr)
{
	struct memblock *mb = &o->mb;
	const struct model_want w = *want;

	*zeroed = true;
	switch (how % 8) {
	case 0:
		return memblock_alloc_try_nid(mb, w.size, w.align, w.min, w.max, w.nid, ptr);
	case 1:
		*zeroed = false;
		return memblock_alloc_try_nid_raw(mb, w.size, w.align, w.min, w.max, w.nid, ptr);
	case 2:
		*zeroed = false;
		want->exact_nid = true;
		return memblock_alloc_exact_nid_raw(mb, w.size, w.align, w.min, w.max, w.nid, ptr);
	case 3:
		want->min = 0;
		want->max = MEMBLOCK_ALLOC_ACCESSIBLE;
		return memblock_alloc_node(mb, w.size, w.align, w.nid, ptr);
	default:
		break;
	}
	want->nid = NUMA_NO_NODE;
	want->max = MEMBLOCK_ALLOC_ACCESSIBLE;
	if (how % 8 == 4)
		return memblock_alloc_from(mb, w.size, w.align, w.min, ptr);
	want->min = 0;
	if (how % 8 == 5)
		return memblock_alloc(mb, w.size, w.align, ptr);
	if (how % 8 == 6) {
		*zeroed = false;
		return memblock_alloc_raw(mb, w.size, w.align, ptr);
	}
	want->max = ARCH_LOW_ADDRESS_LIMIT + 1;
	return memblock_alloc_low(mb, w.size, w.align, ptr);
}

/* All of a block, or the end of it. The entry that it is part of is asked for as a whole. */
static void free_pointer(struct ops *o, unsigned char *block, phys_addr_t pa, phys_addr_t size,
			 bool all)
{
	const struct piece *p = model_at(&o->m.map[RESERVED], pa);
	const phys_addr_t from = all ? 0 : size / 3;
	int err;

	o->call = "memblock_free_ptr";
	err = memblock_free_ptr(&o->mb, block + from, size - from);
	if (model_in_window(&o->m, p->base, p->end - p->base))
		ops_change(o,
			   &(struct model_op){ .t = RESERVED,
					       .kind = REMOVE,
					       .base = pa + from,
					       .size = size - from },
			   err);
	else
		expect(o, err == -EMM_ENOENT);
}

void ops_alloc_pointer(struct ops *o)
{
	struct model_want want = wanted(o);
	const uint8_t how = ops_byte(o);
	void *ptr = o;
	bool zeroed;
	const int err = call_by_pointer(o, how, &want, &zeroed, &ptr);
	unsigned char *block = ptr;
	phys_addr_t pa, i;

	expect(o, !err || ptr == o);
	pa = err ? 0 : o->m.window + (phys_addr_t)(block - o->window);
	allocated(o, &want, CAUSE_ALLOC, err, true, pa);
	if (err)
		return;
	for (i = 0; zeroed && i < want.size; i++)
		expect(o, !block[i]);
	if (zeroed)
		ops_dirty(o, pa, want.size);
	if (how < 128 || model_in_array(&o->m, pa, pa + want.size))
		return;
	free_pointer(o, block, pa, want.size, how < 192);
}
