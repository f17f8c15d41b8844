"""The GIL is released while the library works, and one coder serves many threads one after the other."""

import sys
import threading

import numpy as np
import pytest
import strait
from conftest import GOLDEN

ROUNDS = 20000  # a call that releases the GIL lets the other thread in within a few


def lets_another_thread_in(call):
    """Whether another thread ran during `call`. Threads do not take turns by time meanwhile: one only runs when the other
    gives up the GIL of its own accord, which `call` does in the library or not at all."""
    ran = []
    gate = threading.Lock()
    gate.acquire()

    def other():
        with gate:
            ran.append(True)

    interval = sys.getswitchinterval()
    thread = threading.Thread(target=other)
    thread.start()
    sys.setswitchinterval(1000)
    try:
        gate.release()
        for _ in range(ROUNDS):
            call()
            if ran:
                return True
        return False
    finally:
        sys.setswitchinterval(interval)
        thread.join()


def test_the_probe_sees_a_call_that_keeps_the_gil(features):
    assert not lets_another_thread_in(features.tobytes)


def test_the_gil_is_released(model, encoder, decoder):
    large = np.ones((64, 4, 30, 30), np.float32)
    frame = encoder.encode(large)
    data = (GOLDEN / "valid" / "model.strait").read_bytes()
    assert lets_another_thread_in(lambda: encoder.encode(large))
    assert lets_another_thread_in(lambda: decoder.decode(frame))
    assert lets_another_thread_in(lambda: decoder.decode_batch([frame, frame]))
    assert lets_another_thread_in(lambda: strait.Model.from_bytes(data))
    assert lets_another_thread_in(lambda: strait.Model.load(GOLDEN / "valid" / "model.strait"))


@pytest.mark.parametrize("threads", [1, 2])
def test_one_coder_serves_many_threads(model, threads):
    """Shapes and qualities differ from thread to thread, so calls that ran into each other would show."""
    encoder = strait.Encoder(model, threads=threads)
    decoder = strait.Decoder(model, threads)
    random = np.random.default_rng(5)
    arrays = [random.normal(size=(1 + i, 4, 6 + 2 * i, 20)).astype(np.float32) * 20 for i in range(4)]
    frames = [strait.Encoder(model).encode(values, quality=i / 2) for i, values in enumerate(arrays)]
    restored = [strait.Decoder(model).decode(frame) for frame in frames]
    start = threading.Barrier(len(arrays))
    wrong = []

    def work(i):
        start.wait()
        for _ in range(100):
            if encoder.encode(arrays[i], quality=i / 2) != frames[i]:
                wrong.append(f"frame {i}")
            if not np.array_equal(decoder.decode(frames[i]), restored[i]):
                wrong.append(f"tensor {i}")

    workers = [threading.Thread(target=work, args=(i,)) for i in range(len(arrays))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


def test_frames_are_the_same_for_any_number_of_threads(model, batch):
    frames = {strait.Encoder(model, threads).encode(batch) for threads in (1, 2, 3, 64)}
    assert len(frames) == 1
