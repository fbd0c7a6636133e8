// SPDX-License-Identifier: BSD-2-Clause
/*
 * fleet.h - proves that a host of our fleet has judged a message (`set fleet.key-file`): by a keyed hash in its
 * Assay-Verdict field, which the next host checks before it believes that verdict.
 *
 *     Assay-Verdict: deliver; policy=0a1b2c3d; host=mx2.example.org; time=1790000000; proof=HEX
 *
 * proof is HMAC-SHA-256 (RFC 2104) over the field's text before it, MAIL FROM, every From field and Message-ID as
 * octets, and the body's hash (RFC 6376 3.4.4, relaxed). It is valid for FLEET_SECONDS. A field without proof, with a
 * proof by another key, or on a message that was changed is ignored, and the log says why: then the client behind the
 * relay is judged.
 *
 * Keys: 32 octets or more in a file that root owns and that nobody can read but root and the group that this program
 * runs as: whoever can read it can make proofs. A second file is for key rotation: proofs are made with the first key,
 * and checked with both. Pure except for reading those files.
 */
#ifndef ASSAY_JUDGE_FLEET_H
#define ASSAY_JUDGE_FLEET_H

#include "base/arena.h"
#include "base/status.h"
#include "judge/mail.h"
#include <stdint.h>
#include <time.h>

#define FLEET_KEY_MIN 32          /* octets: the length of the SHA-256 that it keys (RFC 2104 3) */
#define FLEET_KEY_MAX 4096        /* octets of the file; our own limit */
#define FLEET_SECONDS (5 * 86400) /* as long as a relay retries (RFC 5321 4.5.4.1) */
#define FLEET_DRIFT 300           /* how far another host's clock may be ahead of ours */
#define FLEET_PROOF_TEXT 65
#define FLEET_FIELDS_MAX 4 /* Assay-Verdict fields checked, from the top: each host inserts its own at the top */

struct fleet_key {
    uint8_t octets[FLEET_KEY_MAX];
    size_t n;
};

/* Reads a key. false: *why says what is wrong. */
bool fleet_key_read(const char *path, struct fleet_key *out, const char **why);

/* The proof of a field's text (what stands before "; proof="). STATUS_NOMEM. */
enum status fleet_prove(const struct fleet_key *key, struct slice text, const struct judge_mail *m,
                        const uint8_t body_hash[32], char out[FLEET_PROOF_TEXT]) MUST_CHECK;

/* Why a field's value does not prove that a holder of the key judged this message, at a time that `at` still holds for:
 * words for a log, static. NULL: it is proved. */
const char *fleet_doubt(const struct fleet_key *key, struct slice value, const struct judge_mail *m,
                        const uint8_t body_hash[32], time_t at);

#endif
