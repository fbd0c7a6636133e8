# SPDX-License-Identifier: BSD-2-Clause
"""rights.py BUILD FOLDER STORE - hosts that may only add to a shared ledger: what their role can do in the database,
and what comes of what they send.

Two hosts with roles of their own, and the ledger's owner, each with assay-ledger and a policy. On a PostgreSQL whose
owner the STORE names."""
import fcntl
import grp
import json
import os
import subprocess
import sys
import time

from checks import Checks

BUILD, FOLDER, STORE = sys.argv[1:4]
NOW = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - 60))  # younger than what is forgotten
check = Checks('rights')


def psql(uri, *statements, stdin=None):
    """What comes back, or None and the error's words."""
    commands = [word for s in statements for word in ("-c", s)]
    done = subprocess.run(["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", uri, *commands], input=stdin, capture_output=True, text=True)
    return (done.stdout.split("\n")[:-1] if done.returncode == 0 else None), done.stderr


def refusals(uri, statements):
    """Each statement with the error that it ends with, None if it succeeds; all by one connection, each in a transaction of its own."""
    text = "".join(f"{sql};\n\\echo --- :ERROR :LAST_ERROR_MESSAGE\nROLLBACK;\n" for sql in statements)
    done = subprocess.run(["psql", "-qAtX", uri], input=text, capture_output=True, text=True)
    said = [line.split(" ", 2) for line in done.stdout.split("\n") if line.startswith("--- ")]
    check(len(said) == len(statements), f"each of {len(statements)} statements is answered: {done.stdout[-500:]} {done.stderr[-500:]}")
    return [(sql, why if failed == "true" else None) for sql, (_, failed, why) in zip(statements, said)]


def number(sql):
    return int(psql(STORE, sql)[0][0])


