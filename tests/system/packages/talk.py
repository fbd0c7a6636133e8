# SPDX-License-Identifier: BSD-2-Clause
"""talk - sends one mail by SMTP from an address and prints the last reply. talk.py CLIENT HELO FROM TO [HEADER-FROM]"""
import smtplib
import sys

client, helo, sender, to = sys.argv[1:5]
smtp = smtplib.SMTP("192.0.2.1", 25, local_hostname=helo, source_address=(client, 0), timeout=60)
try:
    smtp.sendmail(
        sender,
        [to],
        f"From: <{sys.argv[5] if len(sys.argv) > 5 else sender}>\r\nTo: <{to}>\r\nSubject: hello\r\n"
        f"Date: Fri, 20 Nov 2026 12:00:00 +0000\r\nMessage-ID: <{client}@{helo}>\r\n\r\nGood morning.\r\n",
    )
    print("250 accepted")
except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused) as e:
    print(e.recipients if hasattr(e, "recipients") else f"{e.smtp_code} {e.smtp_error.decode()}")
finally:
    smtp.close()
