/* SPDX-License-Identifier: BSD-2-Clause */
/* mmap() as far as the tests use it, on the heap: nothing is protected here. */
#ifndef TESTS_TARGET_SYS_MMAN_H
#define TESTS_TARGET_SYS_MMAN_H

#include <stddef.h>

#define PROT_NONE     0
#define PROT_READ     1
#define PROT_WRITE    2
#define MAP_PRIVATE   2
#define MAP_ANONYMOUS 0x20
#define MAP_NORESERVE 0x4000
#define MAP_FAILED    ((void *)-1)

/* Memory, zeroed if it may be read; a test that cannot have so much is skipped, with the reason. */
void *mmap(void *addr, size_t bytes, int prot, int flags, int fd, long offset);
int mprotect(void *addr, size_t bytes, int prot);
int munmap(void *addr, size_t bytes);

#endif
