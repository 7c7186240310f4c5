/* SPDX-License-Identifier: BSD-2-Clause */
#include "helper_memblock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *arena_to_virt(void *ctx, phys_addr_t pa, uint64_t bytes)
{
	struct helper_memblock *h = ctx;

	if (h->unreachable || pa < h->arena_base || bytes > h->arena_size ||
	    pa - h->arena_base > h->arena_size - bytes)
		return NULL;
	return h->arena + (pa - h->arena_base);
}

static void keep_text(void *ctx, const char *fmt, va_list ap)
{
	struct helper_text *out = ctx;
	int n = vsnprintf(out->text + out->len, sizeof(out->text) - out->len, fmt, ap);

	assert_true(n >= 0 && (size_t)n < sizeof(out->text) - out->len);
	out->len += (size_t)n;
}

int helper_memblock_setup(void **state)
{
	struct helper_memblock *h = malloc(sizeof(*h));

	if (!h)
		return -1;
	/* Memory is not zero on a board. */
	memset(h, ARENA_FILL, sizeof(*h));
	h->map = (struct phys_map){ .phys_to_virt = arena_to_virt, .ctx = h };
	h->out.len = 0;
	h->out.text[0] = '\0';
	h->printer = (struct printer){ .vprint = keep_text, .ctx = &h->out };
	h->arena_base = 0;
	h->arena_size = 0;
	h->arena = NULL;
	h->unreachable = false;
	memblock_init(&h->mb, &h->map);
	*state = h;
	return 0;
}

int helper_memblock_teardown(void **state)
{
	struct helper_memblock *h = *state;

	free(h->arena);
	free(h);
	return 0;
}

void helper_memblock_arena(struct helper_memblock *h, phys_addr_t base, uint64_t size)
{
	free(h->arena);
	h->arena = malloc(size);
	assert_non_null(h->arena);
	memset(h->arena, ARENA_FILL, size);
	h->arena_base = base;
	h->arena_size = size;
}

unsigned char *helper_memblock_at(struct helper_memblock *h, phys_addr_t pa)
{
	assert_in_range(pa, h->arena_base, h->arena_base + h->arena_size - 1);
	return h->arena + (pa - h->arena_base);
}

void helper_memblock_fill_reserved(struct helper_memblock *h, phys_addr_t base, phys_addr_t step,
				   unsigned long n)
{
	unsigned long i;

	for (i = 0; i < n; i++)
		assert_int_equal(memblock_reserve(&h->mb, base + i * step, step / 2), 0);
}

void helper_expect_map(const struct memblock *mb, const struct memblock_type *type,
		       const struct memblock_region *want, unsigned long n, const char *file,
		       int line)
{
	phys_addr_t total = 0;
	bool same = type->cnt == n && memblock_is_valid(mb);
	unsigned long i;

	for (i = 0; i < n; i++) {
		const struct memblock_region *r = &type->regions[i];

		total += want[i].size;
		same = same && r->base == want[i].base && r->size == want[i].size &&
		       r->flags == want[i].flags && r->nid == want[i].nid;
	}
	if (same && type->total_size == total)
		return;
	print_error("%s: %lu entries, 0x%llx bytes; expected %lu, 0x%llx\n", type->name, type->cnt,
		    (unsigned long long)type->total_size, n, (unsigned long long)total);
	for (i = 0; i < type->cnt; i++)
		print_error("  is   0x%llx +0x%llx flags 0x%x node %d\n",
			    (unsigned long long)type->regions[i].base,
			    (unsigned long long)type->regions[i].size, type->regions[i].flags,
			    type->regions[i].nid);
	for (i = 0; i < n; i++)
		print_error("  want 0x%llx +0x%llx flags 0x%x node %d\n",
			    (unsigned long long)want[i].base, (unsigned long long)want[i].size,
			    want[i].flags, want[i].nid);
	_fail(file, line);
}

static struct memblock_region *copy_of(const struct memblock_type *type)
{
	struct memblock_region *copy = malloc((type->cnt + 1) * sizeof(*copy));

	assert_non_null(copy);
	memcpy(copy, type->regions, type->cnt * sizeof(*copy));
	return copy;
}

void helper_snapshot_take(struct helper_snapshot *s, const struct memblock *mb)
{
	s->mb = *mb;
	s->regions[0] = copy_of(&mb->memory);
	s->regions[1] = copy_of(&mb->reserved);
}

