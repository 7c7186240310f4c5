/* SPDX-License-Identifier: BSD-2-Clause */
/* What libFuzzer calls, and what it offers. https://llvm.org/docs/LibFuzzer.html */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Changes @data in place; returns its new size, at most @max_size. Where it is there, it is used. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

/* libFuzzer's own mutations. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

#endif
