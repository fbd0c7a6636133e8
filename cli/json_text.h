// SPDX-License-Identifier: BSD-2-Clause
/*
 * json_text.h - text of a libjansson value, for files and terminals. (What we write from values of our own goes through
 * base/json.h, which promises the same.)
 */
#ifndef ASSAY_CLI_JSON_TEXT_H
#define ASSAY_CLI_JSON_TEXT_H

#include <jansson.h>

/* The value as JSON in ASCII: every character outside of it, and DEL, as \uXXXX. flags: JSON_INDENT(n) and the like.
 * malloc'ed, the caller frees it; NULL: no value, or no memory. */
char *json_text(const json_t *value, size_t flags);

#endif
