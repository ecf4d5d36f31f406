import queue
from concurrent.futures import ThreadPoolExecutor, as_completed

import torch


def run():
    with ThreadPoolExecutor(max_workers=3) as pool:
        mapped = list(pool.map(lambda n: n * n, range(6)))
        futures = [pool.submit(torch.tensor([1.0, 2.0]).mul, k) for k in range(3)]
        total = sum(f.result() for f in as_completed(futures))
    waiting = queue.PriorityQueue()
    for item in (3, 1, 2):
        waiting.put(item)
    return mapped, total, [waiting.get(timeout=1) for _ in range(3)]
