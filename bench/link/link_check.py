#!/usr/bin/env python3
"""Measures a link with known traffic and holds it to what its trace says.

usage: link_check.py server PORT
       link_check.py client HOST PORT TRACE.csv START

The trace has two halves, each constant. In each: round trips of single bytes, an upload of known length, and how many of
many datagrams come back. Exits 1 when the link is not what the trace says.
"""
import socket
import struct
import sys
import threading
import time

from link_trace import LinkTrace

UPLOAD_SECONDS = 2.0
DATAGRAMS = 1000
SLACK_SECONDS = 0.006  # of a round trip: what processes and schedulers add


def receive(peer, count):
    data = b""
    while len(data) < count:
        part = peer.recv(min(count - len(data), 1 << 16))
        if not part:
            raise ConnectionError("link_check: the other end has gone")
        data += part
    return data


def serve(port):
    """Takes messages of a length and so many bytes, answers each with a byte; echoes datagrams."""
    def echo():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            datagrams.bind(("", port))
            while True:
                data, address = datagrams.recvfrom(2048)
                datagrams.sendto(data, address)

    threading.Thread(target=echo, daemon=True).start()
    with socket.create_server(("", port)) as listener:
        print("listening", flush=True)
        peer, _ = listener.accept()
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while True:
                receive(peer, struct.unpack("<I", receive(peer, 4))[0])
                peer.sendall(b"x")
        except ConnectionError:  # the client is done
            pass


def exchange(peer, num_bytes):
    start = time.monotonic()
    peer.sendall(struct.pack("<I", num_bytes) + bytes(num_bytes))
    receive(peer, 1)
    return time.monotonic() - start


def returned(host, port, rate):
    """Share of datagrams that come back, sent at a quarter of the rate."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.setblocking(False)
        back = 0
        pause = 4 * 60 / rate
        end = time.monotonic() + 1.0 + DATAGRAMS * pause
        sent, at = 0, time.monotonic()
        while time.monotonic() < end:
            while sent < DATAGRAMS and time.monotonic() >= at:
                datagrams.sendto(b"x" * 18, (host, port))
                sent, at = sent + 1, at + pause
            try:
                while True:
                    datagrams.recv(64)
                    back += 1
            except BlockingIOError:
                time.sleep(0.001)
        return back / DATAGRAMS


def measure(peer, host, port, trace, now):
    """One half of the trace. Returns whether it is as it should be."""
    rate, rtt, loss = trace.rate(now), trace.rtt(now), trace.loss(now)
    trips = sorted(exchange(peer, 1) for _ in range(9))
    num_bytes = int(UPLOAD_SECONDS * rate)
    seconds = exchange(peer, num_bytes)
    back = returned(host, port, rate) if loss > 0 else 1.0
    # Headers of 66 bytes a packet go over the link, too; a loss makes TCP slow down, by how much is its affair.
    wanted_rate = rate * 1448 / 1514
    measured_rate = num_bytes / max(seconds - rtt, 1e-9)
    wanted_back = (1 - loss) ** 2
    verdicts = [("round trip, ms", 1e3 * trips[4], 1e3 * rtt, rtt <= trips[4] <= 1.1 * rtt + SLACK_SECONDS),
                ("rate, bytes/s", measured_rate, wanted_rate,
                 measured_rate <= 1.1 * wanted_rate and (loss > 0 or measured_rate >= 0.8 * wanted_rate)),
                ("returned, %", 100 * back, 100 * wanted_back,
                 abs(back - wanted_back) <= 4 * (wanted_back * (1 - wanted_back) / DATAGRAMS) ** 0.5)]
    for name, measured, wanted, good in verdicts:
        print(f"{name:<16} {measured:>12.1f}   wanted {wanted:>12.1f}   {'good' if good else 'WRONG'}", flush=True)
    return all(good for *_, good in verdicts)


def check(host, port, trace, start):
    peer = socket.create_connection((host, port), timeout=60)
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    good = measure(peer, host, port, trace, time.monotonic() - start)
    second = start + trace.times[1] + 0.2
    if time.monotonic() > second:
        raise SystemExit("link_check: the first half took longer than its trace")
    time.sleep(second - time.monotonic())
    good = measure(peer, host, port, trace, time.monotonic() - start) and good
    return 0 if good else 1


def main(args):
    if len(args) == 2 and args[0] == "server":
        return serve(int(args[1]))
    if len(args) == 5 and args[0] == "client":
        return check(args[1], int(args[2]), LinkTrace(args[3]), float(args[4]))
    raise SystemExit(__doc__.split("\n\n")[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
