"""What the tests share: the golden model, its frames and its tensors (tests/golden/README.md)."""

import pathlib

import numpy as np
import pytest
import strait

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "golden"

# name, quality, checksum
FRAMES = [
    ("default_q2", 2.0, False),
    ("default_q0_checksum", 0.0, True),
    ("default_between_levels", 0.6875, True),
    ("batch3_8x10_q1", 1.0, False),
    ("batch2_q2_checksum", 2.0, True),
]


def golden_frame(name):
    return (GOLDEN / "valid" / f"{name}.stf").read_bytes()


def golden_array(name, kind):
    return np.load(GOLDEN / "valid" / f"{name}.{kind}.npy")


@pytest.fixture(scope="session")
def model():
    return strait.Model.load(GOLDEN / "valid" / "model.strait")


@pytest.fixture
def encoder(model):
    return strait.Encoder(model)


@pytest.fixture
def decoder(model):
    return strait.Decoder(model)


@pytest.fixture
def features():
    """(1, 4, 6, 6) multiples of 1/64 in [-1, 1], float32."""
    return golden_array("default_q2", "input")


@pytest.fixture
def batch():
    """(2, 4, 6, 6), as above."""
    return golden_array("batch2_q2_checksum", "input")
