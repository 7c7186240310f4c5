/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The boot arguments for huge pages, with the meaning that their order has in Linux:
 *   hugepagesz=SIZE           a size; the next hugepages= is for it
 *   hugepages=N               so many pages; or hugepages=NODE:N,NODE:N, so many on each node
 *   default_hugepagesz=SIZE   the same as hugepagesz=, and hugepages= before any size is for it too
 * SIZE: a number (decimal, or hexadecimal with 0x) and one of K M G T P E, or none; any power of
 * two above a page. Without default_hugepagesz= the default is 2 MiB.
 */
#ifndef PAYLOAD_HUGETLB_ARGS_H
#define PAYLOAD_HUGETLB_ARGS_H

#include <earlymm/hugetlb.h>

struct hugetlb_args {
	struct hugetlb_request request; /* what holds after hugetlb_args_end() */
	/* How far reading has come. */
	struct hugetlb_count first; /* hugepages= before any size */
	unsigned int parsed; /* what the next hugepages= is for: an index into request.size[] */
	bool size_is_bad; /* the last size was not understood: the next hugepages= is for nothing */
	bool has_default; /* default_hugepagesz= was there */
};

void hugetlb_args_init(struct hugetlb_args *args);

/*
 * hugetlb_option() - one argument; @value is NULL where there is no "=". Arguments that cannot be
 * meant (a size or a number given twice, hugepages= after a size that was not understood) are
 * reported on @out and ignored, as Linux does.
 * Returns 0, -EMM_ENOENT (not one of the three keys), -EMM_EINVAL: the value is not understood, or
 * there are more than HUGE_MAX_HSTATE sizes or HUGETLB_MAX_NODES nodes. That was reported, and the
 * argument is ignored.
 */
int hugetlb_option(struct hugetlb_args *args, const char *key, const char *value,
		   const struct printer *out);

/*
 * hugetlb_args_end() - after the last argument: settles the default size, and what hugepages=
 * before any size asks for, which goes before what was given for that size by name (reported).
 * Without any of the arguments the request is empty.
 */
void hugetlb_args_end(struct hugetlb_args *args, const struct printer *out);

#endif
