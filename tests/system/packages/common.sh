# SPDX-License-Identifier: BSD-2-Clause
# What the parts inside the folder share: counting, and a Postfix that any test may send to.
passed=0 failed=0
ok() { # what condition...
    local what=$1
    shift
    if "$@" >/tmp/out 2>&1; then
        passed=$((passed + 1)); echo "ok      $what"
    else
        failed=$((failed + 1)); echo "FAILED  $what"; sed 's/^/        | /' /tmp/out | tail -n 25
    fi
}
set_up_postfix() {
    echo "nameserver 127.0.0.1" >/etc/resolv.conf
    postconf -e "myhostname=mx.example.org" "mydestination=example.org" "inet_interfaces=192.0.2.1" "mynetworks=127.0.0.0/8" \
        "smtpd_peername_lookup=no" "local_recipient_maps=" "luser_relay=root" "maillog_file=/var/log/mail.log" "home_mailbox=Maildir/" \
        "alias_maps=" "smtp_tls_security_level=may" \
        "smtpd_tls_cert_file=/etc/ssl/none.pem" "smtpd_tls_security_level=none"
    postconf -e "mailbox_command=" "default_transport=error:no way out"
}
wait_for() { for _ in $(seq 100); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done; return 1; }
