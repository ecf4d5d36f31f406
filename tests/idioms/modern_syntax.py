import torch


def describe(value):
    match value:
        case {"kind": "lstm", "size": int(size)} if size > 0:
            return f"lstm {size}"
        case [first, *rest]:
            return f"{first} and {len(rest)}"
        case torch.Tensor():
            return "tensor"
        case None | False:
            return "nothing"
        case _:
            return "other"


def run(*, scale=2, **rest):
    values = [{"kind": "lstm", "size": 3}, [1, 2, 3], torch.ones(1), None, 5]
    if (n := len(values)) > 3:
        try:
            raise ExceptionGroup("two", [ValueError("a"), KeyError("b")])
        except* ValueError as group:
            caught = len(group.exceptions)
        except* KeyError:
            pass
    return [describe(v) for v in values], n, caught, f"{scale=}", {**rest, "a": 1}["a"]
