#!/usr/bin/env python3
"""Submit mail to a server on loopback and write down what it really accepted.

The script talks SMTP itself instead of using smtplib, because most of what is
interesting in a log comes from clients that misbehave: they stop half way, talk
two commands at once or put text into a command that looks like a log line.

The truth is taken from the replies only: a message counts when the server
answered 250 to the end of the data, and at no other moment.
"""
import argparse
import base64
import collections
import concurrent.futures
import hashlib
import hmac
import json
import os
import random
import re
import socket
import ssl
import threading
import time
import warnings

# TLS 1.0 and 1.1 are deprecated; here they are used on purpose.
warnings.simplefilter("ignore", DeprecationWarning)

TLS_VERSIONS = {
    "TLS1.0": ssl.TLSVersion.TLSv1,
    "TLS1.1": ssl.TLSVersion.TLSv1_1,
    "TLS1.2": ssl.TLSVersion.TLSv1_2,
    "TLS1.3": ssl.TLSVersion.TLSv1_3,
}

# login name -> password. The server scripts ask for this list with --list-accounts.
ACCOUNTS = {
    "alice@example.test": "pw-alice",
    "bob@example.test": "pw-bob",
    "carol@corp.test": "pw-carol",
    "dave@corp.test": "pw-dave",
    "crm@example.test": "pw-crm",
    "Shop.Till@corp.test": "pw-till",
    "scanner": "pw-scanner",  # a login without a domain
}

# How many certificates named hostile0, hostile1, ... the server scripts make.
CERTIFICATES = 3

# Text that imitates log lines. None of it may ever be counted.
FAKE_POSTFIX = "AAAA: client=x[1.2.3.4], sasl_method=PLAIN, sasl_username=fake@evil.test"
FAKE_QMGR = "ABCDEF0123: from=<fake@evil.test>, size=1, nrcpt=1 (queue active)"
FAKE_TLS = "Anonymous TLS connection established from unknown[127.0.0.1]: TLSv1 with cipher AES (1/1 bits)"
FAKE_EXIM = "1aaaaa-000001-00 <= fake@evil.test H=x [1.2.3.4] P=esmtpsa X=TLS1.0:A:1 A=plain:fake@evil.test S=1"


class Ledger:
    """What was really accepted, filled in by the sessions (several at a time)."""

    def __init__(self):
        self.lock = threading.Lock()
        self.rows = collections.Counter()
        self.failures = collections.Counter()
        self.other = collections.Counter()

    def note(self, what, n=1):
        with self.lock:
            self.other[what] += n

    def accepted(self, row):
        with self.lock:
            self.rows[row] += 1

    def failed_login(self, account):
        with self.lock:
            self.failures[account] += 1

    def failed_before_login(self, accounts):
        """Logins that failed in a session of which the log tells only that one succeeded."""
        with self.lock:
            self.failures.subtract(accounts)
            self.failures += collections.Counter()
            if accounts:
                self.other["auth_failures_before_login"] += len(accounts)

    def write(self, path, nameless=None):
        """Writes the truth; as a log can tell it that names nobody, if nameless says how it sees TLS.

        yes: the version after STARTTLS, and no version where a service begins with TLS. no: no version at all.
        """
        key = lambda item: json.dumps(item[0])
        rows, failures = collections.Counter(), collections.Counter()
        for (sender, account, mechanism, tls, wrapper), n in self.rows.items():
            if nameless:
                hidden = tls != "none" and (wrapper or nameless == "no")
                account, mechanism, tls = "", "", "unknown" if hidden else tls
            rows[sender, account, mechanism, tls] += n
        for who, n in self.failures.items():
            failures[None if nameless else who] += n
        truth = {
            "messages": sum(rows.values()),
            "auth_failures": sum(failures.values()),
            **dict(sorted(self.other.items())),
            "rows": [[*row, n] for row, n in sorted(rows.items(), key=key)],
            "failures": [[who, n] for who, n in sorted(failures.items(), key=key)],
        }
        rows = ",\n".join("  " + json.dumps(r, ensure_ascii=False) for r in truth.pop("rows"))
        with open(path, "w", encoding="utf-8") as out:
            out.write("{\n")
            for name, value in truth.items():
                out.write(f" {json.dumps(name)}: {json.dumps(value)},\n")
            out.write(f' "rows": [\n{rows}\n ]\n}}\n')


class Lab:
    """The server under test: where it listens and what its log can show."""

    def __init__(self, args):
        self.ports = json.loads(args.ports)
        # Services that start with TLS at once ("wrapper mode", port 465).
        self.wrapper = {"smtps"}
        self.tls_in_log = args.tls_in_log
        self.judged_only = args.judged_only
        self.mechanisms = set(args.mechanisms.split(","))
        self.tls_versions = args.tls_versions.split(",")
        self.login_needs_tls = args.login_needs_tls
        # Some logs name the authenticator and not the mechanism.
        self.authenticators = json.loads(args.authenticators)
        self.unquoted = args.unquoted
        self.anonymous = set(filter(None, args.anonymous.split(",")))
        self.realm = args.realm
        self.lost_login_fails = args.lost_login_fails
        self.failures_end_session = args.failures_end_session
        self.chunking = not args.no_chunking
        self.certs = args.certs
        self.ledger = Ledger()
        self.seed = args.seed

    def refused_unjudged(self):
        """A reply of 535 to what was no password."""
        if not self.judged_only:
            self.ledger.failed_login(None)

    def mechanism(self, mech):
        return self.authenticators.get(mech.upper(), mech.upper())

    def account(self, mech, user):
        # The log names no account when the authenticator does not record one.
        if mech.upper() in self.anonymous:
            return None
        return (user if "@" in user or not self.realm else f"{user}@{self.realm}").lower()


class Refused(Exception):
    pass


