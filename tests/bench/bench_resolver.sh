#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# bench_resolver.sh [ROUNDS [LOAD...]] - Unbound with the module against the same Unbound without, by dnsperf in one
# run: see tests/system/resolver/bench.py.
[ "$(id -u)" = 0 ] || { echo "skipped: needs root (to make a network of its own)"; exit 77; }
case ${1:-5} in
'' | 0 | *[!0-9]*) echo "bench_resolver: ROUNDS: 1 or more, not '$1'" >&2; exit 64 ;;
esac
exec /usr/bin/python3 "$(dirname "$0")/../system/resolver/bench.py" "$@"
