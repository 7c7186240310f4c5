/* SPDX-License-Identifier: BSD-2-Clause */
/* Which build this is: bare words, for the banner and the records. */
#ifndef PAYLOAD_BUILD_INFO_H
#define PAYLOAD_BUILD_INFO_H

extern const char build_version[]; /* git's name of the commit, -dirty if it was changed */
extern const char build_opt[]; /* O2, … */

#endif
