import abc
import enum
from enum import Enum, Flag, IntEnum, auto

import torch
from torch import nn


class Mode(Enum):
    TRAIN = auto()
    EVAL = auto()


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Gates(Flag):
    INPUT = auto()
    FORGET = auto()


class Cell(nn.Module, abc.ABC):
    @abc.abstractmethod
    def forward(self, x): ...


class Tanh(Cell):
    def forward(self, x):
        return torch.tanh(x)


def run():
    try:
        Cell()
        refused = False
    except TypeError:
        refused = True
    both = Gates.INPUT | Gates.FORGET
    return Mode["EVAL"].name, Level.HIGH > Level.LOW, both.value, refused, Tanh()(torch.ones(2))
