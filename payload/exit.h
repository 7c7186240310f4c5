/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a run ends. Status 0 is success; every way out is tried, and a payload never hangs silently.
 */
#ifndef PAYLOAD_EXIT_H
#define PAYLOAD_EXIT_H

#define EXIT_OK     0
#define EXIT_FAILED 1

/*
 * payload_exit() - ends the run with @status: through the board's own device, else semihosting,
 * else SBI's shutdown or reset (which report 0 for any status), else the hart says so and waits
 * for ever. Checks the stack's canary first: if that is gone the status is a failure.
 */
_Noreturn void payload_exit(int status);

/*
 * The run is ended by one hart. exit_begin(): by this one, unless another has begun; then, and in
 * exit_stand_back() if another has begun, it stands still. If that one does not come to an end for
 * ten seconds it ends the run in its place, as failed.
 */
void exit_begin(void);
void exit_stand_back(void);

/* Has this hart's stack grown past its end? Then the run ends as failed. A few instructions. */
void payload_check_stack(void);

/*
 * One line with the reason, then payload_exit(EXIT_FAILED). On any hart; others than the boot hart
 * are named.
 */
__attribute__((format(printf, 1, 2))) _Noreturn void payload_fail(const char *fmt, ...);

#endif
