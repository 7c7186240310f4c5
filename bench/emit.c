/* SPDX-License-Identifier: BSD-2-Clause */
/* The records, type by type. docs/benchmark.md says what each key means. */
#include "bench_impl.h"

#ifdef __clang__
#define CC_NAME "clang-"
#define CC_VERSION \
	STRING(__clang_major__) "." STRING(__clang_minor__) "." STRING(__clang_patchlevel__)
#else
#define CC_NAME    "gcc-"
#define CC_VERSION STRING(__GNUC__) "." STRING(__GNUC_MINOR__) "." STRING(__GNUC_PATCHLEVEL__)
#endif
#define STRING_OF(x) #x
#define STRING(x)    STRING_OF(x)

#if !defined(__riscv)
#define ISA_BASE "host"
#elif __riscv_xlen == 64 && defined(__riscv_compressed) && defined(__riscv_flen) && \
	__riscv_flen >= 64
#define ISA_BASE "rv64gc"
#else
#define ISA_BASE "rv" STRING(__riscv_xlen)
#endif
#ifdef __riscv_zba
#define ISA_ZBA "_zba"
#else
#define ISA_ZBA ""
#endif
#ifdef __riscv_zbb
#define ISA_ZBB "_zbb"
#else
#define ISA_ZBB ""
#endif
#ifdef __riscv_zbs
#define ISA_ZBS "_zbs"
#else
#define ISA_ZBS ""
#endif

const char *bench_build_isa(void)
{
	return ISA_BASE ISA_ZBA ISA_ZBB ISA_ZBS;
}

const char *bench_build_cc(void)
{
	return CC_NAME CC_VERSION;
}

/* Words from outside are cut to @max characters each. */
static void build_run(struct record *r, struct bench *b, const struct bench_run_info *info,
		      unsigned int max)
{
	record_open(r, &b->records, "run");
	record_uint(r, "id", info->id);
	record_word_max(r, "board", info->board, max);
	record_word_max(r, "isa", info->isa, max);
	record_uint(r, "harts", info->harts);
	record_uint(r, "tb_hz", b->cfg.clock.tb_hz);
	record_uint(r, "mem_kib", info->mem_kib);
	record_uint(r, "page", PAGE_SIZE);
	record_uint(r, "sbi_impl", info->sbi_impl);
	record_uint(r, "sbi_ver", info->sbi_ver);
	record_word_max(r, "build", info->build, max);
	record_word_max(r, "cc", info->cc, max);
	record_word_max(r, "opt", info->opt, max);
	if (info->hot)
		record_word_max(r, "hot", info->hot, max);
	record_word(r, "ins", b->exact ? "exact" : "noisy");
}

void bench_record_run(struct bench *b, const struct bench_run_info *info)
{
	struct record r;

	/* The words are cut only as far as the line's length needs it. */
	for (unsigned int max = 48; max; max -= max > 4 ? 4 : 1) {
		build_run(&r, b, info, max);
		if (record_fits(&r))
			break;
	}
	record_close(&r);
}

void bench_record_early(struct bench *b, const char *kind, uint64_t meta_bytes)
{
	struct record r;

	record_open(&r, &b->records, "early");
	record_word(&r, "kind", kind);
	record_uint(&r, "meta_bytes", meta_bytes);
	record_close(&r);
}

void bench_record_phase(struct bench *b, const struct bench_phase *phase)
{
	struct record r;

	record_open(&r, &b->records, "phase");
	record_word(&r, "name", phase->name);
	record_uint(&r, "ins", phase->ins);
	record_uint(&r, "cyc", phase->cyc);
	record_uint(&r, "tb", phase->tb);
	record_close(&r);
	if (same_word(phase->name, "handover")) {
		b->has_handover = true;
		b->handover_ins = phase->ins;
	} else if (same_word(phase->name, "ready")) {
		b->has_ready = true;
		b->ready_ins = phase->ins;
	}
}

