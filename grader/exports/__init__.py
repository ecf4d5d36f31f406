"""What leaves the grader for other programs: final marks, in the formats of LMSs, and outcomes.

marks       what is handed on: points, or the reason why there are none
sheet       a CSV of which every byte stays but for the cells that are told to change
matching    rows of a sheet <-> students, and what each cell becomes
canvas, moodle        the sheet that the instructor downloaded, filled in
plain       a CSV of our own                 gradescope    results.json
autograder  the zip that Gradescope runs     junit         what continuous integration reads
classroom   one student's result, as GitHub Classroom reads it
"""
