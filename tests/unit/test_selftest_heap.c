/* SPDX-License-Identifier: BSD-2-Clause */
/* The heap of the payload's self-tests: tests/target/heap.c. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "../target/heap.c"

#define BYTES 4096U
#define NR    64U

/* *state is a heap whose memory held garbage. */
static int setup(void **state)
{
	struct heap *h = malloc(sizeof(*h));
	void *memory = aligned_alloc(64, BYTES);

	assert_non_null(h);
	assert_non_null(memory);
	memset(memory, 0xa5, BYTES);
	heap_init(h, memory, BYTES);
	*state = h;
	return 0;
}

static int teardown(void **state)
{
	struct heap *h = *state;

	free(h->base);
	free(h);
	return 0;
}

/*
 * Headers and guards around what was asked for:
 *   base   +16       +16+a    | +16        +16+b    |
 *   | size |    a    | guard  | size |  b  | guard  | free ...
 */
static void blocks_follow_each_other(void **state)
{
	struct heap *h = *state;
	uint8_t *a = heap_alloc(h, 100, 1), *b = heap_alloc(h, 0, 1), *c = heap_alloc(h, 8, 16);

	assert_ptr_equal(a, h->base + 16);
	assert_ptr_equal(b, a + 112 + 16); /* 100 and 8 of guard, rounded up */
	assert_ptr_equal(c, b + 16 + 16);
	assert_int_equal(heap_size(h, a), 100);
	assert_int_equal(heap_size(h, b), 0);
	assert_int_equal(heap_size(h, c), 8);
	assert_int_equal(heap_size(h, a + 1), 0);
	assert_int_equal(h->in_use, 128 + 32 + 32);
	assert_true(heap_is_valid(h));
	assert_true(heap_free(h, b));
	assert_ptr_equal(heap_alloc(h, 8, 1), b);
	assert_true(heap_free(h, a));
	assert_true(heap_free(h, b));
	assert_true(heap_free(h, c));
	assert_int_equal(h->in_use, 0);
	assert_int_equal(h->peak, 192);
	/* All free blocks are one again. */
	assert_ptr_equal(heap_alloc(h, BYTES - 16 - 8, 1), h->base + 16);
}

static void limits(void **state)
{
	struct heap *h = *state;

	assert_null(heap_alloc(h, BYTES - 16 - 7, 1));
	assert_null(heap_alloc(h, BYTES, 1));
	assert_null(heap_alloc(h, SIZE_MAX, 1));
	assert_null(heap_alloc(h, SIZE_MAX - 8, 1));
	assert_true(heap_is_valid(h));
	assert_non_null(heap_alloc(h, BYTES - 16 - 8, 1));
	assert_null(heap_alloc(h, 0, 1));
	assert_true(heap_is_valid(h));
}

static void alignment(void **state)
{
	struct heap *h = *state;

	for (size_t align = 1; align <= 512; align *= 2) {
		uint8_t *a = heap_alloc(h, 1, 1), *p = heap_alloc(h, 40, align);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % align, 0);
		assert_int_equal((uintptr_t)p % HEAP_ALIGN, 0);
		assert_true(heap_is_valid(h));
		assert_true(heap_free(h, a));
		assert_true(heap_free(h, p));
	}
	assert_non_null(heap_alloc(h, BYTES - 16 - 8, 1));
}

static void wrong_frees(void **state)
{
	struct heap *h = *state;
	uint8_t *a = heap_alloc(h, 20, 1), other;

	assert_false(heap_free(h, &other));
	assert_false(heap_free(h, a + 16));
	assert_false(heap_free(h, h->base));
	assert_true(heap_free(h, a));
	assert_false(heap_free(h, a));
	assert_int_equal(h->in_use, 0);
	assert_true(heap_is_valid(h));
}

/* Each byte behind the block, up to the next one's header, and that header. */
static void overruns(void **state)
{
	struct heap *h = *state;
	uint8_t *a = heap_alloc(h, 20, 1), *b = heap_alloc(h, 4, 1);

	for (uint8_t *p = a + 20; p < b; p++) {
		*p ^= 0xff;
		assert_false(heap_is_valid(h));
		if (p < b - 16)
			assert_false(heap_free(h, a));
		*p ^= 0xff;
		assert_true(heap_is_valid(h));
	}
	for (uint8_t *p = h->base; p < a; p++) {
		*p ^= 0xff;
		assert_false(heap_is_valid(h));
		*p ^= 0xff;
	}
	a[19] = 0;
	assert_true(heap_is_valid(h));
	assert_true(heap_free(h, a));
}

/* Blocks of random sizes do not overlap, keep what is written, and all of it comes back. */
static void random_blocks(void **state)
{
	struct heap *h = *state;
	struct {
		uint8_t *p;
		size_t bytes;
	} blocks[NR] = { { NULL, 0 } };
	unsigned int nr_null = 0;
	uint64_t rng = 42;

	for (unsigned int n = 0; n < 20000; n++) {
		unsigned int i;

		rng ^= rng << 13;
		rng ^= rng >> 7;
		rng ^= rng << 17;
		i = (unsigned int)(rng >> 8) % NR;
		if (blocks[i].p) {
			for (size_t j = 0; j < blocks[i].bytes; j++)
				assert_int_equal(blocks[i].p[j], i);
			assert_true(heap_free(h, blocks[i].p));
			blocks[i].p = NULL;
			continue;
		}
		blocks[i].bytes = (rng >> 32) % 200;
		blocks[i].p = heap_alloc(h, blocks[i].bytes, (size_t)1 << (rng >> 20) % 8);
		if (blocks[i].p)
			memset(blocks[i].p, (int)i, blocks[i].bytes);
		nr_null += !blocks[i].p;
		assert_true(heap_is_valid(h));
	}
	assert_in_range(nr_null, 10, 10000);
	for (unsigned int i = 0; i < NR; i++)
		assert_true(!blocks[i].p || heap_free(h, blocks[i].p));
	assert_int_equal(h->in_use, 0);
	assert_non_null(heap_alloc(h, BYTES - 16 - 8, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(blocks_follow_each_other, setup, teardown),
		cmocka_unit_test_setup_teardown(limits, setup, teardown),
		cmocka_unit_test_setup_teardown(alignment, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_frees, setup, teardown),
		cmocka_unit_test_setup_teardown(overruns, setup, teardown),
		cmocka_unit_test_setup_teardown(random_blocks, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
