#!/usr/bin/env python3
"""The two programs of examples/split_inference, as processes over a real socket.

usage: two_processes_test.py STRAIT_TRAIN SERVER CLIENT STRAIT

Trains a tiny network and unit, exports the halves, starts a server, then at once: clients with thousands of requests,
clients killed in the middle, clients that send rubbish. Every good client must get every answer, the same as the
pipeline gives in one process; the server must outlive them all, close every descriptor and end on SIGTERM.
"""
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

from harness import (ANSWER, CLIENT, DEADLINE_S, ERROR, IMAGES, MAX_MESSAGE, PROBE, REQUEST, SERVER, SPLIT_FRAME,
                     TIMED_ANSWER, Background, Server, check, client_args, connect, message, never_read, parse, prepare,
                     receive_message, run, same_scores)

REPEAT = 40
GOOD_CLIENTS = [["--quality", "1"], ["--quality", "0.5"], ["--max-bytes", "80", "--connections", "2"],
                ["--checksum", "--connections", "3"], ["--quality", "0", "--checksum"]]


def check_good(options, output, reference):
    answers, count = parse(output)
    check(count == IMAGES * REPEAT, f"{options}: {count} answers, wanted {IMAGES * REPEAT}")
    for image, seen in answers.items():
        check(len(seen) == REPEAT, f"{options}: {image} has {len(seen)} answers")
        want_size, want_scores = reference[image][0]
        for size, scores in seen:
            check(size == want_size, f"{options}: {image} takes {size} bytes, locally {want_size}")
            check(scores[0][0] == want_scores[0][0], f"{options}: {image}: {scores}, locally {want_scores}")
            check(same_scores(scores, want_scores), f"{options}: {image}: {scores}, locally {want_scores}")


def expect_error_and_end(port, data, word):
    with connect(port) as peer:
        peer.sendall(data)
        kind, body = receive_message(peer)
        check(kind == ERROR and word in body, f"{data[:16]}: kind {kind}, {body}")
        check(peer.recv(1) == b"", f"{data[:16]}: the connection stays open")


def expect_errors_that_leave_the_connection_open(port):
    frames = [b"", b"\xff" * 50, bytes(range(256)) * 16, b"\x00", os.urandom(3000)]
    with connect(port) as peer:
        # All at once: answers come in order, whatever the batches.
        peer.sendall(b"".join(message(REQUEST, frame) for frame in frames[:4]))
        for frame in frames[:4]:
            kind, body = receive_message(peer)
            check(kind == ERROR and body, f"frame {frame[:8]}: kind {kind}")
        peer.sendall(message(REQUEST, frames[4]))
        receive_message(peer)  # random bytes could, once in a long while, be a frame
        # Kinds for servers with a plan, which this one has not.
        peer.sendall(message(SPLIT_FRAME, b"\x06layer2" + frames[1]) + message(PROBE, b"x" * 100))
        kind, body = receive_message(peer)
        check(kind == ERROR and b"without a plan" in body, f"a frame with a split: kind {kind}, {body}")
        kind, body = receive_message(peer)
        check(kind == TIMED_ANSWER and len(body) == 6, f"a probe: kind {kind}, {body}")


def rubbish(port):
    expect_error_and_end(port, b"GET / HTTP/1.1\r\nHost: here\r\n\r\n", b"does not start")
    expect_error_and_end(port, bytes(255 - i % 256 for i in range(20000)), b"does not start")
    expect_error_and_end(port, b"St\x09\x01\x00\x00\x00\x00", b"version 9")
    expect_error_and_end(port, message(99, b""), b"unknown kind")
    expect_error_and_end(port, message(ANSWER, b"\x00"), b"wanted a request")
    expect_error_and_end(port, message(TIMED_ANSWER, b"\x00" * 6), b"wanted a request")
    expect_error_and_end(port, message(REQUEST, b"", length=0xFFFFFFFF), b"at most")
    expect_error_and_end(port, message(REQUEST, b"", length=MAX_MESSAGE + 1), b"at most")
    expect_error_and_end(port, message(REQUEST, b"half", length=1000), b"did not come in time")
    expect_error_and_end(port, b"St", b"did not come in time")
    expect_errors_that_leave_the_connection_open(port)


def never_reads(port):
    """Asks without reading answers; TCP holds it back before the server's memory grows."""
    never_read(port, message(REQUEST, b"\xff") * 1000)


def vanish_in_the_middle(port):
    """Half a message and a reset; a whole one without waiting for the answer."""
    for data in (message(REQUEST, b"x", length=500), message(REQUEST, b"\xff" * 9)):
        peer = connect(port)
        peer.sendall(data)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()


