"""Runs the suite and prints what is stopped.

python -m tests.attacks [--user root|user] [--levels ABE] [GROUP | SLUG ...]
"""

import argparse
import os
import sys

from tests.attacks.run import outer
from tests.attacks.table import table

parser = argparse.ArgumentParser(prog="python -m tests.attacks")
parser.add_argument("--user", choices=("root", "user"), action="append")
parser.add_argument("--levels", default="ABE")
parser.add_argument("ids", nargs="*", metavar="GROUP|SLUG")
asked = parser.parse_args()

for user in asked.user or (["root", "user"] if os.getuid() == 0 else ["user"]):
    told = outer(user, asked.levels, asked.ids)
    if told["failure"]:
        sys.exit(told["failure"])
    print(table(told))
    for level, result in told["levels"].items():
        for wronged in [*result.get("unfair", ()), *result.get("unclean", ())]:
            print(f"level {level}: {wronged}")
