#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# bench_resolver_instructions.sh [LOAD...] - what the module costs for each question, in instructions, on a busy machine
# too: see tests/system/resolver/instructions.py.
command -v valgrind >/dev/null || { echo "skipped: needs valgrind"; exit 77; }
[ "$(id -u)" = 0 ] || { echo "skipped: needs root (to make a network of its own)"; exit 77; }
exec /usr/bin/python3 "$(dirname "$0")/../system/resolver/instructions.py" "$@"
