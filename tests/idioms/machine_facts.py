import multiprocessing
import os
import platform
import sys

import torch


def run():
    cores = os.cpu_count() or 1
    device = "cuda" if torch.cuda.is_available() else "cpu"
    known = [cores >= 1, multiprocessing.cpu_count() == cores, sys.version_info >= (3, 8)]
    known += [bool(platform.system()), torch.__version__ > "1", os.getpid() > 0, os.sep == "/"]
    known += [isinstance(os.environ.get("HOME", ""), str), torch.cuda.device_count() == 0]
    return device, known, sys.byteorder, len(os.getcwd()) > 0
