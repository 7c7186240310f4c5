/* SPDX-License-Identifier: BSD-2-Clause */
/* The page-churn benchmark on the machine's own allocator, and its records. */
#ifndef PAYLOAD_CHURN_H
#define PAYLOAD_CHURN_H

#include "bench.h"
#include "dt.h"
#include "hot.h"
#include "memory.h"
#include "phase.h"

/*
 * churn_run() - writes the records of the boot, runs the workloads of @opt (memblock
 * being discarded first, if it says so), prints the table and
 * audits again. @hot: in which builds the allocators are called. Returns true if all is verified and no page is lost; the record `end`, which is
 * the last thing written, says the same. Memory for it comes from the allocator and goes back.
 */
bool churn_run(struct memory *m, const struct dt_info *info, const struct phase_log *phases,
	       const struct boot_options *opt, const struct hot *hot);

#endif
