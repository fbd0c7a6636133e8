// SPDX-License-Identifier: BSD-2-Clause
/*
 * json.h - writing JSON (RFC 8259) into a buffer, one value after the other.
 *
 *     struct json j = JSON_INTO(&buf);
 *     json_open(&j);
 *     json_str(&j, "domain", "example.org");
 *     json_int(&j, "count", 3);
 *     json_open_array(&j, "names"); json_str(&j, NULL, "a"); json_end(&j);
 *     json_end(&j);
 *
 * key is NULL inside an array and at the top. Text may hold any octets: what is not valid UTF-8 is written as U+FFFD,
 * and what utf8_is_visible() refuses (C0 and C1 controls, U+2028, U+2029, bidirectional controls, characters without
 * width) as \uXXXX, so that the result is always one line of valid JSON that is safe on a terminal. A NULL text is
 * written as null. Nesting is bounded by JSON_DEPTH; beyond it the
 * buffer's failure mark is set. Reading JSON is libjansson's job.
 */
#ifndef ASSAY_BASE_JSON_H
#define ASSAY_BASE_JSON_H

#include "base/buf.h"
#include <stdbool.h>
#include <stdint.h>

#define JSON_DEPTH 24

struct json {
    struct buf *out;
    unsigned depth;
    char close[JSON_DEPTH];
    bool comma; /* a value was written at this level already */
};

#define JSON_INTO(b) ((struct json){.out = (b)})

void json_open(struct json *j); /* { at the top or in an array */
void json_open_in(struct json *j, const char *key);
void json_open_array(struct json *j, const char *key);
void json_end(struct json *j); /* } or ] */
void json_str(struct json *j, const char *key, const char *value);
void json_slice(struct json *j, const char *key, struct slice value);
void json_int(struct json *j, const char *key, int64_t value);
void json_bool(struct json *j, const char *key, bool value);
void json_write_null(struct json *j, const char *key);

/* As json_str, but writes nothing when value is NULL or empty. */
void json_opt(struct json *j, const char *key, const char *value);

#endif
