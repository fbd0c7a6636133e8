#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# bench_resolver_instructions.sh [LOAD...] - what the module costs for each question, in instructions, on a busy machine
# too: see tests/system/resolver/instructions.py.
command -v valgrind >/dev/null || { echo "skipped: needs valgrind"; exit 0; }
exec /usr/bin/python3 "$(dirname "$0")/../system/resolver/instructions.py" "$@"
