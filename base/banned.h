// SPDX-License-Identifier: BSD-2-Clause
/*
 * banned.h - makes the use of unsafe C library functions a compile error.
 *
 * Each has caused security holes: it takes no length, has hidden global state, or cannot report an error. Use buf.h for
 * text that grows, snprintf for text of a known size, strtol with its end pointer for numbers. Included by the
 * compiler's command line (-include base/banned.h), so that no file can forget it.
 */
#ifndef ASSAY_BASE_BANNED_H
#define ASSAY_BASE_BANNED_H

#if defined(__GNUC__) && !defined(__cplusplus) && !defined(ASSAY_ALLOW_BANNED)
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
/* Where fortified headers make macros of them (clang): else each poison is a warning. */
#undef strcpy
#undef strcat
#undef strncpy
#undef strncat
#undef sprintf
#undef vsprintf
#undef gets
#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok gets atoi atol atoll tmpnam mktemp asctime ctime
#endif

#endif
