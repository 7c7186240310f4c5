/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random sequences of calls against the model. MEMBLOCK_SEED and MEMBLOCK_BYTES in the environment
 * choose others; MEMBLOCK_TRACE=1 prints the calls. tests/fuzz/fuzz_memblock.c looks for sequences
 * of the same kind by coverage.
 */
#include "test.h"

#include "helper_memblock_ops.h"

#include <stdio.h>
#include <stdlib.h>

/* A call takes some 5 bytes. */
#define BYTES         3000000UL
#define BYTES_PER_MAP 16384UL

static unsigned long from_environment(const char *name, unsigned long otherwise)
{
	const char *s = getenv(name);

	return s ? strtoul(s, NULL, 0) : otherwise;
}

static void random_calls(void **state)
{
	const unsigned long bytes = from_environment("MEMBLOCK_BYTES", BYTES);
	const unsigned long seed = from_environment("MEMBLOCK_SEED", 42);
	const bool trace = from_environment("MEMBLOCK_TRACE", 0) != 0;
	uint64_t x = seed + !seed; /* 0 would stay 0 */
	static uint8_t data[BYTES_PER_MAP];
	struct ops_stats stats = { 0 };
	unsigned long done, i;

	(void)state;
	print_message("MEMBLOCK_SEED=%lu MEMBLOCK_BYTES=%lu\n", seed, bytes);
	for (done = 0; done < bytes; done += sizeof(data)) {
		for (i = 0; i < sizeof(data); i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			data[i] = (uint8_t)(x >> 32);
		}
		/* Each of the places of the window in turn. */
		data[0] = (uint8_t)(done / sizeof(data));
		ops_run(data, sizeof(data), trace, &stats);
	}
	print_message(
		"%lu calls, %lu placed, %lu arrays replaced, %lu refused, up to %lu entries\n",
		stats.ops, stats.placed, stats.grown, stats.refused, stats.most);
	if (bytes < BYTES)
		return;
	assert_true(stats.placed > 5000);
	assert_true(stats.grown > 100);
	assert_true(stats.refused > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_calls),
	};

	return cmocka_run_group_tests_name("memblock: random calls", tests, NULL, NULL);
}
