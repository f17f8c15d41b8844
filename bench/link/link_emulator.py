#!/usr/bin/env python3
"""A link between two network interfaces that follows a trace, for kernels without netem.

usage: link_emulator.py TRACE.csv START UPLINK_INTERFACE DOWNLINK_INTERFACE

Runs where both interfaces are (shaped_link.sh gives it a namespace of its own) until it is killed, and carries every
Ethernet frame from one to the other, up to down at the rate of the trace. Both ways take half the round trip and lose
packets. START is the time.monotonic() of the trace's beginning. Frames leave in order: when the round trip falls, those
behind do not overtake those before.

The rate is kept here although tc's tbf keeps it too: a token bucket lets a message of up to its size, which is a
packet at least, pass at once, while on a link of that rate it takes its time.
"""
import collections
import random
import select
import socket
import sys
import time

from link_trace import LinkTrace

ETH_P_ALL = 3
FRAME_BYTES = 65536
QUEUE_BYTES = 256 * 1024  # waiting to go out, at most; beyond, packets are dropped


def open_interface(name):
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    packets.bind((name, ETH_P_ALL))
    packets.setblocking(False)
    return packets


class Direction:
    def __init__(self, trace, start, source, target, paced):
        self.trace, self.start, self.source, self.target, self.paced = trace, start, source, target, paced
        self.queue = collections.deque()  # (when it has left, when it arrives, frame)
        self.arriving = 0.0
        self.free_at = 0.0  # when the last frame has left
        self.leaving = collections.deque()  # (when it has left, bytes), of frames that have not
        self.waiting_bytes = 0

    def take(self, now):
        while True:
            try:
                frame, address = self.source.recvfrom(FRAME_BYTES)
            except BlockingIOError:
                return
            if address[2] == socket.PACKET_OUTGOING:  # what this process sends comes back to it
                continue
            while self.leaving and self.leaving[0][0] <= now:
                self.waiting_bytes -= self.leaving.popleft()[1]
            if random.random() < self.trace.loss(now) or self.waiting_bytes + len(frame) > QUEUE_BYTES:
                continue
            left = self.trace.finish(max(now, self.free_at), len(frame)) if self.paced else now
            self.free_at = left
            if self.paced:
                self.leaving.append((left, len(frame)))
                self.waiting_bytes += len(frame)
            self.arriving = max(self.arriving, left + self.trace.rtt(left) / 2)
            self.queue.append((self.arriving, frame))

    def deliver(self, now):
        while self.queue and self.queue[0][0] <= now:
            frame = self.queue.popleft()[1]
            try:
                self.target.send(frame)
            except OSError:
                pass  # as a link loses what the other end cannot take

    def next_arrival(self):
        return self.queue[0][0] if self.queue else float("inf")


def main():
    if len(sys.argv) != 5:
        raise SystemExit(__doc__.split("\n\n")[1])
    trace, start = LinkTrace(sys.argv[1]), float(sys.argv[2])
    up, down = open_interface(sys.argv[3]), open_interface(sys.argv[4])
    ways = [Direction(trace, start, up, down, paced=True), Direction(trace, start, down, up, paced=False)]
    while True:
        now = time.monotonic() - start
        wait = min(way.next_arrival() for way in ways) - now
        # select, not epoll: its timeout counts microseconds.
        ready, _, _ = select.select([up, down], [], [], min(max(wait, 0), 1))
        now = time.monotonic() - start
        for way in ways:
            if way.source in ready:
                way.take(now)
            way.deliver(now)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