class Host:
    def __init__(self, name, uri):
        self.name, self.uri = name, uri
        self.dir = os.path.join(FOLDER, name)
        self.journal = os.path.join(self.dir, "journal")
        os.makedirs(self.journal)
        self.policy = os.path.join(self.dir, "policy")
        with open(self.policy, "w", encoding="ascii") as f:
            f.write(
                f'policy "{name}" owner "x@example.org"\nset journal.dir "{self.journal}"\nset ledger.knowledge "{self.dir}/knowledge"\n'
                f'set ledger.store "{uri}"\nfollow dmarc of everyone\n'
            )
        self.count = 0

    def segment(self, ids, host=None, extra=b"", closed=True, name=None):
        """A segment as a milter leaves it."""
        self.count += 1
        name = name or f"{self.count:032x}"[-32:].replace("0", self.name[-1], 1)
        lines = [{"v": 1, "t": f"{NOW}.000001Z", "host": self.name, "kind": "segment", "segment": name, "writer": "milter"}]
        for i, queue_id in enumerate(ids):
            lines.append(
                {
                    "v": 1,
                    "t": f"{NOW}.{i:06d}Z",
                    "host": host or self.name,
                    "kind": "mail",
                    "id": queue_id,
                    "source": "internet",
                    "action": "deliver",
                    "would": "deliver",
                    "findings": [{"standard": "spf", "subject": "example.org", "result": "pass"}],
                }
            )
        path = os.path.join(self.journal, f"milter-20261120T100000Z-{self.count:08x}." + ("journal" if closed else "open"))
        with open(path, "wb") as f:
            f.write("".join(json.dumps(line) + "\n" for line in lines).encode() + extra)
        return path, name

    def start(self):
        return subprocess.Popen([f"{BUILD}/assay-ledger", "-1", "-P", self.policy, "-S", self.dir], stderr=subprocess.DEVNULL)

    def ledger(self, want=0):
        done = subprocess.run([f"{BUILD}/assay-ledger", "-1", "-P", self.policy, "-S", self.dir], capture_output=True, text=True)
        check(done.returncode == want, f"assay-ledger of {self.name} ends with {want}, not {done.returncode}: {done.stderr}")
        return done.stderr

    def assay(self, *words):
        done = subprocess.run([f"{BUILD}/assay", *words, "-P", self.policy], capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr


def admit(host, role):
    sql = subprocess.run(
        [f"{BUILD}/assay", "ledger", "admit", host, "--role", role, "--store", STORE], capture_output=True, text=True, check=True
    ).stdout
    got, why = psql(STORE, stdin=sql)
    check(got is not None, f"the owner runs what `assay ledger admit` prints: {why}")


def what_a_role_may(uri):
    first = dict(
        row.split("|")
        for row in psql(
            STORE,
            "SELECT tablename, attname FROM pg_tables JOIN pg_attribute ON attrelid = tablename::regclass AND attnum = 1 "
            "WHERE schemaname = 'public'",
        )[0]
    )
    check(len(first) > 20 and "inbox" in first and "mail" in first, "the tables are there")
    wanted = {}  # statement: what its error says
    for table, column in first.items():
        for sql in (
            f"SELECT * FROM {table}",
            f"DELETE FROM {table}",
            f"TRUNCATE {table}",
            f"DROP TABLE {table}",
            f"ALTER TABLE {table} ADD x BIGINT",
            f"UPDATE {table} SET {column} = {column}",
            f"COPY {table} TO STDOUT",
            f"BEGIN; LOCK TABLE {table} IN SHARE MODE",
        ):
            wanted[sql] = ("permission denied", "must be owner")
        if table not in ("inbox", "exception"):
            wanted[f"INSERT INTO {table} DEFAULT VALUES"] = ("permission denied",)
    for sql, words in (
        ("CREATE TABLE mine (x BIGINT)", "permission denied"),
        ("CREATE ROLE friend", "permission denied"),
        ("GRANT SELECT ON mail TO PUBLIC", "permission denied"),
        ("ALTER TABLE inbox DISABLE ROW LEVEL SECURITY", "must be owner"),
        ("INSERT INTO inbox_host VALUES ('assay_mx1', 'mx2')", "permission denied"),
    ):
        wanted[sql] = (words,)
    row = (
        "INSERT INTO inbox (segment, at, upto, done, writer, host, name, sent, lines{0}) VALUES ('s', 0, 0, 0, 'milter', 'mx2', 'n', 0, "
        "''{1})"
    )
    for column, value in ((", role", ", 'assay_mx2'"), (", role", ", 'assay'"), (", refused", ", 'x'")):
        wanted[row.format(column, value)] = ("row-level security",)  # nobody adds as another
    for sql, why in refusals(uri, list(wanted)):
        check(why and any(words in why for words in wanted[sql]), f"a host's role may not: {sql}: {why}")


def rights_of(role):
    """Each right of the role on a table of the ledger."""
    given = "SELECT table_name, privilege_type FROM information_schema.role_table_grants WHERE grantee"
    return psql(STORE, f"{given} = '{role}' ORDER BY 1, 2")[0]


def printed(host, role):
    """What `assay ledger admit` prints, run by a psql that goes on after errors unless what it reads says otherwise."""
    sql = subprocess.run(
        [f"{BUILD}/assay", "ledger", "admit", host, "--role", role, "--store", STORE], capture_output=True, text=True, check=True
    ).stdout
    return subprocess.run(["psql", "-qAtX", STORE], input=sql, capture_output=True, text=True)


def not_there_yet():
    """A role that is not there is made in the same transaction: where a later statement fails, it is not there either."""
    psql(STORE, "GRANT CREATE ON SCHEMA public TO PUBLIC")
    done = printed("mx8", "assay_mx8")
    psql(STORE, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    check(done.returncode == 3 and "REVOKE CREATE ON SCHEMA public FROM PUBLIC" in done.stderr, f"admit: {done.returncode} {done.stderr}")
    check(number("SELECT count(*) FROM pg_roles WHERE rolname = 'assay_mx8'") == 0, "admit: all of it or nothing, the role too")
    check(number("SELECT count(*) FROM inbox_host WHERE host = 'mx8'") == 0, "admit: nor the host")


def roles_that_were_there():
    """One with rights, and those that cannot be made small."""
    psql(STORE, "CREATE ROLE assay_mx3 LOGIN", "GRANT ALL ON ALL TABLES IN SCHEMA public TO assay_mx3")
    admit("mx3", "assay_mx3")
    what_a_role_may(STORE.replace("//assay@", "//assay_mx3@"))
    psql(
        STORE,
        "CREATE ROLE mighty LOGIN SUPERUSER",
        "CREATE ROLE reader",
        "GRANT SELECT ON host TO reader",
        "CREATE ROLE member LOGIN IN ROLE reader",
    )
    for role, words in (
        ("mighty", "one of the powerful"),
        ("member", "with the table host"),
        ("assay_mx3", "REVOKE CREATE ON SCHEMA public FROM PUBLIC"),
    ):
        if role == "assay_mx3":
            psql(STORE, "GRANT CREATE ON SCHEMA public TO PUBLIC", "GRANT SELECT ON host TO assay_mx3")
        before = rights_of(role)
        done = printed("mx9", role)
        check(done.returncode == 3 and words in done.stderr, f"{role} is refused: {done.returncode} {done.stderr}")
        check(done.stderr.count("ERROR:") == 1, f"{role}: psql ends at the first error: {done.stderr}")
        check(number("SELECT count(*) FROM inbox_host WHERE host = 'mx9'") == 0, f"{role}: the host is not admitted")
        check(rights_of(role) == before, f"{role}: its rights are as before: {before} {rights_of(role)}")
    check("host|SELECT" in rights_of("assay_mx3"), "what is taken from a role that was there is given back with the rest")
    psql(STORE, "REVOKE CREATE ON SCHEMA public FROM PUBLIC", "REVOKE SELECT ON host FROM assay_mx3")


def who_may_not_make_it():
    """A role that may not make the tables, not make roles, or not change what another made: told what gives it the right."""
    psql(STORE, "CREATE ROLE small LOGIN", "CREATE ROLE other LOGIN", "CREATE DATABASE tenant")
    tenant = STORE.replace("/postgres?", "/tenant?")
    small, other = (tenant.replace("//assay@", f"//{role}@") for role in ("small", "other"))
    psql(tenant, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    host, second = Host("small", small), Host("second", other)
    fix = "GRANT USAGE, CREATE ON SCHEMA public TO small"
    words = host.ledger(want=75)
    check(f"the role small may not make the ledger's tables: let an administrator of the database run: {fix}" in words, words)
    got, why = grant("mx1", "assay_small_mx1", small)
    check(got is None and "there is no ledger in the database tenant" in why and "Start assay-ledger first" in why, why)
    psql(tenant, fix)  # what it was told, and nothing else
    host.segment(["small-1"])
    host.ledger()
    check(psql(tenant, "SELECT count(*) FROM mail WHERE queue_id = 'small-1'")[0] == ["1"], "with that right it works")
    # admit by the owner, who may not make roles; and by somebody else.
    got, why = grant("mx1", "assay_small_mx1", small)
    check(got is None and "role assay_small_mx1 is not there, and small may not make it" in why, why)
    check("CREATE ROLE assay_small_mx1 LOGIN (or ALTER ROLE small CREATEROLE), then run this again" in why, why)
    got, why = grant("mx1", "assay_small_mx1", other)
    check(got is None and "other is not the owner of this ledger" in why and "Run this as small" in why, why)
    psql(STORE, "CREATE ROLE assay_small_mx1 LOGIN")
    got, why = grant("mx1", "assay_small_mx1", small)
    check(got is not None, f"with the role made by an administrator it works: {why}")
    psql(STORE, "ALTER ROLE small CREATEROLE")
    got, why = grant("mx2", "assay_small_mx2", small)
    check(got is not None, f"and with CREATEROLE it makes the role itself: {why}")
    # An upgrade by somebody who does not own the tables.
    psql(
        tenant,
        "UPDATE assay_schema SET version = version - 1",
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO other",
        "GRANT CREATE ON SCHEMA public TO other",
    )
    words = second.ledger(want=75)
    check("the role other may not upgrade the ledger's tables, which belong to small: connect as that role" in words, words)
    check("GRANT small TO other" in words, words)
    psql(tenant, "UPDATE assay_schema SET version = version + 1")


def grant(host, role, uri):
    """What `assay ledger admit` prints, run by that role."""
    sql = subprocess.run(
        [f"{BUILD}/assay", "ledger", "admit", host, "--role", role, "--store", STORE], capture_output=True, text=True, check=True
    ).stdout
    return psql(uri, stdin=sql)


def old_notes(host):
    """Notes that a killed taker left: those of yesterday go."""
    for name, age in ((".sent-old", 2 * 86400), (".sent-young", 60)):
        with open(os.path.join(host.journal, name), "w", encoding="ascii") as f:
            f.write("1 1 0\n")
        os.utime(f.name, (time.time() - age, time.time() - age))
    host.ledger()
    check(os.listdir(host.journal) == [".sent-young"], f"only the old note goes: {os.listdir(host.journal)}")
    os.unlink(os.path.join(host.journal, ".sent-young"))


def by_way_of_the_inbox(owner, hosts):
    """What is found gets in, by way of the inbox, and the files go."""
    hosts[0].segment([f"a{i}" for i in range(7000)])
    path, _ = hosts[1].segment(["b0", "b1"], closed=False)
    writer = open(path, "ab")
    fcntl.flock(writer, fcntl.LOCK_EX)  # as its writer has it
    words = [h.ledger() for h in hosts]
    check("may only add" in words[0], f"assay-ledger says what it is: {words[0]}")
    check(os.listdir(hosts[0].journal) == [], f"what is in the inbox is gone from the host: {os.listdir(hosts[0].journal)}")
    check(number("SELECT count(*) FROM mail") == 1 and number("SELECT count(*) FROM inbox") >= 3, "it waits in the inbox")
    check(number("SELECT count(*) FROM exception") == 0, "no exceptions in these policies")
    owner.ledger()
    check(number("SELECT count(*) FROM mail") == 1 + 7000 + 2, "all is taken in, from the open segment too")
    check(number("SELECT count(*) FROM inbox") == 0, "the inbox is empty")
    check(number("SELECT sum(count) FROM subject_day") == 7003, "and counted")
    return path, writer


def racing(owner, hosts):
    """Both at once, and two owners that empty the inbox meanwhile."""
    for h in hosts:
        for n in range(20):
            h.segment([f"race-{h.name}-{n}-{i}" for i in range(50)])
    racers = [h.start() for h in hosts + [owner, owner]]
    check(all(r.wait() == 0 for r in racers), "four at once")
    owner.ledger()
    check(
        number("SELECT count(*) FROM mail WHERE queue_id LIKE 'race-%'") == 2000
        and number("SELECT count(DISTINCT queue_id) FROM mail WHERE queue_id LIKE 'race-%'") == 2000,
        "once each",
    )
    check(
        number("SELECT count(*) FROM mail WHERE queue_id LIKE 'race-mx1%' AND host = 'mx1'") == 1000
        and number("SELECT count(*) FROM inbox") == 0,
        "under their own names",
    )


def sent_again(owner, hosts, path, writer):
    """Sent again in other pieces: the note of how far it was sent is lost, and the segment has grown and is closed."""
    with writer:
        writer.write(
            b'{"v":1,"t":"'
            + NOW.encode()
            + b'.900001Z","host":"mx2","kind":"mail","id":"b2","source":"internet","action":"deliver","would":"deliver"}\n'
        )
    os.rename(path, path.replace(".open", ".journal"))
    for note in [n for n in os.listdir(hosts[1].journal) if n.startswith(".sent-")]:
        os.unlink(os.path.join(hosts[1].journal, note))
    hosts[1].ledger()
    owner.ledger()
    got = sorted(psql(STORE, "SELECT queue_id FROM mail WHERE host = 'mx2' AND queue_id LIKE 'b%'")[0])
    check(got == ["b0", "b1", "b2"], f"once each, whatever the pieces: {got} {os.listdir(hosts[1].journal)}")
    check(os.listdir(hosts[1].journal) == [], "and the file is gone")


def no_records(owner, hosts):
    """Lines that are none are counted and the segment set aside; the others get in."""
    hosts[0].segment(
        ["c0"],
        extra=b"this is no record\n\x00\x00\x00\n"
        + b'{"v":1,"t":"'
        + NOW.encode()
        + b'.900002Z","host":"mx1","kind":"mail","id":"c1"}\n',
    )
    hosts[0].ledger()
    owner.ledger()
    check(number("SELECT count(*) FROM mail WHERE queue_id IN ('c0', 'c1')") == 2, "records around what is none")
    check(number("SELECT count(*) FROM segment WHERE bad > 0") == 1, "what is none is counted")
    check(
        sorted(os.path.splitext(n)[1] for n in os.listdir(hosts[0].journal)) == [".bad", ".why"],
        f"the file is set aside: {os.listdir(hosts[0].journal)}",
    )


def in_anothers_name(owner, hosts):
    """In another's name: the whole host, or single lines."""
    hosts[1].name = "mx1"
    hosts[1].segment(["d0"], name="d" * 32)
    hosts[1].name = "mx2"
    hosts[1].segment(["e0"], host="mx1", name="e" * 32)
    hosts[1].segment(["f0"], name="f" * 32)
    hosts[1].ledger()
    words = owner.ledger()
    check(number("SELECT count(*) FROM mail WHERE queue_id IN ('d0', 'e0')") == 0, "nobody speaks for another")
    check(number("SELECT count(*) FROM mail WHERE queue_id = 'f0'") == 1, "what comes behind is taken in")
    check("may not send for this host" in words, f"the log says so: {words}")
    code, out, told = owner.assay("ledger", "hosts")
    check(code == 0 and "mx1" in out and "assay_mx2" in told and "may not send" in told, f"assay ledger hosts tells: {told}")
    check(owner.ledger() and number("SELECT count(*) FROM inbox WHERE refused IS NOT NULL") == 1, "it stays, with its reason")


def what_does_not_add_up(owner, hosts):
    """What does not add up, or would end before it begins."""
    for i, (at, upto, lines) in enumerate(
        ((0, 5, "{}"), (9, 3, ""), (0, 4, "!-9\n"), (0, 4, "!4"), (0, 2**62, "!99999999999999999999\n"))
    ):
        got, why = psql(
            hosts[0].uri,
            f"INSERT INTO inbox (segment, at, upto, done, writer, host, name, sent, lines) VALUES ('bad{i}', {at}, {upto}, 0, 'm', "
            f"'mx1', 'n', {2 ** 62}, '{lines}')",
        )
        check(got is not None, f"it can be added: {why}")
    owner.ledger()
    check(
        number("SELECT count(*) FROM inbox WHERE refused IS NULL") == 0 and number("SELECT count(*) FROM inbox") == 6,
        "all that does not add up is refused",
    )
    check(number("SELECT max(sent) FROM inbox") <= time.time() * 1e6, "and stays no longer, whatever the host said of the time")

    # What would delay the others: a name of the segment longer than the owner's, rows that are the same but for it,
    # and a writer of which no index can be made.
    for i, (segment, writer) in enumerate((("s" * 5000, "m"), ("s" * 5001, "m"), ("w" * 32, "m" * 100000))):
        got, why = psql(
            hosts[0].uri,
            f"INSERT INTO inbox (segment, at, upto, done, writer, host, name, sent, lines) VALUES ('{segment}', 0, 0, 1, '{writer}', "
            "'mx1', repeat('n', 9999), extract(epoch FROM now()) * 1000000, '')",
        )
        check(got is not None, f"it can be added: {why}")
    hosts[1].segment(["long"], name="x" * 32)
    hosts[1].ledger()
    owner.ledger()
    check(
        number("SELECT count(*) FROM inbox WHERE refused LIKE '%name is not valid%'") == 2
        and number("SELECT count(*) FROM inbox WHERE refused IS NULL") == 0,
        "refused, or taken",
    )
    check(number("SELECT count(*) FROM mail WHERE queue_id = 'long'") == 1, "the other host's mail is in")


def owner_away(owner, hosts):
    """The owner is upgraded, or away: hosts add all the same."""
    version = number("SELECT version FROM assay_schema")
    psql(STORE, "UPDATE assay_schema SET version = 99")
    hosts[0].segment(["g0"])
    hosts[0].ledger()
    owner.segment(["h0"])
    check("newer" in owner.ledger(want=65), "the owner of before does not touch a newer ledger")
    psql(STORE, f"UPDATE assay_schema SET version = {version}")
    owner.ledger()
    check(number("SELECT count(*) FROM mail WHERE queue_id IN ('g0', 'h0')") == 2, "and nothing is lost")


def asking_and_rights(owner, hosts):
    """Asking is for the owner; a right taken away is waited for."""
    code, _, told = hosts[0].assay("ledger", "standards")
    check(code == 77 and "only be added to" in told, f"a host asks and is told: {code} {told}")
    psql(STORE, "REVOKE INSERT ON inbox FROM assay_mx1")
    hosts[0].segment(["i0"])
    words = hosts[0].ledger(want=75)
    check("assay ledger admit" in words, f"it is told what is missing: {words}")
    psql(STORE, "GRANT INSERT ON inbox TO assay_mx1")
    hosts[0].ledger()
    owner.ledger()
    check(number("SELECT count(*) FROM mail WHERE queue_id = 'i0'") == 1, "a right given back: nothing was lost meanwhile")


def forgetting_without_rights(owner):
    """A role that may read and delete, and not add what waits in journals: the right is missing, and trying later is no help."""
    psql(
        STORE,
        "CREATE ROLE clerk LOGIN",
        "GRANT USAGE ON SCHEMA public TO clerk",
        "GRANT SELECT, DELETE ON ALL TABLES IN SCHEMA public TO clerk",
    )
    clerk = Host("clerk", STORE.replace("//assay@", "//clerk@"))
    psql(STORE, "GRANT ALL ON ledger_lease TO clerk")
    owner.segment(["k0"])
    owner.ledger()
    clerk.segment(["k1"])
    kept = number("SELECT count(*) FROM mail")
    code, _, told = clerk.assay("ledger", "forget", "--yes", "nobody.example")
    check(code == 77, f"forget ends with 77, not {code}: {told}")
    check("role clerk: permission denied for table" in told, f"whose right, and for what: {told}")
    check(number("SELECT count(*) FROM mail") == kept and len(os.listdir(clerk.journal)) == 1, "nothing is deleted, the journal waits")


def admitting_to_a_file(owner):
    """What is for PostgreSQL is not printed for a ledger that is a file of SQLite: it is said, and who may read that."""
    policy = os.path.join(owner.dir, "sqlite.policy")
    file = os.path.join(owner.dir, "ledger.db")
    with open(policy, "w", encoding="ascii") as f:
        f.write(f'policy "s"\nset ledger.store "{file}"\n')
    for words in (("-P", policy), ("--store", file)):
        done = subprocess.run([f"{BUILD}/assay", "ledger", "admit", "mx1", "--role", "r", *words], capture_output=True, text=True)
        check(done.returncode == 64 and not done.stdout, f"admit {words}: {done}")
        check(f"the ledger is the SQLite file {file}" in done.stderr and "PostgreSQL" in done.stderr, f"admit says why: {done.stderr}")
        check("usermod" not in done.stderr, f"no group is named for a file that is not there: {done.stderr}")
    with open(file, "w", encoding="ascii"):
        os.chmod(file, 0o640)
    if os.getuid() == 0:
        os.chown(file, -1, grp.getgrnam("daemon").gr_gid)
        done = subprocess.run([f"{BUILD}/assay", "ledger", "admit", "mx1", "--role", "r", "-P", policy], capture_output=True, text=True)
        check("members of group daemon" in done.stderr and "usermod -aG daemon" in done.stderr, f"who may read it: {done.stderr}")
    code, out, told = owner.assay("ledger", "admit", "mx1", "--role", "r")
    check(code == 0 and "ON_ERROR_STOP" in out, f"a policy that names PostgreSQL: {code} {told}")


def main():
    psql(STORE, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    owner = Host("db", STORE)
    owner.segment(["own-1"])
    owner.ledger()
    for name in ("mx1", "mx2"):
        admit(name, f"assay_{name}")
        admit(name, f"assay_{name}")  # again: no harm
    roles_that_were_there()
    not_there_yet()
    who_may_not_make_it()
    hosts = [Host(name, STORE.replace("//assay@", f"//assay_{name}@")) for name in ("mx1", "mx2")]
    what_a_role_may(hosts[0].uri)
    path, writer = by_way_of_the_inbox(owner, hosts)
    racing(owner, hosts)
    sent_again(owner, hosts, path, writer)
    old_notes(hosts[1])
    no_records(owner, hosts)
    in_anothers_name(owner, hosts)
    what_does_not_add_up(owner, hosts)
    owner_away(owner, hosts)
    asking_and_rights(owner, hosts)
    forgetting_without_rights(owner)
    admitting_to_a_file(owner)
    print(f"{check.count} checks")


main()
