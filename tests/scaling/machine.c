/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define STACK_BYTES 65536
#define QUANTUM     200 /* cycles that a hart may be ahead of others */
#define SPIN_LOOKS  4 /* at one word, with nothing between: it waits */

/* Who has the line. @writer: the one that may write it, plus one, and then the only sharer. */
struct line {
	uint64_t sharers[MACHINE_MAX_HARTS / 64];
	uint64_t free_at; /* when the last transfer of it is done */
	uint32_t transfers;
	uint16_t writer;
	uint8_t is_known; /* somebody has had it */
};

struct hart {
	ucontext_t entry;
	jmp_buf at;
	uint64_t now;
	bool started, done;
	struct line *waits_for; /* NULL: it does not */
	uint64_t last_look; /* the word that was read last, and how often in a row */
	unsigned int looks;
};

static struct {
	struct machine_costs costs;
	uint8_t *memory;
	uint64_t bytes; /* with the stacks behind */
	uint64_t data_bytes;
	struct line *lines;
	uint64_t nr_lines;
	struct hart harts[MACHINE_MAX_HARTS];
	uint32_t nr, now, nr_waiting;
	bool running;
	uint64_t until; /* a hart gives way from here on */
	jmp_buf main;
	void (*work)(void *arg, uint32_t hart);
	void *arg;
	struct machine_counts counts;
} m;

static void *map_bytes(uint64_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return p;
}

void machine_init(uint64_t bytes, const struct machine_costs *costs)
{
	memset(&m, 0, sizeof(m));
	m.costs = *costs;
	m.data_bytes = (bytes + 4095) & ~4095ULL;
	m.bytes = m.data_bytes + (uint64_t)MACHINE_MAX_HARTS * STACK_BYTES;
	m.memory = map_bytes(m.bytes);
	m.nr_lines = m.bytes / LINE_BYTES;
	m.lines = map_bytes(m.nr_lines * sizeof(*m.lines));
}

void *machine_memory(void)
{
	return m.memory;
}

void machine_free(void)
{
	munmap(m.memory, m.bytes);
	munmap(m.lines, m.nr_lines * sizeof(*m.lines));
}

void machine_reset(void)
{
	memset(&m.counts, 0, sizeof(m.counts));
	for (uint32_t i = 0; i < MACHINE_MAX_HARTS; i++)
		m.harts[i].now = 0;
	for (uint64_t i = 0; i < m.nr_lines; i++) {
		/* Lines that nobody has had stay untouched: there are many. */
		if (!m.lines[i].is_known)
			continue;
		m.lines[i].transfers = 0;
		m.lines[i].free_at = 0;
	}
}

void machine_count(struct machine_counts *counts)
{
	*counts = m.counts;
	for (uint64_t i = 0; i < m.nr_lines; i++) {
		if (m.lines[i].transfers <= counts->hot_transfers)
			continue;
		counts->hot_transfers = m.lines[i].transfers;
		counts->hot_at = i * LINE_BYTES;
	}
	for (uint32_t i = 0; i < MACHINE_MAX_HARTS; i++)
		if (m.harts[i].now > counts->cycles)
			counts->cycles = m.harts[i].now;
}

/* ---- turns ---- */

static void give_way(void)
{
	if (!_setjmp(m.harts[m.now].at))
		_longjmp(m.main, 1);
}

static void hart_main(unsigned int id)
{
	m.work(m.arg, id);
	m.harts[id].done = true;
	_longjmp(m.main, 1);
}

static void turn_of(uint32_t id)
{
	m.now = id;
	if (_setjmp(m.main))
		return;
	if (m.harts[id].started)
		_longjmp(m.harts[id].at, 1);
	m.harts[id].started = true;
	setcontext(&m.harts[id].entry);
}

static void start(uint32_t id)
{
	struct hart *h = &m.harts[id];

	getcontext(&h->entry);
	h->entry.uc_stack.ss_sp = m.memory + m.data_bytes + (uint64_t)id * STACK_BYTES;
	h->entry.uc_stack.ss_size = STACK_BYTES;
	h->entry.uc_link = NULL;
	makecontext(&h->entry, (void (*)(void))hart_main, 1, id);
	h->started = h->done = false;
	h->waits_for = NULL;
	h->looks = 0;
}

/* Nobody can go on: waits that are bounded end by themselves. */
static void wake_all(void)
{
	for (uint32_t i = 0; i < m.nr; i++) {
		m.harts[i].waits_for = NULL;
		m.harts[i].looks = 0;
	}
	m.nr_waiting = 0;
}

