/* SPDX-License-Identifier: BSD-2-Clause */
/* The files that tests open (libc.c). */
	.section .rodata.imx6_memory_map, "a"
	.globl	imx6_memory_map, imx6_memory_map_end
imx6_memory_map:
	.incbin	"tests/data/imx6-memory-map.txt"
imx6_memory_map_end:
