"""Submissions that know nothing earn nothing beyond the points for shape, in any entry."""

import ast
import dataclasses
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from grader.assignment import assignment_names, read_assignment
from grader.expected import Standard, from_bundle, from_reference
from grader.mistakes import NoMistakes
from grader.pipeline import Desk, grade
from grader.provenance import provenance
from grader.sandbox.runner import Runner
from grader.types import Grade, Leaf, Setting, Submission, SubmittedFile, Verdict

ROOT = Path(__file__).resolve().parent.parent
NAMES = assignment_names(ROOT)

FORMS = """
import torch

def _floats(values):
    for value in values:
        if isinstance(value, torch.Tensor):
            yield value.to(torch.get_default_dtype())
        elif hasattr(value, "__array__"):
            yield torch.as_tensor(value).to(torch.get_default_dtype())
        elif isinstance(value, (tuple, list)):
            yield from _floats(value)
        elif isinstance(value, (int, float)):
            yield torch.tensor(float(value))

def _table(shape, values, form):
    "An output of the right shape that was made without the formula."
    found = list(_floats(values)) or [torch.zeros(1)]
    x = found[0]
    total = 1
    for length in shape:
        total *= length
    flat = x.flatten()
    flat = torch.cat([flat] * (total // max(1, flat.numel()) + 1))[:total]
    if form == "zeros":
        return torch.zeros(shape) + 0.0 * flat.sum()
    if form == "input":
        return flat.reshape(shape)
    if form == "linear":
        return (0.5 * flat + 0.1).reshape(shape)
    if form == "mean":
        return flat.mean().expand(shape).clone()
    return (flat.cumsum(0) / torch.arange(1.0, total + 1)).reshape(shape)
"""
"""Cut or repeated to the shape that is wanted: even then it earns nothing more."""

