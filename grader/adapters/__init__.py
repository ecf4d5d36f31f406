"""An adapter lets an assignment grade a course that has its own names and layouts.

What differs is written down as data; questions are put in the submission's form before they are
sent, and what comes back is put in the assignment's before anything looks at it.

    model         `adapters/<name>.yaml`, read      expressions  sums over hyper-parameters
    axes, masks   how arrays are laid out           weights      the map of parameters, its adjoint
    calls         one call, there and back          entries      one entry, ready for use
    passage       one question, there and back      questions    those that are asked in parts
    adaptation    an assignment under an adapter    reference    what the reference does besides
    proposing     an adapter from a file: naming    matching     which parameter is which
"""

from grader.adapters.adaptation import AS_GIVEN, Adaptation, adaptation
from grader.adapters.model import find_adapter, read_adapter

__all__ = ["AS_GIVEN", "Adaptation", "adaptation", "find_adapter", "read_adapter"]
