# For instructors on macOS and Windows: the grader on Linux. Never built where it was written; see docs/ci.md.
#
#   docker build -t sequence-grader .
#   docker run --rm -v "$PWD:/course" sequence-grader grade lstm submissions/lstm
FROM python:3.11-slim

RUN apt-get update && apt-get install -y --no-install-recommends git && rm -rf /var/lib/apt/lists/*

COPY pyproject.toml constraints.txt README.md /engine/
COPY grader /engine/grader
# The CPU's torch; and the engine alone, without references and rubrics, which submissions must not be able to read.
RUN pip install --no-cache-dir --extra-index-url https://download.pytorch.org/whl/cpu \
    -c /engine/constraints.txt '/engine[instructor]' && rm -rf /engine

# An ordinary user: what a submission could break out to is not root.
RUN useradd --create-home grader
USER grader
WORKDIR /course
ENTRYPOINT ["grader"]
CMD ["doctor"]
