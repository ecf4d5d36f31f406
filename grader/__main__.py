"""`python -m grader` is the same command as `grader`."""

from grader.cli import main

main()
