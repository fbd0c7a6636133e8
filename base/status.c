// SPDX-License-Identifier: BSD-2-Clause
/*
 * status.c - the words for status.h's values.
 *
 * Promises a static text for every value, also for one that does not exist.
 */
#include "base/status.h"
#include <errno.h>
#include <unistd.h>

const char *status_as_root(int error)
{
    return (error == EACCES || error == EPERM) && geteuid() != 0 ? "; run this as root" : "";
}

const char *status_text(enum status s)
{
    switch (s) {
    case STATUS_OK:
        return "ok";
    case STATUS_AGAIN:
        return "temporary failure";
    case STATUS_INVALID:
        return "invalid input";
    case STATUS_LIMIT:
        return "over the limit";
    case STATUS_MISSING:
        return "not there";
    case STATUS_DENIED:
        return "not permitted";
    case STATUS_NOMEM:
        return "out of memory";
    }
    return "unknown status";
}
