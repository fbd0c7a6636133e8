# SPDX-License-Identifier: BSD-2-Clause
"""peers: the other filters that assay-milter is measured with, from Debian's packages.

What is not installed is unpacked to the build folder with what it needs, so that nothing of this machine changes and no daemon is started;
where that cannot be done the peer is not there, and the bench says so by its name."""
import glob
import os
import shutil
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROOT = os.path.join(TOP, os.environ.get("BUILD", "build"), "bench", "peers")
WANTED = {
    "opendkim": "/usr/sbin/opendkim",
    "opendmarc": "/usr/sbin/opendmarc",
    "rspamd": "/usr/bin/rspamd",
    "unbound": "/usr/sbin/unbound",
}
WANTED["gnuplot-nox"] = "/usr/bin/gnuplot-nox"
RESOLVER = "203.0.113.53"
HOST = "mx.example.org"


def program(package):
    """The path of the package's program, installed or unpacked; None: it is neither."""
    for path in (WANTED[package], WANTED[package].replace("-nox", ""), ROOT + WANTED[package]):
        if os.access(path, os.X_OK):
            return path
    return None


def fetch():
    """Unpacks what is missing. Returns the names of the packages that are still not there."""
    missing = [p for p in WANTED if not program(p)]
    if missing and shutil.which("apt-get"):
        archives = f"{ROOT}/archives"
        os.makedirs(f"{archives}/partial", exist_ok=True)
        print(f"downloading to {os.path.relpath(ROOT)}: {' '.join(missing)}", flush=True)
        for package in missing:  # one by one: that one cannot be had must not cost the others
            subprocess.run(
                [
                    "apt-get",
                    "-q",
                    "-y",
                    "install",
                    "--no-install-recommends",
                    "--download-only",
                    "-o",
                    f"Dir::Cache::archives={archives}",
                    package,
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            )
        for package in glob.glob(f"{archives}/*.deb"):
            if subprocess.run(["dpkg-deb", "-x", package, ROOT], stderr=subprocess.DEVNULL).returncode == 0:
                os.unlink(package)
    return [p for p in missing if not program(p)]


def environment(path):
    """Of a program: the libraries that were unpacked with it."""
    if not path.startswith(ROOT):
        return dict(os.environ)
    libraries = glob.glob(f"{ROOT}/usr/lib/*-linux-*") + [f"{ROOT}/usr/lib"]
    share = {
        "SHAREDIR": f"{ROOT}/usr/share/rspamd",
        "LUALIBDIR": f"{ROOT}/usr/share/rspamd/lualib",
        "PLUGINSDIR": f"{ROOT}/usr/share/rspamd/plugins",
    }
    return {**os.environ, **share, "LD_LIBRARY_PATH": ":".join(libraries)}


def write(path, text):
    with open(path, "w", encoding="ascii") as f:
        f.write(text)
    return path


def opendkim(folder):
    # Nameservers: with ResolverConfiguration this version parses libunbound's configuration in each thread, and crashes under load.
    conf = write(
        f"{folder}/opendkim.conf",
        f"Syslog no\nUMask 000\nMode v\nSocket local:{folder}/opendkim.socket\nPidFile {folder}/opendkim.pid\nAuthservID {HOST}\n"
        f"Background no\nNameservers {RESOLVER}\n",
    )
    return [program("opendkim"), "-f", "-x", conf], f"unix:{folder}/opendkim.socket"


def opendmarc(folder):
    suffixes = "/usr/share/publicsuffix/public_suffix_list.dat"
    conf = write(
        f"{folder}/opendmarc.conf",
        f"Syslog false\nUMask 000\nSocket local:{folder}/opendmarc.socket\nPidFile {folder}/opendmarc.pid\nAuthservID {HOST}\n"
        f"Background false\nSPFSelfValidate true\n" + (f"PublicSuffixList {suffixes}\n" if os.path.exists(suffixes) else ""),
    )
    return [program("opendmarc"), "-f", "-c", conf], f"unix:{folder}/opendmarc.socket"


RSPAMD = """options {{ pidfile = "{d}/rspamd.pid"; filters = "dkim"; cache_file = "{d}/symbols.cache"; hs_cache_dir = "{d}/";
  history_file = "{d}/history"; dynamic_conf = "{d}/dyn"; control_socket = "{d}/control.socket mode=0600"; rrd = "{d}/rspamd.rrd";
  stats_file = "{d}/stats.ucl"; tempdir = "{d}"; url_tld = "{share}/effective_tld_names.dat"; local_addrs = []; history_rows = 200;
  task_timeout = 30s; dns {{ nameserver = ["{resolver}"]; timeout = 2s; retransmits = 5; sockets = 16; }} }}
logging {{ type = "file"; filename = "{d}/rspamd.log"; level = "error"; }}
worker "rspamd_proxy" {{ bind_socket = "{d}/rspamd.socket mode=0666"; milter = yes; timeout = 120s; count = 1;
  upstream "local" {{ default = yes; self_scan = yes; }} }}
modules {{ path = "{share}/plugins"; }}
metric {{ name = "default"; actions {{ reject = 1000; add_header = 900; greylist = 800; }} unknown_weight = 0; }}
spf {{ spf_cache_size = 2k; spf_cache_expire = 1d; }}
dkim {{ dkim_cache_size = 2k; dkim_cache_expire = 1d; time_jitter = 6h; trusted_only = false; skip_multi = false; }}
dmarc {{ }}
arc {{ sign_inbound = false; sign_local = false; sign_authenticated = false; }}
milter_headers {{ use = ["authentication-results"]; skip_local = false; skip_authenticated = false; authenticated_headers = []; }}
"""


def rspamd(folder):
    path = program("rspamd")
    share = (ROOT if path.startswith(ROOT) else "") + "/usr/share/rspamd"
    os.makedirs(f"{folder}/rspamd", exist_ok=True)
    conf = write(f"{folder}/rspamd.conf", RSPAMD.format(d=f"{folder}/rspamd", share=share, resolver=RESOLVER))
    return [path, "-f", "-i", "-c", conf], f"unix:{folder}/rspamd/rspamd.socket"


# What is measured beside us: name, what it judges, the packages it needs, and its filters in their order.
PEERS = (
    ("OpenDKIM + OpenDMARC", ("spf", "dkim", "dmarc"), (("opendkim", opendkim), ("opendmarc", opendmarc))),
    ("rspamd", ("spf", "dkim", "dmarc", "arc"), (("rspamd", rspamd),)),
)
