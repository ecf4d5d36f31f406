"""What leaves the grader for other programs.

junit   what came out, as continuous integration reads it
"""
