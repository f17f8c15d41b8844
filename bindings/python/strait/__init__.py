"""Strait: a learned bottleneck codec for the tensors that cross a split neural network.

    model = strait.Model.load("model.strait")
    frame = strait.Encoder(model).encode(features, quality=2.5)   # bytes, what crosses the network
    restored = strait.Decoder(model).decode(frame)                # NumPy, float32

Tensors are (N, C, H, W) or (N, T, C). NumPy arrays and PyTorch tensors in CPU memory go in and, with `out=`, are written,
without a copy. Every error of the library is a StraitError.
"""

from ._strait import (
    ChannelState,
    Choice,
    Controller,
    Decoder,
    Encoder,
    FrameInfo,
    Level,
    Limits,
    LinkEstimator,
    Model,
    Plan,
    PlanEntry,
    PlanModel,
    __version__,
    frame_info,
)
from .errors import (
    CorruptError,
    FileError,
    InternalError,
    InvalidArgumentError,
    LimitExceededError,
    ModelMismatchError,
    StraitError,
    TruncatedError,
    UnsupportedError,
)

info = frame_info

__all__ = [
    "ChannelState",
    "Choice",
    "Controller",
    "CorruptError",
    "Decoder",
    "Encoder",
    "FileError",
    "FrameInfo",
    "InternalError",
    "InvalidArgumentError",
    "Level",
    "Limits",
    "LimitExceededError",
    "LinkEstimator",
    "Model",
    "ModelMismatchError",
    "Plan",
    "PlanEntry",
    "PlanModel",
    "StraitError",
    "TruncatedError",
    "UnsupportedError",
    "__version__",
    "frame_info",
    "info",
]
