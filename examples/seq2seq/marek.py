import torch
from torch import Tensor, nn

class Encoder(nn.Module):

    def __init__(self, vocabulary: int, embed_size: int, hidden_size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, embed_size)
        self.gru = nn.GRU(embed_size, hidden_size, batch_first=True)

    def forward(self, source: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        x = self.embedding(source)
        w = self.gru
        h = x.new_zeros(len(source), w.hidden_size)
        memory = []
        for t in range(source.size(1)):
            out, _ = w(x[:, t : t + 1], h.unsqueeze(0))
            keep = mask[:, t].unsqueeze(1)
            h = torch.where(keep, out[:, 0], h)  # stays where it is at padding
            memory.append(torch.where(keep, h, torch.zeros_like(h)))
        return torch.stack(memory, dim=1), h


def attend(query: Tensor, memory: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    scores = torch.einsum("bth,bsh->bts", query, memory)
    penalty = torch.zeros(mask.shape, dtype=scores.dtype).masked_fill(~mask, -torch.inf)
    a = (scores + penalty.unsqueeze(1)).softmax(-1)
    return torch.einsum("bts,bsh->bth", a, memory), a


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
        states = []
        for t in range(tokens.size(1)):
            out, state = self.gru(self.embedding(tokens[:, t : t + 1]), state.unsqueeze(0))
            state = state.squeeze(0)
            states.append(out)
        h = torch.cat(states, 1)
        c, _ = attend(h, memory, mask)
        return self.output(self.combine(torch.cat([c, h], 2)).tanh()), state


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
        return self.unroll(source, tokens, [True] * tokens.size(1))

    def unroll(self, source: Tensor, tokens: Tensor, forced: Tensor) -> Tensor:
        mask = source != self.pad
        memory, state = self.encoder(source, mask)
        outputs = []
        inp = tokens[:, 0]
        for t in range(tokens.shape[1]):
            logits, state = self.decoder(inp.unsqueeze(1), state, memory, mask)
            outputs.append(logits)
            if t + 1 < tokens.shape[1]:
                if forced[t + 1]:
                    inp = tokens[:, t + 1]
                else:
                    inp = logits.squeeze(1).argmax(-1)
        return torch.cat(outputs, dim=1)


def masked_loss(logits: Tensor, labels: Tensor, pad: int) -> Tensor:
    keep = labels.ne(pad)
    logp = logits[keep].log_softmax(-1)
    return -logp[torch.arange(len(logp)), labels[keep]].mean()


def training_step(
    model: nn.Module, optimizer: torch.optim.Optimizer, source: Tensor, target: Tensor
) -> float:
    logits = model(source, target[:, :-1])
    loss = masked_loss(logits, target[:, 1:], model.pad)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def greedy_decode(
    model: nn.Module, source: Tensor, start: int, end: int, max_length: int
) -> Tensor:
    was = model.training
    model.eval()
    rows = [[start] for _ in source]
    ended = [False for _ in source]
    with torch.no_grad():
        while len(rows[0]) < max_length and not all(ended):
            best = model(source, torch.tensor(rows))[:, -1].argmax(-1).tolist()
            for i, token in enumerate(best):
                rows[i].append(model.pad if ended[i] else token)
                ended[i] = ended[i] or token == end
    if was:
        model.train()
    return torch.tensor(rows)


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
