/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the harts share. Private to payload/harts*.c. */
#ifndef PAYLOAD_HARTS_STATE_H
#define PAYLOAD_HARTS_STATE_H

#include "harts.h"
#include "sbi.h"

struct harts {
	uint32_t nr_usable; /* in the tree */
	uint32_t nr_planned; /* 0: there is no plan yet */
	uint32_t nr; /* that run */
	uint32_t nr_left_out;
	bool has_hsm; /* the firmware can start harts, as far as anybody has asked it */
	uint64_t took_us; /* to start them */
	bool failed;
	enum sbi_ipi ipi;
	struct page_alloc *pages;
};
extern struct harts harts;

/*
 * By number; those of the plan that do not run are behind them. NULL: it was given no memory. Only
 * valid up to nr_planned, as are the facts from the tree.
 */
extern struct hart *harts_list[MAX_HARTS];
extern struct dt_hart harts_found[MAX_HARTS];

/* In start.S: where they begin, with a struct hart as their argument. And where that goes on. */
void hart_entry(void);
_Noreturn void hart_main(struct hart *hart);

static inline uint32_t read_once(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline void write_once(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

#endif
