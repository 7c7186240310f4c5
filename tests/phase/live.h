/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of live allocators run on. In the payload it is the machine itself, at the moment
 * of the boot that the phase stands for (tests/target/live.c); on the host it is one simulated
 * machine after another, brought to the same point (machines.c).
 */
#ifndef TESTS_PHASE_LIVE_H
#define TESTS_PHASE_LIVE_H

#include "helper_memblock.h"

#include <earlymm/handover.h>
#include "selftest.h"

/*
 * Runs a group of tests on each machine; *state of each test is a struct selftest_env. A test
 * leaves the machine as it found it, and needs no more than a dozen spare entries of memblock's
 * arrays at a time, which must not grow. Returns how many tests have failed.
 */
int live_run_group(enum selftest_phase phase, const struct CMUnitTest *tests, size_t nr);
#define live_run(phase, tests) live_run_group(phase, tests, ARRAY_SIZE(tests))

#endif
