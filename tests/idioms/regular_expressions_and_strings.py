import re
import string
import textwrap
import unicodedata


def tokenize(text):
    text = unicodedata.normalize("NFKC", text).lower()
    return re.findall(r"\w+|[^\w\s]", text)


def run():
    table = str.maketrans("", "", string.punctuation)
    return (
        tokenize("Attention is ＡＬＬ you need!"),
        "a.b,c".translate(table),
        re.sub(r"(\d+)", lambda m: str(int(m[1]) + 1), "x9 y10"),
        textwrap.fill("one two three four", 9),
        f"{3.14159:.2f}|{'x':>3}|{1e6:,.0f}",
    )
