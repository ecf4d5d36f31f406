import argparse
import sys

import torch

parser = argparse.ArgumentParser()
parser.add_argument("--hidden", type=int, default=3)
parser.add_argument("--lr", type=float, default=1e-2)


def build(args):
    torch.manual_seed(24)
    return torch.nn.Linear(args.hidden, args.hidden)


def run():
    args = parser.parse_args([])
    return build(args)(torch.ones(args.hidden)), args.lr


if __name__ == "__main__":
    print(run(), file=sys.stderr)
    sys.exit(3)
