"""The whole way: head in PyTorch, Strait, tail in PyTorch, with a unit that strait-train has trained for that split."""

import os
import pathlib
import re
import subprocess
import sys

import pytest
import split_network
import strait
import torch

COUNT = 128


class Split:
    """A trained network, images it has not seen, what crosses its split and what it answers without a codec."""

    def __init__(self, run):
        torch.set_num_threads(1)
        self.run = run
        generator = torch.Generator().manual_seed(3)
        self.net = split_network.train_network(generator)
        with torch.no_grad():
            path = split_network.train_unit(self.net, generator, os.environ["STRAIT_TRAIN"], run)
            self.model = strait.Model.load(path)
            images, self.labels = split_network.striped_images(COUNT, generator)
            self.features = self.net.head(images)
            self.logits = self.net.tail(self.features)

    def through_the_codec(self, quality):
        """Frames of all images, one each, and the logits of what a server restores from them."""
        encoder, decoder = strait.Encoder(self.model), strait.Decoder(self.model)
        frames = [encoder.encode(self.features[i : i + 1], quality=quality) for i in range(COUNT)]
        restored = torch.empty_like(self.features)
        decoder.decode_batch(frames, out=restored)
        with torch.no_grad():
            return frames, self.net.tail(restored)

    def agreement(self, logits):
        return (logits.argmax(1) == self.logits.argmax(1)).float().mean().item()

    def logit_error(self, logits):
        return ((logits - self.logits).norm() / self.logits.norm()).item()


@pytest.fixture(scope="module")
def split(tmp_path_factory):
    return Split(pathlib.Path(tmp_path_factory.mktemp("split")))


def test_the_unsplit_network_has_learned(split):
    accuracy = (split.logits.argmax(1) == split.labels).float().mean().item()
    assert accuracy > 0.95


def test_the_model_is_that_of_the_split(split):
    assert split.model.feature_shape == tuple(split.features.shape[1:])
    assert len(split.model.levels) == 2
    assert split.model.levels[0].bytes_per_sample < split.model.levels[1].bytes_per_sample


# Measured: agreement 0.65 and 0.99, error of the logits 0.75 and 0.29, 10 and 129 bytes a frame of 16384 raw.
def test_the_tail_answers_as_without_a_codec(split):
    frames, logits = split.through_the_codec(quality=1)
    assert split.agreement(logits) > 0.9
    assert split.logit_error(logits) < 0.5
    assert max(len(frame) for frame in frames) < 16384 / 20


def test_a_lower_quality_costs_less_and_says_less(split):
    low_frames, low = split.through_the_codec(quality=0)
    high_frames, high = split.through_the_codec(quality=1)
    assert sum(map(len, low_frames)) < sum(map(len, high_frames)) / 2
    assert split.logit_error(low) > split.logit_error(high)


def test_channels_last_features_make_the_same_frames(split):
    encoder = strait.Encoder(split.model)
    features = split.features[:8]
    assert encoder.encode(features.contiguous(memory_format=torch.channels_last)) == encoder.encode(features)


def test_a_budget_is_kept(split):
    encoder = strait.Encoder(split.model)
    for i in range(8):
        assert len(encoder.encode(split.features[i : i + 1], max_bytes=60)) <= 60


def test_the_example_of_the_documentation_runs(split):
    page = pathlib.Path(__file__).resolve().parents[3] / "docs" / "python.md"
    code = re.search(r"```python\n(.*?)```", page.read_text(), re.DOTALL)[1]  # the first: test_controller.py has the next
    done = subprocess.run([sys.executable, "-c", code], cwd=split.run, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    sizes = [int(size) for size in re.findall(r"\d+", done.stdout)]
    assert len(sizes) == 9 and max(sizes[:8]) <= 100 and sizes[8] == 16384