class Client:
    """One SMTP session."""

    def __init__(self, lab, service, tls=None, source="127.0.0.1", helo=None, cert=None,
                 sni=None, resume=None):
        if tls and tls not in lab.tls_versions:
            tls = "TLS1.2"  # the server speaks no other that is as old
        self.lab, self.service, self.tls = lab, service, tls
        self.helo = helo or "client.example.test"
        self.user = self.mech = None
        self.failures = []
        self.cert, self.sni, self.resume = cert, sni, resume
        family = socket.AF_INET6 if ":" in source else socket.AF_INET
        self.sock = socket.socket(family)
        self.sock.settimeout(60)
        self.sock.bind((source, 0))
        self.sock.connect(("::1" if ":" in source else "127.0.0.1", lab.ports[service]))
        self.file = None
        if service in lab.wrapper and tls:
            self.start_tls()
        self.file = self.sock.makefile("rb")
        self.banner = self.reply()
        self.xclient_user = None
        self.fronted = False  # another server speaks for the client: TLS ends there

    def start_tls(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        # Security level 0 is what still allows TLS 1.0 and 1.1 in OpenSSL 3.
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.maximum_version = context.minimum_version = TLS_VERSIONS[self.tls]
        if self.cert:
            context.load_cert_chain(f"{self.lab.certs}/{self.cert}.pem", f"{self.lab.certs}/{self.cert}.key")
        if self.resume:
            context, session = self.resume
        self.context = context
        self.sock = context.wrap_socket(self.sock, server_hostname=self.sni,
                                        session=session if self.resume else None)
        got = {"TLSv1": "TLS1.0"}.get(self.sock.version(), self.sock.version().replace("v", ""))
        if got != self.tls:
            raise Refused(f"asked for {self.tls}, got {got}")

    # -- plain protocol ---------------------------------------------------
    def send(self, data):
        if isinstance(data, str):
            data = data.encode("utf-8", "surrogateescape")
        self.sock.sendall(data)

    def reply(self):
        lines = []
        while True:
            line = self.file.readline()
            if not line:
                raise ConnectionError("server closed the connection")
            lines.append(line.decode("utf-8", "replace").rstrip())
            if line[3:4] != b"-":
                return int(line[:3]), lines

    def cmd(self, line, expect=None):
        self.send(line + "\r\n")
        code, text = self.reply()
        if expect and code != expect:
            raise Refused(f"{line!r}: {text}")
        return code

    def hello(self):
        """EHLO, and STARTTLS where the session is meant to use it."""
        if self.cmd(f"EHLO {self.helo}") != 250:
            self.helo = "client.example.test"  # some servers look at the name
            self.cmd(f"EHLO {self.helo}", 250)
        if self.tls and self.service not in self.lab.wrapper:
            self.cmd("STARTTLS", 220)
            self.file.close()
            self.start_tls()
            self.file = self.sock.makefile("rb")
            self.cmd(f"EHLO {self.helo}")
        return self

    def login(self, user, mech="PLAIN", password=None, initial=True):
        """AUTH; returns True if the server accepted it."""
        secret = ACCOUNTS[user] if password is None else password
        if mech.upper() not in self.lab.mechanisms and mech in ("PLAIN", "LOGIN", "CRAM-MD5"):
            mech = "LOGIN"
        if self.lab.login_needs_tls and not self.tls:
            if self.cmd(f"AUTH {mech}") // 100 != 5:
                raise Refused(f"AUTH {mech} in the clear")
            self.lab.ledger.note("auth_refused")
            return False
        b64 = lambda s: base64.b64encode(s.encode()).decode()
        kind = mech.upper().replace("XPLAIN", "PLAIN")
        if kind == "PLAIN" and initial:
            code = self.cmd(f"AUTH {mech} {b64(chr(0) + user + chr(0) + secret)}")
        elif kind == "PLAIN":
            self.cmd(f"AUTH {mech}", 334)
            code = self.cmd(b64(chr(0) + user + chr(0) + secret))
        elif kind == "LOGIN":
            self.cmd(f"AUTH {mech}", 334)
            self.cmd(b64(user), 334)
            code = self.cmd(b64(secret))
        else:
            self.send(f"AUTH {mech}\r\n")
            challenge = base64.b64decode(self.reply()[1][0][4:])
            digest = hmac.new(secret.encode(), challenge, hashlib.md5).hexdigest()
            code = self.cmd(b64(f"{user} {digest}"))
        if code == 235:
            self.user, self.mech = user, mech
            if self.lab.failures_end_session:
                self.lab.ledger.failed_before_login(self.failures)
                self.failures = []
            return True
        if code != 535:
            raise Refused(f"AUTH {mech}: {code}")
        self.failures.append(self.lab.account(mech, user))
        self.lab.ledger.failed_login(self.failures[-1])
        return False

    def quit(self):
        try:
            self.cmd("QUIT")
        except (ConnectionError, OSError):
            pass
        self.close()

    def close(self):
        try:
            self.file.close()
            self.sock.close()
        except OSError:
            pass

    # -- one message ------------------------------------------------------
    def row(self, sender, named=True):
        """The row of the truth to which a message of this session belongs.

        Not named: whose it is cannot be told from the log, and must not be guessed.
        """
        started = self.tls and self.service not in self.lab.wrapper
        if self.fronted or self.lab.tls_in_log == "never":
            tls = "unknown"
        elif self.lab.tls_in_log == "starttls":
            tls = self.tls if started else "unknown"
        elif self.tls:
            tls = self.tls if self.lab.tls_in_log == "yes" else "unknown"
        else:
            tls = "none"
        account = self.lab.account(self.mech, self.user) if named else None
        wrapper = self.service in self.lab.wrapper
        if self.lab.unquoted:
            sender = re.sub(r'^"(.*)"@', r"\1@", sender)
        return (sender.lower() or "<>", account or "", self.lab.mechanism(self.mech), tls, wrapper)

    def message(self, sender, rcpts, subject="hello", headers=(), size=200, how="DATA",
                options="", held=False, discarded=False, named=True, counted_as=None):
        """Submit one message; True if the server took it.

        counted_as: the sender as the log can tell it, if that is not the real one.
        """
        code = self.cmd(f"MAIL FROM:<{sender}>{options}")
        if code != 250:
            self.lab.ledger.note("rejected")
            return False
        good = sum(self.cmd(f"RCPT TO:<{r}>") == 250 for r in rcpts)
        from_header = sender or "mailer-daemon@example.test"
        text = "".join(f"{h}\r\n" for h in headers)
        text += f"From: <{from_header}>\r\nSubject: {subject}\r\n\r\n"
        text += "".join("x" * 70 + "\r\n" for _ in range(1 + size // 72))
        data = text.encode("utf-8", "surrogateescape")
        if how == "BDAT" and self.lab.chunking:
            half = len(data) // 2
            self.send(b"BDAT %d\r\n" % half + data[:half])
            first = self.reply()[0]
            self.send(b"BDAT %d LAST\r\n" % (len(data) - half) + data[half:])
            code = self.reply()[0] if first == 250 else self.reply()[0] and 0
        else:
            if self.cmd("DATA") != 354:
                self.lab.ledger.note("rejected")
                self.cmd("RSET")
                return False
            self.send(data + b".\r\n")
            code = self.reply()[0]
        if code != 250:
            self.lab.ledger.note("rejected")
            self.cmd("RSET")
            return False
        if self.user:
            self.lab.ledger.accepted(self.row(counted_as or sender, named))
            if held:
                self.lab.ledger.note("held")
            if discarded:
                self.lab.ledger.note("discarded")
        else:
            self.lab.ledger.note("unauthenticated")
        return True


# ---------------------------------------------------------------------------
# Sessions. Each is a function that takes the lab; the scenarios below choose.

def senders_of(user):
    own = user if "@" in user else f"{user}@example.test"
    local, domain = own.lower().split("@")
    return [own.lower(), own.lower(), own.lower(), f"{local.capitalize()}@{domain.upper()}",
            f"team@{domain}", "No-Reply@Corp.TEST", f"{local}+tag=bob=elsewhere.test@{domain}", ""]


def ordinary(seed, tls=None, service=None, wrong_first=False, held_sender=None, rcpt=None, chunks=True):
    """A client that logs in and sends one to four messages."""
    def run(lab):
        rnd = random.Random(f"{lab.seed} {seed}")
        where = service or rnd.choice(["submission", "submission", "smtps", "smtp"])
        version = tls if tls is not None else rnd.choice(
            ["TLS1.0", "TLS1.1", "TLS1.2", "TLS1.2", "TLS1.3", "TLS1.3", "none"])
        if version == "none" and lab.login_needs_tls:
            version = "TLS1.2"
        if version == "none":
            version = None
            if where in lab.wrapper:
                where = "submission"
        user = rnd.choice(list(ACCOUNTS))
        mech = rnd.choice(["PLAIN", "PLAIN", "LOGIN", "CRAM-MD5", "plain", "login"])
        if user == "scanner" and mech == "CRAM-MD5":
            mech = "LOGIN"
        source = rnd.choice(["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.4.5"])
        c = Client(lab, where, version, source, helo=rnd.choice(["laptop", "[192.0.2.7]", "printer.corp.test"]))
        c.hello()
        if wrong_first:
            for _ in range(rnd.randint(1, 2)):
                c.login(user, mech, password="wrong")
        assert c.login(user, mech, initial=rnd.random() < 0.7), (user, mech, where)
        for _ in range(rnd.choice([1, 1, 1, 2, 3, 4])):
            sender = rnd.choice(senders_of(user))
            rcpts = rcpt or [f"r{n}@elsewhere.test" for n in range(rnd.choice([1, 1, 2, 3]))]
            c.message(sender, rcpts, size=rnd.choice([50, 800, 4000]),
                      how=rnd.choice(["DATA", "DATA", "BDAT" if chunks else "DATA"]))
        c.quit()
    return run


def only_failures(lab):
    """Guessing passwords: no message."""
    for mech in ("PLAIN", "LOGIN", "CRAM-MD5"):
        c = Client(lab, "submission", "TLS1.2", "127.0.6.6").hello()
        for user in ("alice@example.test", "bob@example.test"):
            c.login(user, mech, password="guess")
        c.quit()


def unknown_users(lab):
    """Guessing names, the last of them a good one or none."""
    for mech, users in (("PLAIN", ["root@example.test"]), ("LOGIN", ["root@example.test", "alice@example.test"]),
                        ("PLAIN", ["alice@example.test", "admin@corp.test", "admin@corp.test"])):
        c = Client(lab, "submission", "TLS1.3", "127.0.6.7").hello()
        for user in users:
            c.login(user, mech, password="guess")
        c.quit()


def other_auth_endings(lab):
    """AUTH that ends neither in success nor in wrong credentials."""
    c = Client(lab, "submission", "TLS1.2").hello()
    c.cmd("AUTH LOGIN", 334)
    c.cmd("*")  # the client gives up
    lab.ledger.note("auth_aborted")
    if c.cmd("AUTH NOSUCHMECH") == 535:
        lab.refused_unjudged()
    c.login("alice@example.test", "PLAIN")
    c.message("alice@example.test", ["r@elsewhere.test"])
    c.quit()
    c = Client(lab, "submission", "TLS1.3").hello()
    c.cmd("AUTH LOGIN", 334)
    c.close()  # lost in the middle of AUTH
    if lab.lost_login_fails:
        lab.ledger.failed_login(None)
    c = Client(lab, "submission", "TLS1.3").hello()
    c.login("bob@example.test")
    c.quit()  # a login and nothing else


def login_later(lab):
    """The same session sends without and then with authentication."""
    c = Client(lab, "smtp", "TLS1.2").hello()
    c.message("visitor@elsewhere.test", ["alice@example.test"])
    c.login("carol@corp.test", "LOGIN")
    c.message("carol@corp.test", ["r@elsewhere.test"])
    c.message("visitor@elsewhere.test", ["alice@example.test"])
    c.quit()
    # Authenticated without TLS, then STARTTLS: the login is void or refused.
    c = Client(lab, "smtp", None).hello()
    c.login("dave@corp.test")
    c.message("dave@corp.test", ["r@elsewhere.test"])
    c.quit()


def abandoned(kind, user="bob@example.test", tls="TLS1.2", service="submission",
              rcpt="r@elsewhere.test", sender=None, then_send=True):
    """A login, a MAIL and a RCPT that never become a message."""
    def run(lab):
        own = sender or user
        c = Client(lab, service, tls).hello()
        c.login(user)
        c.cmd(f"MAIL FROM:<{own}>")
        c.cmd(f"RCPT TO:<{rcpt}>")
        lab.ledger.note("abandoned")
        if kind == "rset":
            c.cmd("RSET")
        elif kind == "ehlo":
            c.cmd("EHLO again.example.test")
        elif kind == "mail-again":
            c.cmd(f"MAIL FROM:<other@example.test>")
            c.cmd("RSET")
        elif kind == "quit":
            return c.quit()
        elif kind == "drop":
            return c.close()
        elif kind == "drop-in-data":
            c.cmd("DATA", 354)
            c.send(f"Subject: cut off\r\n\r\nfirst line\r\n")
            time.sleep(0.2)
            return c.close()
        elif kind == "drop-in-bdat":
            c.send("BDAT 500\r\nSubject: cut off\r\n\r\n")
            time.sleep(0.2)
            return c.close()
        elif kind == "timeout-in-data":
            c.cmd("DATA", 354)
            c.send(f"Subject: slow\r\n\r\nfirst line\r\n")
            try:
                c.sock.settimeout(20)
                c.reply()
            except (ConnectionError, OSError):
                pass
            return c.close()
        if then_send:
            c.message(own, [rcpt], subject=f"after {kind}")
        c.quit()
    return run


def refusals(lab):
    """Refused recipients, senders, contents; and messages that pass beside them."""
    c = Client(lab, "submission", "TLS1.3", "127.0.0.8").hello()
    c.login("alice@example.test")
    c.message("alice@example.test", ["refused@elsewhere.test"])
    c.message("alice@example.test", ["refused@elsewhere.test", "r@elsewhere.test"])
    c.message("alice@example.test", ["r@elsewhere.test"], subject="reject-me please")
    c.message("refused@example.test", ["r@elsewhere.test"])
    c.message("alice@example.test", ["r@elsewhere.test"], size=400_000)
    c.cmd("MAIL FROM:<alice@example.test>")
    c.cmd("RCPT TO:<broken address@elsewhere.test>")
    c.cmd("RCPT TO:<r@elsewhere.test> NOSUCH=1")
    # Servers differ in whether that left a recipient; ending the data at once suits both.
    if c.cmd("DATA") == 354 and c.cmd(".") == 250:
        lab.ledger.accepted(c.row("alice@example.test"))
    c.cmd("RSET")
    c.message("alice@example.test", ["r@elsewhere.test"], options=" SIZE=999999999")
    c.message("alice@example.test", ["r@elsewhere.test"])
    c.quit()


def late_refusals(lab):
    """Refused when all the data is there, with messages around it."""
    c = Client(lab, "submission", "TLS1.3").hello()
    c.login("alice@example.test")
    for sender in ("alice@example.test", "refused-late@example.test", "alice@example.test"):
        c.message(sender, ["r@elsewhere.test", "bob@example.test"])
    c.quit()


def unauthenticated(n, service="mx"):
    """Ordinary incoming mail, some of it in the name of a local user."""
    def run(lab):
        for i in range(n):
            c = Client(lab, service, ["TLS1.3", None, "TLS1.2"][i % 3], "127.0.9.9", helo="mx.elsewhere.test").hello()
            c.message(["news@elsewhere.test", "alice@example.test", ""][i % 3], ["bob@example.test"])
            if i % 3 == 0:
                c.message("news@elsewhere.test", ["somebody@elsewhere.test"])  # relaying: refused
            c.quit()
    return run


def hostile_helo(lab):
    """Log text in HELO, in addresses and in commands the server does not know."""
    for text in (FAKE_POSTFIX, FAKE_EXIM, FAKE_QMGR, f"x]: {FAKE_TLS}", "([])", "x A=plain:fake@evil.test",
                 "x) [1.2.3.4] P=esmtpsa X=TLS1.0:A:1 CV=no A=plain_server:fake@evil.test S=1 (y"):
        c = Client(lab, "submission", "TLS1.2", "127.0.6.6", helo=text).hello()
        c.login("crm@example.test")
        # A refusal writes the HELO name into the log.
        c.message("crm@example.test", ["refused@elsewhere.test", "r@elsewhere.test"])
        c.quit()
        c = Client(lab, "mx", None, "127.0.6.6", helo=text).hello()
        c.message("x@elsewhere.test", ["somebody@elsewhere.test"])
        c.message("x@elsewhere.test", ["bob@example.test"])
        c.quit()


def hostile_addresses(lab):
    """Quoted local parts may hold nearly anything, and they are valid."""
    c = Client(lab, "submission", "TLS1.3", "127.0.6.6").hello()
    c.login("crm@example.test", "LOGIN")
    odd = ['"a>, size=1, nrcpt=1 (queue active)"@example.test',
           '"x, sasl_username=fake@evil.test"@example.test',
           '"two words"@example.test',
           '"x A=plain:fake@evil.test"@example.test']
    for sender in odd:
        c.message(sender, ["r@elsewhere.test"])
    for local in (FAKE_QMGR.replace("<", "").replace(">", ""), FAKE_POSTFIX, "x <= fake@evil.test A=plain:fake@evil.test"):
        c.message("crm@example.test", [f'"{local}"@elsewhere.test', f'"{local}"@example.test'])
    c.message("ünal@example.test", ["r@elsewhere.test"], options=" SMTPUTF8")
    # The client may name another author of the message (RFC 4954).
    c.message("crm@example.test", ["r@elsewhere.test"], options=" AUTH=bob+2Bx@example.test")
    c.message("crm@example.test", ["r@elsewhere.test"], options=" AUTH=<>")
    c.quit()


def hostile_headers(lab):
    """Headers that a filter or the server itself copies into the log."""
    c = Client(lab, "submission", "TLS1.2", "127.0.6.6").hello()
    c.login("dave@corp.test", "CRAM-MD5")
    for fake in (FAKE_POSTFIX, FAKE_QMGR, FAKE_TLS, FAKE_EXIM, 'x" A=plain:fake@evil.test X=TLS1.0:A:1 S=1 T="'):
        c.message("dave@corp.test", ["r@elsewhere.test"], subject=f"warn-me {fake}")
        c.message("dave@corp.test", ["r@elsewhere.test"], headers=[f"Message-ID: <x>, {fake}"])
    c.message("dave@corp.test", ["r@elsewhere.test"], headers=["Message-ID: <a@b> for fake@evil.test A=plain:fake@evil.test"])
    c.quit()
    c = Client(lab, "mx", None, "127.0.6.6").hello()
    for fake in (FAKE_POSTFIX, FAKE_QMGR, FAKE_EXIM):
        c.message("x@elsewhere.test", ["bob@example.test"], subject=f"warn-me {fake}",
                  headers=[f"Message-ID: {fake}"])
    c.quit()


def hostile_commands(lab):
    """Not SMTP at all, or more than one command at a time."""
    def talk(service, *chunks, tls=None):
        try:
            c = Client(lab, service, tls, "127.0.6.6")
            if tls:
                c.hello()
            for chunk in chunks:
                c.send(chunk)
                time.sleep(0.15)
            c.sock.settimeout(1)
            while line := c.file.readline():
                if line.startswith(b"535"):
                    lab.refused_unjudged()
        except (ConnectionError, OSError):
            pass
        finally:
            try:
                c.close()
            except UnboundLocalError:
                pass
    talk("submission", f"{FAKE_POSTFIX}\r\n")
    talk("submission", "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    talk("submission", f"EHLO x\r\n{FAKE_POSTFIX}\r\n{FAKE_QMGR}\r\n")
    talk("submission", f"{FAKE_POSTFIX}\r\nSubject: x\r\n", tls="TLS1.2")
    talk("smtp", f"EHLO x\r\nMAIL FROM:<x@elsewhere.test>\r\nRCPT TO:<bob@example.test>\r\nDATA\r\n{FAKE_QMGR}\r\n.\r\nQUIT\r\n")
    talk("smtp", f"EHLO x\r\nAUTH PLAIN\r\n{FAKE_POSTFIX}\r\n")
    talk("mx", f"\r\n {FAKE_POSTFIX}\r\n{FAKE_EXIM}\r\n")
    talk("mx", f"HELO x\r\nMAIL FROM:<{FAKE_POSTFIX}>\r\nRCPT TO:<{FAKE_QMGR}>\r\n")
    talk("mx", f"EHLO x\r\nVRFY {FAKE_EXIM}\r\nETRN {FAKE_EXIM}\r\nNOOP {FAKE_POSTFIX}\r\nQUIT\r\n")
    talk("mx", b"\x16\x03\x01\x00\xff\x80\xfe binary\r\n\x00\x01\xff\r\n")
    # Before the greeting; and the wrapper-mode port spoken to in the clear.
    for service in ("mx", "smtps"):
        try:
            raw = socket.create_connection(("127.0.0.1", lab.ports[service]), 10)
            raw.sendall(f"EHLO x\r\n{FAKE_POSTFIX}\r\n{FAKE_EXIM}\r\n".encode())
            raw.settimeout(1)
            while raw.recv(1000):
                pass
        except OSError:
            pass
        raw.close()


# Each field of Exim's line for an arrival, in the name of somebody who never sent anything.
FORGED = "P=esmtpsa X=TLS1.0:c:1 CV=no A=plain_server:victim@example.org S=1 id=1"
# Imitations of the fields that a client's own text stands before, beside or behind.
EXIM_LOCALS = [f'a."b H=(x) [198.51.100.9] {FORGED}"', 'a."b A=plain_server:victim@example.org S=1 id=1"',
               'a."b S=1 id=2"', rf'"\" {FORGED} \\".b', r"a\ P=esmtpsa\ A=plain_server\:victim\@example.org\ S=1"]
EXIM_HELOS = [f"x) [198.51.100.9] {FORGED}", f'x) [198.51.100.9] {FORGED} T="', f"x) [198.51.100.9] {FORGED} (y",
              'x) [198.51.100.9] A=plain_server:victim@example.org S=1 T="', f"x U=y {FORGED}", "x S=1 id=1"]
EXIM_AUTHS = ["x A=plain_server:victim@example.org S=1 id=2", "x S=1 id=2", f"x {FORGED}", 'x" S=1 T="', "y:z:victim@example.org"]


def xtext(text):
    """RFC 3461, section 4: what the AUTH parameter of MAIL is written in."""
    return "".join(c if "!" <= c <= "~" and c not in "+=" else f"+{ord(c):02X}" for c in text)


def hostile_exim(user="dave@corp.test", source="127.0.6.6"):
    """Text that imitates the fields of an arrival, wherever a client may put text."""
    def run(lab):
        rcpts = ["bob@example.test"]
        for login in (False, True):
            def session(service="smtp", tls=None, **more):
                c = Client(lab, service, tls, source, **more).hello()
                if login:
                    assert c.login(user)
                return c
            c = session(tls="TLS1.3")
            for local in EXIM_LOCALS:
                c.message(f"{local}@elsewhere.test", rcpts)
                c.message("visitor@elsewhere.test", rcpts + [f"{local}@example.test"])
            for text in (FORGED, f'" {FORGED} T="', "\\", f"\\ {FORGED} \\"):
                c.message("visitor@elsewhere.test", rcpts, subject=text)
                quoted = text.replace("\\", "").replace('"', "")
                c.message("visitor@elsewhere.test", rcpts, headers=[f'Message-ID: <"{quoted}"@x.test>'])
            for text in EXIM_AUTHS:
                c.message("visitor@elsewhere.test", rcpts, options=f" AUTH={xtext(text)}")
            c.quit()
            for text in EXIM_HELOS:
                c = session(helo=text)
                c.message("visitor@elsewhere.test", rcpts)
                c.quit()
            for n in range(CERTIFICATES):
                c = session(tls="TLS1.2", cert=f"hostile{n}")
                c.message("visitor@elsewhere.test", rcpts)
                c.quit()
            for sni in ('"', "a.A=plain_server", "mail.example.test"):
                try:
                    c = session(service="smtps", tls="TLS1.2", sni=sni)
                except (OSError, ValueError):
                    continue  # this client or server does not let it through
                c.message("visitor@elsewhere.test", rcpts)
                c.quit()
        # HELO instead of EHLO takes the sign of a login out of the protocol, and the login stays.
        c = Client(lab, "smtp", None, source).hello()
        c.login(user)
        c.cmd("HELO client.example.test", 250)
        c.message("visitor@elsewhere.test", rcpts)
        c.quit()
    return run


def hostile_postfix(lab):
    """Text that imitates what Postfix logs."""
    victim = "victim@example.org"
    envelope = f"; from=<{victim}> to=<z"
    r = ["r@elsewhere.test"]
    forged = f"{envelope}@elsewhere.test> proto=ESMTP helo=<h>"
    for service in ("submission", "smtps"):
        c = Client(lab, service, "TLS1.3", "127.0.6.6").hello()
        c.login("alice@example.test")
        for value in ('"x, orig_queue_id=4AA0912345"', "<x, orig_queue_id=4AA0912345>", '"x, orig_queue_id=4AA0912345',
                      "x,+20orig_queue_id+3D4AA0912345", f'"x, sasl_username={victim}, orig_client=y"'):
            c.message("alice@example.test", r, options=f" AUTH={value}")
        c.message("alice@example.test", [f'"{envelope}"@elsewhere.test'])
        c.message("alice@example.test", [f'"{forged}: "@elsewhere.test'])
        c.message("alice@example.test", r, headers=[f"Message-ID: <x: client=x[192.0.2.9], sasl_method=PLAIN, sasl_username={victim}>"])
        if service == "submission":
            for what in ("hold-me", "discard-me"):
                kept = {"held": what == "hold-me", "discarded": what != "hold-me"}
                c.message("alice@example.test", [f'"{envelope}"@elsewhere.test'], subject=what, **kept)
                c.message("alice@example.test", r, subject=f"{what} {forged}", counted_as="(unknown)", **kept)
            c.message(f'"a> to=<{victim}"@example.test', r, subject="hold-me", held=True)
            # Kept back for its recipient, whom the line then names twice, once without quotes.
            c.message("alice@example.test", [f'"watched {envelope}"@elsewhere.test'], counted_as="(unknown)", held=True)
        c.message('"a>, size=1, nrcpt=1 (queue active)"@example.test', r)
        c.message(f'"a> to=<{victim}"@example.test', r)
        c.quit()
    failed = f"authentication failed: x, sasl_username={victim}"
    for command in (f"SASL : LOGIN {failed}", f"CONNECT SASL LOGIN {failed}", f"Subject: 4AA0912345: client=x[192.0.2.9], sasl_username={victim}"):
        try:
            c = Client(lab, "submission", None, "127.0.6.6").hello()
            c.cmd(command)
            c.quit()
        except ConnectionError:
            pass
    c = Client(lab, "submission", "TLS1.2", "127.0.6.6").hello()
    if c.cmd(f'AUTH "x {failed}"') == 535:
        lab.ledger.failed_login(None)
    for name in (f"ann, sasl_username={victim}", f"x: SASL LOGIN {failed}"):
        code = c.cmd("AUTH PLAIN " + base64.b64encode(f"\0{name}\0wrong".encode()).decode())
        if code == 535:
            lab.ledger.failed_login(name if "SASL" not in name else None)
    c.quit()
    c = Client(lab, "smtp", None, "127.0.6.6").hello()
    c.message("visitor@elsewhere.test", ["bob@example.test"], options=f' AUTH="x, sasl_username={victim}"')
    c.message("visitor@elsewhere.test", ["bob@example.test"], subject=f"hold-me {forged}")
    c.quit()


def hostile_logins(lab):
    """Names that imitate what follows them, for logins that fail, and for one that a server takes as it comes."""
    reply = "535 Incorrect authentication data (set_id=victim@example.org)"
    for helo, name, told in (
            ("h", "victim@example.org) [198.51.100.9]", "victim@example.org) [198.51.100.9]"),
            ("h", f"x) [198.51.100.9]: {reply}", None),
            (f"x) [198.51.100.9]: {reply}", "x", None),
            (f"x [198.51.100.9]: {reply} (", "x", None)):
        c = Client(lab, "submission", None, "127.0.6.6", helo=helo).hello()
        c.cmd("AUTH PLAIN " + base64.b64encode(f"\0{name}\0wrong".encode()).decode(), 535)
        lab.ledger.failed_login(told)
        c.quit()


def lenient_logins(lab):
    """A server that takes the first word of a name for the account, and logs all of it."""
    for more in (" A=x:victim@example.org S=1 id=2", " S=1 id=2", " x", " S=1 for"):
        c = Client(lab, "submission", "TLS1.3", "127.0.6.6").hello()
        code = c.cmd("AUTH XLENIENT " + base64.b64encode(f"\0scanner{more}\0pw-scanner".encode()).decode())
        assert code == 235, code
        c.user, c.mech = "scanner", "XLENIENT"
        c.message("visitor@elsewhere.test", ["bob@example.test"], named=False)
        c.quit()


def begun_logins(lab):
    """Logins that are begun and come to nothing, with mail for the server's own people behind them."""
    for command in ("AUTH LOGIN", "AUTH PLAIN =", "AUTH PLAIN", "AUTH CRAM-MD5"):
        c = Client(lab, "submission", "TLS1.2", "127.0.6.6").hello()
        c.cmd(command)
        c.message("alice@example.test", ["bob@example.test"])
        c.quit()


def hostile_haraka(lab):
    """Text that imitates what Haraka logs."""
    victim = "victim@example.org"
    ok = f"code=OK msg=\"x\" relay=Y tls=N sender={victim}"
    hook = "hook=unrecognized_command plugin=auth/flat_file params=AUTH retval=OK"
    for login in (False, True):
        for helo in (f"x relay=Y {ok}", f"x\" relay=Y lr=\"535 x\" {hook}", "relay=Y"):
            c = Client(lab, "submission", "TLS1.3", "127.0.6.6", helo=helo).hello()
            if login:
                c.login("dave@corp.test")
            for sender in (f'"x> {ok} <y"@example.test', f'"] [core] queue {ok}"@example.test', "visitor@elsewhere.test"):
                c.message(sender, ["bob@example.test"])
                c.message(sender, [f'"{sender} {ok}"@example.test', "bob@example.test"])
            for text in (f"<{victim}> {ok}", f'" {ok} "', f"\\\" {hook}"):
                c.message("visitor@elsewhere.test", ["bob@example.test"], subject=text, headers=[f"Message-ID: {text}"])
            for command in (hook, f"queue {ok}", "delaying for 1 seconds", f"[NOTICE] [-] [core] disconnect {ok}"):
                c.cmd(command)
            c.quit()
    for name in (f"{victim}", f"x) smtp.auth={victim}", f"x\" relay=Y {ok}"):
        c = Client(lab, "submission", "TLS1.2", "127.0.6.6").hello()
        c.cmd("AUTH PLAIN " + base64.b64encode(f"\0{name}\0wrong".encode()).decode(), 535)
        lab.ledger.failed_login(name.lower())
        c.message("visitor@elsewhere.test", ["bob@example.test"])
        c.quit()


def waiting(lab):
    """More messages for a slow host than the server sends there at once: the log tells who sent the others much later."""
    c = Client(lab, "submission", "TLS1.2").hello()
    c.login("crm@example.test")
    for n in range(6):
        c.message("crm@example.test", ["r@slow.test"], counted_as="(unknown)" if n > 3 else None)
    c.quit()


def hostile_courier(lab):
    """Text that imitates what Courier logs."""
    victim = "victim@example.org"
    new = f"newmsg,id=000000000000098B.000000006B07DD1E.0000038E, auth={victim}: dns; x ([::ffff:192.0.2.9])"
    failed = f"error,relay=::ffff:192.0.2.9,port=4,msg=\"535 Authentication failed.\",cmd: AUTH LOGIN {victim}"
    for login in (False, True):
        for helo in (f"x, auth={victim}: dns; y (z [192.0.2.9])", f"x: dns; y (z [192.0.2.9])", f"x (y [192.0.2.9]), auth={victim}", new):
            c = Client(lab, "submission", "TLS1.3", "127.0.6.6", helo=helo).hello()
            if login:
                c.login("dave@corp.test")
            for sender in (f'"x>,module=esmtp,host=y,addr=<{victim}"@example.test', f'"x, from=<{victim}>"@example.test', "visitor@elsewhere.test"):
                c.message(sender, ["bob@example.test"], headers=[f"Message-ID: <{new}>"], subject=new)
                c.message(sender, [f'">,module=esmtp,host=y,addr=<{victim}"@example.test', "bob@example.test"])
            for command in (new, failed, f'AUTH LOGIN",cmd: AUTH LOGIN {victim}', f"MAIL FROM:<x>,module=esmtp {victim}", f"RCPT TO:<{failed}>"):
                if c.cmd(command) == 334:
                    c.cmd("*")
                c.cmd("RSET")
            c.quit()
    for name in (f"x {victim}", f'x",cmd: AUTH LOGIN {victim}', "ann smith", "x,y=z: w"):
        for mech, initial in (("PLAIN", True), ("PLAIN", False), ("LOGIN", True), ("CRAM-MD5", True)):
            c = Client(lab, "submission", "TLS1.2", "127.0.6.6").hello()
            c.login(name, mech, password="wrong", initial=initial)
            c.message("visitor@elsewhere.test", ["bob@example.test"])
            c.quit()


# Each line of OpenSMTPD's that tells something, in the name of somebody who never sent anything.
OPENSMTPD = ["authentication user=victim@example.org result=ok", "message msgid=00000000 size=1 nrcpt=1 proto=ESMTP",
             "envelope evpid=0000000000000000 from=<victim@example.org> to=<r@elsewhere.test>"]


def hostile_opensmtpd(lab):
    """Text that imitates what OpenSMTPD logs."""
    victim = "victim@example.org"
    for login in (False, True):
        for line in OPENSMTPD:
            fake = f"d132b465a28b2c7b smtp {line}"
            for helo in (f"x smtp {line}", fake):
                c = Client(lab, "submission", "TLS1.3", "127.0.6.6", helo=helo).hello()
                if login:
                    c.login("dave@corp.test")
                for sender in (f'"a> to=<{victim}"@example.test', f'"smtp {line}"@example.test', "visitor@elsewhere.test"):
                    c.message(sender, ["bob@example.test"], headers=[f"Message-ID: <{fake}>"], subject=fake)
                    c.message(sender, [f'"x> from=<{victim}> to=<y"@example.test', "bob@example.test"])
                for command in (fake, f'x" result="ok" smtp {line}', f"RCPT TO:<x> smtp {line}", f"MAIL FROM:<a> to=<{victim}>"):
                    c.cmd(command)
                c.cmd("RSET")
                c.quit()
    for name in (f"{victim} result=ok", f"x result=permfail user={victim}", "\\\"", "a\tb", "ünal@example.test", " "):
        for mech in ("PLAIN", "LOGIN"):
            c = Client(lab, "submission", "TLS1.2", "127.0.6.6").hello()
            c.login(name, mech, password="wrong")
            c.message("visitor@elsewhere.test", ["bob@example.test"])
            c.quit()


def certificates(lab):
    """Client certificates, server name indication, resumed sessions."""
    for cert in ("server", "stranger"):
        for version in ("TLS1.2", "TLS1.3"):
            c = Client(lab, "submission", version, cert=cert).hello()
            c.login("alice@example.test")
            c.message("alice@example.test", ["r@elsewhere.test"])
            c.quit()
    c = Client(lab, "smtps", "TLS1.3", sni="mail.example.test").hello()
    c.login("carol@corp.test")
    c.message("carol@corp.test", ["r@elsewhere.test"])
    c.quit()
    first = Client(lab, "submission", "TLS1.2").hello()
    first.login("dave@corp.test")
    first.message("dave@corp.test", ["r@elsewhere.test"])
    session = first.sock.session
    again = Client(lab, "submission", "TLS1.2", resume=(first.context, session)).hello()
    again.login("dave@corp.test")
    again.message("dave@corp.test", ["r@elsewhere.test"])
    again.quit()
    first.quit()


def ipv6(lab):
    try:
        c = Client(lab, "submission6", "TLS1.3", "::1").hello()
    except (OSError, KeyError):
        return  # this machine has no IPv6
    c.login("bob@example.test")
    c.message("bob@example.test", ["r@elsewhere.test"])
    c.quit()


def xclient(lab):
    """A trusted proxy that passes on the address, the name or the login of its client."""
    for attributes, user in (
            ("NAME=pc7.corp.test ADDR=192.0.2.7", None),
            ("NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::15c8", None),
            ("ADDR=198.51.100.4 NAME=[TEMPUNAVAIL] PORT=52001", None),
            ("ADDR=203.0.113.5 NAME=host.corp.test LOGIN=carol@corp.test", "carol@corp.test")):
        for tls in ("TLS1.2", None):
            c = Client(lab, "submission", tls).hello()
            if c.cmd(f"XCLIENT {attributes}") != 220:
                raise Refused(attributes)
            c.fronted = True
            c.cmd("EHLO proxied.corp.test", 250)
            if user:
                c.user, c.mech = user, "XCLIENT"
                c.message(user, ["r@elsewhere.test"])
                c.message("", ["r@elsewhere.test"])
            else:
                c.login("alice@example.test", "LOGIN")
                c.message("alice@example.test", ["r@elsewhere.test"])
                c.message("Alice@Corp.test", ["r@elsewhere.test"])
            c.quit()


def held(lab):
    """Accepted but kept: by the content, and by the sender (decided at RCPT)."""
    c = Client(lab, "submission", "TLS1.3").hello()
    c.login("alice@example.test")
    for n in range(3):
        c.message("alice@example.test", ["r@elsewhere.test"], subject=f"hold-me {n}", held=True)
        c.message("alice@example.test", ["r@elsewhere.test"], subject=f"plain {n}")
    c.quit()
    c = Client(lab, "smtps", "TLS1.2").hello()
    c.login("crm@example.test", "LOGIN")
    for n in range(3):
        c.message("Watched@corp.test", ["r1@elsewhere.test", "r2@elsewhere.test"], held=True)
    # Held twice over, and held for one of its recipients only (the whole message is kept).
    c.message("watched@corp.test", ["r@elsewhere.test"], subject="hold-me too", held=True)
    c.message("crm@example.test", ["r@elsewhere.test", "watched@elsewhere.test"], held=True)
    c.message("crm@example.test", ["r@elsewhere.test"])
    c.message("watched@corp.test", ["r@elsewhere.test"], subject="reject-me")
    c.quit()
    c = Client(lab, "mx", None).hello()
    c.message("x@elsewhere.test", ["bob@example.test"], subject="hold-me: not authenticated")
    c.quit()


def discarded(lab):
    """Accepted with 250 and thrown away: nothing reaches the queue."""
    c = Client(lab, "submission", "TLS1.3").hello()
    c.login("alice@example.test")
    c.message("alice@example.test", ["r@elsewhere.test"])
    c.message("alice@example.test", ["r@elsewhere.test"], subject="discard-me", discarded=True)
    c.message("dropped@example.test", ["r@elsewhere.test"], discarded=True)
    c.message("alice@example.test", ["r@elsewhere.test"], subject="redirect-me")
    c.message("alice@example.test", ["r@elsewhere.test"], subject="prepend-me")
    c.message("alice@example.test", ["r@elsewhere.test"], subject="hold-me", held=True)
    c.quit()


def filter_rejects(lab):
    """The filter refuses or drops the message after the data."""
    c = Client(lab, "submission", "TLS1.2").hello()
    c.login("bob@example.test")
    c.message("bob@example.test", ["r@elsewhere.test"], subject="filter-reject this")
    c.message("bob@example.test", ["r@elsewhere.test", "second-refused@elsewhere.test"])
    c.message("bob@example.test", ["r@elsewhere.test"])
    c.message("bob@example.test", ["r@elsewhere.test"], subject="reject-me")
    c.quit()


def to_recipient(user, rcpt, n=1, sender=None, tls="TLS1.3", service="submission", mech="PLAIN"):
    def run(lab):
        c = Client(lab, service, tls).hello()
        c.login(user, mech)
        for _ in range(n):
            c.message(user if sender is None else sender, [rcpt])
        c.quit()
    return run


def nameless_login(lab):
    """An authenticator that does not record who logged in."""
    for tls in ("TLS1.2", None):
        c = Client(lab, "submission", tls).hello()
        c.login("bob@example.test", "XPLAIN", password="wrong")
        c.login("bob@example.test", "XPLAIN")
        c.message("bob@example.test", ["r@elsewhere.test"])
        c.message("", ["r@elsewhere.test"])
        c.quit()


ABANDONED = [abandoned(k) for k in ("rset", "ehlo", "mail-again", "quit", "drop", "drop-in-data")]

SCENARIOS = {
    "mixed": lambda: [ordinary(n, wrong_first=n % 9 == 0) for n in range(26)] + ABANDONED + [
        abandoned("drop-in-bdat"), abandoned("timeout-in-data"), only_failures, other_auth_endings,
        login_later, refusals, unauthenticated(6), certificates, ipv6,
        hostile_helo, hostile_addresses, hostile_headers, hostile_commands],
    "short": lambda: [ordinary(100 + n, wrong_first=n % 7 == 0) for n in range(22)] + ABANDONED + [
        only_failures, login_later, refusals, unauthenticated(3), hostile_commands],
    "plain-and-proxied": lambda: [ordinary(200 + n) for n in range(14)] + [xclient, unauthenticated(3)],
    "deferred": lambda: [ordinary(300 + n) for n in range(12)] + [
        to_recipient("alice@example.test", "later@elsewhere.test", 3),
        to_recipient("bob@example.test", "later@elsewhere.test", 2, sender="", mech="LOGIN"),
        to_recipient("carol@corp.test", "later@elsewhere.test", 2, tls="TLS1.0", service="smtps"),
        to_recipient("carol@corp.test", "bounce@elsewhere.test", 2),
        to_recipient("dave@corp.test", "bounce@elsewhere.test", 1, sender="", tls=None),
        abandoned("rset", rcpt="later@elsewhere.test"), unauthenticated(3)],
    "held": lambda: [held, to_recipient("alice@example.test", "r@elsewhere.test", 2)] + [
        abandoned(k, sender="watched@corp.test", then_send=False)
        for k in ("rset", "quit", "drop", "drop-in-data", "ehlo")] + [
        ordinary(400 + n) for n in range(8)],
    "dovecot": lambda: [ordinary(1300 + n) for n in range(14)] + ABANDONED + [
        to_recipient("alice@example.test", "later@elsewhere.test", 2),
        to_recipient("carol@corp.test", "later@elsewhere.test", 1, tls=None, sender=""), only_failures],
    "dovecot-verbose": lambda: [ordinary(1600 + n, wrong_first=n % 2 == 0) for n in range(8)] + [
        only_failures, unknown_users, abandoned("rset"), abandoned("drop")],
    "opensmtpd-mixed": lambda: [ordinary(1700 + n, wrong_first=n % 5 == 0) for n in range(16)] + ABANDONED + [
        only_failures, unknown_users, other_auth_endings, login_later, refusals, late_refusals, unauthenticated(4),
        certificates, hostile_commands],
    "opensmtpd-deferred": lambda: [ordinary(1750 + n) for n in range(4)] + [
        to_recipient("alice@example.test", "later@elsewhere.test", 2),
        to_recipient("bob@example.test", "later@elsewhere.test", 1, sender="", mech="LOGIN"),
        to_recipient("carol@corp.test", "later@elsewhere.test", 1, service="smtps"),
        abandoned("rset", rcpt="later@elsewhere.test"), unauthenticated(2)],
    "opensmtpd-hostile": lambda: [hostile_opensmtpd, hostile_helo, hostile_addresses, hostile_headers] + [
        ordinary(1780 + n) for n in range(3)],
    "courier-mixed": lambda: [ordinary(1800 + n, wrong_first=n % 5 == 0) for n in range(20)] + ABANDONED + [
        only_failures, unknown_users, other_auth_endings, login_later, refusals, unauthenticated(4),
        hostile_commands],
    "courier-deferred": lambda: [ordinary(1850 + n) for n in range(4)] + [
        to_recipient("alice@example.test", "r@closed.test", 2),
        to_recipient("bob@example.test", "r@closed.test", 1, sender="", mech="LOGIN"),
        waiting, abandoned("rset", rcpt="r@closed.test"), unauthenticated(2)],
    "courier-hostile": lambda: [hostile_courier, hostile_helo, hostile_addresses, hostile_headers] + [
        ordinary(1880 + n) for n in range(3)],
    "stalwart-mixed": lambda: [ordinary(1900 + n, wrong_first=n % 5 == 0) for n in range(20)] + ABANDONED + [
        only_failures, unknown_users, login_later, refusals, unauthenticated(4), hostile_commands],
    "stalwart-hostile": lambda: [hostile_helo, hostile_addresses, hostile_headers] + [
        ordinary(1980 + n) for n in range(3)],
    "discarded": lambda: [discarded] + [ordinary(500 + n) for n in range(4)],
    "filter": lambda: [ordinary(600 + n, wrong_first=n % 6 == 0) for n in range(16)] + [
        filter_rejects, unauthenticated(4), abandoned("rset"), abandoned("quit"), abandoned("drop-in-data"),
        hostile_headers, hostile_addresses],
    "exim-default": lambda: [ordinary(700 + n, wrong_first=n % 9 == 0) for n in range(30)] + ABANDONED + [
        abandoned("drop-in-bdat"), abandoned("timeout-in-data"), only_failures, other_auth_endings,
        login_later, refusals, unauthenticated(6), hostile_helo, hostile_addresses, hostile_headers,
        hostile_commands, nameless_login, ipv6],
    "exim-short": lambda: [ordinary(800 + n, wrong_first=n % 9 == 0) for n in range(20)] + ABANDONED + [
        only_failures, login_later, refusals, unauthenticated(3), certificates, hostile_helo,
        hostile_addresses, hostile_headers, hostile_commands, nameless_login],
    "services": lambda: [
        ordinary(1300 + n, service=service, wrong_first=n % 5 == 0)
        for n, service in enumerate(["submission", "smtps", "msa", "smtp"] * 5)] + [
        abandoned(kind, service=service) for service in ("submission", "smtps", "msa") for kind in ("rset", "drop")] + [
        to_recipient("dave@corp.test", "r@elsewhere.test", 2, tls=None, service="msa"), unauthenticated(3)],
    "haraka": lambda: [ordinary(1300 + n, wrong_first=n % 4 == 0, chunks=False) for n in range(8)] + [
        abandoned(k) for k in ("rset", "quit", "drop", "drop-in-data")] + [
        begun_logins, login_later, refusals, unauthenticated(2, "smtp"),
        to_recipient("bob@example.test", "own-queue@elsewhere.test", 2, tls="TLS1.1"),
        to_recipient("carol@corp.test", "own-queue@elsewhere.test", 1, sender="", service="smtps")],
    "haraka-short": lambda: [ordinary(1400 + n, wrong_first=n % 3 == 0, chunks=False) for n in range(6)] + [
        abandoned("rset"), abandoned("drop"), login_later, begun_logins, unauthenticated(2, "smtp"),
        to_recipient("bob@example.test", "own-queue@elsewhere.test", 1, tls=None)],
    "haraka-hostile": lambda: [hostile_haraka] + [ordinary(1500 + n, chunks=False) for n in range(2)],
    "postfix-hostile": lambda: [hostile_postfix] + [ordinary(1200 + n) for n in range(6)],
    "exim-hostile": lambda: [hostile_exim(), hostile_exim("alice@example.test", "127.0.0.1"), hostile_logins, lenient_logins] + [
        ordinary(1100 + n) for n in range(6)],
    "exim-junk-helo": lambda: [ordinary(1000 + n) for n in range(6)] + [
        hostile_helo, hostile_addresses, hostile_headers, unauthenticated(3), refusals],
    "exim-deferred": lambda: [ordinary(900 + n) for n in range(10)] + [
        to_recipient("alice@example.test", "later@elsewhere.test", 3),
        to_recipient("bob@example.test", "later@elsewhere.test", 2, sender="", mech="CRAM-MD5"),
        to_recipient("carol@corp.test", "bounce@elsewhere.test", 2),
        to_recipient("dave@corp.test", "bounce@elsewhere.test", 1, sender="", tls=None),
        to_recipient("crm@example.test", "smarthost@elsewhere.test", 3, tls="TLS1.1"),
        to_recipient("crm@example.test", "frozen@elsewhere.test", 1),
        abandoned("rset", rcpt="later@elsewhere.test"), unauthenticated(3)],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list-accounts", action="store_true", help="print login and password, one pair a line")
    parser.add_argument("--scenario", choices=sorted(SCENARIOS))
    parser.add_argument("--ports", help='JSON, such as {"smtp": 20025, "submission": 20587}')
    parser.add_argument("--tls-in-log", choices=["yes", "no", "never", "starttls"], default="yes",
                        help="no: the log cannot show the version, so the truth says unknown; never: nor whether there was TLS; "
                             "starttls: it shows the versions of STARTTLS and nothing else")
    parser.add_argument("--tls-versions", default=",".join(TLS_VERSIONS), help="what the server speaks")
    parser.add_argument("--mechanisms", default="PLAIN,LOGIN,CRAM-MD5", help="what the server takes of these")
    parser.add_argument("--login-needs-tls", action="store_true", help="the server takes no login in the clear")
    parser.add_argument("--authenticators", default="{}", help="JSON: mechanism to the name in the log")
    parser.add_argument("--anonymous", default="", help="mechanisms for which the log names no account")
    parser.add_argument("--unquoted", action="store_true", help="the log shows quoted local parts without their quotes")
    parser.add_argument("--nameless", help="where to write the truth as a log tells it that names nobody")
    parser.add_argument("--nameless-tls", choices=["yes", "no"], default="yes", help="whether it tells versions")
    parser.add_argument("--realm", default="", help="what the server adds to a login without a domain")
    parser.add_argument("--no-chunking", action="store_true", help="the server does not know BDAT")
    parser.add_argument("--judged-only", action="store_true",
                        help="the log tells failed logins only where a password was judged, not each reply of 535")
    parser.add_argument("--lost-login-fails", action="store_true",
                        help="the server reports a login as failed when the client goes away during it")
    parser.add_argument("--failures-end-session", action="store_true",
                        help="the log tells failed logins only where a session ends without one that succeeds")
    parser.add_argument("--certs", default=".", help="folder of server.pem, stranger.pem and their keys")
    parser.add_argument("--sessions-at-once", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out")
    args = parser.parse_args()
    if args.list_accounts:
        for user, password in ACCOUNTS.items():
            print(user, password)
        return
    lab = Lab(args)
    jobs = SCENARIOS[args.scenario]()
    random.Random(args.seed).shuffle(jobs)
    failed = []
    with concurrent.futures.ThreadPoolExecutor(args.sessions_at_once) as pool:
        for job, done in [(job, pool.submit(job, lab)) for job in jobs]:
            try:
                done.result()
            except Exception as error:  # report them all, then fail
                failed.append(f"{job.__qualname__}: {type(error).__name__}: {error}")
    lab.ledger.write(args.out)
    if args.nameless:
        lab.ledger.write(args.nameless, nameless=args.nameless_tls)
    for line in failed:
        print("session failed:", line)
    raise SystemExit(bool(failed))


if __name__ == "__main__":
    main()
