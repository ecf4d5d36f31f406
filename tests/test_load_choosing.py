"""Which of the files is graded, and whether it was touched."""

import json

import pytest

from grader.errors import CourseError, SubmissionError
from grader.load import Preference, changed_files, is_untouched, load
from grader.types import Loaded, Submission, SubmittedFile

SKELETON = '''# %% [markdown]
# # Attention

# %%
import math

import torch

# %%
def softmax(x):
    """By hand."""
    # YOUR CODE
    raise NotImplementedError


# %%
class Attention(torch.nn.Module):
    """One head."""

    def forward(self, x):
        raise NotImplementedError
'''
DONE = SKELETON.replace("raise NotImplementedError", "return x")
ENTRIES = ("softmax", "Attention")


def as_notebook(text: str) -> str:
    sources = [part for part in text.split("# %%") if part and not part.startswith(" [")]
    return json.dumps({"cells": [{"cell_type": "code", "source": x} for x in sources]})


def handed_in(**files: str | bytes) -> Submission:
    return Submission(
        student="kim",
        assignment="mha",
        path="in/kim",
        files=tuple(
            SubmittedFile(
                name=name.replace("__", "."),
                content=content.encode() if isinstance(content, str) else content,
            )
            for name, content in files.items()
        ),
    )


def graded(submission: Submission, prefer: Preference = "notebook") -> Loaded:
    return load(submission, ENTRIES, skeleton=SKELETON.encode(), prefer=prefer)


def codes(loaded: Loaded) -> list[str]:
    return [note.code for note in loaded.notes if note.code != "load.dropped"]


def untouched(submission: Submission) -> bool:
    return is_untouched(submission, ENTRIES, SKELETON.encode())


def test_of_module_and_notebook_the_changed_one_is_graded() -> None:
    for module, notebook, chosen in ((DONE, SKELETON, "mha.py"), (SKELETON, DONE, "mha.ipynb")):
        submission = handed_in(mha__py=module, mha__ipynb=as_notebook(notebook))
        assert graded(submission).file == chosen
        assert codes(graded(submission)) == []
        assert changed_files(submission, ENTRIES, SKELETON.encode()) == (chosen,)
        assert not untouched(submission)


@pytest.mark.parametrize(("prefer", "chosen"), [("notebook", "mha.ipynb"), ("module", "mha.py")])
def test_where_both_changed_the_preference_decides_and_a_note_says_so(
    prefer: Preference, chosen: str
) -> None:
    submission = handed_in(mha__py=DONE, mha__ipynb=as_notebook(DONE))
    loaded = graded(submission, prefer)
    assert loaded.file == chosen
    (note,) = [x for x in loaded.notes if x.code == "load.both_changed"]
    other = {"mha.py", "mha.ipynb"} - {chosen}
    assert note.facts == {"file": chosen, "other": other.pop()}
    assert set(changed_files(submission, ENTRIES, SKELETON.encode())) == {"mha.py", "mha.ipynb"}


def test_the_skeleton_handed_back_is_untouched() -> None:
    assert untouched(handed_in(mha__py=SKELETON))
    assert untouched(handed_in(mha__ipynb=as_notebook(SKELETON)))
    both = handed_in(mha__py=SKELETON, mha__ipynb=as_notebook(SKELETON))
    assert untouched(both)
    assert graded(both).file == "mha.ipynb"
    assert changed_files(both, ENTRIES, SKELETON.encode()) == ()


def test_layout_comments_docstrings_imports_and_prints_are_no_start() -> None:
    text = SKELETON.replace('    """By hand."""\n', "\n").replace("(self, x)", "( self,x )")
    text = text.replace("import math\n", "import numpy as np\n%matplotlib inline\nprint(1)\n")
    assert untouched(handed_in(mha__ipynb=as_notebook(text)))
    assert untouched(handed_in(mha__py=SKELETON.replace("\n", "\r\n")))


@pytest.mark.parametrize(
    "added",
    [
        "\nsoftmax = torch.softmax\n",
        "\nAttention.forward = lambda self, x: x\n",
        "\n@add_to_class(Attention)\ndef forward(self, x): return x\n",
        "\nclass Attention: pass\n",
    ],
)
def test_work_beside_the_skeletons_lines_is_a_start(added: str) -> None:
    assert not untouched(handed_in(mha__py=SKELETON + added))


