import copy
import time
from dataclasses import dataclass, field

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Trainer:
    model: nn.Module
    lr: float = 0.05
    patience: int = 2
    history: dict = field(default_factory=lambda: {"train": [], "val": []})

    def fit(self, train, val, epochs):
        optimizer = torch.optim.Adam(self.model.parameters(), lr=self.lr)
        best, waited, started = float("inf"), 0, time.time()
        for epoch in range(epochs):
            self.model.train()
            for x, y in train:
                optimizer.zero_grad()
                loss = nn.functional.mse_loss(self.model(x), y)
                loss.backward()
                optimizer.step()
            self.model.eval()
            with torch.no_grad():
                loss = sum(nn.functional.mse_loss(self.model(x), y) for x, y in val) / len(val)
            self.history["val"].append(float(loss))
            if loss < best:
                best, waited, kept = loss, 0, copy.deepcopy(self.model.state_dict())
            else:
                waited += 1
            if waited > self.patience:
                break
            print(f"epoch {epoch} {loss:.4f} after {time.time() - started:.1f} s")
        self.model.load_state_dict(kept)
        return best


def run():
    torch.manual_seed(32)
    x = torch.randn(32, 3)
    data = TensorDataset(x, x.sum(1, keepdim=True))
    train, val = DataLoader(data, 8, shuffle=True), DataLoader(data, 16)
    trainer = Trainer(nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1)))
    return trainer.fit(train, val, 6), trainer.history["val"]
