// SPDX-License-Identifier: BSD-2-Clause
/*
 * store_stop.c - promises that nothing is cut off unless the program asked for it (store_stop_when), and that what has
 * lasted less than STORE_STOP_MS never is: short statements always end.
 */
#include "ledger/store_stop.h"
#include "base/clock.h"
#include <stddef.h>

static bool (*stop_asked)(void);

void store_stop_when(bool (*stop)(void))
{
    stop_asked = stop;
}

bool store_stop_now(int64_t began_ms)
{
    return stop_asked && stop_asked() && clock_mono_ms() - began_ms >= STORE_STOP_MS;
}
