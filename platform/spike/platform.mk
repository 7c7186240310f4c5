# SPDX-License-Identifier: BSD-2-Clause
# QEMU's spike machine: its default one, so what a bare qemu-system-riscv64 boots.

spike-load-address := 0x80200000
spike-fdt-address := 0x82200000

spike-machine := spike
spike-smp :=
spike-icount :=