void machine_run(uint32_t nr, void (*work)(void *arg, uint32_t hart), void *arg)
{
	uint32_t left = nr;

	m.nr = nr;
	m.work = work;
	m.arg = arg;
	m.nr_waiting = 0;
	m.running = true;
	for (uint32_t i = 0; i < nr; i++)
		start(i);
	for (m.until = QUANTUM; left; m.until += QUANTUM) {
		bool any = false;

		for (uint32_t i = 0; i < nr; i++) {
			struct hart *h = &m.harts[i];

			if (h->done || h->waits_for)
				continue;
			any = true;
			if (h->now >= m.until)
				continue;
			turn_of(i);
			left -= h->done;
		}
		if (!any)
			wake_all();
	}
	m.running = false;
}

/* ---- accesses ---- */

static bool has(const struct line *l, uint32_t hart)
{
	return l->sharers[hart / 64] >> (hart % 64) & 1;
}

static bool others_have(const struct line *l, uint32_t hart)
{
	for (uint32_t i = 0; i < MACHINE_MAX_HARTS / 64; i++) {
		uint64_t others = l->sharers[i];

		if (hart / 64 == i)
			others &= ~(1ULL << (hart % 64));
		if (others)
			return true;
	}
	return false;
}

static void wake_waiting(const struct line *l, uint64_t now)
{
	for (uint32_t i = 0; i < m.nr && m.nr_waiting; i++) {
		struct hart *h = &m.harts[i];

		if (h->waits_for != l)
			continue;
		h->waits_for = NULL;
		h->looks = 0;
		if (h->now < now)
			h->now = now;
		m.nr_waiting--;
	}
}

/* From another hart, or, which costs the same, from where that wrote it back to. */
static void transfer(struct hart *h, struct line *l)
{
	if (h->now < l->free_at)
		h->now = l->free_at;
	h->now += m.costs.transfer;
	l->free_at = h->now;
	l->transfers++;
	m.counts.transfers++;
}

static void touch(struct line *l, bool writes)
{
	struct hart *h = &m.harts[m.now];

	if (!l->is_known) {
		l->is_known = 1;
		m.counts.cold++;
	} else if (writes ? l->writer != m.now + 1 && others_have(l, m.now) : !has(l, m.now)) {
		transfer(h, l);
	}
	if (writes) {
		memset(l->sharers, 0, sizeof(l->sharers));
		l->writer = (uint16_t)(m.now + 1);
	} else if (l->writer != m.now + 1) {
		l->writer = 0;
	}
	l->sharers[m.now / 64] |= 1ULL << (m.now % 64);
	if (writes && m.nr_waiting)
		wake_waiting(l, h->now);
}

static void access_memory(const void *p, uint64_t bytes, bool writes)
{
	uint64_t at = (uint64_t)((uintptr_t)p - (uintptr_t)m.memory);
	struct hart *h = &m.harts[m.now];

	if (!m.running || at >= m.bytes)
		return;
	/* Before it is accounted for: nobody comes between that and the access itself. */
	if (h->now >= m.until)
		give_way();
	m.counts.accesses++;
	h->now += m.costs.access;
	for (uint64_t i = at / LINE_BYTES; i <= (at + bytes - 1) / LINE_BYTES; i++)
		touch(&m.lines[i], writes);
}

static void plain(const void *p, uint64_t bytes, bool writes)
{
	m.harts[m.now].looks = 0;
	access_memory(p, bytes, writes);
}

static void atomic(const void *p, uint64_t bytes)
{
	plain(p, bytes, true);
	if (m.running) {
		m.counts.atomics++;
		m.harts[m.now].now += m.costs.atomic;
	}
}

/* Who looks at nothing but one word waits until another hart writes that line. */
static void look(const void *p, uint64_t bytes)
{
	struct hart *h = &m.harts[m.now];
	uint64_t at = (uint64_t)((uintptr_t)p - (uintptr_t)m.memory);

	access_memory(p, bytes, false);
	if (!m.running || at >= m.bytes)
		return;
	h->looks = h->last_look == at ? h->looks + 1 : 0;
	h->last_look = at;
	if (h->looks < SPIN_LOOKS || !has(&m.lines[at / LINE_BYTES], m.now))
		return;
	h->waits_for = &m.lines[at / LINE_BYTES];
	m.nr_waiting++;
	give_way();
	access_memory(p, bytes, false);
}

/* ---- in place of the sanitizer's library ---- */

#define HOOK(ret) ret __attribute__((used))

