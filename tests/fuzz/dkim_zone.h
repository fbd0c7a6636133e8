// SPDX-License-Identifier: BSD-2-Clause
/*
 * dkim_zone.h - the public keys of the signatures in the corpus (those of RFC 6376, RFC 8463 and RFC 8617), and a zone
 * that never answers.
 */
#ifndef ASSAY_TESTS_FUZZ_DKIM_ZONE_H
#define ASSAY_TESTS_FUZZ_DKIM_ZONE_H

static const char zone[] =
    "brisbane._domainkey.example.com TXT \"v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsE"
    "mGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjx\" \"OCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+R"
    "cac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB\"\n"
    "brisbane._domainkey.football.example.com TXT \"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiM"
    "lrwIaaPcHURo=\"\n"
    "test._domainkey.football.example.com TXT \"v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoB"
    "TzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/\" \"J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1L"
    "xj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB\"\n"
    "dummy._domainkey.example.org TXT \"v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5"
    "V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/\" \"J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lH"
    "vqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB\"\n"
    "zone dead.example timeout\n";

#endif
