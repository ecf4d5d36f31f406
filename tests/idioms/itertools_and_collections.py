import itertools
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque, namedtuple

import torch
from torch import nn

Pair = namedtuple("Pair", "left right")


def run():
    words = "the cat the dog a cat the".split()
    vocabulary = {word: i for i, (word, _) in enumerate(Counter(words).most_common())}
    groups = defaultdict(list)
    for word in words:
        groups[len(word)].append(vocabulary[word])
    window = deque(maxlen=2)
    pairs = [Pair(a, b) for a, b in itertools.pairwise(range(4))]
    model = nn.Sequential(OrderedDict([("first", nn.Identity()), ("second", nn.ReLU())]))
    for i in range(5):
        window.append(i)
    flat = list(itertools.chain.from_iterable(groups[k] for k in sorted(groups)))
    product = list(itertools.islice(itertools.product("ab", repeat=2), 3))
    merged = ChainMap({"lr": 0.1}, {"lr": 1.0, "k": 2})
    return flat, list(window), pairs[-1].right, product, merged["lr"], model(torch.tensor([-1.0, 1.0]))
