"""Hangs when the file is imported, before any entry is called."""

import time

import torch


class Scale(torch.nn.Module):
    time.sleep(int("@STAYS@"))


def double(x, used=Scale):
    return x * 2