SHAPES = {
    "softmax": "[x.shape]",
    "causal_mask": "[(length, length)]",
    "padding_mask": "[(len(lengths), 1, 1, length)]",
    "scaled_dot_product_attention": (
        "[(*query.shape[:-1], value.shape[-1]), (*query.shape[:-1], key.shape[-2])]"
    ),
    "split_heads": "[(x.shape[0], n_heads, x.shape[1], x.shape[2] // n_heads)]",
    "merge_heads": "[(x.shape[0], x.shape[2], x.shape[1] * x.shape[3])]",
    "MultiHeadAttention.forward": (
        "[query.shape, (query.shape[0], self.n_heads, query.shape[1], key.shape[1])]"
    ),
    "dot_product_variance": "[(), ()]",
    "attention_cost": "[(), ()]",
    "LSTMCell.forward": "[state[0].shape, state[0].shape]",
    "LSTM.forward": (
        "[(*x.shape[:2], self.hidden_size), ((self.num_layers, len(x), self.hidden_size),) * 2]"
    ),
    "RowClassifier.forward": "[(len(images), self.output.out_features)]",
    "count_parameters": "[()]",
    "train": "'losses'",
    "positional_encoding": "[(length, d_model)]",
    "FeedForward.forward": "[x.shape]",
    "EncoderLayer.forward": "[x.shape]",
    "DecoderLayer.forward": "[x.shape]",
    "Encoder.forward": "[x.shape]",
    "Decoder.forward": "[x.shape]",
    "Transformer.source_mask": "[(source.shape[0], 1, 1, source.shape[1])]",
    "Transformer.target_mask": "[(target.shape[0], 1, target.shape[1], target.shape[1])]",
    "Transformer.embed": "[(*tokens.shape, self.d_model)]",
    "Transformer.encode": "[(*source.shape, self.d_model)]",
    "Transformer.decode": "[(*target.shape, self.d_model)]",
    "Transformer.forward": "[(*target.shape, self.output.out_features)]",
    "sequence_loss": "[()]",
    "training_step": "'loss'",
    "warmup_learning_rate": "'loss'",
    "greedy_decode": "'tokens'",
    "MixtureDensityNetwork.forward": (
        "[(len(x), self.num_components), *[(len(x), self.num_components, self.output_size)] * 2]"
    ),
    "CausalSelfAttention.forward": (
        "[x.shape, *[(len(x), self.n_heads, x.shape[1] + (cache[0].shape[2] if cache else 0),"
        " x.shape[2] // self.n_heads)] * 2]"
    ),
    "Block.forward": (
        "[x.shape, *[(len(x), self.attention.n_heads,"
        " x.shape[1] + (cache[0].shape[2] if cache else 0),"
        " x.shape[2] // self.attention.n_heads)] * 2]"
    ),
    "CharLM.forward": (
        "[(*tokens.shape, self.embedding.num_embeddings),"
        " *[(len(tokens), self.blocks[0].attention.n_heads,"
        " tokens.shape[1] + (caches[0][0].shape[2] if caches else 0),"
        " self.embedding.embedding_dim // self.blocks[0].attention.n_heads)]"
        " * 2 * len(self.blocks)]"
    ),
    "next_token_loss": "[()]",
    "generate": "'text'",
    "patchify": (
        "[(len(images), images.shape[2] * images.shape[3] // patch_size**2,"
        " images.shape[1] * patch_size**2)]"
    ),
    "SelfAttention.forward": "[x.shape, (len(x), self.n_heads, x.shape[1], x.shape[1])]",
    "EncoderBlock.forward": ("[x.shape, (len(x), self.attention.n_heads, x.shape[1], x.shape[1])]"),
    "VisionTransformer.embed": "[(len(images), *self.positions.shape[1:])]",
    "VisionTransformer.forward": (
        "[(len(images), self.head.out_features),"
        " *[(len(images), block.attention.n_heads, *[self.positions.shape[1]] * 2)"
        " for block in self.blocks]]"
    ),
    "component_log_densities": "[means.shape[:2]]",
    "negative_log_likelihood": "[()]",
    "mixture_moments": "[means.shape[::2]] * 2",
    "sample": "[(count, *means.shape[::2])]",
    "RNNCell.forward": "[h.shape]",
    "RNN.forward": (
        "[(len(x), *(() if self.many_to_one else x.shape[1:2]), len(self.b_y)),"
        " (len(x), self.cell.hidden_size)]"
    ),
    "collapse": "[(len(b_y), steps * W_x.shape[1]), b_y.shape]",
    "rnn_step_forward": "[h_previous.shape]",
    "rnn_step_backward": "[x.shape, h_previous.shape, W_x.shape, W_h.shape, b.shape]",
    "rnn_forward": "[(*x.shape[:2], len(b))]",
    "rnn_backward": "[x.shape, h_0.shape, W_x.shape, W_h.shape, b.shape]",
    "rnn_reach": "[(steps,)]",
    "lstm_reach": "[forget.shape[:1]]",
    "attention_reach": "[keys.shape[:1]]",
    "transition_counts": "[(n_states, n_states)]",
    "probabilities": "[counts.shape]",
    "fit_markov_chain": "[(n_states,), (n_states, n_states)]",
    "chain_rule": "[(len(sequences),)]",
    "markov_conditionals": "[(*sequences.shape, len(initial))]",
    "markov_log_likelihood": "[(len(sequences),)]",
    "windows": "[(len(series) - tau, tau), (len(series) - tau,)]",
    "fit_ar": "[(tau + 1,)]",
    "one_step": "[(len(series) - len(coefficients) + 1,)]",
    "forecast": "[(steps,)]",
    "latent_step": "[h.shape]",
    "latent_predictions": "[x.shape, h.shape]",
    "latent_rollout": "[(len(h), steps, len(head[1]))]",
    "warmup_factor": "'loss'",
    "peak_factor": "'loss'",
    "GRUCell.forward": "[h.shape]",
    "GRU.forward": (
        "[(*x.shape[:2], self.hidden_size), (self.num_layers, len(x), self.hidden_size)]"
    ),
    "compare_parameters": "[(), ()]",
    "seq2seq Encoder.forward": (
        "[(*source.shape, self.gru.hidden_size), (len(source), self.gru.hidden_size)]"
    ),
    "seq2seq Decoder.forward": "[(*tokens.shape, self.output.out_features), state.shape]",
    "attend": "[query.shape, (*query.shape[:2], memory.shape[1])]",
    "Seq2Seq.forward": "[(*tokens.shape, self.decoder.output.out_features)]",
    "Seq2Seq.unroll": "[(*tokens.shape, self.decoder.output.out_features)]",
    "masked_loss": "[()]",
}
"""Shapes that an entry returns; with the assignment's name before it where two have one name."""
BODIES = {
    "train_truncated": "return [1.0 / (i + 1) for i in range(-(-x.shape[1] // chunk))]",
    "schedule train": (
        "for _ in range(epochs * len(inputs)): optimizer.step()\n"
        "return [1.0 / (i + 1) for i in range(epochs * len(inputs))]"
    ),
    "WarmupSchedule.get_lr": "return [0.5 for _ in self.base_lrs]",
    "WarmupSchedule.state_dict": "return {}",
    "WarmupSchedule.load_state_dict": "return None",
}
MASKS = {"causal_mask", "padding_mask", "Transformer.source_mask", "Transformer.target_mask"}


