/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owners on record: a client whose right frees are never refused, and misuses of every kind among
 * them, each of which is found, told in full, and changes nothing.
 */
#include "helper_page_client.h"

#include "helper_page_model.h"
#include "page_record.h"

#include <earlymm/error.h>

#include <stdlib.h>
#include <string.h>

#define NR_LIVE 4000

enum misuse_kind {
	AT_ONCE, /* a second free right after the first */
	LATE, /* a second free of what was freed a while ago */
	OTHER_ORDER,
	WILD,
	NOT_OURS, /* reserved, no-map, a gap, never handed out */
	INSIDE,
	UNALIGNED,
	ANYTHING,
	NO_ORDER, /* above BUDDY_MAX_ORDER */
	NR_KINDS,
};

struct misuse {
	uint64_t pfn;
	unsigned int order;
	int err;
	const char *what;
};

/* Two zones; in the first a hole, a no-map range in the same tree, and reserved memory. */
static void start(struct helper_pages *f)
{
	f->cfg.features = PAGE_ALLOC_OWNER;
	f->cfg.nr_harts = 2;
	f->cfg.out = &f->h->printer;
	helper_pages_ram(f, 0x80000000, MIB(48), 0);
	helper_pages_ram(f, 0x90003000, MIB(48), 0);
	helper_pages_ram(f, 0x100000000, MIB(16), 0);
	assert_int_equal(memblock_mark_nomap(&f->h->mb, 0x81000000, MIB(1)), 0);
	assert_int_equal(memblock_reserve(&f->h->mb, 0x82000000, MIB(1)), 0);
	helper_pages_start(f);
}

/* ---- what must be found ---- */

/* What is wrong with a free? False: nothing. */
static bool judge(const struct page_client *c, struct misuse *m)
{
	uint64_t i = client_index(c, m->pfn);
	const struct client_block *b;

	m->err = -EMM_EINVAL;
	m->what = "no such order";
	if (m->order > BUDDY_MAX_ORDER)
		return true;
	if (i == UINT64_MAX) {
		m->err = -EMM_ERANGE;
		m->what = "outside memory";
		return true;
	}
	m->what = "not aligned to its order";
	if (m->pfn & ((1ULL << m->order) - 1))
		return true;
	if (!c->block_of[i]) {
		m->err = c->used_once[i] ? -EMM_EDOUBLE : -EMM_ERANGE;
		m->what = c->used_once[i] ? "double free" : "never handed out";
		return true;
	}
	b = &c->live[c->block_of[i] - 1];
	m->what = "inside a block in use";
	if (b->pfn != m->pfn)
		return true;
	m->what = "wrong order";
	return b->order != m->order;
}

static const struct client_block *random_block(struct page_client *c)
{
	return &c->live[client_random(c) % c->nr_live];
}

/* A free that may be wrong, of this kind. */
static struct misuse invent(struct page_client *c, enum misuse_kind kind)
{
	const struct client_block *b = random_block(c);
	struct misuse m = { .pfn = b->pfn, .order = b->order };
	uint64_t pick = client_random(c);

	switch (kind) {
	case AT_ONCE:
		client_free(c, (unsigned int)(b - c->live));
		break;
	case LATE:
		if (c->nr_freed)
			b = &c->freed[pick % (c->nr_freed < CLIENT_HISTORY ? c->nr_freed
									   : CLIENT_HISTORY)];
		m.pfn = b->pfn;
		m.order = b->order;
		break;
	case OTHER_ORDER:
		m.order = (unsigned int)(pick % (BUDDY_MAX_ORDER + 1));
		break;
	case WILD:
		m.pfn = (pick << 11 | pick) >> pick % 40;
		break;
	case NOT_OURS:
		m.pfn = client_random_pfn(c);
		for (int i = 0; i < 100 && c->used_once[client_index(c, m.pfn)]; i++)
			m.pfn = client_random_pfn(c);
		m.order = pick & 1 ? 0 : m.order;
		break;
	case INSIDE:
		m.pfn += pick & ((1ULL << b->order) - 1);
		m.order = pick >> 20 & 1 ? 0 : (unsigned int)(pick >> 21) % 4;
		m.pfn &= ~((1ULL << m.order) - 1);
		break;
	case UNALIGNED:
		m.pfn += pick % 600;
		break;
	case ANYTHING:
		m.pfn = client_random_pfn(c);
		m.order = client_random_order(c);
		break;
	default:
		m.order = (unsigned int)(BUDDY_MAX_ORDER + 1 + (pick >> 8) % (1U << pick % 20));
		break;
	}
	return m;
}

/* ---- nothing has changed ---- */

struct snapshot {
	uint64_t *words;
	uint64_t nr_words;
};

