"""decode_batch: one array for many frames, and what becomes of unsound ones."""

import numpy as np
import pytest
import strait


@pytest.fixture
def frames(encoder, batch):
    return [encoder.encode(batch[i % 2 : i % 2 + 1], quality=quality) for i, quality in enumerate((0, 1.5, 2))]


def test_restores_what_decode_restores(decoder, frames):
    want = np.concatenate([decoder.decode(frame) for frame in frames])
    assert np.array_equal(decoder.decode_batch(frames), want)
    assert np.array_equal(decoder.decode_batch(bytearray(frame) for frame in frames), want)
    room = np.zeros(want.shape, np.float16)
    assert decoder.decode_batch(frames, out=room) is room
    assert np.array_equal(room, want.astype(np.float16))


def test_frames_may_be_batches(encoder, decoder, batch):
    frame = encoder.encode(batch)
    assert np.array_equal(decoder.decode_batch([frame, frame]), np.concatenate([decoder.decode(frame)] * 2))


def test_the_first_unsound_frame_is_named(decoder, frames):
    room = np.full((3, 4, 6, 6), 77, np.float32)
    for index in range(3):
        spoiled = list(frames)
        spoiled[index] = b""
        with pytest.raises(strait.TruncatedError, match=f"^frame {index}: "):
            decoder.decode_batch(spoiled)
        with pytest.raises(strait.TruncatedError, match=f"^frame {index}: "):
            decoder.decode_batch(spoiled, out=room)
    assert (room == 77).all()


def test_errors_are_returned_a_frame(decoder, frames):
    whole = decoder.decode_batch(frames)
    for index in range(3):
        spoiled = list(frames)
        spoiled[index] = b""
        restored, errors = decoder.decode_batch(spoiled, errors="return")
        assert [type(error) for error in errors].count(type(None)) == 2
        assert type(errors[index]) is strait.TruncatedError and str(errors[index])
        assert (restored[index] == 0).all()
        others = [i for i in range(3) if i != index]
        assert np.array_equal(restored[others], whole[others])


def test_errors_are_returned_when_no_frame_is_sound(decoder, model):
    restored, errors = decoder.decode_batch([b"", b"\x02"], errors="return")
    assert [error.status for error in errors] == ["truncated", "unsupported"]
    assert restored.shape == (2, *model.feature_shape) and (restored == 0).all()


def test_a_frame_of_another_shape_is_an_error(encoder, decoder, frames):
    odd = encoder.encode(np.ones((1, 4, 8, 8), np.float32))
    with pytest.raises(strait.InvalidArgumentError, match="^frame 1: "):
        decoder.decode_batch([frames[0], odd])


def test_refuses_no_frames_and_other_words(decoder, frames):
    with pytest.raises(strait.InvalidArgumentError, match="no frames"):
        decoder.decode_batch([])
    with pytest.raises(strait.InvalidArgumentError, match="'raise' or 'return'"):
        decoder.decode_batch(frames, errors="ignore")
    with pytest.raises(TypeError):
        decoder.decode_batch(frames[0])


def test_the_array_of_a_batch_is_held_to_the_limits(model, frames):
    decoder = strait.Decoder(model, limits=strait.Limits(max_tensor_elements=2 * 4 * 6 * 6))
    assert decoder.decode_batch(frames[:2]).shape == (2, 4, 6, 6)
    with pytest.raises(strait.LimitExceededError, match="3x4x6x6"):
        decoder.decode_batch(frames)
