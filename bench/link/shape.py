#!/usr/bin/env python3
"""Lets tc follow a trace: the rate by tbf, and delay and loss by netem where the kernel has it.

usage: shape.py TRACE.csv START tbf NAMESPACE INTERFACE
       shape.py TRACE.csv START netem NAMESPACE INTERFACE NAMESPACE INTERFACE   (uplink, downlink)
       shape.py offloads INTERFACE                                              (in its namespace)

Runs until it is killed. START is the time.monotonic() of the trace's beginning. With netem the uplink's netem keeps the
rate, too, since it lets a packet take its time where tbf's bucket lets it pass at once.

offloads: from now on frames leave the interface with checksums, and none larger than its MTU, as on a wire.
"""
import array
import fcntl
import socket
import struct
import subprocess
import sys
import time

from link_trace import LinkTrace

QUEUE_BYTES = 256 * 1024
BUCKET_BYTES = 2048  # the least that a frame of an MTU of 1500 fits in
LEAST_RATE = 125  # tc wants one; below, packets are held for as long as it takes
SIOCETHTOOL = 0x8946
ETHTOOL_SETTERS = (0x15, 0x17, 0x1F, 0x24, 0x2C)  # receive and send checksums, TSO, GSO, GRO


def tc(namespace, verb, interface, *words):
    subprocess.run(["tc", "-n", namespace, "qdisc", verb, "dev", interface, "root", *words], check=True)


def bits(bytes_per_second):
    return f"{round(8 * max(bytes_per_second, LEAST_RATE))}bit"


def follow(trace, start, apply):
    verb = "add"
    while True:
        i, end = trace.at(time.monotonic() - start)
        apply(verb, i)
        verb = "change"
        time.sleep(max(end + start - time.monotonic(), 0) + 1e-4)


def shape_tbf(trace, start, namespace, interface):
    def apply(verb, i):
        # An outage is left to the emulator: tbf would hold on to a packet for the time it takes at the least rate,
        # even when the link is back.
        if trace.rates[i] > 0 or verb == "add":
            tc(namespace, verb, interface, "tbf", "rate", bits(trace.rates[i]), "burst", f"{BUCKET_BYTES}b",
               "limit", f"{QUEUE_BYTES}b")

    follow(trace, start, apply)


def shape_netem(trace, start, up_namespace, up, down_namespace, down):
    def apply(verb, i):
        lost = trace.losses[i] if trace.rates[i] > 0 else 1
        half = ["netem", "delay", f"{round(5e5 * trace.rtts[i])}us", "loss", f"{100 * lost:.3f}%"]
        tc(up_namespace, verb, up, *half, "rate", bits(trace.rates[i]), "limit", str(QUEUE_BYTES // 1500))
        tc(down_namespace, verb, down, *half, "limit", "1000")

    follow(trace, start, apply)


def drop_offloads(interface):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for command in ETHTOOL_SETTERS:
            value = array.array("B", struct.pack("II", command, 0))
            request = struct.pack("16sP16x", interface.encode(), value.buffer_info()[0])
            fcntl.ioctl(any_socket, SIOCETHTOOL, request)


def main(args):
    if args[:1] == ["offloads"] and len(args) == 2:
        return drop_offloads(args[1])
    if len(args) == 5 and args[2] == "tbf":
        return shape_tbf(LinkTrace(args[0]), float(args[1]), *args[3:])
    if len(args) == 7 and args[2] == "netem":
        return shape_netem(LinkTrace(args[0]), float(args[1]), *args[3:])
    raise SystemExit(__doc__.split("\n\n")[1])


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        pass