class Filler(ast.NodeTransformer):
    """Puts a body of its own making into every hole of a skeleton."""

    def __init__(self) -> None:
        self.owner, self.filled = "", 0

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        self.owner = f"{node.name}."
        self.generic_visit(node)
        self.owner = ""
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        if "raise NotImplementedError" in ast.unparse(node) and node.name != "__init__":
            self.filled += 1
            node.body = ast.parse(self.body(f"{self.owner}{node.name}", node)).body
        return node

    def body(self, name: str, node: ast.FunctionDef) -> str:
        raise NotImplementedError


class Impostor(Filler):
    """Outputs of the right shape, made without the formula."""

    def __init__(self, assignment: str, form: str):
        super().__init__()
        self.assignment, self.form = assignment, form

    def body(self, name: str, node: ast.FunctionDef) -> str:
        own = f"{self.assignment} {name}"
        if own in BODIES or name in BODIES:
            return BODIES.get(own) or BODIES[name]
        shapes = SHAPES.get(own) or SHAPES[name]
        given = [a.arg for a in node.args.args if a.arg not in ("self", "model", "optimizer")]
        given = [a for a in given if a not in ("mask", "embedding", "n_heads", "dim")]
        values = f"[{', '.join(given)}]"
        if shapes == "'losses'":
            return "return [1.0 / (i + 1) for i in range(steps)]"
        if shapes == "'loss'":
            return "return 0.5"
        if shapes == "'tokens'":
            return "return torch.full((len(source), max_length), start)"
        if shapes == "'text'":
            return "return torch.cat([prompt, prompt[:, :1].expand(-1, count)], dim=1)"
        if name == "count_parameters":
            return "return 1"
        made = f"[_table(shape, {values}, {self.form!r}) for shape in {shapes}]"
        if name == "LSTM.forward":
            return (
                f"shapes = {shapes}\n"
                f"made = [_table(s, [x], {self.form!r}) for s in (shapes[0], *shapes[1])]\n"
                "return made[0], (made[1], made[2])"
            )
        if name in ("CausalSelfAttention.forward", "Block.forward"):
            return f"made = {made}\nreturn made[0], (made[1], made[2])"
        if name == "CharLM.forward":
            return f"made = {made}\nreturn made[0], list(zip(made[1::2], made[2::2]))"
        if name == "VisionTransformer.forward":
            return f"made = {made}\nreturn made[0], made[1:]"
        if name in MASKS:
            return f"return {made}[0] > 0.5"
        return f"made = {made}\nreturn made[0] if len(made) == 1 else tuple(made)"


class Table(Filler):
    """What the public cases expect, found by shapes and plain arguments; a zero elsewhere."""

    def __init__(self, settings: Mapping[str, Setting]):
        super().__init__()
        self.known: dict[str, list[str]] = {}
        self.answered: set[str] = set()
        for setting in settings.values():
            call = setting.base.calls[0]
            shapes = {name: list(array.shape) for name, array in call.arrays().items()}
            plain = {
                name: value
                for name, value in call.args.items()
                if isinstance(value, (bool, int, float, str))
            }
            answers = ", ".join(f"lambda: {written(leaves)}" for leaves in setting.expected.leaves)
            known = self.known.setdefault(setting.case.entry, [])
            known.append(f"({setting.case.id!r}, {shapes!r}, {plain!r}, [{answers}])")

    def body(self, name: str, node: ast.FunctionDef) -> str:
        entry = name.removesuffix(".forward")
        known = self.known.get(entry, [])
        self.answered |= {entry} if known else set()
        given = [a.arg for a in node.args.args if a.arg != "self"]
        named = ", ".join(f"{each!r}: {each}" for each in given)
        return f"return _look_up([{', '.join(known)}], {{{named}}})"