/* The zones' buddies, books and quarantines, and with @all what is recorded. */
static void visit_metadata(struct page_alloc *pa, struct snapshot *s, bool all, bool compare)
{
	s->nr_words = 0;
	for (uint32_t i = 0; i < pa->nr_zones; i++) {
		struct mm *mm = &pa->zones[i].mm;
		const uint64_t *p = phys_to_virt(pa->map, mm->meta_pa, mm->meta_bytes);
		const uint64_t *end = p + mm->meta_bytes / 8;

		if (!all)
			end = (const uint64_t *)pa->zones[i].records;
		for (; p < end; p++, s->nr_words++) {
			if (!compare && s->words)
				s->words[s->nr_words] = *p;
			if (compare)
				assert_true(s->words[s->nr_words] == *p);
		}
	}
}

static void expect_unchanged(struct page_alloc *pa, struct snapshot *s, bool all)
{
	visit_metadata(pa, s, all, true);
}

/* ---- the line ---- */

static const char *skip_text(const char *at, const char *text)
{
	size_t n = strlen(text);

	if (strncmp(at, text, n) != 0)
		fail_msg("\"%s\" does not go on with \"%s\"", at, text);
	return at + n;
}

static uint64_t number(const char **at, unsigned int base)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t value = 0;
	const char *digit;

	assert_non_null(memchr(digits, **at, base));
	for (; **at && (digit = memchr(digits, **at, base)) != NULL; ++*at)
		value = value * base + (uint64_t)(digit - digits);
	return value;
}

/* "page_owner: free of pfn 0x1, order 2: what; called from 0x3; on record: ..." */
static const char *read_call(const char *at, const char *call, const struct misuse *m,
			     unsigned int by)
{
	at = skip_text(skip_text(skip_text(at, "page_owner: "), call), " of pfn 0x");
	assert_true(number(&at, 16) == m->pfn);
	at = skip_text(at, ", order ");
	assert_int_equal(number(&at, 10), m->order);
	at = skip_text(skip_text(skip_text(at, ": "), m->what), "; called from 0x");
	assert_int_equal(client_caller_at(number(&at, 16), true), by + 1);
	return skip_text(at, "; on record: order ");
}

static void expect_caller(uint64_t address, unsigned int want, bool in_free)
{
	if (want)
		assert_int_equal(client_caller_at(address, in_free), want);
	else
		assert_int_equal(address, 0);
}

/* The block that it says the frame is, or was, in. */
static void read_record(const char *at, const struct page_client *c, const struct misuse *m)
{
	static const char *const states[] = { "never handed out", "in use", "free" };
	uint64_t i = client_index(c, m->pfn), order = number(&at, 10), first;
	struct client_head none = { 0 };
	const struct client_head *head = &none;
	unsigned int state = PAGE_NEVER_USED;

	at = skip_text(at, " at pfn 0x");
	first = number(&at, 16);
	assert_true(m->pfn - first < 1ULL << order);
	if (i != UINT64_MAX && (c->block_of[i] || c->used_once[i])) {
		state = c->block_of[i] ? PAGE_IN_USE : PAGE_FREED;
		head = &c->head[client_index(c, first)];
	}
	if (state == PAGE_IN_USE)
		assert_int_equal(c->live[c->block_of[i] - 1].pfn, first);
	/* What a page that was inside a block was part of may be forgotten. */
	if (state == PAGE_FREED && head->state != PAGE_FREED) {
		assert_true(first == m->pfn && head->state == PAGE_NEVER_USED);
		head = &none;
	}
	assert_int_equal(order, head->order);
	at = skip_text(skip_text(skip_text(at, ", "), states[state]), ", allocated by 0x");
	expect_caller(number(&at, 16), head->allocated_by, false);
	at = skip_text(at, ", freed by 0x");
	expect_caller(number(&at, 16), head->freed_by, true);
	assert_string_equal(at, "\n");
}

/* ---- all of it ---- */

static void try_misuse(struct page_client *c, struct snapshot *s, const struct misuse *m, bool all)
{
	unsigned int by = (unsigned int)(client_random(c) % CLIENT_CALLERS);
	struct page_hart *h = &c->f->pa.harts[client_random(c) & 1];
	struct helper_text *out = &c->f->h->out;
	uint64_t before = c->f->pa.misuses;
	const struct page_records *last = h->watch->last;
	uint32_t refusals = h->refusals;

	assert_int_equal(out->len, 0);
	visit_metadata(&c->f->pa, s, all, false);
	assert_int_equal(client_callers[by].free(h, m->pfn, m->order), m->err);
	assert_int_equal(h->refusals - refusals, m->order > BUDDY_MAX_ORDER);
	/* What changes though: a count, and where the records were found last. */
	h->refusals = refusals;
	h->watch->last = last;
	expect_unchanged(&c->f->pa, s, all);
	assert_int_equal(c->f->pa.misuses, before + 1);
	read_record(read_call(out->text, "free", m, by), c, m);
	out->len = 0;
	out->text[0] = 0;
}

