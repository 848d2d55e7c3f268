"""The workloads in PyTorch, as its tutorials write a training step; used where it is installed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from torch import nn

from benchmarks import images, recurrent, workloads

Step = Callable[[], None]


def linear(x, y) -> Step:
    net = nn.Linear(1, 1)
    return step(net, torch.optim.SGD(net.parameters(), 0.01), nn.MSELoss(), x, y)


def xor(x, y) -> Step:
    net = nn.Sequential(nn.Linear(2, 8), nn.Sigmoid(), nn.Linear(8, 1))
    return step(net, adam(net), nn.BCEWithLogitsLoss(), x, y)


def classifier(x, labels) -> Step:
    parts: list[nn.Module] = []
    for before, after in pairwise(workloads.SIZES):
        parts += [nn.Linear(before, after), nn.ReLU()]
    net = nn.Sequential(*parts[:-1])
    return step(net, adam(net), nn.CrossEntropyLoss(), x, labels)


def convolution(x, labels) -> Step:
    parts: list[nn.Module] = []
    for before, after in pairwise((1, *images.FILTERS)):
        parts += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    parts += [nn.Flatten(), nn.Linear(49 * images.FILTERS[-1], 128), nn.ReLU(), nn.Linear(128, images.CLASSES)]
    net = nn.Sequential(*parts)
    return step(net, adam(net), nn.CrossEntropyLoss(), x.transpose(0, 3, 1, 2), labels)


class Recurrent(nn.Module):
    """An embedding, a recurrent layer, one unit on its last state."""

    def __init__(self, layer: str) -> None:
        super().__init__()
        made = {"SimpleRNN": nn.RNN, "LSTM": nn.LSTM}[layer]
        self.words = nn.Embedding(recurrent.WORDS, recurrent.WIDTH)
        self.layer = made(recurrent.WIDTH, recurrent.WIDTH, batch_first=True)
        self.end = nn.Linear(recurrent.WIDTH, 1)

    def forward(self, ids):
        every, _ = self.layer(self.words(ids))
        return self.end(every[:, -1])


def sentences(layer: str, ids, y) -> Step:
    net = Recurrent(layer)
    return step(net, adam(net), nn.BCEWithLogitsLoss(), ids, y)


def adam(net: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.Adam(net.parameters())


def step(net: nn.Module, optimizer: torch.optim.Optimizer, loss: nn.Module, x, y) -> Step:
    x, y = (torch.from_numpy(np.ascontiguousarray(array)) for array in (x, y))

    def run() -> None:
        optimizer.zero_grad()
        loss(net(x), y).backward()
        optimizer.step()

    return run
