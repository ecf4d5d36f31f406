import torch
from torch.profiler import ProfilerActivity, profile, record_function


def run():
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as prof:
        with record_function("mine"):
            y = torch.ones(8, 8) @ torch.ones(8, 8)
    names = {event.key for event in prof.key_averages()}
    table = prof.key_averages().table(sort_by="cpu_time_total", row_limit=3)
    return y, "mine" in names, "aten::mm" in names, len(table) > 0
