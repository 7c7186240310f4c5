/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memblock: bytes are a sequence of calls, checked against the model after each. FUZZ_TRACE=1
 * prints the calls of an input: FUZZ_TRACE=1 build/fuzz-memblock/fuzz_memblock FILE
 */
#include "fuzz.h"
#include "helper_memblock_ops.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ops_stats stats = { 0 };

	ops_run(data, size, getenv("FUZZ_TRACE") != NULL, &stats);
	return 0;
}
