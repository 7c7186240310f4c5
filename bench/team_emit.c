/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of workloads on several harts. */
#include "team.h"

static void open_team(struct record *rec, const struct team *t, const struct team_kind *kind,
		      const char *type)
{
	const struct page_allocator_ops *ops = t->r->pa->ops;

	record_open(rec, &t->b->records, type);
	record_word(rec, "bench", kind->wl.name);
	record_word(rec, "alloc", ops->name);
	record_word(rec, "where", t->r->place->name);
	record_word(rec, "setting", ops->setting);
	if (ops->hot)
		record_word(rec, "hot", ops->hot);
}

static void put_team(struct record *rec, const struct team *t, const struct team_kind *kind)
{
	record_uint(rec, "harts", t->nr);
	if (kind->slots && team_is_possible(t->b))
		record_uint(rec, "slots", kind->slots(t->b));
	record_word(rec, "op", kind->wl.op[0]);
}

/* Instructions and cycles of all harts together; tb from the start to the last one's end. */
void emit_team_smp(const struct team *t, const struct team_kind *kind, uint64_t ops)
{
	uint64_t ins = 0, cyc = 0;
	struct record rec;

	for (uint32_t i = 0; i < t->nr; i++) {
		ins += t->b->work[i].res.time.ins;
		cyc += t->b->work[i].res.time.cyc;
	}
	open_team(&rec, t, kind, "smp");
	record_uint(&rec, "arena", t->r->place->pages);
	put_team(&rec, t, kind);
	record_uint(&rec, "rep", t->r->rep);
	record_uint(&rec, "ops", ops);
	record_uint(&rec, "ins", ins);
	record_uint(&rec, "cyc", cyc);
	record_uint(&rec, "tb", t->wall_tb);
	record_uint(&rec, "fail", t->r->failed_allocs + t->r->failed_frees);
	record_hex16(&rec, "chk", t->r->chk);
	record_close(&rec);
}

void emit_team_own(const struct team *t, const struct team_kind *kind)
{
	struct record rec, longer;

	open_team(&rec, t, kind, "own");
	put_team(&rec, t, kind);
	record_uint(&rec, "rep", t->r->rep);
	for (uint32_t i = 0; i < t->nr; i++) {
		longer = rec;
		record_bucket(&longer, "tb", i, t->b->work[i].own_tb);
		if (!record_fits(&longer)) {
			record_close(&rec);
			open_team(&longer, t, kind, "own");
			put_team(&longer, t, kind);
			record_uint(&longer, "rep", t->r->rep);
			record_bucket(&longer, "tb", i, t->b->work[i].own_tb);
		}
		rec = longer;
	}
	record_close(&rec);
}

void emit_team_res(const struct team *t, const struct team_kind *kind, int64_t kops_x100,
		   int64_t ratio_x100)
{
	struct record rec;

	open_team(&rec, t, kind, "res");
	put_team(&rec, t, kind);
	record_word(&rec, "unit", "kops");
	if (kops_x100 == FIGURE_NA) {
		record_word(&rec, "net_x100", "na");
	} else {
		record_int(&rec, "net_x100", kops_x100);
		record_int(&rec, "ratio_x100", ratio_x100);
	}
	record_close(&rec);
}
