/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first instructions: from the firmware's jump (a0 = hart, a1 = device tree, satp = 0, any
 * hart) to main(a0, a1) with a stack, a cleared bss and traps that are reported.
 */
#include "layout.h"

	.section .head, "ax"
	.globl	_start
_start:
	/* RISC-V Image header: U-Boot's booti and QEMU's -kernel read it. */
	.option	push
	.option	norvc
	.option	norelax
	j	entry
	nop
	.dword	0x200000		/* load offset from the start of RAM */
	.dword	_image_size		/* with bss and stacks */
	.dword	0			/* flags: little endian */
	.word	2, 0			/* version 0.2 */
	.dword	0
	.ascii	"RISCV\0\0\0"
	.ascii	"RSC\x05"
	.word	0
	.option	pop

linked_address:
	.dword	_start

	.option	push
	.option	norelax			/* gp is not there yet */
entry:
	/* A counter that the firmware withholds traps, and is then taken for 0. */
	lla	t0, skip_instruction
	csrw	stvec, t0
	li	s2, 0
	li	s3, 0
	li	s4, 0
	rdinstret s2
	rdcycle	s3
	rdtime	s4
	addi	s2, s2, -7		/* the ones up to here count */

	csrw	sie, zero
	csrci	sstatus, 2
	lla	gp, __global_pointer$
	lla	sp, __stack_top

	lla	t0, _start
	lla	t1, linked_address
	ld	t1, 0(t1)
	bne	t0, t1, elsewhere

	lla	t0, trap_entry
	csrw	stvec, t0
	lla	t0, __trap_stack_top
	csrw	sscratch, t0
	li	t0, 1 << 13		/* sstatus.FS = initial: compiled code may use f registers */
	csrs	sstatus, t0

	lla	t0, __bss_start
	lla	t1, __bss_end
	bgeu	t0, t1, 2f
1:	.set	offset, 0
	.rept	BSS_STEP / 8
	sd	zero, offset(t0)
	.set	offset, offset + 8
	.endr
	addi	t0, t0, BSS_STEP
	bltu	t0, t1, 1b
2:
	lla	t0, __stack_bottom
	li	t1, STACK_CANARY
	sd	t1, 0(t0)
	lla	tp, boot_hart
	sd	t0, HART_STACK(tp)
	sd	a0, HART_ID(tp)
	lla	t0, entry_counters
	sd	s2, 0(t0)
	sd	s3, 8(t0)
	sd	s4, 16(t0)
	call	main

	/* No pointer in the data is right here: only code that is free of them may run. */
elsewhere:
	mv	a0, t1
	mv	a1, t0
	tail	started_elsewhere

	.balign	4
skip_instruction:
	csrr	t0, sepc
	addi	t0, t0, 4
	csrw	sepc, t0
	sret
	.option	pop

	.text
	.globl	hart_entry
	.balign	4
	/*
	 * Another hart, from the firmware: a1 = its struct hart, satp = 0, nothing else is known. It
	 * may come when nobody expects it any more: nothing but what is its own may be touched.
	 */
hart_entry:
	csrw	sie, zero
	csrci	sstatus, 2
	.option	push
	.option	norelax
	lla	gp, __global_pointer$
	.option	pop
	mv	tp, a1
	li	t0, TRAP_STACK_SIZE - HART_SIZE
	sub	sp, a1, t0
	csrw	sscratch, a1
	lla	t0, trap_entry
	csrw	stvec, t0
	li	t0, 1 << 13		/* sstatus.FS, as above */
	csrs	sstatus, t0
	mv	a0, a1
	tail	hart_main

	.globl	trap_entry
	.balign	4
	/*
	 * On a stack of its own, so that a wild sp does no harm. sscratch holds its top, and while
	 * a trap is handled the frame, below which one trap inside the other goes on.
	 */
trap_entry:
	csrrw	sp, sscratch, sp
	addi	sp, sp, -TRAP_FRAME_SIZE
	.irp	n, 1,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	sd	x\n, \n * 8(sp)
	.endr
	csrr	t0, sscratch
	sd	t0, 2 * 8(sp)
	csrw	sscratch, sp
	csrr	t0, sepc
	csrr	t1, scause
	csrr	t2, stval
	csrr	t3, sstatus
	sd	t0, 32 * 8(sp)
	sd	t1, 33 * 8(sp)
	sd	t2, 34 * 8(sp)
	sd	t3, 35 * 8(sp)
	.option	push
	.option	norelax
	lla	gp, __global_pointer$
	.option	pop
	mv	a0, sp
	call	trap_handler
	ld	t0, 32 * 8(sp)
	csrw	sepc, t0
	addi	t0, sp, TRAP_FRAME_SIZE
	csrw	sscratch, t0
	.irp	n, 1,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	ld	x\n, \n * 8(sp)
	.endr
	ld	sp, 2 * 8(sp)
	sret

	.section .tree, "aw", @nobits
	.skip	TREE_COPY_SIZE

	.section .noinit, "aw", @nobits
	.balign	16
	.globl	__stack_bottom, __stack_top, __trap_stack_top
__stack_bottom:
	.skip	STACK_SIZE
__stack_top:
	.skip	TRAP_STACK_SIZE
__trap_stack_top:
