"""Arrays that go in and are written: element types, layouts, what is refused, and that nothing is copied."""

import array
import tracemalloc

import numpy as np
import pytest
import strait

# Element type, and scale: the golden inputs are multiples of 1/64 in [-1, 1], which every type holds exactly.
TYPES = [(np.float32, None), (np.float16, None), (np.int8, 1 / 64)]


def channels_last(values):
    """The same array in the memory order N, H, W, C."""
    return np.ascontiguousarray(values.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)


@pytest.mark.parametrize("dtype, scale", TYPES)
@pytest.mark.parametrize("layout", [np.ascontiguousarray, channels_last])
def test_every_type_and_layout_encodes_to_the_same_frame(encoder, batch, dtype, scale, layout):
    values = layout((batch / (scale or 1)).astype(dtype))
    assert np.array_equal(values * np.float32(scale or 1), batch)
    assert encoder.encode(values, scale=scale) == encoder.encode(batch)


def test_int8_is_scaled(encoder, features):
    integers = (features * 64).astype(np.int8)
    assert encoder.encode(integers, scale=0.5) == encoder.encode(integers.astype(np.float32) / 2)
    assert encoder.encode(integers) == encoder.encode(integers.astype(np.float32))


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int8])
@pytest.mark.parametrize("layout", [np.ascontiguousarray, channels_last])
def test_out_is_written_in_place(encoder, decoder, batch, dtype, layout):
    frame = encoder.encode(batch)
    want = decoder.decode(frame)
    room = layout(np.full(batch.shape, 77, dtype))
    address = room.ctypes.data
    scale = 0.25 if dtype == np.int8 else None
    assert decoder.decode(frame, out=room, scale=scale) is room
    assert room.ctypes.data == address
    if dtype == np.int8:
        want = np.clip(np.round(want / 0.25), -128, 127)
    np.testing.assert_allclose(room.astype(np.float32), want.astype(dtype).astype(np.float32), rtol=2e-3, atol=1e-3)


def test_a_part_of_a_larger_array_is_written_and_no_more(encoder, decoder, batch):
    frame = encoder.encode(batch)
    room = np.full((4, 4, 6, 6), 77, np.float32)
    decoder.decode(frame, out=room[1:3])
    assert np.array_equal(room[1:3], decoder.decode(frame))
    assert (room[0] == 77).all() and (room[3] == 77).all()


def test_read_only_and_foreign_buffers_are_read(encoder, features):
    want = encoder.encode(features)
    locked = features.copy()
    locked.setflags(write=False)
    assert encoder.encode(locked) == want
    assert encoder.encode(np.frombuffer(features.tobytes(), np.float32).reshape(features.shape)) == want
    plain = array.array("f", features.ravel().tolist())
    assert encoder.encode(memoryview(plain).cast("B").cast("f", features.shape)) == want


def test_frames_come_from_any_bytes_like_object(encoder, decoder, features):
    frame = encoder.encode(features)
    want = decoder.decode(frame)
    for form in (bytearray(frame), memoryview(frame), np.frombuffer(frame, np.uint8)):
        assert np.array_equal(decoder.decode(form), want)
        assert strait.info(form).payload_bytes == strait.info(frame).payload_bytes


@pytest.mark.parametrize(
    "spoil, error, message",
    [
        (lambda a: a[:, :, ::2], strait.UnsupportedError, "neither contiguous nor channels-last"),
        (lambda a: a[:, ::-1], strait.UnsupportedError, "neither contiguous nor channels-last"),
        (lambda a: a.transpose(0, 1, 3, 2), strait.UnsupportedError, "neither contiguous nor channels-last"),
        (lambda a: a.astype(np.float64), strait.UnsupportedError, "format 'd'"),
        (lambda a: a.astype(np.uint8), strait.UnsupportedError, "format 'B'"),
        (lambda a: a.astype(">f4"), strait.UnsupportedError, "byte order"),
        (lambda a: np.frombuffer(b"x" * 577, np.float32, offset=1).reshape(1, 4, 6, 6), strait.UnsupportedError, "aligned"),
        (lambda a: np.zeros(a.shape, [("x", "f4"), ("y", "i1")])["x"], strait.UnsupportedError, "multiple of an element"),
        (lambda a: a * np.nan, strait.InvalidArgumentError, "finite"),
        (lambda a: a[0], strait.InvalidArgumentError, "4x6x6"),
        (lambda a: a[:0], strait.InvalidArgumentError, "0x4x6x6"),
        (lambda a: a.reshape((1,) * 8 + a.shape), strait.InvalidArgumentError, "12 dimensions"),
        (lambda a: np.float32(1), strait.InvalidArgumentError, "no dimensions"),
        (lambda a: a.tolist(), TypeError, "array: wanted an array .* got list"),
        (lambda a: None, TypeError, "got NoneType"),
    ],
)
def test_refuses_other_arrays_with_a_reason(encoder, features, spoil, error, message):
    with pytest.raises(error, match=message):
        encoder.encode(spoil(features))


