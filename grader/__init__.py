"""An automatic grader for sequence-model assignments."""

__version__ = "0.1.0"
