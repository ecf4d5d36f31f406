# make setup   makes .venv with the pinned dependencies and the grader
# make grade   grades examples/ and prints where the pages are
# make test    runs the test suite; with TESTS=--slow also what takes minutes, as CI does
# make check   lint, format and types, as CI runs them
# make fuzz    looks for inputs that break a reader, for FUZZ_SECONDS each (60)
#
# pip's own environment variables (PIP_INDEX_URL, PIP_FIND_LINKS, ...) are passed through.

PYTHON ?= python3.11
BIN := .venv/bin
ASSIGNMENTS := $(patsubst rubrics/%.yaml,%,$(wildcard rubrics/*.yaml))

.PHONY: setup grade test check fuzz
.DELETE_ON_ERROR:

setup: .venv/.installed

.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

grade: setup
	@set -e; for assignment in $(ASSIGNMENTS); do \
		echo; $(BIN)/grader grade $$assignment examples/$$assignment; \
	done

test: setup
	$(BIN)/pytest $(TESTS)

check: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

FUZZ_SECONDS ?= 60
fuzz: setup
	@set -e; for reader in wire module notebook archive rubric; do \
		$(BIN)/python tests/fuzz/run.py $$reader --seconds $(FUZZ_SECONDS); \
	done