static void open_mem(struct record *r, struct bench *b, const struct bench_mem *mem)
{
	record_open(r, &b->records, "mem");
	record_int(r, "node", mem->node);
	record_word_max(r, "zone", mem->zone, 16);
	record_uint(r, "start", mem->start_pfn);
}

/* Causes that do not fit go into further records of the same zone. */
void bench_record_mem(struct bench *b, const struct bench_mem *mem)
{
	struct record r, longer;

	open_mem(&r, b, mem);
	record_uint(&r, "present", mem->present);
	record_uint(&r, "managed", mem->managed);
	record_uint(&r, "reserved", mem->reserved);
	record_uint(&r, "free", mem->free);
	record_uint(&r, "meta_bytes", mem->meta_bytes);
	for (unsigned int i = 0; i < mem->nr_causes; i++) {
		if (!mem->causes[i].pages)
			continue;
		longer = r;
		record_uint(&longer, mem->causes[i].key, mem->causes[i].pages);
		if (!record_fits(&longer)) {
			record_close(&r);
			open_mem(&longer, b, mem);
			record_uint(&longer, mem->causes[i].key, mem->causes[i].pages);
		}
		r = longer;
	}
	record_close(&r);
}

/* What says which case it was, the same in cal, smp and res. */
static void put_case(struct record *rec, const struct bench_rep *r, unsigned int op)
{
	if (r->wl->bit & (BENCH_CHURN | BENCH_CHURN0 | BENCH_LATENCY))
		record_uint(rec, "slots", r->place->scale.slots);
	if (r->wl->bit == BENCH_FRAG)
		record_uint(rec, "slots", r->place->scale.frag_slots);
	if (r->wl->by_order) {
		record_uint(rec, "order", r->order);
		record_word(rec, "state", r->held ? "held" : "empty");
	}
	if (r->wl->bit & (BENCH_AGE | BENCH_BURST))
		record_uint(rec, "live", r->place->scale.live);
	record_word(rec, "op", r->wl->op[op]);
}

static void put_sample(struct record *rec, const struct bench_rep *r, unsigned int op)
{
	record_uint(rec, "rep", r->rep);
	record_uint(rec, "ops", r->ops[op]);
	record_uint(rec, "ins", r->time[op].ins);
	record_uint(rec, "cyc", r->time[op].cyc);
	record_uint(rec, "tb", r->time[op].tb);
}

static void open_case(struct record *rec, const struct bench_rep *r, const char *type)
{
	record_open(rec, &r->b->records, type);
	record_word(rec, "bench", r->wl->name);
	record_word(rec, "alloc", r->pa->ops->name);
	record_word(rec, "where", r->place->name);
	record_word(rec, "setting", r->pa->ops->setting);
	if (r->pa->ops->hot)
		record_word(rec, "hot", r->pa->ops->hot);
}

void emit_cal(const struct bench_rep *r, unsigned int op)
{
	struct record rec;

	record_open(&rec, &r->b->records, "cal");
	record_word(&rec, "bench", r->wl->name);
	record_word(&rec, "where", r->place->name);
	if (r->wl->bit == BENCH_BURST)
		record_uint(&rec, "burst", r->place->scale.burst);
	put_case(&rec, r, op);
	put_sample(&rec, r, op);
	record_close(&rec);
}

void emit_smp(const struct bench_rep *r, unsigned int op, uint16_t chk)
{
	struct record rec;

	open_case(&rec, r, "smp");
	record_uint(&rec, "arena", r->place->pages);
	put_case(&rec, r, op);
	put_sample(&rec, r, op);
	record_uint(&rec, "fail", r->failed_allocs + r->failed_frees);
	record_hex16(&rec, "chk", chk);
	record_close(&rec);
}

void emit_res(const struct bench_rep *r, unsigned int op, int64_t net_x100)
{
	struct record rec;

	open_case(&rec, r, "res");
	put_case(&rec, r, op);
	record_word(&rec, "unit", r->b->exact ? "ins" : "ns");
	if (net_x100 == FIGURE_NA)
		record_word(&rec, "net_x100", "na");
	else
		record_int(&rec, "net_x100", net_x100);
	record_close(&rec);
}

