// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_words.c - the sentences of policy_words.h. They say what design and engines do, in words for someone who
 * decides and is no engineer.
 */
#include "cli/policy/policy_words.h"

static const char *const names[] = {
    [STANDARD_SPF] = N_("SPF (which servers may send for a domain)"),
    [STANDARD_DKIM] = N_("DKIM (the sender's signature)"),
    [STANDARD_DMARC] = N_("DMARC (is the visible sender genuine?)"),
    [STANDARD_ARC] = N_("ARC (what a forwarder saw)"),
    [STANDARD_DANE] = N_("DANE (the certificate of the other side's mail server, vouched for by DNS)"),
    [STANDARD_TLS] = N_("TLS (encryption on the way)"),
    [STANDARD_DNSSEC] = N_("DNSSEC (signed answers from DNS)"),
    [STANDARD_MESSAGE_FORMAT] = N_("message format (is it a well-formed message?)"),
    [STANDARD_RDNS] = N_("reverse DNS (does the sending computer have a name?)"),
};

static const char *const what_is[] = {
    [STANDARD_SPF] = N_("A domain's owner publishes which computers may send mail in its name. It protects the hidden "
                        "return address only, and breaks when "
                        "mail is forwarded; the owner of the sending domain has to publish and keep the list."),
    [STANDARD_DKIM] = N_("The sending organisation signs each message, so that a change on the way, or a signature by "
                         "somebody else, shows. The owner of the "
                         "sending domain has to sign."),
    [STANDARD_DMARC] = N_("It ties the sender that people see (From) to SPF or DKIM, and lets the domain's owner say "
                          "what is to be done with mail that fails. "
                          "It protects from mail that pretends to come from the domain; its owner has to publish it."),
    [STANDARD_ARC] = N_("A forwarder or mailing list writes down, and signs, what it saw when the mail reached it. It "
                        "is only as good as the forwarder's "
                        "word, so it counts only from forwarders this policy trusts."),
    [STANDARD_DANE] = N_("A domain's owner publishes in signed DNS which certificate its mail servers use, so that "
                         "mail to it cannot be diverted or read on "
                         "the way. The owner of the domain, or who hosts its mail, has to publish it."),
    [STANDARD_TLS] = N_("Mail is encrypted between mail servers. It protects from being read on the way; who runs the "
                        "sending server has to switch it on and "
                        "keep it modern."),
    [STANDARD_DNSSEC] = N_("Answers from DNS, the internet's address book, are signed, so that nobody can forge them. "
                           "The owner of a domain, or its DNS "
                           "provider, has to sign."),
    [STANDARD_MESSAGE_FORMAT] =
        N_("A message must have exactly one usable sender (From), and no tricks with doubled or broken header lines. "
           "It protects from "
           "messages that show people one sender and programs another; the sending program has to write it right."),
    [STANDARD_RDNS] = N_("The sending computer's address has a name, and the name leads back to the address. Computers "
                         "without one are mostly not mail servers; "
                         "who runs the sending server has to set it."),
};

static const char *const follows[STANDARD_MAIL_COUNT] = {
    [STANDARD_SPF] = N_("if the domain's owner says explicitly that this computer may not send for it (-all), "
                        "and DMARC does not pass"),
    [STANDARD_DMARC] = N_("if the message fails and the domain's owner asks for something to be done about such mail"),
    [STANDARD_DANE] = N_("if our own test of the sender's mail server contradicts what its owner publishes"),
    [STANDARD_DNSSEC] = N_("if an answer from DNS that the judgement needs is signed wrongly"),
};

static const char *const
    requires[
            STANDARD_MAIL_COUNT] = {
        [STANDARD_SPF] = N_("the sending domain must publish SPF and the message must pass it, unless DMARC passes"),
        [STANDARD_DKIM] =
            N_("the message must bear a valid signature of the organisation in its visible sender (From)"),
        [STANDARD_DMARC] =
            N_("the domain of the visible sender (From) must publish DMARC and the message must pass it: "
               "SPF or a DKIM signature must confirm that very "
               "organisation. A domain without DMARC does not meet this"),
        [STANDARD_DANE] = N_("every mail server of the sending domain must have a DANE record in signed DNS"),
        [STANDARD_TLS] = N_("the connection must be encrypted"),
        [STANDARD_DNSSEC] =
            N_("all answers from DNS that the judgement of the message needs must be signed, and signed rightly"),
        [STANDARD_MESSAGE_FORMAT] =
            N_("the message must have exactly one usable sender (From), no doubled header lines "
               "that may stand once only, and nothing in its "
               "header that is no header"),
        [STANDARD_RDNS] = N_("the sending computer's address must have a name that leads back to the address"),
};

const char *words_standard(enum standard s)
{
    return s < STANDARD_MAIL_COUNT ? _(names[s]) : "?";
}

const char *words_what_is(enum standard s)
{
    return s < STANDARD_MAIL_COUNT ? _(what_is[s]) : "?";
}

const char *words_asks(enum standard s, enum policy_level level, bool of_names)
{
    if (of_names)
        return level == POLICY_REQUIRE  ? _("answers must be signed, and signed rightly; others are refused")
               : level == POLICY_FOLLOW ? _("answers that are signed wrongly are refused; unsigned ones pass")
                                        : NULL;
    if (s >= STANDARD_MAIL_COUNT || level < POLICY_FOLLOW)
        return NULL;
    const char *text = level == POLICY_REQUIRE ?
                                               requires[
                                                   s]
                                               : follows[s];
    return text ? _(text) : NULL;
}

const char *words_action(enum policy_action a)
{
    switch (a) {
    case POLICY_TAG:
        return _("the message is delivered, with a note in its header");
    case POLICY_QUARANTINE:
        return _("the message is put into the junk folder");
    case POLICY_HOLD:
        return _("the message is held until an administrator looks at it");
    case POLICY_DEFER:
        return _("the message is not taken now; the sender's server tries again later");
    case POLICY_REJECT:
        return _("the message is refused, and the sender is told why");
    default:
        return _("nothing is done");
    }
}
