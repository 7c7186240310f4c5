/* SPDX-License-Identifier: BSD-2-Clause */
/* Traps that nobody expected: registers on the console, and the run ends as failed. */
#include <stdbool.h>
#include <stdint.h>

#include "console.h"
#include "exit.h"
#include "harts.h"

/* As trap_entry in start.S lays it down. */
struct trap_frame {
	uint64_t x[32]; /* x[0] is unused */
	uint64_t sepc;
	uint64_t scause;
	uint64_t stval;
	uint64_t sstatus;
};
_Static_assert(sizeof(struct trap_frame) == TRAP_FRAME_SIZE, "start.S knows the size");

void trap_handler(struct trap_frame *frame);

#define CAUSE_INTERRUPT           (1ULL << 63)
#define CAUSE_ILLEGAL_INSTRUCTION 2

static const char *const causes[] = {
	"instruction address misaligned",
	"instruction access fault",
	"illegal instruction",
	"breakpoint",
	"load address misaligned",
	"load access fault",
	"store address misaligned",
	"store access fault",
	"environment call from U-mode",
	"environment call from S-mode",
	"reserved cause",
	"environment call from M-mode",
	"instruction page fault",
	"load page fault",
	"reserved cause",
	"store page fault",
};

static const char *cause_name(uint64_t scause)
{
	if (scause & CAUSE_INTERRUPT)
		return "interrupt";
	return scause < ARRAY_SIZE(causes) ? causes[scause] : "reserved cause";
}

static const char *const names[32] = {
	"zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
	"a1",   "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
	"s6",   "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
};

static void dump(const struct trap_frame *f, const struct hart *hart)
{
	const uint64_t stack = hart->stack;

	print("trap: %s (scause %#lx) at %#lx, stval %#lx, sstatus %#lx, hart %lu\n",
	      cause_name(f->scause), f->scause, f->sepc, f->stval, f->sstatus, hart->id);
	for (unsigned int i = 1; i < 32; i++)
		print("  %-4s %016lx%s", names[i], f->x[i], i % 4 == 0 || i == 31 ? "\n" : "");
	if (f->x[2] < stack + 16 && f->x[2] > stack - 0x10000)
		print("trap: the stack has overflown; raise STACK_SIZE in layout.h\n");
	if (f->sepc - (uintptr_t)_start < (uintptr_t)_image_end - (uintptr_t)_start)
		print("trap: addr2line -e payload.elf %#lx %#lx\n", f->sepc, f->x[1]);
}

/* rdcycle, rdtime or rdinstret, which is csrrs rd, counter, x0? */
static bool is_counter_read(uint64_t insn)
{
	return (insn & 0xff07f) == 0x02073 && insn >> 20 >= 0xc00 && insn >> 20 <= 0xc02;
}

/* A counter that the firmware or a hypervisor withholds reads as 0. */
static bool emulate_counter(struct trap_frame *f)
{
	const uint16_t *code = (const uint16_t *)(uintptr_t)f->sepc;
	uint32_t insn;

	if (f->scause != CAUSE_ILLEGAL_INSTRUCTION)
		return false;
	insn = code[0] | (uint32_t)code[1] << 16;
	if (!is_counter_read(insn))
		return false;
	f->x[insn >> 7 & 31] = 0;
	f->sepc += 4;
	return true;
}

void trap_handler(struct trap_frame *frame)
{
	struct hart *hart;

	if (emulate_counter(frame))
		return;
	/* Whatever was done to tp, the stack tells whose it is. */
	hart = harts_find((uintptr_t)frame);
	__asm__ volatile("mv tp, %0" : : "r"(hart) : "memory");
	hart->traps++;
	exit_begin();
	/* The first is the one that tells something; one more may come from the way out. */
	if (hart->traps == 1)
		dump(frame, hart);
	else if (hart->traps == 2)
		print("trap: another one while ending: %s at %#lx\n", cause_name(frame->scause),
		      frame->sepc);
	payload_exit(EXIT_FAILED);
}
