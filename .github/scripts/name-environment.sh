#!/usr/bin/env bash
# Names an environment after all that decides what is in it: $1 what pip installs.
set -euo pipefail
engine=$1 folder=${1%%\[*}
{
	python -VV
	echo "$RUNNER_OS $RUNNER_ARCH $engine"
	# Of a folder, what it is built from; a requirement says it itself.
	if [ -d "$folder" ]; then
		cd "$folder"
		find grader pyproject.toml constraints.txt -type f -not -name '*.pyc' -print0 |
			sort -z | xargs -0 sha256sum
	fi
} >"$RUNNER_TEMP/environment.txt"
echo "key=grader-$(sha256sum <"$RUNNER_TEMP/environment.txt" | cut -c 1-32)" >>"$GITHUB_OUTPUT"
