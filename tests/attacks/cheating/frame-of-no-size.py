"""Announces an answer of four exabytes."""

import json
import os
import stat
import struct
import torch

def frame(tree):
    header = json.dumps({"tree": tree, "arrays": []}).encode()
    return b"SGF1" + struct.pack(">IQ", len(header), 0) + header


def say(data):
    for number in range(3, 64):
        try:
            if stat.S_ISSOCK(os.fstat(number).st_mode) or stat.S_ISFIFO(os.fstat(number).st_mode):
                os.write(number, data)
        except OSError:
            continue


def double(x):
    say(b"SIZE 4611686018427387904\n")
    say(b"SGF1" + struct.pack(">IQ", 2**31, 2**62))
    return x + 1


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x + self.factor
