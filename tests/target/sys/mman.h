/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory without a file, as some tests simulate RAM with. It comes from the tests' heap (libc.c):
 * all of it is there from the beginning, nothing is protected, and, like RAM, it is not zero.
 */
#ifndef TESTS_TARGET_SYS_MMAN_H
#define TESTS_TARGET_SYS_MMAN_H

#include <stddef.h>
#include <sys/types.h>

#define PROT_NONE     0
#define PROT_READ     1
#define PROT_WRITE    2
#define MAP_PRIVATE   0x02
#define MAP_ANONYMOUS 0x20
#define MAP_NORESERVE 0x4000
#define MAP_FAILED    ((void *)-1)

void *mmap(void *addr, size_t bytes, int prot, int flags, int fd, off_t offset);
int munmap(void *addr, size_t bytes);
int mprotect(void *addr, size_t bytes, int prot);

#endif
