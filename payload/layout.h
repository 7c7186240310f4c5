/* SPDX-License-Identifier: BSD-2-Clause */
/* Sizes and marks that start.S, the linker script and C agree on. Included by assembly too. */
#ifndef PAYLOAD_LAYOUT_H
#define PAYLOAD_LAYOUT_H

/* Stacks lie behind bss, inside the image, and are not cleared. */
#define STACK_SIZE      0x8000
#define TRAP_STACK_SIZE 0x2000

/*
 * A hart that is started later has one piece of memory: its stack, above it that for its traps,
 * which ends with its struct hart (hart.h), where tp points.
 */
#define HART_SIZE  512
#define HART_BYTES (STACK_SIZE + TRAP_STACK_SIZE)
#define HART_STACK 0
#define HART_ID    8

/* The lowest word of the stack: what has grown into it is found at exit. */
#define STACK_CANARY 0x5afe57ac6ca9a41e

/* x0 to x31 (x0's place is unused), sepc, scause, stval, sstatus. A multiple of 16. */
#define TRAP_FRAME_SIZE (36 * 8)

/* bss is cleared in steps of so many bytes, and the linker aligns it to them. */
#define BSS_STEP 128

/* Larger device trees stay where the firmware put them. A multiple of the page size. */
#define TREE_COPY_SIZE 0x10000

#ifndef __ASSEMBLER__
/* From the linker script. Whole pages of init memory begin the image, and others end it. */
extern char __init_begin[], __init_end[], __init_bss_start[], __init_bss_end[];
extern char __rodata_begin[], __data_begin[], __bss_start[];
/* [_image_end, _image_limit) is room for a copy of the tree. */
extern char _start[], _image_end[], _image_limit[], __tree_copy[];
extern char __stack_bottom[], __stack_top[], __trap_stack_top[];
#endif

#endif
