# SPDX-License-Identifier: BSD-2-Clause
"""certificates - client certificates that scenarios show, made at their first use and kept as long as the player runs."""
import atexit
import hashlib
import os
import shutil
import subprocess
import tempfile

import keys

_folder = None


def files(name):
    """(certificate, key) of that name."""
    global _folder
    if _folder is None:
        _folder = tempfile.mkdtemp(prefix="assay-certificates-")
        atexit.register(shutil.rmtree, _folder, ignore_errors=True)
    cert, key = f"{_folder}/{name}.pem", f"{_folder}/{name}.key"
    if not os.path.exists(cert):
        keys.certificate(name, cert, key)
    return cert, key


def public_key_digest(name):
    """SHA-256 of its SubjectPublicKeyInfo, hex: what TLSA 3 1 1 holds."""
    pem = subprocess.run(["openssl", "x509", "-in", files(name)[0], "-pubkey", "-noout"], check=True, capture_output=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"], input=pem, check=True, capture_output=True).stdout
    return hashlib.sha256(der).hexdigest()
