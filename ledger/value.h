// SPDX-License-Identifier: BSD-2-Clause
/*
 * value.h - reading JSON that others wrote (libjansson behind it).
 *
 * A struct value is a JSON value within a tree that value_parse made; pointers into it are valid until value_free of
 * its root. Asking for a member that does not exist, or has another type, gives a neutral value (NULL, 0, false): input
 * from outside needs no checks of its own. Depth is bounded by the library (2048), length by the caller. Duplicate keys
 * are refused. Texts with NUL are refused.
 *
 * Threads: a tree belongs to one thread at a time.
 */
#ifndef ASSAY_LEDGER_VALUE_H
#define ASSAY_LEDGER_VALUE_H

#include "base/slice.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct value;

/* The object or array that text is. NULL: it is none; why (at least 160 octets, may be NULL) then says what is wrong
 * and where. */
struct value *value_parse(struct slice text, char *why);
void value_free(struct value *v); /* NULL is allowed */

/* Members of an object. */
const struct value *value_get(const struct value *object, const char *key);
const char *value_text(const struct value *object, const char *key); /* NULL if it is not a text */
int64_t value_number(const struct value *object, const char *key);
bool value_true(const struct value *object, const char *key);

/* Elements of an array. */
size_t value_count(const struct value *array);
const struct value *value_at(const struct value *array, size_t i);
const char *value_text_at(const struct value *array, size_t i);
int64_t value_number_at(const struct value *array, size_t i);

bool value_is_object(const struct value *v);

#endif
