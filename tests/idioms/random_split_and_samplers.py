import torch
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler, random_split


def run():
    data = TensorDataset(torch.arange(20))
    train, val = random_split(data, [15, 5], generator=torch.Generator().manual_seed(7))
    sampler = WeightedRandomSampler(
        torch.ones(15), 10, generator=torch.Generator().manual_seed(8)
    )
    loader = DataLoader(train, batch_size=5, sampler=sampler, drop_last=True)
    shuffled = DataLoader(val, batch_size=5, shuffle=True, generator=torch.Generator().manual_seed(9))
    return [x for (x,) in loader], next(iter(shuffled))[0]