#define PLAIN(size)                                      \
	void __tsan_read##size(void *p);                 \
	void __tsan_write##size(void *p);                \
	void __tsan_unaligned_read##size(void *p);       \
	void __tsan_unaligned_write##size(void *p);      \
	HOOK(void) __tsan_read##size(void *p)            \
	{                                                \
		plain(p, size, false);                   \
	}                                                \
	HOOK(void) __tsan_write##size(void *p)           \
	{                                                \
		plain(p, size, true);                    \
	}                                                \
	HOOK(void) __tsan_unaligned_read##size(void *p)  \
	{                                                \
		plain(p, size, false);                   \
	}                                                \
	HOOK(void) __tsan_unaligned_write##size(void *p) \
	{                                                \
		plain(p, size, true);                    \
	}

PLAIN(1)
PLAIN(2)
PLAIN(4)
PLAIN(8)
PLAIN(16)

void __tsan_init(void);
void __tsan_func_entry(void *pc);
void __tsan_func_exit(void);
void __tsan_read_range(void *p, unsigned long bytes);
void __tsan_write_range(void *p, unsigned long bytes);
void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_signal_fence(int order);

HOOK(void) __tsan_init(void)
{
}

HOOK(void) __tsan_func_entry(void *pc)
{
	(void)pc;
}

HOOK(void) __tsan_func_exit(void)
{
}

HOOK(void) __tsan_read_range(void *p, unsigned long bytes)
{
	if (bytes)
		plain(p, bytes, false);
}

HOOK(void) __tsan_write_range(void *p, unsigned long bytes)
{
	if (bytes)
		plain(p, bytes, true);
}

HOOK(void) __tsan_atomic_thread_fence(int order)
{
	(void)order;
}

HOOK(void) __tsan_atomic_signal_fence(int order)
{
	(void)order;
}

/* Harts are coroutines: nothing comes between the lines below. */
#define RMW(bits, name, expr)                                                                     \
	uint##bits##_t __tsan_atomic##bits##_##name(volatile uint##bits##_t *p, uint##bits##_t v, \
						    int order);                                   \
	HOOK(uint##bits##_t)                                                                      \
	__tsan_atomic##bits##_##name(volatile uint##bits##_t *p, uint##bits##_t v, int order)     \
	{                                                                                         \
		uint##bits##_t old;                                                               \
                                                                                                  \
		(void)order;                                                                      \
		atomic((const void *)(uintptr_t)p, sizeof(*p));                                   \
		old = *p;                                                                         \
		*p = (expr);                                                                      \
		return old;                                                                       \
	}

#define CAS(bits, kind)                                                                           \
	int __tsan_atomic##bits##_compare_exchange_##kind(volatile uint##bits##_t *p,             \
							  uint##bits##_t *expected,               \
							  uint##bits##_t v, int order,            \
							  int failed);                            \
	HOOK(int)                                                                                 \
	__tsan_atomic##bits##_compare_exchange_##kind(volatile uint##bits##_t *p,                 \
						      uint##bits##_t *expected, uint##bits##_t v, \
						      int order, int failed)                      \
	{                                                                                         \
		uint##bits##_t old;                                                               \
		bool same;                                                                        \
                                                                                                  \
		(void)order;                                                                      \
		(void)failed;                                                                     \
		atomic((const void *)(uintptr_t)p, sizeof(*p));                                   \
		old = *p;                                                                         \
		same = old == *expected;                                                          \
		if (same)                                                                         \
			*p = v;                                                                   \
		else                                                                              \
			*expected = old;                                                          \
		return same;                                                                      \
	}

#define ATOMICS(bits)                                                                              \
	uint##bits##_t __tsan_atomic##bits##_load(const volatile uint##bits##_t *p, int order);    \
	void __tsan_atomic##bits##_store(volatile uint##bits##_t *p, uint##bits##_t v, int order); \
	HOOK(uint##bits##_t)                                                                       \
	__tsan_atomic##bits##_load(const volatile uint##bits##_t *p, int order)                    \
	{                                                                                          \
		(void)order;                                                                       \
		look((const void *)(uintptr_t)p, sizeof(*p));                                      \
		return *p;                                                                         \
	}                                                                                          \
	HOOK(void)                                                                                 \
	__tsan_atomic##bits##_store(volatile uint##bits##_t *p, uint##bits##_t v, int order)       \
	{                                                                                          \
		(void)order;                                                                       \
		plain((const void *)(uintptr_t)p, sizeof(*p), true);                               \
		*p = v;                                                                            \
	}                                                                                          \
	RMW(bits, exchange, v)                                                                     \
	RMW(bits, fetch_add, old + v)                                                              \
	RMW(bits, fetch_sub, old - v)                                                              \
	RMW(bits, fetch_and, old &v)                                                               \
	RMW(bits, fetch_or, old | v)                                                               \
	CAS(bits, strong)                                                                          \
	CAS(bits, weak)

ATOMICS(32)
ATOMICS(64)
