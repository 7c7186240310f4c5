/* SPDX-License-Identifier: BSD-2-Clause */
/* A sentence for each error; where there is a remedy it names it. */
#include <earlymm/error.h>

const char *emm_strerror(int err)
{
	static const char *const text[EMM_EERRORS] = {
		[0] = "no error",
		[EMM_EINVAL] = "an argument is out of its range",
		[EMM_ENOMEM] = "no free memory satisfies the request",
		[EMM_ERANGE] = "the address lies outside every bank of memory",
		[EMM_EDOUBLE] = "the block, or part of it, is free already",
		[EMM_EBUSY] = "a page of the range is in use",
		[EMM_EAGAIN] = "another hart did not answer in time; try again",
		[EMM_ENOSPC] =
			"an array is full and cannot grow; try raising INIT_MEMBLOCK_REGIONS",
		[EMM_EOVERLAP] = "the range collides with one that is there already",
		[EMM_ENOENT] = "what was asked for is not there",
		[EMM_ESTATE] = "the call is not allowed in this phase of the boot",
		[EMM_EFAULT] = "phys_to_virt cannot reach the memory",
		[EMM_EBADTREE] = "the device tree is damaged or contradicts itself",
	};

	if (err > 0 || err <= -EMM_EERRORS || !text[-err])
		return "unknown error";
	return text[-err];
}
