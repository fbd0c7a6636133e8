// SPDX-License-Identifier: BSD-2-Clause
/*
 * hello_names.c - cipher suites, groups and signature schemes of TLS by number, and what each is worth.
 *
 * The numbers are IANA's (TLS parameters registry). The worth is that of the NCSC-NL guidelines of May 2025, with two
 * of our own: BROKEN for ciphers without protection (no encryption, export keys, RC4, DES, triple DES), ANONYMOUS for a
 * key exchange without a certificate, unless the cipher is broken.
 */
#include "check/hello.h"

// clang-format off
const struct hello_name hello_ciphers[] = {
    {0x1302, HELLO_GOOD,         "AES_256_GCM_SHA384"},
    {0x1303, HELLO_GOOD,         "CHACHA20_POLY1305_SHA256"},
    {0x1301, HELLO_SUFFICIENT,   "AES_128_GCM_SHA256"},
    {0x1304, HELLO_SUFFICIENT,   "AES_128_CCM_SHA256"},
    {0x1305, HELLO_INSUFFICIENT, "AES_128_CCM_8_SHA256"},
    {0xc02c, HELLO_SUFFICIENT,   "ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"},
    {0xc02b, HELLO_SUFFICIENT,   "ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
    {0xcca9, HELLO_SUFFICIENT,   "ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"},
    {0xc030, HELLO_SUFFICIENT,   "ECDHE_RSA_WITH_AES_256_GCM_SHA384"},
    {0xc02f, HELLO_SUFFICIENT,   "ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
    {0xcca8, HELLO_SUFFICIENT,   "ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"},
    {0xc0ad, HELLO_SUFFICIENT,   "ECDHE_ECDSA_WITH_AES_256_CCM"},
    {0xc0ac, HELLO_SUFFICIENT,   "ECDHE_ECDSA_WITH_AES_128_CCM"},
    {0x009f, HELLO_PHASE_OUT,    "DHE_RSA_WITH_AES_256_GCM_SHA384"},
    {0x009e, HELLO_PHASE_OUT,    "DHE_RSA_WITH_AES_128_GCM_SHA256"},
    {0xccaa, HELLO_PHASE_OUT,    "DHE_RSA_WITH_CHACHA20_POLY1305_SHA256"},
    {0x006b, HELLO_PHASE_OUT,    "DHE_RSA_WITH_AES_256_CBC_SHA256"},
    {0x0067, HELLO_PHASE_OUT,    "DHE_RSA_WITH_AES_128_CBC_SHA256"},
    {0xc024, HELLO_PHASE_OUT,    "ECDHE_ECDSA_WITH_AES_256_CBC_SHA384"},
    {0xc023, HELLO_PHASE_OUT,    "ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"},
    {0xc028, HELLO_PHASE_OUT,    "ECDHE_RSA_WITH_AES_256_CBC_SHA384"},
    {0xc027, HELLO_PHASE_OUT,    "ECDHE_RSA_WITH_AES_128_CBC_SHA256"},
    {0xc0af, HELLO_INSUFFICIENT, "ECDHE_ECDSA_WITH_AES_256_CCM_8"},
    {0xc0ae, HELLO_INSUFFICIENT, "ECDHE_ECDSA_WITH_AES_128_CCM_8"},
    {0xc00a, HELLO_INSUFFICIENT, "ECDHE_ECDSA_WITH_AES_256_CBC_SHA"},
    {0xc009, HELLO_INSUFFICIENT, "ECDHE_ECDSA_WITH_AES_128_CBC_SHA"},
    {0xc014, HELLO_INSUFFICIENT, "ECDHE_RSA_WITH_AES_256_CBC_SHA"},
    {0xc013, HELLO_INSUFFICIENT, "ECDHE_RSA_WITH_AES_128_CBC_SHA"},
    {0x0039, HELLO_INSUFFICIENT, "DHE_RSA_WITH_AES_256_CBC_SHA"},
    {0x0033, HELLO_INSUFFICIENT, "DHE_RSA_WITH_AES_128_CBC_SHA"},
    {0x009d, HELLO_INSUFFICIENT, "RSA_WITH_AES_256_GCM_SHA384"},
    {0x009c, HELLO_INSUFFICIENT, "RSA_WITH_AES_128_GCM_SHA256"},
    {0x003d, HELLO_INSUFFICIENT, "RSA_WITH_AES_256_CBC_SHA256"},
    {0x003c, HELLO_INSUFFICIENT, "RSA_WITH_AES_128_CBC_SHA256"},
    {0x0035, HELLO_INSUFFICIENT, "RSA_WITH_AES_256_CBC_SHA"},
    {0x002f, HELLO_INSUFFICIENT, "RSA_WITH_AES_128_CBC_SHA"},
    {0x0084, HELLO_INSUFFICIENT, "RSA_WITH_CAMELLIA_256_CBC_SHA"},
    {0x0041, HELLO_INSUFFICIENT, "RSA_WITH_CAMELLIA_128_CBC_SHA"},
    {0x0096, HELLO_INSUFFICIENT, "RSA_WITH_SEED_CBC_SHA"},
    {0x00a7, HELLO_ANONYMOUS,    "DH_anon_WITH_AES_256_GCM_SHA384"},
    {0x00a6, HELLO_ANONYMOUS,    "DH_anon_WITH_AES_128_GCM_SHA256"},
    {0x006d, HELLO_ANONYMOUS,    "DH_anon_WITH_AES_256_CBC_SHA256"},
    {0x006c, HELLO_ANONYMOUS,    "DH_anon_WITH_AES_128_CBC_SHA256"},
    {0xc019, HELLO_ANONYMOUS,    "ECDH_anon_WITH_AES_256_CBC_SHA"},
    {0xc018, HELLO_ANONYMOUS,    "ECDH_anon_WITH_AES_128_CBC_SHA"},
    {0x003a, HELLO_ANONYMOUS,    "DH_anon_WITH_AES_256_CBC_SHA"},
    {0x0034, HELLO_ANONYMOUS,    "DH_anon_WITH_AES_128_CBC_SHA"},
    {0x00c5, HELLO_ANONYMOUS,    "DH_anon_WITH_CAMELLIA_256_CBC_SHA256"},
    {0x00bf, HELLO_ANONYMOUS,    "DH_anon_WITH_CAMELLIA_128_CBC_SHA256"},
    {0x0089, HELLO_ANONYMOUS,    "DH_anon_WITH_CAMELLIA_256_CBC_SHA"},
    {0x0046, HELLO_ANONYMOUS,    "DH_anon_WITH_CAMELLIA_128_CBC_SHA"},
    {0x009b, HELLO_ANONYMOUS,    "DH_anon_WITH_SEED_CBC_SHA"},
    {0xc012, HELLO_BROKEN,       "ECDHE_RSA_WITH_3DES_EDE_CBC_SHA"},
    {0xc008, HELLO_BROKEN,       "ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA"},
    {0x0016, HELLO_BROKEN,       "DHE_RSA_WITH_3DES_EDE_CBC_SHA"},
    {0x000a, HELLO_BROKEN,       "RSA_WITH_3DES_EDE_CBC_SHA"},
    {0xc011, HELLO_BROKEN,       "ECDHE_RSA_WITH_RC4_128_SHA"},
    {0xc007, HELLO_BROKEN,       "ECDHE_ECDSA_WITH_RC4_128_SHA"},
    {0x0005, HELLO_BROKEN,       "RSA_WITH_RC4_128_SHA"},
    {0x0004, HELLO_BROKEN,       "RSA_WITH_RC4_128_MD5"},
    {0x0015, HELLO_BROKEN,       "DHE_RSA_WITH_DES_CBC_SHA"},
    {0x0009, HELLO_BROKEN,       "RSA_WITH_DES_CBC_SHA"},
    {0x0014, HELLO_BROKEN,       "DHE_RSA_EXPORT_WITH_DES40_CBC_SHA"},
    {0x0006, HELLO_BROKEN,       "RSA_EXPORT_WITH_RC2_CBC_40_MD5"},
    {0x0064, HELLO_BROKEN,       "RSA_EXPORT1024_WITH_RC4_56_SHA"},
    {0x0003, HELLO_BROKEN,       "RSA_EXPORT_WITH_RC4_40_MD5"},
    {0x0008, HELLO_BROKEN,       "RSA_EXPORT_WITH_DES40_CBC_SHA"},
    {0x0062, HELLO_BROKEN,       "RSA_EXPORT1024_WITH_DES_CBC_SHA"},
    {0xc006, HELLO_BROKEN,       "ECDHE_ECDSA_WITH_NULL_SHA"},
    {0xc010, HELLO_BROKEN,       "ECDHE_RSA_WITH_NULL_SHA"},
    {0x003b, HELLO_BROKEN,       "RSA_WITH_NULL_SHA256"},
    {0x0002, HELLO_BROKEN,       "RSA_WITH_NULL_SHA"},
    {0x0001, HELLO_BROKEN,       "RSA_WITH_NULL_MD5"},
    {0xc017, HELLO_BROKEN,       "ECDH_anon_WITH_3DES_EDE_CBC_SHA"},
    {0x001b, HELLO_BROKEN,       "DH_anon_WITH_3DES_EDE_CBC_SHA"},
    {0xc016, HELLO_BROKEN,       "ECDH_anon_WITH_RC4_128_SHA"},
    {0x0018, HELLO_BROKEN,       "DH_anon_WITH_RC4_128_MD5"},
    {0x001a, HELLO_BROKEN,       "DH_anon_WITH_DES_CBC_SHA"},
    {0x0019, HELLO_BROKEN,       "DH_anon_EXPORT_WITH_DES40_CBC_SHA"},
    {0x0017, HELLO_BROKEN,       "DH_anon_EXPORT_WITH_RC4_40_MD5"},
    {0xc015, HELLO_BROKEN,       "ECDH_anon_WITH_NULL_SHA"},
};

const struct hello_name hello_groups[] = {
    {0x11ec, HELLO_GOOD,         "X25519MLKEM768"},
    {0x001d, HELLO_GOOD,         "x25519"},
    {0x001e, HELLO_GOOD,         "x448"},
    {0x0017, HELLO_GOOD,         "secp256r1"},
    {0x0018, HELLO_GOOD,         "secp384r1"},
    {0x0019, HELLO_GOOD,         "secp521r1"},
    {0x001a, HELLO_GOOD,         "brainpoolP256r1"},
    {0x001b, HELLO_GOOD,         "brainpoolP384r1"},
    {0x001c, HELLO_GOOD,         "brainpoolP512r1"},
    {0x0015, HELLO_PHASE_OUT,    "secp224r1"},
    {0x0101, HELLO_PHASE_OUT,    "ffdhe3072"},
    {0x0102, HELLO_PHASE_OUT,    "ffdhe4096"},
    {0x0103, HELLO_PHASE_OUT,    "ffdhe6144"},
    {0x0104, HELLO_PHASE_OUT,    "ffdhe8192"},
    {0x0100, HELLO_INSUFFICIENT, "ffdhe2048"},
    {0x0013, HELLO_INSUFFICIENT, "secp192r1"},
    {0x0016, HELLO_INSUFFICIENT, "secp256k1"},
    {0x0009, HELLO_INSUFFICIENT, "sect283k1"},
};

const struct hello_name hello_signatures[] = {
    {0x0403, HELLO_GOOD,         "ecdsa_secp256r1_sha256"},
    {0x0503, HELLO_GOOD,         "ecdsa_secp384r1_sha384"},
    {0x0603, HELLO_GOOD,         "ecdsa_secp521r1_sha512"},
    {0x0807, HELLO_GOOD,         "ed25519"},
    {0x0808, HELLO_GOOD,         "ed448"},
    {0x0804, HELLO_GOOD,         "rsa_pss_rsae_sha256"},
    {0x0805, HELLO_GOOD,         "rsa_pss_rsae_sha384"},
    {0x0806, HELLO_GOOD,         "rsa_pss_rsae_sha512"},
    {0x0809, HELLO_GOOD,         "rsa_pss_pss_sha256"},
    {0x080a, HELLO_GOOD,         "rsa_pss_pss_sha384"},
    {0x080b, HELLO_GOOD,         "rsa_pss_pss_sha512"},
    {0x0401, HELLO_GOOD,         "rsa_pkcs1_sha256"},
    {0x0501, HELLO_GOOD,         "rsa_pkcs1_sha384"},
    {0x0601, HELLO_GOOD,         "rsa_pkcs1_sha512"},
    {0x0303, HELLO_PHASE_OUT,    "ecdsa_sha224"},
    {0x0301, HELLO_PHASE_OUT,    "rsa_pkcs1_sha224"},
    {0x0203, HELLO_INSUFFICIENT, "ecdsa_sha1"},
    {0x0201, HELLO_INSUFFICIENT, "rsa_pkcs1_sha1"},
};
// clang-format on

const size_t hello_cipher_count = sizeof hello_ciphers / sizeof hello_ciphers[0],
             hello_group_count = sizeof hello_groups / sizeof hello_groups[0],
             hello_signature_count = sizeof hello_signatures / sizeof hello_signatures[0];

static const struct hello_name *find_name(const struct hello_name *names, size_t count, uint16_t id)
{
    for (size_t i = 0; i < count; i++)
        if (names[i].id == id)
            return &names[i];
    return NULL;
}

const struct hello_name *hello_cipher(uint16_t id)
{
    return find_name(hello_ciphers, hello_cipher_count, id);
}

const struct hello_name *hello_group(uint16_t id)
{
    return find_name(hello_groups, hello_group_count, id);
}

const struct hello_name *hello_signature(uint16_t id)
{
    return find_name(hello_signatures, hello_signature_count, id);
}
