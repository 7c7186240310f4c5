/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocations from a node that is named, and from a set of nodes. */
#include "page_alloc_internal.h"

static int64_t alloc_on(struct page_hart *h, gfp_t gfp, unsigned int order, int nid,
			const uint64_t *mask, uintptr_t caller)
{
	const struct page_request r = {
		.gfp = gfp,
		.order = order,
		.list = page_zonelist(h, nid),
		.nodemask = h->pa->by_node ? mask : NULL,
		.caller = caller,
	};

	if (unlikely(!r.list || !page_request_is_good(&r)))
		return page_refuse(h, -EMM_EINVAL);
	return page_alloc_from(h, &r);
}

int64_t alloc_pages_nodemask(struct page_hart *h, gfp_t gfp, unsigned int order, int nid,
			     const uint64_t *mask)
{
	return alloc_on(h, gfp, order, nid, mask, (uintptr_t)__builtin_return_address(0));
}

int64_t alloc_pages_node(struct page_hart *h, int nid, gfp_t gfp, unsigned int order)
{
	return alloc_on(h, gfp, order, nid, NULL, (uintptr_t)__builtin_return_address(0));
}
