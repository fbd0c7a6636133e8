#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# bench_resolver.sh [ROUNDS [LOAD...]] - Unbound with the module against the same Unbound without, by dnsperf in one
# run: see tests/system/resolver/bench.py.
exec /usr/bin/python3 "$(dirname "$0")/../system/resolver/bench.py" "$@"
