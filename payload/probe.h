/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accesses that may fail: a fault becomes an error instead of a trap. Each points stvec behind
 * itself for the moment, so there is no table, and it works at any address that the image is run
 * from. Interrupts are off throughout the payload.
 */
#ifndef PAYLOAD_PROBE_H
#define PAYLOAD_PROBE_H

#include <stdint.h>

/*
 * probe_read32(), probe_read64(), probe_write32(), probe_write64(): one access to the naturally
 * aligned address @pa. Return 0, or -EMM_EFAULT if the hart trapped: nothing is there, or the
 * firmware keeps it to itself; *value is then unchanged. A bus may also swallow the access without
 * a fault (the PCIe window of QEMU's virt does).
 */
int probe_read32(uint64_t pa, uint32_t *value);
int probe_read64(uint64_t pa, uint64_t *value);
int probe_write32(uint64_t pa, uint32_t value);
int probe_write64(uint64_t pa, uint64_t value);

/*
 * probe_fill(), probe_verify(): @nr words from the aligned address @pa on are set to @pattern, or
 * compared with it; 1.3 or 2.3 instructions a word. *done: how many came before the one at which
 * it ended. Return 0, -EMM_EFAULT at a word that trapped, -EMM_EINVAL at one that differs.
 */
int probe_fill(uint64_t pa, uint64_t nr, uint64_t pattern, uint64_t *done);
int probe_verify(uint64_t pa, uint64_t nr, uint64_t pattern, uint64_t *done);

/* Ends the emulator with @status. Comes back if there is none, or none that listens. */
void semihosting_exit(int status);

#endif
