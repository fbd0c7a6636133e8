// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_wire_poll.c - waiting for many descriptors, by what this system has: epoll or kqueue. The cases are in
 * wire_poll_cases.h.
 */
#include "tests/unit/wire_poll_cases.h"