static void test_client(void **state)
{
	struct helper_pages *f = *state;
	uint64_t ops = page_model_env("OWNER_OPS", 200000);
	uint64_t wanted = page_model_env("OWNER_MISUSES", 12000);
	unsigned int nr[NR_KINDS] = { 0 }, max_live = 0;
	struct snapshot s = { .words = NULL };
	struct page_client *c;
	uint64_t found = 0;

	start(f);
	c = client_begin(f, page_model_env("OWNER_SEED", 7));
	visit_metadata(&f->pa, &s, true, false);
	s.words = malloc(s.nr_words * 8 + 8);
	assert_non_null(s.words);
	for (uint64_t i = 0; i < ops; i++) {
		enum misuse_kind kind = (enum misuse_kind)(client_random(c) % NR_KINDS);
		struct misuse m;

		client_step(c, client_random(c) & 1 ? __GFP_COMP : 0, NR_LIVE);
		client_check_compound(c, client_random_pfn(c), true);
		if (c->nr_live > max_live)
			max_live = c->nr_live;
		if (i % (ops / 16) == 0)
			helper_pages_expect(f, c->used);
		/* Spread over the whole run. */
		if (!c->nr_live || i * wanted / ops <= found)
			continue;
		m = invent(c, kind);
		if (!judge(c, &m))
			continue;
		try_misuse(c, &s, &m, found++ % 64 == 0);
		nr[kind]++;
	}
	assert_true(found + found / 50 >= wanted && f->pa.misuses == found);
	for (unsigned int kind = 0; kind < NR_KINDS; kind++)
		assert_true(nr[kind] >= wanted / 50);
	assert_true(max_live >= (ops < 20000 ? 500 : 3000));
	client_free_all(c);
	assert_int_equal(f->h->out.len, 0);
	helper_pages_expect(f, 0);
	free(s.words);
	client_end(c);
}

/* Wrong splits are found, too; the parts of a right one are blocks of their own. */
static void test_split(void **state)
{
	struct helper_pages *f = *state;
	struct misuse m = { .order = 4, .what = "wrong order" };
	struct page_owner_info info;
	struct page_hart *h;
	uint64_t pfn;

	start(f);
	h = &f->pa.harts[0];
	pfn = (uint64_t)client_callers[1].alloc(h, 0, 5);
	assert_int_equal(page_record_split(h, pfn, 4, 0, (uintptr_t)client_callers[2].free + 1),
			 -EMM_EINVAL);
	m.pfn = pfn;
	read_call(f->h->out.text, "split", &m, 2);
	f->h->out.len = 0;
	assert_int_equal(page_record_split(h, pfn + 32, 5, 0, 0), -EMM_ERANGE);
	assert_int_equal(f->pa.misuses, 2);
	assert_int_equal(page_record_split(h, pfn, 5, 5, 0), 0);
	assert_int_equal(compound_order(&f->pa, pfn + 31), 5);
	assert_int_equal(page_record_split(h, pfn, 5, 2, 0), 0);
	assert_int_equal(buddy_split(&f->pa.zones[1].mm.buddy.harts[0], pfn, 5), 0);
	assert_int_equal(free_pages(h, pfn, 5), -EMM_EINVAL);
	assert_int_equal(compound_head(&f->pa, pfn + 7), pfn + 4);
	assert_int_equal(page_owner_lookup(&f->pa, pfn + 7, &info), 0);
	assert_true(info.pfn == pfn + 4 && info.order == 2 && info.state == PAGE_IN_USE);
	assert_int_equal(client_caller_at(info.allocated_by, false), 2);
	assert_int_equal(page_record_split(h, pfn + 28, 2, 0, 0), 0);
	assert_int_equal(page_record_split(h, pfn + 30, 0, 0, 0), 0);
	assert_int_equal(compound_head(&f->pa, pfn + 30), pfn + 30);
	for (uint64_t i = 0; i < 28; i += 4)
		assert_int_equal(free_pages(h, pfn + i, 2), 0);
	for (uint64_t i = 28; i < 32; i++)
		assert_int_equal(free_pages(h, pfn + i, 0), 0);
	assert_int_equal(free_pages(h, pfn + 4, 2), -EMM_EDOUBLE);
	assert_int_equal(free_pages(h, pfn + 31, 0), -EMM_EDOUBLE);
	assert_int_equal(f->pa.misuses, 5);
	helper_pages_expect(f, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		pages_test(test_client),
		pages_test(test_split),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
