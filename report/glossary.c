// SPDX-License-Identifier: BSD-2-Clause
/*
 * glossary.c - the names of standards, and of exceptions' kinds and states (glossary.h). Promises one word for one
 * thing.
 */
#include "report/glossary.h"

#define T(text) language_text(l, LANGUAGE_MARK(text))

const char *glossary_standard(enum language l, enum standard s)
{
    static const char *const names[STANDARD_COUNT] = {
        [STANDARD_SPF] = "SPF",         [STANDARD_DKIM] = "DKIM", [STANDARD_DMARC] = "DMARC",
        [STANDARD_ARC] = "ARC",         [STANDARD_DANE] = "DANE", [STANDARD_TLS] = "TLS",
        [STANDARD_DNSSEC] = "DNSSEC",   [STANDARD_IPV6] = "IPv6", [STANDARD_MTA_STS] = "MTA-STS",
        [STANDARD_TLS_RPT] = "TLS-RPT", [STANDARD_CAA] = "CAA",   [STANDARD_RPKI] = "RPKI"};
    if (s == STANDARD_MESSAGE_FORMAT)
        return T("Message format");
    if (s == STANDARD_RDNS)
        return T("Reverse DNS");
    return (unsigned)s < STANDARD_COUNT && names[s] ? names[s] : "?";
}

const char *glossary_plain(enum language l, enum standard s)
{
    static const char *const plain[STANDARD_MAIL_COUNT] = {
        [STANDARD_SPF] = LANGUAGE_MARK("a list of the servers that may send (SPF)"),
        [STANDARD_DKIM] = LANGUAGE_MARK("the sender's signature (DKIM)"),
        [STANDARD_DMARC] = LANGUAGE_MARK("proof of who sent it (DMARC)"),
        [STANDARD_ARC] = LANGUAGE_MARK("the forwarder's seal (ARC)"),
        [STANDARD_DANE] = LANGUAGE_MARK("a safe way for our answers (DANE)"),
        [STANDARD_TLS] = LANGUAGE_MARK("modern encryption on the way (TLS)"),
        [STANDARD_DNSSEC] = LANGUAGE_MARK("signed entries in DNS (DNSSEC)"),
        [STANDARD_MESSAGE_FORMAT] = LANGUAGE_MARK("a well-formed message"),
        [STANDARD_RDNS] = LANGUAGE_MARK("a name for the sending server (reverse DNS)")};
    return s < STANDARD_MAIL_COUNT && plain[s] ? language_text(l, plain[s]) : glossary_standard(l, s);
}

const char *glossary_exception(enum language l, enum exceptions_state s)
{
    switch (s) {
    case EXCEPTIONS_APPLIED:
        return T("met by now: can go");
    case EXCEPTIONS_ENDED:
        return T("ended");
    case EXCEPTIONS_ENDED_NOT_APPLIED:
        return T("ended, and not met");
    case EXCEPTIONS_COULD_NOT_TEST:
        return T("could not be tested");
    default:
        return T("explained");
    }
}

const char *glossary_kind(enum language l, const struct policy_statement *s)
{
    return s->kind == POLICY_TRUST     ? T("trusted as a forwarder")
           : s->kind == POLICY_SUSPEND ? T("DNSSEC not validated")
                                       : T("exempted");
}
