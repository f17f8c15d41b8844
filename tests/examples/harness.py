"""What the tests of the two processes stand on: the programs, a run's files, the wire format, threads that report.

Both tests are called as TEST.py STRAIT_TRAIN SERVER CLIENT STRAIT.
"""
import atexit
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

TRAIN, SERVER, CLIENT, STRAIT = (os.path.abspath(path) for path in sys.argv[1:5])
DEADLINE_S = 120  # for anything that must happen at all; nothing is measured
IMAGES = 20
MESSAGE_TIMEOUT_MS = 2000
MAX_MESSAGE = 65536
SPLIT = "layer2"  # of the unit
TOLERANCE = 2e-5  # float32 in another order; images differ by more, as test_answers_tell_images_apart checks
SERVE_MODEL = ("--model", "r/model.strait", "--tail", "halves/tail.ts")
SERVE_PLAN = ("--plan", "plan.json", "--halves", "plan_halves", "--network", "net.pt")
REQUEST, ANSWER, ERROR = 1, 2, 3
SPLIT_FRAME, JPEG, PIXELS, PROBE, TIMED_ANSWER = 4, 5, 6, 7, 8

UNIT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tiny_unit.toml")


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def run(*args):
    done = subprocess.run(args, capture_output=True, text=True, timeout=DEADLINE_S)
    check(done.returncode == 0, f"{' '.join(args)} exits {done.returncode}: {done.stderr}")
    return done.stdout


def prepare():
    """net.pt, r/model.strait, halves/{head,tail}.ts and images, in the working directory."""
    shutil.copy(UNIT, "unit.toml")
    run(TRAIN, "backbone", "--set", "data.spec=shapes:train=192,val=64", "--set", "train.epochs=2",
        "--set", "train.batch_size=32", "--set", "network.width=4", "--out", "net.pt")
    run(TRAIN, "run", "unit.toml", "--set", "loss.lambdas=[3e-6, 1e-6]", "--out", "r")
    run(TRAIN, "export", "r", "--halves", "halves", "--images", "images", "--count", str(IMAGES))
    run(TRAIN, "export", "r", "--halves", f"plan_halves/{SPLIT}")
    check(len(os.listdir("images")) == IMAGES, "export --images wrote another number of images")


def write_plan(path, *entries, model=None):
    """A plan of the run's unit: (route, split, quality, device_seconds, accuracy) for each entry."""
    model = model or json.loads(run(STRAIT, "info", "r/model.strait", "--json"))["id"]
    plan = {"format": "strait-plan", "version": 1, "backbone_hash": "0", "device": "test", "server": "test",
            "idle_watts": 0, "joules_per_byte": 0, "switch_seconds": 0,
            "models": [{"split": SPLIT, "file": "r/model.strait", "id": model}],
            "entries": [{"route": route, "split": split, "quality": quality, "threads": 1, "frequency_hz": 0, "batch": 1,
                         "device_seconds": seconds, "server_seconds": 0, "bytes": 0 if route == "local" else 100,
                         "device_joules": 0, "accuracy": accuracy}
                        for route, split, quality, seconds, accuracy in entries]}
    with open(path, "w") as f:
        json.dump(plan, f)


class Server:
    """A server process and what it has said."""

    def __init__(self, *options, serve=SERVE_MODEL, max_message=MAX_MESSAGE):
        self.process = subprocess.Popen(
            [SERVER, *serve, "--timeout-ms", str(MESSAGE_TIMEOUT_MS), "--max-message", str(max_message), *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        atexit.register(self.process.kill)  # when a test fails
        line = self.process.stdout.readline()  # ends, at the latest, when the process does
        check(line.startswith("listening on"), f"the server says '{line}': {line or self.process.stderr.read()}")
        self.port = int(line.split()[-1])

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def settled_descriptors(self):
        """What it holds without clients, after one has come and gone: the first opens some for good."""
        with connect(self.port) as peer:
            peer.sendall(message(REQUEST, b""))
            receive_message(peer)  # an error, after which the connection stays open
            during = self.descriptors()
        self.await_descriptors(during - 1)
        return during - 1

    def peak_kib(self):
        with open(f"/proc/{self.process.pid}/status") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmHWM"))

    def await_descriptors(self, count):
        end = time.monotonic() + DEADLINE_S
        while self.descriptors() != count:
            check(time.monotonic() < end, f"the server holds {self.descriptors()} descriptors, had {count}")
            time.sleep(0.05)

    def stop(self, signal_number=signal.SIGTERM):
        self.process.send_signal(signal_number)
        _, errors = self.process.communicate(timeout=DEADLINE_S)
        check(self.process.returncode == 0, f"the server exits {self.process.returncode}: {errors}")
        return errors


def parse(output):
    """Lines of a client as {image: [(bytes, [(class, score)])]} and their number."""
    answers, count = {}, 0
    for line in output.splitlines():
        if line.startswith("#"):
            continue
        image, size, *scores = line.split("\t")
        pairs = [(int(label), float(score)) for label, score in (text.split(":") for text in scores)]
        answers.setdefault(image, []).append((int(size), pairs))
        count += 1
    return answers, count


def same_scores(a, b):
    # By class, not by place: two scores that differ in the last bit may change places in a batch of another size.
    a, b = dict(a), dict(b)
    return a.keys() == b.keys() and all(abs(a[label] - b[label]) <= TOLERANCE * (1 + abs(a[label])) for label in a)


def client_args(*options):
    return [CLIENT, "images", "--model", "r/model.strait", "--head", "halves/head.ts", *options]


def message(kind, body, length=None):
    return b"St" + bytes([1, kind]) + struct.pack("<I", len(body) if length is None else length) + body


def connect(port):
    peer = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S)
    return peer


def receive(peer, count):
    data = b""
    while len(data) < count:
        part = peer.recv(count - len(data))
        if not part:
            return None
        data += part
    return data


def receive_message(peer):
    header = receive(peer, 8)
    check(header is not None and header[:3] == b"St\x01", f"no message but {header}")
    return header[3], receive(peer, struct.unpack("<I", header[4:])[0])


def never_read(port, data):
    """Sends `data` without an end and without reading answers, until the server has had enough."""
    with connect(port) as peer:
        peer.settimeout(DEADLINE_S)
        try:
            while True:
                peer.sendall(data)
        except (ConnectionError, BrokenPipeError):
            pass


class Background(threading.Thread):
    """Runs a function; join() raises what it raised."""

    def __init__(self, function, *args):
        super().__init__(daemon=True)
        self.function, self.args, self.error = function, args, None
        self.start()

    def run(self):
        try:
            self.function(*self.args)
        except BaseException as error:  # pylint: disable=broad-except
            self.error = error

    def join(self, timeout=None):
        super().join(DEADLINE_S)
        check(not self.is_alive(), f"{self.function.__name__} does not end")
        if self.error is not None:
            raise self.error