static void same_type(const struct memblock_type *was, const struct memblock_region *regions,
		      const struct memblock_type *is)
{
	assert_memory_equal(was, is, sizeof(*was));
	assert_memory_equal(regions, is->regions, was->cnt * sizeof(*regions));
}

void helper_snapshot_check(struct helper_snapshot *s, const struct memblock *mb)
{
	same_type(&s->mb.memory, s->regions[0], &mb->memory);
	same_type(&s->mb.reserved, s->regions[1], &mb->reserved);
	assert_memory_equal(&s->mb.memory_array, &mb->memory_array, sizeof(s->mb.memory_array));
	assert_memory_equal(&s->mb.reserved_array, &mb->reserved_array,
			    sizeof(s->mb.reserved_array));
	assert_true(memblock_is_valid(mb));
	free(s->regions[0]);
	free(s->regions[1]);
}

phys_addr_t helper_array_bytes(unsigned long max)
{
	return (max * sizeof(struct memblock_region) + PAGE_SIZE - 1) & PAGE_MASK;
}

struct helper_memblock *helper_memblock_full(struct helper_memblock *h, unsigned long spare)
{
	helper_memblock_arena(h, HELPER_RAM, HELPER_RAM_SIZE);
	assert_int_equal(memblock_add(&h->mb, HELPER_RAM, HELPER_RAM_SIZE), 0);
	helper_memblock_fill_reserved(h, GIB(1), MIB(2), h->mb.reserved.max - spare);
	memblock_allow_resize(&h->mb);
	return h;
}

void helper_memblock_fill_memory(struct helper_memblock *h, unsigned long spare)
{
	while (h->mb.memory.cnt + spare < h->mb.memory.max)
		assert_int_equal(memblock_add(&h->mb, GIB(4) + MIB(2 * h->mb.memory.cnt), MIB(1)),
				 0);
}

/* The bytes that are reserved as memblock's own. */
static phys_addr_t own_bytes(const struct memblock *mb)
{
	phys_addr_t total = 0;
	unsigned long i;

	for (i = 0; i < mb->reserved.cnt; i++) {
		if (MEMBLOCK_CAUSE(mb->reserved.regions[i].flags) == CAUSE_MEMBLOCK)
			total += mb->reserved.regions[i].size;
	}
	return total;
}

void helper_check_arrays(struct helper_memblock *h)
{
	struct memblock *mb = &h->mb;
	const struct memblock_type *type[2] = { &mb->memory, &mb->reserved };
	const struct memblock_array *array[2] = { &mb->memory_array, &mb->reserved_array };
	unsigned int i;

	assert_true(memblock_is_valid(mb));
	assert_int_equal(own_bytes(mb), array[0]->size + array[1]->size);
	for (i = 0; i < 2; i++) {
		if (!array[i]->size)
			continue;
		assert_ptr_equal(type[i]->regions, helper_memblock_at(h, array[i]->base));
		assert_int_equal(array[i]->size, helper_array_bytes(type[i]->max));
		assert_int_equal(array[i]->base % PAGE_SIZE, 0);
		assert_int_equal(memblock_search(&mb->reserved, array[i]->base)->flags,
				 ALLOC(CAUSE_MEMBLOCK));
	}
}

void helper_check_untouched(struct helper_memblock *h)
{
	const struct memblock *mb = &h->mb;
	uint64_t i;

	for (i = 0; i < h->arena_size; i++) {
		phys_addr_t pa = h->arena_base + i;

		if (pa - mb->memory_array.base < mb->memory_array.size ||
		    pa - mb->reserved_array.base < mb->reserved_array.size)
			continue;
		if (h->arena[i] != ARENA_FILL)
			fail_msg("0x%llx was written to", (unsigned long long)pa);
	}
}

phys_addr_t helper_alloc(struct memblock *mb, phys_addr_t size, phys_addr_t align)
{
	phys_addr_t pa = 0;

	assert_int_equal(memblock_phys_alloc(mb, size, align, 0, ANY, NONE, CAUSE_ALLOC, &pa), 0);
	assert_true(memblock_is_region_reserved(mb, pa, size));
	return pa;
}

void helper_no_alloc(struct memblock *mb, phys_addr_t size, phys_addr_t align, phys_addr_t min,
		     phys_addr_t max, int err)
{
	struct helper_snapshot before;
	phys_addr_t pa = 42;

	helper_snapshot_take(&before, mb);
	assert_int_equal(memblock_phys_alloc(mb, size, align, min, max, NONE, CAUSE_ALLOC, &pa),
			 err);
	assert_int_equal(pa, 42);
	helper_snapshot_check(&before, mb);
}
