/* SPDX-License-Identifier: BSD-2-Clause */
/* The makefile knows these two (mk/image.mk). */
#include "build_info.h"

#ifndef BUILD_VERSION
#define BUILD_VERSION "unversioned"
#endif
#ifndef BUILD_OPT
#define BUILD_OPT "unknown"
#endif

const char build_version[] = BUILD_VERSION;
const char build_opt[] = BUILD_OPT;
