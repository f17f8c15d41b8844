"""Frames and tensors of files that were written once and must stay readable."""

import numpy as np
import pytest
import strait
from conftest import FRAMES, GOLDEN, golden_array, golden_frame


@pytest.mark.parametrize("name, quality, checksum", FRAMES)
def test_encodes_every_golden_input_to_the_same_bytes(encoder, name, quality, checksum):
    frame = encoder.encode(golden_array(name, "input"), quality=quality, checksum=checksum)
    assert type(frame) is bytes
    assert frame == golden_frame(name)


@pytest.mark.parametrize("name, quality, checksum", FRAMES)
def test_decodes_every_golden_frame_to_its_tensor(decoder, name, quality, checksum):
    want = golden_array(name, "restored")
    restored = decoder.decode(golden_frame(name))
    assert type(restored) is np.ndarray
    assert restored.dtype == np.float32
    assert restored.flags.c_contiguous and restored.flags.writeable
    np.testing.assert_allclose(restored, want, rtol=0, atol=1e-5 * max(1, abs(want).max()))
    assert decoder.shape_of(golden_frame(name)) == want.shape


@pytest.mark.parametrize("name, quality, checksum", FRAMES)
def test_info_reads_what_a_frame_says(name, quality, checksum):
    frame = golden_frame(name)
    info = strait.info(frame)
    assert (info.version, info.quality, info.has_checksum) == (1, quality, checksum)
    shape = golden_array(name, "input").shape
    assert info.shape == (None if shape == (1, 4, 6, 6) else shape)
    assert info.header_bytes + info.payload_bytes == len(frame)


@pytest.mark.parametrize("line", (GOLDEN / "invalid" / "expected.txt").read_text().splitlines())
def test_refuses_every_invalid_file_for_its_reason(decoder, line):
    name, status = line.split(" ", 1)
    data = (GOLDEN / "invalid" / name).read_bytes()
    with pytest.raises(strait.StraitError) as caught:
        strait.Model.from_bytes(data) if name.endswith(".strait") else decoder.decode(data)
    assert caught.value.status == status
    assert type(caught.value) is strait.errors.BY_STATUS[status]
    assert str(caught.value)


@pytest.mark.parametrize("name, quality, checksum", FRAMES)
def test_reports_every_shorter_frame(decoder, name, quality, checksum):
    frame = golden_frame(name)
    for size in range(len(frame)):
        with pytest.raises(strait.StraitError):
            decoder.decode(memoryview(frame)[:size])


def test_model_tells_its_facts(model):
    data = (GOLDEN / "valid" / "model.strait").read_bytes()
    twin = strait.Model.from_bytes(bytearray(data))
    assert twin.id == model.id == 0xCC835AE35A365B46
    assert model.feature_shape == (4, 6, 6)
    assert model.latent_shape == (3, 3, 3)
    assert [level.lambda_ for level in model.levels] == [8, 2, 0.5]
    assert model.levels[0].bytes_per_sample == 20 and np.isnan(model.levels[0].top1)
    assert model.manifest["feature_shape"] == [4, 6, 6]
    assert model.analysis_macs > 0 and model.synthesis_macs > 0
    assert model.analysis_params > 0 and model.synthesis_params > 0
    assert "cc835ae35a365b46" in repr(model)


def test_max_bytes_takes_the_best_quality_that_fits(encoder, features):
    sizes = {quality / 16: len(encoder.encode(features, quality=quality / 16)) for quality in range(33)}
    budget = sizes[1.0]
    frame = encoder.encode(features, max_bytes=budget)
    assert len(frame) <= budget
    assert strait.info(frame).quality >= 1.0
    with pytest.raises(strait.LimitExceededError, match=str(min(sizes.values()))):
        encoder.encode(features, max_bytes=3)


def test_encode_bound_holds_every_frame(encoder, features):
    bound = encoder.encode_bound(features.shape)
    assert type(bound) is int
    assert len(encoder.encode(features * 1000, quality=2, checksum=True)) <= bound
    with pytest.raises(strait.InvalidArgumentError):
        encoder.encode_bound((1, 5, 6, 6))
    with pytest.raises(strait.InvalidArgumentError, match="dimensions"):
        encoder.encode_bound((1,) * 12)
