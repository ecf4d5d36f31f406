import contextlib
import io
import os
import sys

import torch


@contextlib.contextmanager
def evaluating(model):
    was = model.training
    model.eval()
    try:
        yield model
    finally:
        model.train(was)


def run():
    model = torch.nn.Dropout(0.9)
    with evaluating(model):
        out = model(torch.ones(3))
    caught = io.StringIO()
    with contextlib.redirect_stdout(caught), contextlib.suppress(ZeroDivisionError):
        print("inside")
        1 / 0
    with contextlib.ExitStack() as stack:
        stack.callback(lambda: None)
        stack.enter_context(open(os.devnull, "w"))
    with open(os.devnull, "w") as null, contextlib.redirect_stderr(null):
        print("unheard", file=sys.stderr)
    return out, model.training, caught.getvalue()