def kill_a_client(port):
    """A client with endless work, killed while it is at it."""
    victim = subprocess.Popen(client_args("--port", str(port), "--repeat", "1000000", "--connections", "2"),
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    check(victim.stdout.readline(), "the client to be killed gets no answer")
    victim.send_signal(signal.SIGKILL)
    victim.wait(timeout=DEADLINE_S)
    victim.stdout.close()


HALF_SENDER = """
import socket, sys, time
peer = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
peer.sendall(b"St\\x01\\x01\\x00\\x10\\x00\\x00" + b"x" * 100)
print("sent", flush=True)
time.sleep(600)
"""


def kill_a_sender_in_a_message(port):
    victim = subprocess.Popen([sys.executable, "-c", HALF_SENDER, str(port)], stdout=subprocess.PIPE)
    check(victim.stdout.readline() == b"sent\n", "the sender does not run")
    victim.send_signal(signal.SIGKILL)
    victim.wait(timeout=DEADLINE_S)
    victim.stdout.close()


def test_memory_is_bounded():
    server = Server(max_message=1 << 28)
    before = server.peak_kib()
    promises = [connect(server.port) for _ in range(20)]  # of 5 GiB together
    for peer in promises:
        peer.sendall(message(REQUEST, b"x" * 1000, length=1 << 28))
    never_reads(server.port)
    for peer in promises:
        check(receive_message(peer)[0] == ERROR, "a promise that is not kept is no error")
        peer.close()
    grown = server.peak_kib() - before
    check(grown < 32 * 1024, f"the server grew by {grown} KiB")
    server.stop()


def requests_of_a_client(count, reply):
    """The frames that a client sends for the first images to a server that gives everyone this reply; its exit code."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        images = sorted(os.listdir("images"))[:count]
        args = [CLIENT, *(f"images/{image}" for image in images), *client_args("--checksum")[2:]]
        process = subprocess.Popen([*args, "--port", str(listener.getsockname()[1])],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        listener.settimeout(DEADLINE_S)
        peer, _ = listener.accept()
        frames = []
        with peer:
            peer.settimeout(DEADLINE_S)
            while len(frames) < count:
                kind, frame = receive_message(peer)
                check(kind == REQUEST, f"a client sends kind {kind}")
                frames.append(frame)
                peer.sendall(reply)
        output, errors = process.communicate(timeout=DEADLINE_S)
    return frames, process.returncode, output, errors


def test_answers_tell_images_apart():
    """Else an answer that went to the wrong client would pass for the right one."""
    for quality in ("0", "1"):
        reference, _ = parse(run(*client_args("--local", "--tail", "halves/tail.ts", "--quality", quality)))
        scores = [answers[0][1] for answers in reference.values()]
        alike = sum(same_scores(a, b) for i, a in enumerate(scores) for b in scores[:i])
        sizes = [answers[0][0] for answers in reference.values()]
        print(f"quality {quality}: frames of {min(sizes)} to {max(sizes)} bytes, {alike} pairs of images alike")
        check(alike <= IMAGES // 10, f"at quality {quality} {alike} pairs of images get the same scores")


def test_client_reports_what_the_server_says():
    frames, code, output, errors = requests_of_a_client(3, message(ERROR, b"not today"))
    check(len(frames) == 3 and code == 1, f"a client whose requests fail exits {code}")
    check(errors.count("not today") == 3 and output == "", f"it says '{errors}' and '{output}'")
    scores = struct.pack("<HIfIf", 2, 7, 0.5, 3, -0.25)
    _, code, output, errors = requests_of_a_client(2, message(ANSWER, scores))
    check(code == 0 and output.count("\t7:0.5\t3:-0.25\n") == 2, f"answers become '{output}', '{errors}'")
    for reply in (b"HTTP/1.1 200 OK\r\n\r\n", message(ANSWER, b"", length=0xFFFFFFFF)):
        _, code, _, errors = requests_of_a_client(1, reply)
        check(code == 1 and "server" in errors, f"{reply}: exits {code}, says '{errors}'")
    _, code, _, errors = requests_of_a_client(1, message(ANSWER, scores[:-1]))
    check(code == 1 and "answer" in errors, f"half an answer: exits {code}, says '{errors}'")


def test_sound_and_unsound_frames_share_a_batch():
    count = 8
    frames, *_ = requests_of_a_client(count, message(ANSWER, struct.pack("<HIf", 1, 0, 0)))
    reference, _ = parse(run(*client_args("--local", "--tail", "halves/tail.ts", "--checksum")))
    wanted = [reference[image][0][1] for image in sorted(reference)]
    broken = {1: frames[1][:-1], 4: frames[4][:6] + bytes([frames[4][6] ^ 1]) + frames[4][7:], 6: b""}
    server = Server("--max-batch", str(count), "--wait-ms", "1000")
    with connect(server.port) as peer:
        peer.sendall(b"".join(message(REQUEST, broken.get(i, frames[i])) for i in range(count)))
        for i in range(count):
            kind, body = receive_message(peer)
            check(kind == (ERROR if i in broken else ANSWER), f"frame {i}: kind {kind}, {body}")
            if kind == ANSWER:
                scores = list(struct.iter_unpack("<If", body[2:]))
                check(same_scores(scores, wanted[i]), f"frame {i}: {scores}, locally {wanted[i]}")
    words = server.stop().split()
    check(int(words[4]) < count, "frames that came together were not taken together")


def test_many_clients():
    server = Server("--max-batch", "8", "--queue", "16")
    before = server.settled_descriptors()

    rivals = [Background(function, server.port) for function in
              (rubbish, never_reads, vanish_in_the_middle, kill_a_client, kill_a_sender_in_a_message)]
    good = [subprocess.Popen(client_args("--port", str(server.port), "--repeat", str(REPEAT), *options),
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for options in GOOD_CLIENTS]
    # Read them all at once: a client whose pipe is full waits, and the others need not wait for it.
    outputs = [None] * len(good)

    def collect(i):
        outputs[i] = good[i].communicate(timeout=DEADLINE_S)

    for reader in [Background(collect, i) for i in range(len(good))]:
        reader.join()
    for rival in rivals:
        rival.join()
    for options, process, (output, errors) in zip(GOOD_CLIENTS, good, outputs):
        check(process.returncode == 0, f"client {options} exits {process.returncode}: {errors}")
        codec = [option for option in options if option not in ("--connections", "2", "3")]
        reference, _ = parse(run(*client_args("--local", "--tail", "halves/tail.ts", *codec)))
        check_good(options, output, reference)
        check("95th percentile" in output, f"client {options} prints no summary")

    server.await_descriptors(before)
    check(server.process.poll() is None, "the server has ended")
    after = run(*client_args("--port", str(server.port)))
    check(parse(after)[1] == IMAGES, "the server does not serve a client after all the others")
    requests = int(server.stop().split()[1])
    check(requests >= len(GOOD_CLIENTS) * IMAGES * REPEAT, f"the server counts {requests} requests")


def test_stop_with_clients_at_work():
    server = Server()
    worker = subprocess.Popen(client_args("--port", str(server.port), "--repeat", "1000000"),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    idle = connect(server.port)
    check(worker.stdout.readline(), "the client gets no answer")
    server.stop(signal.SIGINT)
    _, errors = worker.communicate(timeout=DEADLINE_S)
    check(worker.returncode == 1, f"a client whose server has gone exits {worker.returncode}")
    check("client: images/" in errors, f"a client whose server has gone says '{errors}'")
    check(idle.recv(1) == b"", "an idle client is not hung up on")
    idle.close()


def test_too_many_clients():
    server = Server("--max-clients", "2")
    peers = [connect(server.port) for _ in range(2)]
    for peer in peers:  # both are surely accepted once they have an answer
        peer.sendall(message(REQUEST, b""))
        check(receive_message(peer)[0] == ERROR, "an empty frame is no error")
    expect_error_and_end(server.port, b"", b"too many clients")
    for peer in peers:
        peer.close()
    server.stop()


def test_mistakes_of_the_user():
    for args, code, word in [
            ([SERVER, "--model", "nowhere.strait", "--tail", "halves/tail.ts"], 1, "nowhere.strait"),
            ([SERVER, "--model", "r/model.strait", "--tail", "unit.toml"], 1, "unit.toml"),
            ([SERVER, "--model", "r/model.strait"], 2, "--tail"),
            (client_args("--port", "1", "--repeat", "0"), 2, "--repeat"),
            (client_args(), 2, "--port"),
            (client_args("--local", "--tail", "halves/tail.ts", "--max-bytes", "1"), 1, "max_bytes")]:
        done = subprocess.run(args, capture_output=True, text=True, timeout=DEADLINE_S)
        check(done.returncode == code, f"{args} exits {done.returncode}, wanted {code}: {done.stderr}")
        check(word in done.stdout + done.stderr, f"{args} does not name {word}: {done.stderr}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        prepare()
        for test in (test_answers_tell_images_apart, test_mistakes_of_the_user,
                     test_client_reports_what_the_server_says,
                     test_sound_and_unsound_frames_share_a_batch, test_too_many_clients, test_memory_is_bounded,
                     test_stop_with_clients_at_work, test_many_clients):
            start = time.monotonic()
            test()
            print(f"{test.__name__}: passed in {time.monotonic() - start:.1f} s", flush=True)
        os.chdir("/")


if __name__ == "__main__":
    main()
