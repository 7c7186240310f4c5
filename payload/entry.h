/* SPDX-License-Identifier: BSD-2-Clause */
/* What the firmware hands over in a0 and a1, looked at before anything relies on it. */
#ifndef PAYLOAD_ENTRY_H
#define PAYLOAD_ENTRY_H

#include <stdint.h>

/*
 * entry_tree() - the device tree at @fdt_pa, the a1 of the entry, once it has a tree's magic.
 * Anything else ends the run as failed, with a message: an argument list as U-Boot's `go` passes,
 * an address where nothing is, a tree that lies inside the image.
 */
void *entry_tree(uint64_t fdt_pa);

/*
 * tree_copy() - brings a small tree, which has passed dt_check(), next to the image: its own place
 * then is free memory, and the RAM above the image is in one piece. Returns where the tree is now:
 * @fdt itself if it is larger than TREE_COPY_SIZE. O(totalsize).
 */
void *tree_copy(void *fdt);

/* tree_wipe() - clears in the tree's first place what was cleared in its copy: bytes at @offset. */
void tree_wipe(void *first, uint32_t offset, uint32_t len);

#endif
