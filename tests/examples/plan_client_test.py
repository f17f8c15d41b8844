#!/usr/bin/env python3
"""Runs examples/split_inference with a plan, as processes over a real socket.

usage: plan_client_test.py STRAIT_TRAIN SERVER CLIENT STRAIT

The plans are written here, so that one configuration is by far the best: the client must take it, and its answers must
be those of the same computation in one process. Rubbish in the messages that plans bring, links that break and servers
that fall silent must cost nobody else anything.
"""
import csv
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import time

from harness import (ANSWER, CLIENT, DEADLINE_S, ERROR, IMAGES, JPEG, MAX_MESSAGE, PIXELS, PROBE, REQUEST, SERVE_MODEL,
                     SERVE_PLAN, SERVER, SPLIT, SPLIT_FRAME, TIMED_ANSWER, Background, Server, check, client_args,
                     connect, message, never_read, parse, prepare, receive_message, run, same_scores, write_plan)

FAST, SLOW = 1, 3000  # seconds; nobody waits for the slow one, and a busy machine is not given up on
SIDE = 64  # of the network's input
ENTRIES = {"local": ("local", "", 0), "split": ("split", SPLIT, 1), "half": ("split", SPLIT, 0.5),
           "jpeg": ("offload", "jpeg", 95), "raw": ("offload", "raw", 0)}


def plan_args(plan, *options, network=True):
    return [CLIENT, "images", "--plan", plan, "--halves", "plan_halves", *(["--network", "net.pt"] if network else []),
            *options]


def write_plan_for(best):
    """A plan in which one entry is the fastest by far."""
    write_plan(f"{best}.json", *((*entry, FAST if name == best else SLOW, 50) for name, entry in ENTRIES.items()))


def rows(log):
    with open(log, newline="") as f:
        return list(csv.DictReader(f))


def run_client(best, port, *options):
    output = run(*plan_args(f"{best}.json", "--port", str(port), "--log", f"{best}.csv", *options))
    return parse(output)[0], rows(f"{best}.csv")


def scores_of(answers):
    return {image: seen[0][1] for image, seen in answers.items()}


def reference(quality):
    return parse(run(*client_args("--local", "--tail", "halves/tail.ts", "--quality", quality)))[0]


def check_same(a, b, what):
    check(a.keys() == b.keys(), f"{what}: other images")
    for image in a:
        check(same_scores(a[image], b[image]), f"{what}: {image}: {a[image]} and {b[image]}")


def test_client_runs_what_is_best():
    server = Server(serve=SERVE_PLAN)
    answers = {}
    for best, (route, split, quality) in ENTRIES.items():
        answers[best], log = run_client(best, server.port)
        check(len(log) == IMAGES, f"{best}: {len(log)} rows in the log")
        for row in log:
            check((row["route"], row["split"], float(row["quality"])) == (route, split, quality), f"{best}: {row}")
            check(float(row["measured_ms"]) >= float(row["server_ms"]) >= 0, f"{best}: {row}")
            check((float(row["server_ms"]) > 0) == (best != "local") and row["given_up"] == "0", f"{best}: {row}")
        sizes = [seen[0][0] for seen in answers[best].values()]
        check(sizes == [int(row["bytes"]) for row in log], f"{best}: sizes {sizes} are not the log's")
    for best, quality in (("split", "1"), ("half", "0.5")):
        wanted = reference(quality)
        check_same(scores_of(answers[best]), scores_of(wanted), best)
        check(all(answers[best][image][0][0] == wanted[image][0][0] for image in wanted), f"{best}: other frames")
    check_same(scores_of(answers["raw"]), scores_of(answers["local"]), "raw and local")
    check({seen[0][0] for seen in answers["raw"].values()} == {3 * SIDE * SIDE}, "raw pictures of another size")
    jpeg, local = scores_of(answers["jpeg"]), scores_of(answers["local"])
    alike = sum(jpeg[image][0][0] == local[image][0][0] for image in local)
    check(alike >= 0.8 * IMAGES, f"as JPEG only {alike} of {IMAGES} images keep their class")
    server.stop()


