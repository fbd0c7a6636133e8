dnl SPDX-License-Identifier: BSD-2-Clause
dnl
dnl Sendmail: let assay-milter judge what comes in. Include this from sendmail.mc, before MAILER(), and make sendmail.cf anew.
dnl F=T: while assay-milter is away mail waits with its sender; without it Sendmail lets everything in unjudged.
dnl T: longer than `set message.timeout' (20s) at the end of a message.
INPUT_MAIL_FILTER(`assay', `S=unix:/run/assay/milter.sock, F=T, T=C:10s;S:30s;R:30s;E:2m')dnl
dnl The macros assay-milter asks for are sent by themselves (SMFIF_SETSYMLIST, Sendmail 8.14 and newer).
dnl The socket must not be writable by others than its owner and group, or Sendmail refuses it: set milter.socket-mode 0660 and
dnl set milter.socket-group smmsp in the policy.
