"""What student code still imports in its own process: paid by every child, not once.

    .venv/bin/python benchmarks/imports.py

Runs things that assignments and students do, each in a child of its own, from a warm process that
is warmed for optimisers (as for an assignment whose reference uses one) and from one that is not.
Prints how many modules each brings in there, and the milliseconds of its first call.
"""

from grader.sandbox.runner import Runner
from grader.sandbox.warm import Zygote
from grader.types import Call, Job, Limits, Trial

DONE = {
    "x.sum().backward()": "(x * x).sum().backward()",
    "backward(gradient)": "(x * x).backward(torch.ones(3))",
    "autograd.grad(grad_outputs=)": "torch.autograd.grad(x * x, x, grad_outputs=torch.ones(3))",
    "optim.SGD": "torch.optim.SGD([x], lr=0.1)",
    "optim.Adam, one step": "(x * x).sum().backward(); torch.optim.Adam([x]).step()",
    "lr_scheduler": "torch.optim.lr_scheduler.StepLR(torch.optim.SGD([x], lr=0.1), 1)",
    "clip_grad_norm_": "(x * x).sum().backward(); torch.nn.utils.clip_grad_norm_([x], 1.0)",
    "cross_entropy": "torch.nn.functional.cross_entropy(torch.zeros(2, 3), torch.tensor([0, 1]))",
    "nn.LSTM": "torch.nn.LSTM(3, 3)(torch.zeros(2, 1, 3))",
    "einsum": "torch.einsum('i,j,k->ijk', x, x, x)",
    "func.grad": "torch.func.grad(lambda y: (y * y).sum())(torch.zeros(3))",
    "func.vmap": "torch.func.vmap(torch.sin)(torch.zeros(3))",
    "autograd.functional.jacobian": "torch.autograd.functional.jacobian(torch.sin, x)",
    "checkpoint": "torch.utils.checkpoint.checkpoint(torch.sin, x, use_reentrant=False)",
    "distributions": "torch.distributions.Categorical(logits=torch.zeros(3)).sample()",
    "np.random.default_rng": "import numpy as np; np.random.default_rng(0).normal()",
    "np.testing": "import numpy as np; np.testing.assert_allclose(1, 1)",
    "repr of a tensor": "repr(torch.randn(3))",
}
SOURCE = """
import sys, time
import torch

def f():
    x = torch.ones(3, requires_grad=True)
    known, started = set(sys.modules), time.perf_counter()
    {code}
    spent = time.perf_counter() - started
    return len(set(sys.modules) - known), spent
"""


def in_a_child(runner: Runner, code: str) -> tuple[int, float]:
    """Modules that it brought in, and the seconds that it took."""
    trial = Trial(case="f", variant="base", entry="f", calls=(Call(args={}),))
    source, limits = SOURCE.format(code=code), Limits(trial_seconds=20)
    (output,) = runner.run(Job(source=source, modules={}, trials=(trial,), limits=limits))
    ((modules, seconds),) = output.leaves
    assert modules.array is not None and seconds.array is not None
    return int(modules.array), float(seconds.array)


def main() -> None:
    """Measures, and prints."""
    told: dict[str, list[tuple[int, float]]] = {name: [] for name in DONE}
    for training in (True, False):
        zygote = Zygote()
        zygote.training = training
        try:
            for name, code in DONE.items():
                told[name].append(in_a_child(Runner(zygote), code))
        finally:
            zygote.close()
    print(f"{'':32}{'warmed for optimisers':>24}{'not':>24}")
    print(f"{'':32}{'modules':>14}{'ms':>10}{'modules':>14}{'ms':>10}")
    for name, both in told.items():
        cells = "".join(f"{modules:14}{seconds * 1e3:10.1f}" for modules, seconds in both)
        print(f"{name:32}{cells}")


if __name__ == "__main__":
    main()