def test_request_decides():
    write_plan("accuracy.json", ("local", "", 0, SLOW, 90), ("split", SPLIT, 1, FAST, 50))
    server = Server(serve=SERVE_PLAN)
    for options, route in ((["--min-accuracy", "50"], "split"), (["--min-accuracy", "50.5"], "local")):
        run(*plan_args("accuracy.json", "--port", str(server.port), "--log", "log.csv", *options))
        check({row["route"] for row in rows("log.csv")} == {route}, f"{options} does not lead to {route}")
    server.stop()


def test_log_says_what_is_right():
    server = Server(serve=SERVE_PLAN)
    names = sorted({image.split("-")[1].split(".")[0] for image in os.listdir("images")})
    for classes, told in ((",".join(names), True), ("none,of,these", False)):
        _, log = run_client("local", server.port, "--classes", classes)
        check({row["right"] for row in log} <= ({"0", "1"} if told else {""}), f"--classes {classes}: {log[0]}")
    server.stop()


def test_slow_device_and_pauses():
    server = Server(serve=SERVE_PLAN)
    least = {}
    for slowdown in (1, 50):
        _, log = run_client("local", server.port, "--device-slowdown", str(slowdown))
        least[slowdown] = min(float(row["measured_ms"]) for row in log)
    check(least[50] > least[1], f"the device is not slowed down: {least}")
    start = time.monotonic()
    _, log = run_client("local", server.port, "--interval-ms", "20", "--seconds", "1")
    check(time.monotonic() - start >= 1, "--seconds 1 ends early")
    starts = [float(row["seconds"]) for row in log]
    check(starts == sorted(starts) and len(log) <= 200, f"{len(log)} requests in a second, 20 ms apart")
    server.stop()


