// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_message.h - how `assay doctor` and assay-milter authenticate each other when a test message goes through the
 * MTA.
 *
 * Doctor, as root, leaves two random secrets in the state folder, in a file that only the milter's user can read. `ask`
 * goes through the MTA as a sender's address. Whoever replies with `answer` must have read the file; an MTA that only
 * repeats what it was told cannot. Only then does the message itself follow, in the same connection; the milter drops
 * it and leaves a receipt. Nobody who cannot read that file can make the milter drop a mail, and the file is valid for
 * one minute.
 *
 * Threads: any. Failure: by status; a file with a wrong owner, mode, age or form is STATUS_MISSING or STATUS_DENIED.
 */
#ifndef ASSAY_BASE_TEST_MESSAGE_H
#define ASSAY_BASE_TEST_MESSAGE_H

#include "base/status.h"
#include <stdbool.h>
#include <time.h>

#define TEST_MESSAGE_SECONDS 60
#define TEST_MESSAGE_NOTICE_MS 250 /* the milter looks this often; doctor waits this long before it connects */
#define TEST_MESSAGE_SECRET 32     /* hex digits: 128 bits */
#define TEST_MESSAGE_DOMAIN "doctor.invalid" /* RFC 6761 6.4: no such name, ever */
#define TEST_MESSAGE_LOCAL "assay-test-"

struct test_message {
    char ask[TEST_MESSAGE_SECRET + 1], answer[TEST_MESSAGE_SECRET + 1];
};

/* What the milter reports about the message it dropped. */
struct test_receipt {
    char policy[9];       /* the hash of the policy that judged it */
    char would[16];       /* what would have been done with it */
    long long ms;         /* from MAIL to the verdict */
    unsigned long fields; /* header fields and octets of body that it saw */
    unsigned long long octets;
};

/* Makes new secrets and leaves them in the folder, for the folder's owner to read. Removes an earlier receipt. */
enum status test_message_offer(const char *state_dir, struct test_message *out) MUST_CHECK;

/* Removes the secrets and the receipt. */
void test_message_withdraw(const char *state_dir);

/* Tells whether valid secrets are there, by one question to the file system. Expired ones do not count: a doctor that
 * was killed leaves its file. */
bool test_message_is_offered(const char *state_dir, time_t now);

/* The secrets on offer at this moment. */
enum status test_message_read(const char *state_dir, time_t now, struct test_message *out) MUST_CHECK;

/* Tells whether a MAIL FROM path (with or without <>) has the form of a question, so that a file need not be read for
 * every mail; *ask is where its secret begins. */
bool test_message_is_question(const char *path, const char **ask);

enum status test_receipt_write(const char *state_dir, const struct test_message *m,
                               const struct test_receipt *r) MUST_CHECK;
enum status test_receipt_read(const char *state_dir, const struct test_message *m, struct test_receipt *out) MUST_CHECK;

#endif
