/* SPDX-License-Identifier: BSD-2-Clause */
/* The hooks of struct mem_access. */
#include "mem_access.h"

#include "console.h"
#include "counters.h"
#include "probe.h"

static int load(void *ctx, phys_addr_t pa, uint64_t *value)
{
	(void)ctx;
	return probe_read64(pa, value);
}

static int store(void *ctx, phys_addr_t pa, uint64_t value)
{
	(void)ctx;
	return probe_write64(pa, value);
}

static int fill(void *ctx, phys_addr_t pa, uint64_t nr, uint64_t pattern, uint64_t *done)
{
	(void)ctx;
	return probe_fill(pa, nr, pattern, done);
}

static int verify(void *ctx, phys_addr_t pa, uint64_t nr, uint64_t pattern, uint64_t *done)
{
	(void)ctx;
	return probe_verify(pa, nr, pattern, done);
}

static void progress(void *ctx, uint64_t done_bytes, uint64_t total_bytes)
{
	struct mem_progress *p = ctx;
	uint64_t now = counters_read().tb;

	if (!p->tb_hz || now - p->last_tb < p->tb_hz || total_bytes < 100)
		return;
	p->last_tb = now;
	print("memtest: %3lu %% of %lu MiB written and read\n", done_bytes / (total_bytes / 100),
	      total_bytes >> 20);
}

struct mem_access mem_access(struct mem_progress *p)
{
	p->last_tb = counters_read().tb;
	return (struct mem_access){ load, store, fill, verify, progress, p };
}
