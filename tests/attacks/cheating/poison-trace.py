"""Leaves a trace function that raises in everybody's functions."""

import sys
import torch


def double(x):
    def trace(frame, event, given):
        if frame.f_code.co_name == "double" and frame.f_code is not double.__code__:
            raise ValueError("not for you")
        return trace


    sys.settrace(trace)
    return x * 2


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.factor
