#!/usr/bin/env bash
# The grader in an environment of its own: $1 what pip installs, $2 the folder of the environment.
# An environment that a cache brought back is used as it is.
set -euo pipefail
engine=$1 folder=$2
if ! "$folder/bin/grader" --help >/dev/null 2>&1; then
	rm -rf "$folder"
	python -m venv "$folder"
	"$folder/bin/pip" install --quiet --disable-pip-version-check "$engine"
fi
echo "$folder/bin" >>"$GITHUB_PATH"
