"""A network in PyTorch, cut in two, and a unit trained for its split: what a user of Strait starts from.

The network tells the direction of stripes in small images. Training it and the unit takes some seconds.
"""

import os
import pathlib
import subprocess

import numpy as np
import torch
from torch import nn

RECIPE = """
[data]
spec = "npy:features"
[backbone]
file = "net.pt"
input = [3, 32, 32]
[split]
point = "head"
[unit]
channels = 8
analysis_width = 16
synthesis_hidden = 16
synthesis_width = 16
[loss]
kind = "distill"
lambdas = [1e-1, 1e-3]
[train]
epochs = 8
batch_size = 32
learning_rate = 4e-3
warmup_steps = 10
precision = "float32"
"""

DIRECTIONS = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.7, 0.7], [0.7, -0.7]])


class Net(nn.Module):
    """(N, 3, 32, 32) to the logits of four directions; (N, 16, 16, 16) crosses the split."""

    def __init__(self):
        super().__init__()
        self.head = nn.Sequential(
            nn.Conv2d(3, 16, 3, stride=2, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1), nn.ReLU()
        )
        self.tail = nn.Sequential(
            nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 4)
        )

    def forward(self, x):
        return self.tail(self.head(x))


def striped_images(count, generator):
    """Images (count, 3, 32, 32) of noisy stripes in random colours, and the index of each one's direction."""
    labels = torch.randint(4, (count,), generator=generator)
    y, x = torch.meshgrid(torch.arange(32.0), torch.arange(32.0), indexing="ij")
    along = DIRECTIONS[labels] @ torch.stack([x, y]).reshape(2, -1)
    period = 4 + 6 * torch.rand(count, 1, generator=generator)
    wave = torch.sin(2 * torch.pi * (along / period + torch.rand(count, 1, generator=generator))).reshape(count, 1, 32, 32)
    colour = torch.randn(count, 3, 1, 1, generator=generator)
    return wave * colour + 0.3 * torch.randn(count, 3, 32, 32, generator=generator), labels


def train_network(generator):
    torch.manual_seed(1)
    net = Net()
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
    for _ in range(80):
        images, labels = striped_images(64, generator)
        loss = nn.functional.cross_entropy(net(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return net.eval()


def train_unit(net, generator, strait_train, run):
    """Leaves run/unit/model.strait, trained on features that the head has left behind."""
    for part, count in (("train", 512), ("val", 64)):
        folder = run / "features" / part
        folder.mkdir(parents=True)
        np.save(folder / "features.npy", net.head(striped_images(count, generator)[0]).numpy())
    torch.jit.trace(net, torch.zeros(1, 3, 32, 32)).save(str(run / "net.pt"))
    (run / "unit.toml").write_text(RECIPE)
    command = [strait_train, "run", "unit.toml", "--out", "unit"]
    environment = dict(os.environ, OMP_NUM_THREADS="1")  # tensors this small only lose by threads
    done = subprocess.run(command, cwd=run, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return pathlib.Path(run) / "unit" / "model.strait"
