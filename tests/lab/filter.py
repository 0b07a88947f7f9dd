#!/usr/bin/env python3
"""Small SMTP servers that a mail server under test hands its mail to.

  filter.py relay PORT NEXTPORT   pass every command on to NEXTPORT and its replies back
  filter.py sink PORT             accept everything, after AUTH PLAIN if asked
  filter.py names PORT            answer at once what is asked for by DNS: one client has a name, nobody else
  filter.py slow PORT SECONDS     the same as sink, and keep everybody waiting first
  filter.py ident PORT            say whose a connection is (RFC 1413), as somebody says who is up to no good

The relay is used as a content filter behind the queue and as a proxy in front of it.
It refuses by itself a message whose text contains "filter-reject".
"""
import socket
import socketserver
import sys
import time


def read_reply(stream):
    lines = []
    while True:
        line = stream.readline()
        lines.append(line)
        if not line or line[3:4] != b"-":
            return b"".join(lines)


def read_data(stream):
    lines = []
    while True:
        line = stream.readline()
        lines.append(line)
        if not line or line == b".\r\n":
            return b"".join(lines)


class Relay(socketserver.StreamRequestHandler):
    def handle(self):
        behind = socket.create_connection(("127.0.0.1", int(sys.argv[3])))
        stream = behind.makefile("rwb")

        def pass_back():
            # Chunked data and TLS would need more than passing lines on.
            lines = read_reply(stream).splitlines(True)
            kept = [l for l in lines if not any(w in l for w in (b"CHUNKING", b"STARTTLS", b"PIPELINING"))]
            if kept and kept[-1][3:4] == b"-":
                kept[-1] = kept[-1][:3] + b" " + kept[-1][4:]
            self.wfile.write(b"".join(kept))
            return b"".join(kept)

        pass_back()
        while True:
            line = self.rfile.readline()
            if not line:
                return behind.close()
            stream.write(line)
            stream.flush()
            reply = pass_back()
            if line.upper().startswith(b"DATA") and reply.startswith(b"354"):
                text = read_data(self.rfile)
                if b"filter-reject" in text:
                    behind.close()  # the message dies unfinished behind us
                    self.wfile.write(b"550 5.7.1 refused by the filter\r\n")
                    return
                stream.write(text)
                stream.flush()
                pass_back()
            if line.upper().startswith(b"QUIT"):
                return behind.close()


class Sink(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"220 sink.elsewhere.test ESMTP\r\n")
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"EHLO":
                self.wfile.write(b"250-sink.elsewhere.test\r\n250 AUTH PLAIN\r\n")
            elif verb == b"AUTH":
                self.wfile.write(b"235 2.7.0 welcome\r\n")
            elif verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                read_data(self.rfile)
                self.wfile.write(b"250 2.0.0 taken\r\n")
            elif verb == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 ok\r\n")


class Slow(Sink):
    def handle(self):
        time.sleep(int(sys.argv[3]))
        super().handle()


class Names(socketserver.BaseRequestHandler):
    """RFC 1035, for one question a datagram."""

    KNOWN = {
        b"\x015\x014\x010\x03127\x07in-addr\x04arpa\0\0\x0c": b"\x03pc5\x04corp\x04test\0",
        b"\x03pc5\x04corp\x04test\0\0\x01": bytes([127, 0, 4, 5]),
    }

    def handle(self):
        query, sock = self.request
        end = query.index(0, 12) + 5
        question = query[12:end]
        answer = self.KNOWN.get(question[:-2])
        flags = b"\x84\0" if answer else b"\x84\x03"
        reply = query[:2] + flags + b"\0\1" + (b"\0\1" if answer else b"\0\0") + b"\0\0\0\0" + question
        if answer:
            reply += b"\xc0\x0c" + question[-4:] + b"\0\0\x0e\x10" + len(answer).to_bytes(2, "big") + answer
        sock.sendto(reply, self.client_address)


class Ident(socketserver.StreamRequestHandler):
    def handle(self):
        asked = self.rfile.readline().decode("ascii", "replace").strip()
        user = "x P=esmtpsa X=TLS1.0:c:1 CV=no A=plain_server:victim@example.org S=1 id=1"
        self.wfile.write(f"{asked} : USERID : UNIX : {user}\r\n".encode())


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


HANDLERS = {"relay": Relay, "sink": Sink, "slow": Slow, "names": Names, "ident": Ident}
kind = socketserver.UDPServer if sys.argv[1] == "names" else Server
kind(("127.0.0.1", int(sys.argv[2])), HANDLERS[sys.argv[1]]).serve_forever()
