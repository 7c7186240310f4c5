/* SPDX-License-Identifier: BSD-2-Clause */
/* report=: what <earlymm/report.h> has to say, on the console. */
#ifndef PAYLOAD_REPORTS_H
#define PAYLOAD_REPORTS_H

#include "dt.h"
#include "memory.h"

/*
 * reports_print() - those of @reports (enum boot_report), each below a line `report: NAME'. After
 * memblock=discard has done its work iomem and map are left out.
 */
void reports_print(const struct memory *m, const struct dt_info *info, uint32_t reports);

#endif
