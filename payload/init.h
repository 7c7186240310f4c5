/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What only the boot needs, and what is given back after it (Linux: __init, free_initmem). Whole
 * objects are named in payload/objects.mk. mk/check-init refuses an image in which anything else
 * refers to them, but for functions that are __ref: these know when they may.
 */
#ifndef PAYLOAD_INIT_H
#define PAYLOAD_INIT_H

#define __init     __attribute__((section(".init.text")))
#define __initdata __attribute__((section(".init.data")))
#define __ref      __attribute__((section(".ref.text"), noinline))

#endif
