// SPDX-License-Identifier: BSD-2-Clause
/*
 * hex.h - the value of a hexadecimal digit, for all that writes an octet as two of them: "%2E", "=2E".
 *
 * Where only one spelling of an octet is canonical (check/facts.c, ledger/dmarc_row.c), the other case of a letter is
 * refused, and this is not used.
 */
#ifndef ASSAY_BASE_HEX_H
#define ASSAY_BASE_HEX_H

/* 0 to 15, whatever the locale; -1: it is not a hexadecimal digit. */
static inline int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

#endif
