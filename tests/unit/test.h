/* SPDX-License-Identifier: BSD-2-Clause */
/* What every unit test includes first: cmocka and the headers that it wants before itself. */
#ifndef TESTS_UNIT_TEST_H
#define TESTS_UNIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#endif
