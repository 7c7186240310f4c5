/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HiFive Unleashed. No device takes a status: it is reported through semihosting where that is
 * there, else not at all, and the way out is SBI's reset.
 */
#include "platform.h"

BOARD(sifive_u) = {
	.name = "sifive_u",
	.compatible = "sifive,hifive-unleashed-a00",
};
