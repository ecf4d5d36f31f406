"""Final marks -> the formats of learning management systems.

marks       what is handed on: points, or the reason why there are none
sheet       a CSV of which every byte stays but for the cells that are told to change
matching    rows of a sheet <-> students, and what each cell becomes
canvas, moodle        the sheet that the instructor downloaded, filled in
plain       a CSV of our own                 gradescope    results.json
autograder  the zip that Gradescope runs
"""
