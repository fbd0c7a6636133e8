// SPDX-License-Identifier: BSD-2-Clause
/*
 * value.c - reads JSON with libjansson, behind our own function names.
 *
 * Promises that nothing in the text can make a caller crash: every function has a result for every type of value. If
 * parsing fails nothing is kept. The only file that includes jansson.h (its names and those of base/json.h are the same
 * words).
 */
#include "ledger/value.h"
#include <jansson.h>
#include <stdio.h>

#define TREE(v) ((const json_t *)(const void *)(v))
#define VALUE(j) ((const struct value *)(const void *)(j))

struct value *value_parse(struct slice text, char *why)
{
    json_error_t error;
    json_t *root = json_loadb(text.p ? text.p : "", text.n, JSON_REJECT_DUPLICATES, &error);
    if (!root && why)
        snprintf(why, 160, "line %d, column %d: %.100s", error.line, error.column, error.text);
    return (struct value *)(void *)root;
}

void value_free(struct value *v)
{
    json_decref((json_t *)(void *)v);
}

const struct value *value_get(const struct value *object, const char *key)
{
    return VALUE(json_object_get(TREE(object), key));
}

const char *value_text(const struct value *object, const char *key)
{
    return json_string_value(json_object_get(TREE(object), key));
}

int64_t value_number(const struct value *object, const char *key)
{
    return json_integer_value(json_object_get(TREE(object), key));
}

bool value_true(const struct value *object, const char *key)
{
    return json_is_true(json_object_get(TREE(object), key));
}

size_t value_count(const struct value *array)
{
    return json_array_size(TREE(array));
}

const struct value *value_at(const struct value *array, size_t i)
{
    return VALUE(json_array_get(TREE(array), i));
}

const char *value_text_at(const struct value *array, size_t i)
{
    return json_string_value(json_array_get(TREE(array), i));
}

int64_t value_number_at(const struct value *array, size_t i)
{
    return json_integer_value(json_array_get(TREE(array), i));
}

bool value_is_object(const struct value *v)
{
    return json_is_object(TREE(v));
}
