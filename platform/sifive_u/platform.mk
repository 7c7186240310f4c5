# SPDX-License-Identifier: BSD-2-Clause
# SiFive's HiFive Unleashed (FU540), and QEMU's model of it. Hart 0 has no S-mode.

sifive_u-load-address := 0x80200000
sifive_u-fdt-address := 0x82200000

sifive_u-machine := sifive_u
sifive_u-smp := 5
sifive_u-icount :=
