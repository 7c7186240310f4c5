# SPDX-License-Identifier: BSD-2-Clause
# QEMU's virt machine. RAM begins at 0x80000000.

virt-load-address := 0x80200000
# Where fw_jump puts the device tree: the image, bss and stacks included, must end below it.
virt-fdt-address := 0x82200000

virt-machine := virt
virt-smp :=
# The benchmark's arena is 1 GiB, in one block.
virt-mem := 3G
# Exact, repeatable counts of instructions; the clock is derived from them.
virt-icount := shift=0,sleep=off