def capture(best, count, reply):
    """What a client sends for the first images to a server that gives everyone this reply, and how it ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        images = sorted(os.listdir("images"))[:count]
        args = plan_args(f"{best}.json", "--port", str(listener.getsockname()[1]))
        process = subprocess.Popen([CLIENT, *(f"images/{image}" for image in images), *args[2:]],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        listener.settimeout(DEADLINE_S)
        peer, _ = listener.accept()
        bodies = []
        with peer:
            peer.settimeout(DEADLINE_S)
            while len(bodies) < count:
                kind, body = receive_message(peer)
                if kind == PROBE:
                    peer.sendall(timed())
                    continue
                bodies.append((kind, body))
                peer.sendall(reply)
            output, errors = process.communicate(timeout=DEADLINE_S)
    return bodies, process.returncode, output, errors


def timed(*scores, microseconds=1500):
    return message(TIMED_ANSWER, struct.pack("<IH", microseconds, len(scores)) +
                   b"".join(struct.pack("<If", *score) for score in scores))


def test_client_reports_what_the_server_says():
    # Without a local entry there is no giving up, so no clock decides.
    write_plan("split_alone.json", ("split", SPLIT, 1, FAST, 50))
    sent, code, output, _ = capture("split_alone", 3, timed((7, 0.5), (3, -0.25)))
    check(code == 0 and output.count("\t7:0.5\t3:-0.25\n") == 3, f"answers become '{output}'")
    check(all(kind == SPLIT_FRAME and body[:7] == b"\x06layer2" for kind, body in sent), f"it sends {sent[0]}")
    _, code, output, errors = capture("split_alone", 3, message(ERROR, b"not today"))
    check(code == 1 and errors.count("not today") == 3 and output == "", f"errors become '{output}', '{errors}'")


def expect_error(peer, data, word):
    peer.sendall(data)
    kind, body = receive_message(peer)
    check(kind == ERROR and word in body and b"\n" not in body, f"{data[:24]}: kind {kind}, {body}")


def rubbish(port, frame, jpeg):
    pixels = bytes(3 * SIDE * SIDE)
    size_at = jpeg.index(b"\xff\xc0") + 5
    with connect(port) as peer:
        expect_error(peer, message(REQUEST, frame), b"names no split")
        expect_error(peer, message(SPLIT_FRAME, b""), b"name of a split")
        expect_error(peer, message(SPLIT_FRAME, b"\x00" + frame), b"name of a split")
        expect_error(peer, message(SPLIT_FRAME, b"\xfflayer2"), b"name of a split")
        expect_error(peer, message(SPLIT_FRAME, b"\x06layer9" + frame), b'split "layer9", this server has layer2')
        expect_error(peer, message(SPLIT_FRAME, b"\x06lay\n\xff\x009" + frame), b'split "lay???"')
        expect_error(peer, message(SPLIT_FRAME, b"\x06layer2"), b"frame")
        expect_error(peer, message(SPLIT_FRAME, b"\x06layer2" + frame[:-1]), b"")
        for rubbish_jpeg in (b"", b"\xff\xd8", b"\xff\xd8\xff\xd9", b"\x89PNG\r\n\x1a\n" + pixels, jpeg[:-2], jpeg[2:],
                             jpeg[:40] + b"\xff\xd9", os.urandom(3000), b"\xff\xd8" + b"\xff\xe0\xff\xff" * 99,
                             b"\xff\xd8\xff\xe0\x00\x00" + jpeg[2:]):
            expect_error(peer, message(JPEG, rubbish_jpeg), b"jpeg")
        for size in (b"\xff\xff\xff\xff", b"\x00\x00\x00\x40", b"\x00\x40\x00\x41"):
            expect_error(peer, message(JPEG, jpeg[:size_at] + size + jpeg[size_at + 4:]), b"wanted 64x64")
        for wrong in (b"", pixels[:-1], pixels + b"\x00"):
            expect_error(peer, message(PIXELS, wrong), b"pixels")
        for body in (b"", b"x" * 1400, b"x" * MAX_MESSAGE):
            peer.sendall(message(PROBE, body))
            kind, answer = receive_message(peer)
            check(kind == TIMED_ANSWER and answer[4:] == b"\x00\x00", f"a probe: kind {kind}, {answer}")
        # At once, and answered in order: probes wait for the requests before them.
        peer.sendall(message(JPEG, jpeg) + message(PROBE, b"") + message(SPLIT_FRAME, b"\x06layer2" + frame) +
                     message(PIXELS, b"") + message(PIXELS, pixels) + message(PROBE, b""))
        kinds = [receive_message(peer) for _ in range(6)]
        check([kind for kind, _ in kinds] == [TIMED_ANSWER] * 3 + [ERROR] + [TIMED_ANSWER] * 2, f"got {kinds}")
        check([len(body) > 6 for _, body in kinds] == [True, False, True, True, True, False], f"got {kinds}")
    for broken in (message(ANSWER, b""), message(TIMED_ANSWER, b""), message(9, b""),
                   message(PROBE, b"", length=MAX_MESSAGE + 1)):
        with connect(port) as peer:
            expect_error(peer, broken, b"message")
            check(peer.recv(1) == b"", f"{broken}: the connection stays open")


def floods_with_probes(port):
    """Probes without an end, and their answers not read: the server stops to read."""
    never_read(port, message(PROBE, b"") * 1000)


def test_rubbish_costs_nobody_else():
    [(_, body)], *_ = capture("split", 1, timed((0, 0)))
    [(kind, jpeg)], *_ = capture("jpeg", 1, timed((0, 0)))
    check(kind == JPEG and jpeg[:2] == b"\xff\xd8", f"a JPEG is sent as kind {kind}, {jpeg[:9]}")
    server = Server(serve=SERVE_PLAN)
    before = server.settled_descriptors()
    rivals = [Background(rubbish, server.port, body[7:], jpeg), Background(floods_with_probes, server.port)]
    outputs = {}

    def client(best):
        outputs[best] = parse(run(*plan_args(f"{best}.json", "--port", str(server.port), "--repeat", "20")))

    for good in [Background(client, best) for best in ENTRIES]:
        good.join()
    for rival in rivals:
        rival.join()
    for best, (answers, count) in outputs.items():
        check(count == 20 * IMAGES, f"{best}: {count} answers")
        for image, seen in answers.items():
            check(all(same_scores(scores, seen[0][1]) for _, scores in seen), f"{best}: {image}: {seen}")
    check_same(scores_of(outputs["split"][0]), scores_of(reference("1")), "split among others")
    check_same(scores_of(outputs["raw"][0]), scores_of(outputs["local"][0]), "raw among others")
    server.await_descriptors(before)
    check(server.peak_kib() < 1 << 20, f"the server took {server.peak_kib()} KiB")
    server.stop()


def test_silent_server_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        args = plan_args("split_first.json", "--port", str(listener.getsockname()[1]), "--log", "log.csv")
        answers = parse(run(*args))[0]  # connected to, never answered
    check_same(scores_of(answers), scores_of(run_locally()), "given up")
    log = rows("log.csv")
    check(log[0]["route"] == "split" and log[0]["given_up"] == "1", f"the first request: {log[0]}")


def test_broken_link_is_no_end():
    server = Server(serve=SERVE_PLAN)
    process = subprocess.Popen(plan_args("split_first.json", "--port", str(server.port), "--repeat", "1000000"),
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def await_route(sends):
        end = time.monotonic() + DEADLINE_S
        while (int(process.stdout.readline().split("\t")[1]) > 0) != sends:
            check(time.monotonic() < end, f"no image {'is sent' if sends else 'runs here'}")

    await_route(sends=True)
    server.process.kill()
    server.process.communicate()
    await_route(sends=False)
    server = Server("--port", str(server.port), serve=SERVE_PLAN)
    await_route(sends=True)
    process.kill()
    _, errors = process.communicate(timeout=DEADLINE_S)
    # More than once where the dying server's socket still takes a connection.
    check(errors and all("connecting again" in line for line in errors.splitlines()), f"the client says '{errors}'")
    server.stop()


def run_locally():
    server = Server(serve=SERVE_PLAN)
    answers, _ = run_client("local", server.port)
    server.stop()
    return answers


def test_wrong_server_is_one_line():
    for serve, args, word in (
            (SERVE_PLAN, client_args("--connections", "2"), f"it has a plan ({SPLIT})"),
            (SERVE_MODEL, plan_args("split.json"), "one model without a plan"),
            (SERVE_MODEL, plan_args("raw.json"), "one model without a plan")):
        server = Server(serve=serve)
        done = subprocess.run([*args, "--port", str(server.port)], capture_output=True, text=True, timeout=DEADLINE_S)
        check(done.returncode == 1 and done.stdout == "", f"{args} exits {done.returncode}, says '{done.stdout}'")
        check(done.stderr.startswith("client: wrong server: ") and word in done.stderr and done.stderr.count("\n") == 1,
              f"{args} says '{done.stderr}'")
        server.stop()


def test_each_side_wants_its_own_halves():
    for half in ("head", "tail"):
        os.makedirs(f"{half}s/{SPLIT}", exist_ok=True)
        shutil.copy(f"plan_halves/{SPLIT}/{half}.ts", f"{half}s/{SPLIT}")
    server = lambda plan, *network: ("--plan", plan, "--halves", "tails", *network)
    # How images are prepared is in the heads alone.
    done = subprocess.run([SERVER, *server("plan.json", "--network", "net.pt")], capture_output=True, text=True, timeout=DEADLINE_S)
    check(done.returncode == 1 and f"tails/{SPLIT}/head.ts: is missing; the plan sends images" in done.stderr,
          f"a server without heads exits {done.returncode}, says '{done.stderr}'")
    write_plan("no_images.json", ("local", "", 0, SLOW, 50), ("split", SPLIT, 1, FAST, 50))
    running = Server(serve=server("no_images.json"))
    args = [CLIENT, "images", "--plan", "no_images.json", "--halves", "heads", "--network", "net.pt"]
    answers, count = parse(run(*args, "--port", str(running.port)))
    check(count == IMAGES, f"{count} answers")
    check_same(scores_of(answers), scores_of(reference("1")), "each side with its own halves")
    with connect(running.port) as peer:
        expect_error(peer, message(PIXELS, bytes(3 * SIDE * SIDE)), b"plan sends no images")
    running.stop()


def test_mistakes_of_the_user():
    with open("broken.json", "w") as f:
        f.write("{")
    write_plan("other.json", ("split", SPLIT, 1, FAST, 50), model="0" * 16)
    client = lambda plan, *options: plan_args(plan, "--port", "1", *options)
    server = lambda plan, halves="plan_halves": [SERVER, "--plan", plan, "--halves", halves, "--network", "net.pt"]
    for args, code, word in [
            (server("nowhere.json"), 1, "nowhere.json"),
            (server("broken.json"), 1, "broken.json"),
            (server("other.json"), 1, "r/model.strait: is not the model that other.json"),
            (server("plan.json", "halves"), 1, f"strait-train export RUN --halves halves/{SPLIT}"),
            ([SERVER, "--plan", "plan.json", "--halves", "plan_halves", "--network", "unit.toml"], 1, "unit.toml"),
            ([SERVER, "--plan", "plan.json", "--halves", "plan_halves"], 1, "--network: is missing; the plan sends"),
            ([SERVER, "--plan", "plan.json", "--model", "r/model.strait"], 2, "--"),
            ([SERVER], 2, "--plan"),
            (client("nowhere.json"), 1, "nowhere.json"),
            (client("broken.json"), 1, "broken.json"),
            (client("other.json"), 1, "other.json"),
            (client("plan.json"), 1, "127.0.0.1 port 1"),
            (client("plan.json", "--log", "nowhere/log.csv"), 1, "nowhere/log.csv"),
            (client("plan.json", "--device-slowdown", "0.5"), 2, "--device-slowdown"),
            (client("plan.json", "--quality", "1"), 2, "--quality"),
            (plan_args("plan.json", "--port", "1", network=False), 1, "--network"),
            (plan_args("plan.json"), 2, "--port"),
            ([CLIENT, "images", "--plan", "plan.json", "--port", "1"], 2, "--halves"),
            ([CLIENT, "images", "--plan", "plan.json", "--halves", "nowhere", "--port", "1"], 1, f"nowhere/{SPLIT}"),
            (client_args("--port", "1", "--log", "log.csv"), 2, "--plan"),
            ([CLIENT, "images", "--port", "1"], 2, "--plan")]:
        done = subprocess.run(args, capture_output=True, text=True, timeout=DEADLINE_S)
        check(done.returncode == code, f"{args} exits {done.returncode}, wanted {code}: {done.stderr}")
        check(word in done.stdout + done.stderr, f"{args} does not name {word}: {done.stderr}")
        check(code == 2 or done.stderr.count("\n") == 1, f"{args} says in more than a line: {done.stderr}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        prepare()
        for best in ENTRIES:
            write_plan_for(best)
        write_plan("plan.json", *((*entry, FAST, 50) for entry in ENTRIES.values()))
        write_plan("split_first.json", ("local", "", 0, 0.6, 50), ("split", SPLIT, 1, 0.2, 50))
        for test in (test_mistakes_of_the_user, test_client_runs_what_is_best, test_request_decides,
                     test_log_says_what_is_right, test_slow_device_and_pauses, test_client_reports_what_the_server_says,
                     test_wrong_server_is_one_line, test_each_side_wants_its_own_halves,
                     test_rubbish_costs_nobody_else, test_silent_server_is_given_up, test_broken_link_is_no_end):
            start = time.monotonic()
            test()
            print(f"{test.__name__}: passed in {time.monotonic() - start:.1f} s", flush=True)
        os.chdir("/")


if __name__ == "__main__":
    main()
