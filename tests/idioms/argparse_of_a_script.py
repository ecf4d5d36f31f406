import argparse


def options():
    parser = argparse.ArgumentParser(description="train")
    parser.add_argument("--epochs", default=5, type=int)
    parser.add_argument("--name", default="run")
    known, rest = parser.parse_known_args()
    return known


def run():
    return options().epochs, options().name
