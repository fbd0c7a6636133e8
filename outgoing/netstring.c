// SPDX-License-Identifier: BSD-2-Clause
/*
 * netstring.c - reads netstrings as they come.
 *
 * Promises to read nothing beyond the octets given, to need no more octets than `most` and the frame, and to judge the
 * same octets always alike.
 */
#include "outgoing/netstring.h"

#define LENGTH_DIGITS 6 /* of NETSTRING_LONGEST */

long netstring_first(struct slice come, size_t most, struct slice *content)
{
    size_t n = 0, i = 0;

    for (; i < come.n && come.p[i] >= '0' && come.p[i] <= '9'; i++) {
        if (i == LENGTH_DIGITS || (i == 1 && come.p[0] == '0'))
            return -1;
        n = n * 10 + (size_t)(come.p[i] - '0');
        if (n > most)
            return -1;
    }
    if (i == come.n)
        return 0;
    if (i == 0 || come.p[i] != ':')
        return -1;
    if (come.n - i - 1 < n + 1)
        return 0;
    *content = slice_of(come.p + i + 1, n);
    return come.p[i + 1 + n] == ',' ? (long)(i + n + 2) : -1;
}
