// SPDX-License-Identifier: BSD-2-Clause
/*
 * ledger_main.c - assay-ledger's entry.
 */
#include <stdio.h>
#include <sysexits.h>

int main(void)
{
    fprintf(stderr, "assay-ledger: being built\n");
    return EX_UNAVAILABLE;
}
