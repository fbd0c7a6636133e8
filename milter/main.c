// SPDX-License-Identifier: BSD-2-Clause
/*
 * main.c - assay-milter's entry.
 */
#include <stdio.h>
#include <sysexits.h>

int main(void)
{
    fprintf(stderr, "assay-milter: being built\n");
    return EX_UNAVAILABLE;
}