void emit_frag(const struct bench_rep *r, bool mix, const struct frag_result *result)
{
	struct record rec;

	open_case(&rec, r, "frag");
	record_uint(&rec, "arena", r->place->pages);
	if (mix)
		record_word(&rec, "order", "mix");
	else
		record_uint(&rec, "order", r->order);
	if (result->state)
		record_word(&rec, "state", result->state);
	if (result->had == UINT64_MAX) {
		record_word(&rec, "had", "na");
		record_word(&rec, "ideal", "na");
	} else {
		record_uint(&rec, "had", result->had);
		record_uint(&rec, "ideal", result->ideal);
		record_hex16(&rec, "chk", result->chk);
	}
	record_close(&rec);
}

static void open_hist(struct record *rec, const struct bench_rep *r, unsigned int op)
{
	static const char *const ops[BENCH_LATENCY_OPS] = { "alloc", "free" };

	open_case(rec, r, "hist");
	record_word(rec, "op", ops[op]);
}

/* A bucket is a value and how often it was. What does not fit goes into further records. */
void emit_hist(const struct bench_rep *r, unsigned int op, const struct bench_latency *latency,
	       const int64_t *sorted, uint64_t n)
{
	struct record rec, longer;
	uint64_t part = 0, first = 0;

	open_hist(&rec, r, op);
	record_word(&rec, "unit", r->b->exact ? "ins" : "ns");
	record_uint(&rec, "n", n);
	record_int(&rec, "min", latency->min);
	record_int(&rec, "p50", latency->p50);
	record_int(&rec, "p90", latency->p90);
	record_int(&rec, "p99", latency->p99);
	record_int(&rec, "p999", latency->p999);
	record_int(&rec, "max", latency->max);
	for (uint64_t i = 1; i <= n; i++) {
		if (i < n && sorted[i] == sorted[first])
			continue;
		longer = rec;
		record_bucket(&longer, "buckets", sorted[first], i - first);
		if (!record_fits(&longer)) {
			record_close(&rec);
			open_hist(&longer, r, op);
			record_uint(&longer, "part", ++part);
			record_bucket(&longer, "buckets", sorted[first], i - first);
		}
		rec = longer;
		first = i;
	}
	record_close(&rec);
}

void emit_hist_na(const struct bench_rep *r, unsigned int op)
{
	struct record rec;

	open_hist(&rec, r, op);
	record_word(&rec, "n", "na");
	record_close(&rec);
}

uint16_t pfn_checksum(const struct bench_rep *r, uint16_t crc, int64_t pfn)
{
	int64_t base = (int64_t)r->place->map.ranges[0].start_pfn;
	uint32_t x = (uint32_t)(pfn < 0 ? pfn : pfn - base);
	uint8_t bytes[4] = { (uint8_t)x, (uint8_t)(x >> 8), (uint8_t)(x >> 16),
			     (uint8_t)(x >> 24) };

	return crc16(crc, bytes, sizeof(bytes));
}

uint16_t log_checksum(const struct bench_rep *r)
{
	uint16_t crc = CRC16_INIT;

	for (uint64_t i = 0; i < r->nr_log; i++)
		crc = pfn_checksum(r, crc, r->b->log[i]);
	return crc;
}

bool bench_end(struct bench *b, bool ok, uint64_t pages_lost)
{
	struct record r;

	if (pages_lost < b->pages_missing)
		pages_lost = b->pages_missing;
	ok = ok && !b->failures && !b->records.lost && !pages_lost;
	record_open(&r, &b->records, "end");
	record_word(&r, "status", ok ? "ok" : "fail");
	record_uint(&r, "nrec", (uint64_t)b->records.seq + 1);
	record_uint(&r, "pages_lost", pages_lost);
	record_close(&r);
	return ok;
}
