import torch
from torch import Tensor, nn

class Encoder(nn.Module):

    def __init__(self, vocabulary: int, embed_size: int, hidden_size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, embed_size)
        self.gru = nn.GRU(embed_size, hidden_size, batch_first=True)

    def forward(self, source: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        e = self.embedding(source)
        y = torch.where(mask[..., None], self.gru(e)[0], 0.0)
        i = mask.cumsum(1).argmax(1)
        return y, y[torch.arange(len(y)), i]


def attend(query: Tensor, memory: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    s = torch.einsum("bth,bsh->bts", query, memory)
    s = torch.where(mask[:, None], s, -torch.inf)
    p = torch.exp(s - torch.logsumexp(s, -1, keepdim=True))
    return torch.einsum("bts,bsh->bth", p, memory), p


class Decoder(nn.Module):

    def __init__(self, vocabulary: int, embed_size: int, hidden_size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, embed_size)
        self.gru = nn.GRU(embed_size, hidden_size, batch_first=True)
        self.combine = nn.Linear(2 * hidden_size, hidden_size)
        self.output = nn.Linear(hidden_size, vocabulary)

    def forward(
        self, tokens: Tensor, state: Tensor, memory: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        y, h = self.gru(self.embedding(tokens), state[None].contiguous())
        c = attend(y, memory, mask)[0]
        k = self.combine
        n = y.size(-1)
        z = c @ k.weight[:, :n].mT + y @ k.weight[:, n:].mT + k.bias
        return self.output(z.tanh()), h[0]


class Seq2Seq(nn.Module):

    def __init__(
        self,
        source_vocabulary: int,
        target_vocabulary: int,
        embed_size: int,
        hidden_size: int,
        pad: int = 0,
    ) -> None:
        super().__init__()
        self.pad = pad
        self.encoder = Encoder(source_vocabulary, embed_size, hidden_size)
        self.decoder = Decoder(target_vocabulary, embed_size, hidden_size)

    def forward(self, source: Tensor, tokens: Tensor) -> Tensor:
        m = source.ne(self.pad)
        y, h = self.encoder(source, m)
        return self.decoder(tokens, h, y, m)[0]

    def unroll(self, source: Tensor, tokens: Tensor, forced: Tensor) -> Tensor:
        m = source.ne(self.pad)
        y, h = self.encoder(source, m)
        z = []
        for j, f in enumerate(forced.tolist()):
            u = tokens[:, j] if f or not z else z[-1][:, 0].argmax(1)
            o, h = self.decoder(u[:, None], h, y, m)
            z += [o]
        return torch.cat(z, 1)


def masked_loss(logits: Tensor, labels: Tensor, pad: int) -> Tensor:
    m = labels != pad
    z = logits[m]
    return (z.logsumexp(-1) - z.gather(-1, labels[m][:, None])[:, 0]).mean()


def training_step(
    model: nn.Module, optimizer: torch.optim.Optimizer, source: Tensor, target: Tensor
) -> float:
    optimizer.zero_grad(set_to_none=False)
    l = masked_loss(model(source, target[:, :-1]), target[:, 1:], model.pad)
    l.backward()
    optimizer.step()
    return float(l.detach())


def greedy_decode(
    model: nn.Module, source: Tensor, start: int, end: int, max_length: int
) -> Tensor:
    t = model.training
    model.train(False)
    try:
        with torch.inference_mode():
            y = source.new_full((len(source), 1), start)
            d = y[:, 0] != y[:, 0]
            while y.size(1) < max_length and not d.all():
                n = model(source, y)[:, -1].topk(1).indices[:, 0]
                n = torch.where(d, model.pad, n)
                d |= n == end
                y = torch.cat((y, n[:, None]), 1)
    finally:
        model.train(t)
    return y.clone()


if __name__ == "__main__":
    pad, start, end = 0, 1, 2

    def reversals(count: int) -> tuple[Tensor, Tensor]:
        source = torch.full((count, 6), pad)
        target = torch.full((count, 8), pad)
        for row, length in enumerate(torch.randint(1, 7, (count,)).tolist()):
            digits = torch.randint(1, 11, (length,))  # (length,)
            source[row, :length] = digits
            target[row, 0] = start
            target[row, 1 : length + 1] = digits.flip(0) + 2
            target[row, length + 1] = end
        return source, target


if __name__ == "__main__":
    torch.manual_seed(0)
    model = Seq2Seq(source_vocabulary=11, target_vocabulary=13, embed_size=16, hidden_size=32)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for step in range(201):
        loss = training_step(model, optimizer, *reversals(32))
        if step % 50 == 0:
            print(f"step {step}: loss {loss:.3f}")

if __name__ == "__main__":
    source, target = reversals(5)
    written = greedy_decode(model, source, start, end, max_length=8)
    for row in range(5):
        print(source[row].tolist(), "->", written[row].tolist(), "wanted", target[row].tolist())