def test_refuses_options_out_of_range(encoder, features):
    for options in (
        {"quality": -0.5},
        {"quality": 2.5},
        {"quality": float("nan")},
        {"quality": 1, "max_bytes": 100},
        {"max_bytes": -1},
        {"scale": 2.0},
    ):
        with pytest.raises(strait.InvalidArgumentError):
            encoder.encode(features, **options)
    for scale in (0.0, -1.0, float("inf"), float("nan"), 1e-60):
        with pytest.raises(strait.InvalidArgumentError, match="scale"):
            encoder.encode(features.astype(np.int8), scale=scale)


def test_refuses_an_out_that_cannot_hold_the_frame(encoder, decoder, features):
    frame = encoder.encode(features)
    locked = np.full(features.shape, 77, np.float32)
    locked.setflags(write=False)
    wrong = np.full((1, 4, 6, 7), 77, np.float32)
    for room in (locked, wrong, b"x" * 576):
        with pytest.raises(strait.InvalidArgumentError):
            decoder.decode(frame, out=room)
    assert (locked == 77).all() and (wrong == 77).all()
    with pytest.raises(TypeError, match="out: wanted an array"):
        decoder.decode(frame, out=[0.0])
    with pytest.raises(TypeError, match="bytes-like"):
        decoder.decode("a frame")


def test_out_is_untouched_when_the_frame_is_not_sound(encoder, decoder, features):
    room = np.full(features.shape, 77, np.float32)
    with pytest.raises(strait.StraitError):
        decoder.decode(encoder.encode(features)[:-30], out=room)
    assert (room == 77).all()


class OnDevice:
    """What a tensor in the memory of a GPU looks like from outside."""

    def __init__(self, device_type):
        self.device_type = device_type

    def __dlpack_device__(self):
        return (self.device_type, 0)

    def __dlpack__(self):
        raise AssertionError("must not be exported: that may wait for the device")


@pytest.mark.parametrize("device_type", [2, 10, 13])
def test_refuses_memory_of_other_devices(encoder, decoder, features, device_type):
    with pytest.raises(strait.UnsupportedError, match=r"array: .*another device.*\.cpu\(\)"):
        encoder.encode(OnDevice(device_type))
    with pytest.raises(strait.UnsupportedError, match="out: .*another device"):
        decoder.decode(encoder.encode(features), out=OnDevice(device_type))


class Exported:
    """A NumPy array that shows its DLPack side alone."""

    def __init__(self, values):
        self.values = values

    def __dlpack_device__(self):
        return self.values.__dlpack_device__()

    def __dlpack__(self):
        return self.values.__dlpack__()


def test_dlpack_reads_and_writes_as_the_buffer_protocol_does(encoder, decoder, batch):
    for values in (batch, channels_last(batch), batch.astype(np.float16)):
        assert encoder.encode(Exported(values)) == encoder.encode(values)
    frame = encoder.encode(batch)
    room = np.zeros(batch.shape, np.float32)
    decoder.decode(frame, out=Exported(room))
    assert np.array_equal(room, decoder.decode(frame))


def test_refuses_what_is_no_dlpack_tensor(encoder):
    class Odd:
        def __dlpack__(self):
            return 7

    with pytest.raises(ValueError, match="PyCapsule"):
        encoder.encode(Odd())
    with pytest.raises(strait.UnsupportedError, match="64 bits"):
        encoder.encode(Exported(np.zeros((1, 4, 6, 6))))


def test_arrays_are_not_copied_on_their_way_in(encoder, decoder, batch):
    large = np.tile(batch, (500, 1, 1, 1))
    frame = encoder.encode(large)
    room = np.empty_like(large)
    views = [large, channels_last(large), Exported(large)]
    tracemalloc.start()  # sees the memory of Python and of NumPy
    try:
        for view in views:
            encoder.encode(view)
        decoder.decode(frame, out=room)
        peak = tracemalloc.get_traced_memory()[1]
        large.copy()
        with_copy = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert with_copy >= large.nbytes, "the measurement does not see a copy"
    assert peak < large.nbytes / 2
