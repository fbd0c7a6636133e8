// SPDX-License-Identifier: BSD-2-Clause
/*
 * load_floor.h - the least that verifying a corpus can cost on one core: SHA-256 of each mail's header and body, and
 * one RSA-2048 verification for each DKIM-Signature, ARC-Message-Signature and ARC-Seal field, with a key that is read
 * once. No protocol, no canonical form, no DNS.
 *
 * Prints one JSON object. Returns 0; 1: OpenSSL failed.
 */
#ifndef ASSAY_TESTS_BENCH_LOAD_FLOOR_H
#define ASSAY_TESTS_BENCH_LOAD_FLOOR_H

#include "tests/bench/load_corpus.h"

int floor_measure(const struct corpus *c, unsigned passes);

#endif
