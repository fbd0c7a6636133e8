// SPDX-License-Identifier: BSD-2-Clause
/*
 * glossary.h - what all pages call a standard, an exception and its state, in the reader's language.
 */
#ifndef ASSAY_REPORT_GLOSSARY_H
#define ASSAY_REPORT_GLOSSARY_H

#include "base/language.h"
#include "base/standard.h"
#include "ledger/exceptions.h"

/* Static texts. */
const char *glossary_standard(enum language l,
                              enum standard s);               /* "DMARC", "Message format"; "?" if there is no such */
const char *glossary_plain(enum language l, enum standard s); /* "proof of who sent it (DMARC)": what is missing */
const char *glossary_exception(enum language l, enum exceptions_state s);
const char *glossary_kind(enum language l, const struct policy_statement *s); /* "exempted", "trusted as a forwarder" */

#endif