def test_another_constant_or_a_removed_entry_is_a_change() -> None:
    assert not untouched(handed_in(mha__py=SKELETON.replace("NotImplementedError", "KeyError")))
    assert not untouched(handed_in(mha__py="x = 1"))
    assert untouched(handed_in(mha__py=SKELETON + "\nhelper = 3\n"))


def test_deep_code_is_compared_without_recursion() -> None:
    deep = "\n    y = x" + " + x" * 900 + "\n    return y"
    text = SKELETON.replace("    raise", deep + "\n    raise", 1)
    submission = handed_in(mha__py=text)
    assert not is_untouched(submission, ENTRIES, SKELETON.encode())
    spaced = text.replace(" + x", "  + x").encode()
    assert is_untouched(submission, ENTRIES, spaced)


def test_a_broken_file_counts_as_changed_and_an_empty_one_does_not() -> None:
    broken = handed_in(mha__py="def softmax(:", mha__ipynb=as_notebook(SKELETON))
    with pytest.raises(SubmissionError) as caught:
        graded(broken)
    assert caught.value.code == "load.syntax"
    empty = handed_in(mha__py="", mha__ipynb=as_notebook(DONE))
    assert graded(empty, "module").file == "mha.ipynb"
    assert codes(graded(empty)) == []


def test_where_one_of_two_changed_files_is_unreadable_the_other_is_graded() -> None:
    submission = handed_in(mha__py=DONE, mha__ipynb="not json")
    assert graded(submission).file == "mha.py"
    assert codes(graded(submission)) == ["load.both_changed"]


def test_the_only_file_is_taken_whatever_its_name() -> None:
    assert graded(handed_in(final_v2__ipynb=as_notebook(DONE))).file == "final_v2.ipynb"
    assert codes(graded(handed_in(final_v2__py=DONE))) == []
    assert graded(handed_in(MHA__PY=DONE, notes__txt="hi")).file == "MHA.PY"


def test_without_the_right_name_the_file_that_defines_most_is_taken() -> None:
    submission = handed_in(a__py="def softmax(x): pass", z__py=DONE, b__ipynb="broken")
    loaded = graded(submission)
    assert loaded.file == "z.py"
    (note,) = [x for x in loaded.notes if x.code == "load.chosen"]
    assert note.facts == {
        "file": "z.py",
        "others": ["a.py", "b.ipynb"],
        "defined": 2,
        "wanted": 2,
    }


def test_work_in_another_file_beside_the_untouched_skeleton_is_found() -> None:
    submission = handed_in(mha__ipynb=as_notebook(SKELETON), solution__py=DONE, x__py="y = 1")
    loaded = graded(submission)
    assert loaded.file == "solution.py"
    assert codes(loaded) == ["load.chosen"]
    assert not untouched(submission)


def test_a_changed_file_of_the_right_name_is_taken_whatever_lies_beside_it() -> None:
    submission = handed_in(mha__py=DONE, old__py=DONE + "\nx = 1\n")
    assert graded(submission).file == "mha.py"
    assert load(submission, ENTRIES).file == "mha.py"


def test_checkpoints_and_files_of_the_finder_are_ignored() -> None:
    files: dict[str, str | bytes] = {
        "mha-checkpoint__ipynb": as_notebook(SKELETON),
        "._mha__py": b"\0\5",
        "mha__py": DONE,
    }
    assert graded(handed_in(**files)).file == "mha.py"


def test_without_any_code_the_refusal_names_what_was_expected_and_found() -> None:
    with pytest.raises(SubmissionError) as caught:
        graded(handed_in(report__pdf=b"%PDF"))
    assert caught.value.code == "load.no_file"
    assert caught.value.facts == {"expected": ["mha.py", "mha.ipynb"], "found": ["report.pdf"]}


def test_a_broken_skeleton_is_the_courses_fault() -> None:
    with pytest.raises(CourseError, match="skeleton"):
        is_untouched(handed_in(mha__py=DONE), ENTRIES, b"def f(:")


def test_without_a_skeleton_the_preference_decides() -> None:
    submission = handed_in(mha__py=DONE, mha__ipynb=as_notebook(DONE))
    assert load(submission, ENTRIES, prefer="module").file == "mha.py"
    assert load(submission, ENTRIES).file == "mha.ipynb"
