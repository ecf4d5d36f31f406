"""From values to text: every sentence that a person reads is made in this room.

`messages` holds the words, `view` what a student may know, `student`, `classroom` and `terminal`
the pages, `svg` the pictures, `legible` how one number, shape or hostile string is written.
"""
