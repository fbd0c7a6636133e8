# SPDX-License-Identifier: BSD-2-Clause
"""protocol - a scenario's mail by the milter protocol itself: for what Postfix would mend, refuse or never say (via protocol)."""
import keys
import mta
import play

CODES = {"reject": (550, "5.7.1 Command rejected"), "tempfail": (451, "4.7.1 Service unavailable - try again later")}


def reply(answer):
    """What the client would read, as Postfix words it."""
    if answer.word == "reply":
        return answer.code, answer.text
    return CODES.get(answer.word, (250, answer.word))


def say_macros(client, mail):
    """What an MTA tells: the defaults of Postfix, then the mail's own `macro STAGE NAME=VALUE` lines."""
    client.macros["connect"].update(
        {
            "j": "mx.example.org",
            "{daemon_name}": "mx.example.org",
            "{daemon_port}": mail.last("port", "25"),
            "{daemon_addr}": "203.0.113.1",
            "v": "Postfix",
        }
    )
    client.macros["end"].update({"i": "PROTOCOL1"})
    client.macros["data"].update({"i": "PROTOCOL1"})
    for line in mail.all("macro"):
        stage, _, pair = line.partition(" ")
        name, _, value = pair.partition("=")
        client.macros[stage][name] = value


def fields_of(message):
    """Name and value, nothing mended: blanks before the colon stay in the name."""
    head, body = keys.split(message)
    return [(f.partition(b":")[0], f.partition(b":")[2].replace(b"\r\n", b"\n")) for f in head if f], body


def content(client, message, replies):
    """From DATA on. The last answer."""
    fields, body = fields_of(message)
    answer = client.data()
    steps = [lambda n=n, v=v: client.header(n, v) for n, v in fields] + [client.headers_end]
    steps += [lambda at=at: client.body(body[at : at + mta.CHUNK]) for at in range(0, len(body), mta.CHUNK)] + [client.end]
    for step in steps:
        if not answer.good:
            break
        answer = step()
    replies.append(("end", *(reply(answer) if not answer.good else (250, "2.0.0 Ok: queued as PROTOCOL1"))))
    return answer


def talk(client, mail, message, replies):
    """The conversation. Returns (the last answer, the recipients taken)."""
    source = mail.last("client")
    answer = client.connect("unknown" if source == "unknown" else f"host.of.{source}.example", None if source == "unknown" else source)
    replies.append(("connect", *reply(answer)))
    for step, say in (
        ("helo", lambda: client.helo(mail.last("helo"))),
        ("mail", lambda: client.mail(play.language.unescape(mail.last("from", "<>")))),
    ):
        if not answer.good:
            return answer, []
        answer = say()
        replies.append((step, *reply(answer)))
    taken = []
    for to in mail.all("to") if answer.good else ():
        one = client.rcpt(play.bracketed(to))
        replies.append(("rcpt", *reply(one)))
        if one.good:
            taken.append(play.bracketed(to).strip("<>"))
    return (content(client, message, replies) if taken else answer), taken


def send(milter, mail, message):
    replies = []
    with mta.Mta(milter.address) as client:
        say_macros(client, mail)
        answer, taken = talk(client, mail, message, replies)
    outcome = play.Outcome(replies)
    if replies[-1][0] == "end" and replies[-1][1] == 250:
        fields, body = fields_of(message)
        plain = b"".join(n.strip() + b":" + v.replace(b"\n", b"\r\n") + b"\r\n" for n, v in fields) + b"\r\n" + body
        final = mta.apply(plain, [c for c in answer.changes if c[0] in ("insert", "add", "change")])
        if any(c[0] == "quarantine" for c in answer.changes):
            outcome.held = [final]
        else:
            outcome.delivered = [(to, final) for to in taken]
    return outcome
