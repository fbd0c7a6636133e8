# SPDX-License-Identifier: BSD-2-Clause
"""run_demo [1]: makes the private space for demo.py; with 1, leaves it running and says how to talk to it."""
import os
import sys

import milter
import space


def kept(folder, keeper, first):
    print(
        f"""
It is still running, and is seen by nobody outside. To talk to it:
  a shell inside           nsenter -t {first} -a --wd=/ sh
  ask the resolver         nsenter -t {first} -a dig @203.0.113.53 www.unsigned.example
  send a mail              nsenter -t {first} -a swaks --server 203.0.113.1 --local-interface 192.0.2.66 --from x@attacker.example \\
                               --to user@example.org --header-From info@bank.example          (or by hand: nc -s 192.0.2.66 203.0.113.1 25)
  the milter's log         {folder}/m/log
  the policy               {folder}/m/policy     (then: nsenter -t {first} -a sh -c 'kill -HUP $(cat {folder}/m/pid)')
  the journal              {folder}/m/state/journal/
  the ledger               nsenter -t {first} -a {milter.program("assay")} ledger refused -P {folder}/m/policy
  the report               {folder}/m/report/index.html
  the mails                {folder}/mail/user@example.org/new/   and .Junk/new/
  Postfix, Unbound         {folder}/mx/log   {folder}/unbound/log
To end it and remove all of it:   kill {keeper}"""
    )


def main():
    why = space.can_enter()
    if why:
        print(f"demo: {why}", file=sys.stderr)
        return 77
    keep = len(sys.argv) > 1 and sys.argv[1] not in ("", "0")
    program = ["/usr/bin/python3", "-B", os.path.join(space.HERE, "demo.py")] + (["keep"] if keep else [])
    return space.outside("demo", program, kept if keep else None)


sys.exit(main())
