/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MODEL_RANDOM_PROGRAMS_H
#define MODEL_RANDOM_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The next program of the sequence @rng, which is not 0, into @text. */
void random_program(char *text, size_t size, uint64_t *rng, unsigned int nr_harts);

#endif
