# SPDX-License-Identifier: BSD-2-Clause
#
# To add a board, copy this folder and put the new folder's name in place of "template" in both
# files. Nothing else in the tree has to change: each folder here with a platform.mk is a board,
# one image serves all that share a load address, and the board is told by its tree's root
# compatible.

# Where the firmware jumps to: RAM's start plus 2 MiB.
template-load-address := 0x80200000
# Lowest address where the firmware may have put the device tree; empty if the loader minds the
# size that the image's header gives, as U-Boot and QEMU's -kernel do.
template-fdt-address := 0x82200000

# For "make run": QEMU's machine, its -smp, its -m and its -icount if there should be one.
template-machine := virt
template-smp :=
template-mem :=
template-icount :=
