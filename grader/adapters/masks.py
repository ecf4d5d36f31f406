"""How a mask is written: ours is boolean, and True means "may attend"."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

CONVENTIONS: Mapping[str, Callable[[NDArray[np.bool_]], NDArray[Any]]] = {
    "True keeps": lambda keep: keep,
    "True ignores": lambda keep: ~keep,
    "1 keeps": lambda keep: keep.astype(np.int64),
    "0 keeps": lambda keep: (~keep).astype(np.int64),
    "1.0 keeps": lambda keep: keep.astype(np.float64),
    "0.0 keeps": lambda keep: (~keep).astype(np.float64),
    "additive": lambda keep: np.where(keep, 0.0, -np.inf),
    "additive -1e9": lambda keep: np.where(keep, 0.0, -1e9),
}
"""Each way of writing one, made from ours: in words what a value means, or what is added to the
scores."""
