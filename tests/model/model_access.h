/* SPDX-License-Identifier: BSD-2-Clause */
/* Accesses of the modelled machine, each with the order that it is to have. */
#ifndef MODEL_ACCESS_H
#define MODEL_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

enum model_order {
	MODEL_RELAXED = 0,
	MODEL_ACQUIRE = 1,
	MODEL_RELEASE = 2,
	MODEL_ACQ_REL = 3,
	MODEL_FULL = 7, /* of LR/SC: lr.aq, sc.aqrl. MODEL_ACQ_REL is lr.aq, sc.rl */
};

uint64_t model_load(const uint64_t *p, unsigned int order);
void model_store(uint64_t *p, uint64_t v, unsigned int order);
uint64_t model_or(uint64_t *p, uint64_t v, unsigned int order);
uint64_t model_and(uint64_t *p, uint64_t v, unsigned int order);
uint64_t model_xchg(uint64_t *p, uint64_t v, unsigned int order);
bool model_cas(uint64_t *p, uint64_t expected, uint64_t desired, unsigned int order);
bool model_or_partial(uint64_t *p, uint64_t mask, uint64_t full, unsigned int order);
uint32_t model_load32(const uint32_t *p, unsigned int order);
void model_store32(uint32_t *p, uint32_t v, unsigned int order);
void model_fence(unsigned int order);

#endif
