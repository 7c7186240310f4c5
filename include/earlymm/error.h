/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Errors of mm/ and dt/. A function returns 0 (or a result >= 0) or one of these, negated; an
 * operation that fails changes nothing. emm_strerror() has a sentence for each.
 */
#ifndef EARLYMM_ERROR_H
#define EARLYMM_ERROR_H

enum emm_error {
	EMM_EINVAL = 1, /* an argument is out of its range: order, alignment, size, flags */
	EMM_ENOMEM, /* no free memory that satisfies the request */
	EMM_ERANGE, /* an address or a frame lies outside every bank */
	EMM_EDOUBLE, /* (part of) the block is free already: a double or wrong free */
	EMM_EBUSY, /* a page of the range is in use */
	EMM_EAGAIN, /* another hart did not answer within the bound; try again */
	EMM_ENOSPC, /* an array is full and may not, or cannot, grow */
	EMM_EOVERLAP, /* the range collides with one that is there already */
	EMM_ENOENT, /* what was asked for is not there */
	EMM_ESTATE, /* the call is not allowed in this phase (before init, after handover) */
	EMM_EFAULT, /* phys_to_virt cannot reach the memory */
	EMM_EBADTREE, /* the device tree is damaged or contradicts itself */
	EMM_EERRORS /* not an error: the number of them plus one */
};

/* One short sentence in English for @err (the negative value a function returned); never NULL. */
const char *emm_strerror(int err);

#endif
