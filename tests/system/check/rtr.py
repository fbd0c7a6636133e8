# SPDX-License-Identifier: BSD-2-Clause
"""rtr: an RTR cache (RFC 8210) with a list of ROAs, on loopback, for as long as a `with` lasts."""
import ipaddress
import socket
import struct
import threading

VERSION, SESSION, SERIAL = 1, 7, 1
RESET_QUERY, SERIAL_QUERY = 2, 1


def pdu(kind, field, body=b""):
    return struct.pack("!BBHI", VERSION, kind, field, 8 + len(body)) + body


def prefix(origin, network, longest):
    n = ipaddress.ip_network(network)
    body = struct.pack("!BBBB", 1, n.prefixlen, longest, 0) + n.network_address.packed + struct.pack("!I", origin)
    return pdu(4 if n.version == 4 else 6, 0, body)


class Cache:
    """roas: (origin, network, longest prefix). instead: octets to answer with in place of the list."""

    def __init__(self, roas, instead=None):
        self.roas, self.instead = roas, instead
        self.server = socket.create_server(("127.0.0.1", 0))
        self.place = f"inet:{self.server.getsockname()[1]}@127.0.0.1"
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.close()

    def serve(self):
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self.answer, args=(client,), daemon=True).start()

    def answer(self, client):
        with client:
            try:
                while self.answer_one(client):
                    pass
            except OSError:
                return  # the client has gone

    def answer_one(self, client):
        head = client.recv(8, socket.MSG_WAITALL)
        if len(head) < 8:
            return False
        _, kind, _, length = struct.unpack("!BBHI", head)
        if length > 8:
            client.recv(length - 8, socket.MSG_WAITALL)
        if self.instead is not None:
            client.sendall(self.instead)
        elif kind in (RESET_QUERY, SERIAL_QUERY):
            end = pdu(7, SESSION, struct.pack("!IIII", SERIAL, 3600, 600, 7200))
            client.sendall(pdu(3, SESSION) + b"".join(prefix(*r) for r in self.roas) + end)
        return True
