// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_wire_kqueue.c - waiting for many descriptors by the kqueue half of wire_poll.c, over a kqueue made of poll(2)
 * (kqueue/sys/event.h), so that what runs on the BSDs is compiled and tried on Linux. The cases: wire_poll_cases.h.
 */
#include "tests/unit/wire_poll_cases.h"
#include <stdint.h>
#include <sys/event.h> /* ours: Makefile */
#include <sys/time.h>
#include <sys/types.h>

#undef __linux__
#include "milter/wire/wire_poll.c"
