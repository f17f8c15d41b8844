"""PyTorch tensors go in and are written as they are."""

import numpy as np
import pytest
import strait
import torch

# Element type, and scale: the golden inputs are multiples of 1/64 in [-1, 1], which every type holds exactly.
TYPES = [(torch.float32, None), (torch.float16, None), (torch.bfloat16, None), (torch.int8, 1 / 64)]
FORMATS = [torch.contiguous_format, torch.channels_last]


@pytest.mark.parametrize("dtype, scale", TYPES)
@pytest.mark.parametrize("memory_format", FORMATS)
def test_every_type_and_layout_encodes_to_the_same_frame(encoder, batch, dtype, scale, memory_format):
    tensor = torch.from_numpy(batch / np.float32(scale or 1)).to(dtype).contiguous(memory_format=memory_format)
    assert encoder.encode(tensor, scale=scale) == encoder.encode(batch)


@pytest.mark.parametrize("dtype, scale", TYPES)
@pytest.mark.parametrize("memory_format", FORMATS)
def test_out_is_written_in_place(encoder, decoder, batch, dtype, scale, memory_format):
    frame = encoder.encode(batch)
    room = torch.full(batch.shape, 77, dtype=dtype).contiguous(memory_format=memory_format)
    address = room.data_ptr()
    assert decoder.decode(frame, out=room, scale=scale) is room
    assert room.data_ptr() == address
    want = torch.from_numpy(decoder.decode(frame))
    want = (want / scale).round().clamp(-128, 127).to(dtype) if dtype == torch.int8 else want.to(dtype)
    torch.testing.assert_close(room, want)


def test_a_batch_is_written_into_a_tensor(encoder, decoder, batch):
    frames = [encoder.encode(batch[:1]), b"", encoder.encode(batch[1:])]
    room = torch.full((3, 4, 6, 6), 77.0)
    restored, errors = decoder.decode_batch(frames, out=room, errors="return")
    assert restored is room
    assert [error is None for error in errors] == [True, False, True]
    assert torch.equal(room[0:1], torch.from_numpy(decoder.decode(frames[0])))
    assert torch.equal(room[1], torch.zeros(4, 6, 6))


def test_slices_start_where_they_start(encoder, batch):
    tensor = torch.from_numpy(batch)
    assert encoder.encode(tensor[1:]) == encoder.encode(batch[1:])
    assert encoder.encode(tensor[1:]) != encoder.encode(batch[:1])


def test_refuses_what_it_cannot_read_in_place(encoder, batch):
    tensor = torch.from_numpy(batch)
    with pytest.raises(strait.UnsupportedError, match="neither contiguous nor channels-last"):
        encoder.encode(tensor.transpose(2, 3))
    with pytest.raises(strait.UnsupportedError, match="neither contiguous nor channels-last"):
        encoder.encode(tensor[:1].expand(2, -1, -1, -1))
    with pytest.raises(strait.UnsupportedError, match="64 bits"):
        encoder.encode(tensor.double())
    with pytest.raises(RuntimeError, match="detach"):  # PyTorch's own refusal
        encoder.encode(tensor.clone().requires_grad_())


def test_a_restored_array_becomes_a_tensor_without_a_copy(encoder, decoder, batch):
    restored = decoder.decode(encoder.encode(batch))
    tensor = torch.from_numpy(restored)
    assert tensor.data_ptr() == restored.ctypes.data
    assert tensor.dtype == torch.float32 and np.shares_memory(tensor.numpy(), restored)


def test_the_tensor_lives_no_longer_than_its_user(encoder, batch):
    import gc
    import weakref

    tensor = torch.from_numpy(batch.copy())
    encoder.encode(tensor)
    with pytest.raises(strait.StraitError):
        encoder.encode(tensor, quality=99)
    alive = weakref.ref(tensor)
    del tensor
    gc.collect()
    assert alive() is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_refuses_cuda_tensors(encoder, batch):
    with pytest.raises(strait.UnsupportedError, match=r"another device.*\.cpu\(\)"):
        encoder.encode(torch.from_numpy(batch).cuda())
