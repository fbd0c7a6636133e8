# SPDX-License-Identifier: BSD-2-Clause
"""house - the receiving side that is tested: a real Postfix that asks assay-milter, with submission, TLS and Maildirs."""
import os
import time

import keys
import postfix
from milter import Milter

SERVER, SERVER6 = "203.0.113.1", "2001:db8::25"
OURS = ("example.org", "example.net", "payroll.example.org", "victim.com")


def wait_until(test, seconds):
    deadline = time.monotonic() + seconds
    while not test() and time.monotonic() < deadline:
        time.sleep(0.02)
    return test()


class House:
    """The receiving side, started once: Postfix with our milter on port 25, submission on 587, TLS with a certificate of its own."""

    def __init__(self, place):
        self.place, self.mail = place, f"{place}/mail"
        os.makedirs(f"{place}/m", exist_ok=True)
        self.milter = Milter(f"{place}/m")
        settings = postfix.maildir_settings(self.mail, OURS)
        keys.certificate("mx.example.org", f"{place}/cert.pem", f"{place}/key.pem")
        settings.update(
            {
                "smtpd_milters": self.milter.address,
                "milter_default_action": "tempfail",
                "milter_protocol": "6",
                "milter_connect_timeout": "10s",
                "milter_content_timeout": "60s",
                "recipient_delimiter": "+",
                "smtpd_tls_cert_file": f"{place}/cert.pem",
                "smtpd_tls_security_level": "may",
                "smtpd_tls_key_file": f"{place}/key.pem",
                "smtpd_tls_mandatory_protocols": ">=TLSv1",
                "smtpd_tls_protocols": ">=TLSv1",
                "smtpd_tls_ciphers": "low",
                "tls_low_cipherlist": "ALL:@SECLEVEL=0",
                "smtpd_recipient_limit": "100",
                "strict_rfc821_envelopes": "no",
                "message_size_limit": "20000000",
                "header_size_limit": "1024000",
            }
        )
        services = f"{SERVER}:587 inet n - n - - smtpd\n  -o {{milter_macro_daemon_name=ORIGINATING}}\n"
        services += (
            f"{SERVER}:2525 inet n - n - - smtpd\n  -o smtpd_tls_ask_ccert=yes\n  -o smtpd_tls_fingerprint_digest=sha256\n"
            f"  -o {{smtpd_recipient_restrictions=check_policy_service unix:{place}/m/state/policy-socket, permit}}\n"
        )
        # Listeners with a name of their own, as {daemon_name}.
        for port, name in ((2526, "backup"), (2527, "strict"), (2528, "after filter")):
            services += f"{SERVER}:{port} inet n - n - - smtpd\n  -o {{milter_macro_daemon_name={name}}}\n"
        # One that calls itself by another name than the host and the others.
        services += f"{SERVER}:2529 inet n - n - - smtpd\n  -o myhostname=mail.example.net\n"
        self.postfix = postfix.Postfix(f"{place}/mx", "mx.example.org", [SERVER, SERVER6], settings, services)

    def start(self):
        self.postfix.start()
        return self