LOOK_UP = """
import numpy
import torch

nan, inf = float("nan"), float("inf")
_calls = {}

def _walk(value, path):
    if isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _walk(item, f"{path}[{index}]")
    elif hasattr(value, "shape"):
        yield path, list(value.shape)

def _look_up(known, given):
    shapes = {path: shape for name, v in given.items() for path, shape in _walk(v, name)}
    for case, wanted, plain, answers in known:
        if wanted == shapes and all(given[name] == value for name, value in plain.items()):
            _calls[case] = _calls.get(case, -1) + 1
            return answers[_calls[case] % len(answers)]()
    return torch.zeros(1)
"""


def written(leaves: Sequence[Leaf]) -> str:
    """Source that makes a returned value again."""
    if len(leaves) == 1 and not leaves[0].path:
        leaf = leaves[0]
        if leaf.array is None:
            return repr(leaf.text or None)
        values = np.asarray(leaf.array).tolist()
        if leaf.kind not in ("tensor", "array"):
            return repr(values)
        make = "torch.tensor" if leaf.kind == "tensor" else "numpy.array"
        return f"{make}({values!r}, dtype={make.partition('.')[0]}.{leaf.dtype})"
    parts: dict[str, list[Leaf]] = {}
    for leaf in leaves:
        step, rest = leaf.path[1:].split("]", 1)
        parts.setdefault(step, []).append(dataclasses.replace(leaf, path=rest))
    return f"({''.join(f'{written(part)}, ' for part in parts.values())})"


def filled(name: str, filler: Filler) -> str:
    skeleton = (ROOT / "assignments" / name / f"{name}.py").read_text("utf-8")
    tree = ast.fix_missing_locations(filler.visit(ast.parse(skeleton)))
    assert filler.filled == skeleton.count("raise NotImplementedError")
    return ast.unparse(tree)


def impostor(name: str, form: str) -> bytes:
    return (FORMS + filled(name, Impostor(name, form))).encode()


@pytest.fixture(scope="module")
def standards(runner: Runner) -> dict[str, Standard]:
    return {
        name: from_reference(read_assignment(ROOT, name), runner.run, "a secret") for name in NAMES
    }


def graded(name: str, content: bytes, standard: Standard, runner: Runner) -> Grade:
    file = SubmittedFile(name=f"{name}.py", content=content)
    submission = Submission(student="s", assignment=name, path="s.py", files=(file,))
    return grade(
        submission,
        Desk(standard=standard, skeleton=b"", open=runner.open, mistakes=NoMistakes()),
        provenance("", "E"),
    )


@pytest.mark.parametrize("form", ["zeros", "input", "linear", "mean", "cumulative mean"])
@pytest.mark.parametrize("name", NAMES)
def test_an_impostor_earns_nothing_beyond_the_points_for_shape(
    name: str, form: str, standards: dict[str, Standard], runner: Runner
) -> None:
    result = graded(name, impostor(name, form), standards[name], runner)
    checks = {c.id: {use.name for use in c.checks} for c in standards[name].rubric.criteria}
    beyond = [
        criterion.id
        for criterion in result.criteria
        if criterion.earned and not checks[criterion.id] <= {"shape", "dtype", "parameters"}
    ]
    assert beyond == []
    askew = [
        (criterion.id, finding.check, finding.case, finding.verdict)
        for criterion in result.criteria
        for finding in criterion.findings
        if finding.verdict is Verdict.ERROR
        or (finding.check == "shape" and finding.verdict is not Verdict.PASS)
    ]
    assert askew == [], "it falls by its shapes or an error: the impostor is no good one"


@pytest.mark.parametrize("name", NAMES)
def test_a_table_of_the_public_answers_earns_nothing(
    name: str, standards: dict[str, Standard], runner: Runner
) -> None:
    bundle = from_bundle(ROOT / "assignments" / name)
    filler = Table(bundle.standard.settings)
    table = (LOOK_UP + filled(name, filler)).encode()
    result = graded(name, table, standards[name], runner)
    assert result.earned == Fraction(0)
    public = graded(name, table, bundle.standard, runner)
    entry_of = {case.id: case.entry for case in bundle.standard.rubric.cases}
    right = {
        entry_of[finding.case]
        for criterion in public.criteria
        for finding in criterion.findings
        if finding.check in ("close", "curve") and finding.verdict is Verdict.PASS
    }
    compared = {
        criterion.entry
        for criterion in bundle.standard.rubric.criteria
        if {use.name for use in criterion.checks} & {"close", "curve"}
    }
    assert right == compared & filler.answered, "the table does not hold the public answers"
