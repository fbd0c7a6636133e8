# SPDX-License-Identifier: BSD-2-Clause
#
# assay.sieve - what the policy quarantines goes into Junk. For sieve_before, so that it runs before each user's own script.

require ["fileinto", "mailbox"];

if header :matches "Assay-Verdict" ["quarantine", "quarantine;*", "quarantine *"] {
    fileinto :create "Junk";
    stop;
}
