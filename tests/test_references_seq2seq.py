"""The reference of sequence to sequence: its parts against torch's packed GRU, attention and
cross-entropy in values and gradients, the whole against itself step by step."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.test_references import assert_same, gradients, leaf, load, randomise

seq2seq = load(Path(__file__).parents[1] / "reference" / "seq2seq.py")
LENGTHS = torch.tensor([6, 2, 4])
MASK = torch.arange(6) < LENGTHS[:, None]  # (3, 6)


def setup_module() -> None:
    """Work in float64, as the worker does."""
    torch.set_default_dtype(torch.float64)


def teardown_module() -> None:
    """Give other test modules torch's own default back."""
    torch.set_default_dtype(torch.float32)


def setup_function() -> None:
    """Fix every random draw of a test."""
    torch.manual_seed(20150917)


def packed(encoder: nn.Module, source: Tensor, lengths: Tensor) -> list[Tensor]:
    """Memory and last state by torch's own way of leaving padding out."""
    sequence = nn.utils.rnn.pack_padded_sequence(
        encoder.embedding(source), lengths, batch_first=True, enforce_sorted=False
    )
    outputs, last = encoder.gru(sequence)
    memory, _ = nn.utils.rnn.pad_packed_sequence(
        outputs, batch_first=True, total_length=source.size(1)
    )
    return [memory, last[0]]


def sources(vocabulary: int, pad: int = 0) -> Tensor:
    """Token numbers (3, 6), none of them `pad` but at the end."""
    tokens = torch.randint(0, vocabulary - 1, (3, 6))
    tokens = tokens + (tokens >= pad)
    return tokens.masked_fill(~MASK, pad)


def test_encoder_equals_a_packed_gru_in_values_and_gradients() -> None:
    encoder = seq2seq.Encoder(9, 4, 5)
    randomise(encoder)
    source = sources(9)
    ours, theirs = list(encoder(source, MASK)), packed(encoder, source, LENGTHS)
    assert_same(ours, theirs)
    wanted = list(encoder.parameters())
    assert_same(gradients(ours, wanted), gradients(theirs, wanted))
    assert (ours[0][~MASK] == 0).all()


@pytest.mark.parametrize("masked", [True, False])
def test_attend_equals_torchs_attention_without_scale_in_values_and_gradients(masked: bool) -> None:
    query, memory = leaf(3, 4, 5), leaf(3, 6, 5)
    mask = MASK if masked else torch.ones(3, 6, dtype=torch.bool)
    context, weights = seq2seq.attend(query, memory, mask)
    theirs = F.scaled_dot_product_attention(
        query, memory, memory, attn_mask=mask[:, None, :], scale=1.0
    )
    assert_same([context], [theirs])
    assert_same(gradients([context], [query, memory]), gradients([theirs], [query, memory]))
    identity = torch.eye(6).expand(3, 6, 6)
    their_weights = F.scaled_dot_product_attention(
        query, memory, identity, attn_mask=mask[:, None, :], scale=1.0
    )
    assert_same([weights], [their_weights])


def test_attend_gives_the_worked_example_of_the_hand_out() -> None:
    query = torch.tensor([[[1.0, 0.0]]])
    memory = torch.tensor([[[0.0, 2.0], [1.0, 0.0], [3.0, 3.0]]])
    context, weights = seq2seq.attend(query, memory, torch.tensor([[True, True, False]]))
    assert weights[0, 0].tolist() == pytest.approx([0.2689, 0.7311, 0.0], abs=5e-5)
    assert context[0, 0].tolist() == pytest.approx([0.7311, 0.5379], abs=5e-5)


def test_decoder_equals_gru_cell_attention_and_two_layers_written_out() -> None:
    decoder, cell = seq2seq.Decoder(8, 3, 5), nn.GRUCell(3, 5)
    randomise(decoder)
    cell.load_state_dict({k.removesuffix("_l0"): v for k, v in decoder.gru.state_dict().items()})
    tokens, first, memory = torch.randint(0, 8, (3, 4)), torch.randn(3, 5), torch.randn(3, 6, 5)
    rows = []
    h = first
    for t in range(4):
        h = cell(decoder.embedding(tokens[:, t]), h)
        for b in range(3):
            seen = memory[b, : LENGTHS[b]]
            found = torch.softmax(seen @ h[b], dim=0) @ seen
            rows.append(torch.tanh(decoder.combine(torch.cat([found, h[b]]))))
    logits = decoder.output(torch.stack(rows)).reshape(4, 3, 8).transpose(0, 1)
    assert_same(list(decoder(tokens, first, memory, MASK)), [logits, h])


def test_decoder_goes_on_from_the_state_that_it_returned() -> None:
    decoder = seq2seq.Decoder(8, 3, 5)
    tokens, first, memory = torch.randint(0, 8, (3, 7)), torch.randn(3, 5), torch.randn(3, 6, 5)
    whole, last = decoder(tokens, first, memory, MASK)
    one, state = decoder(tokens[:, :3], first, memory, MASK)
    two, end = decoder(tokens[:, 3:], state, memory, MASK)
    assert_same([torch.cat([one, two], dim=1), end], [whole, last])


@pytest.mark.parametrize("pad", [0, 4])
def test_padding_of_the_source_changes_nothing(pad: int) -> None:
    model = seq2seq.Seq2Seq(9, 7, 4, 5, pad)
    randomise(model)
    source, tokens = sources(9, pad), torch.randint(0, 7, (3, 4))
    longer = torch.cat([source, torch.full((3, 3), pad)], dim=1)
    assert_same([model(longer, tokens)], [model(source, tokens)])
    alone = [model(source[b : b + 1, : LENGTHS[b]], tokens[b : b + 1]) for b in range(3)]
    assert_same([torch.cat(alone)], [model(source, tokens)])


def test_forced_at_every_step_unroll_is_forward_in_values_and_gradients() -> None:
    model = seq2seq.Seq2Seq(9, 7, 4, 5)
    randomise(model)
    source, tokens = sources(9), torch.randint(0, 7, (3, 4))
    ours = model.unroll(source, tokens, torch.ones(4, dtype=torch.bool))
    theirs = model(source, tokens)
    assert_same([ours], [theirs])
    wanted = list(model.parameters())
    assert_same(gradients([ours], wanted), gradients([theirs], wanted))


def test_unforced_unroll_reads_what_greedy_decoding_writes() -> None:
    model = seq2seq.Seq2Seq(9, 7, 4, 5)
    randomise(model)
    for parameter in model.parameters():
        parameter.data *= 3
    source = sources(9)
    written = seq2seq.greedy_decode(model, source, 1, 99, 8)  # 99 is never written
    logits = model.unroll(source, written[:, :1].expand(3, 7), torch.zeros(7, dtype=torch.bool))
    assert torch.equal(logits.argmax(dim=-1), written[:, 1:])


def test_masked_loss_equals_torchs_cross_entropy_in_values_and_gradients() -> None:
    logits = leaf(3, 6, 5)
    labels = sources(5, pad=2)
    ours = seq2seq.masked_loss(logits, labels, 2)
    theirs = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=2)
    assert_same([ours], [theirs])
    assert_same(gradients([ours], [logits]), gradients([theirs], [logits]))


def test_masked_loss_gives_the_worked_example_of_the_hand_out() -> None:
    logits = torch.tensor([[[0.5, 0.3, 0.2], [0.25, 0.5, 0.25], [0.2, 0.2, 0.6]]]).log()
    loss = seq2seq.masked_loss(logits, torch.tensor([[0, 2, 1]]), 1)
    assert loss.item() == pytest.approx(1.0397, abs=5e-5)


def test_a_training_step_is_one_update_on_shifted_targets() -> None:
    model, twin = seq2seq.Seq2Seq(9, 7, 4, 5), seq2seq.Seq2Seq(9, 7, 4, 5)
    twin.load_state_dict(model.state_dict())
    source = sources(9)
    target = torch.tensor([[1, 3, 4, 2, 0], [1, 5, 2, 0, 0], [1, 6, 5, 4, 2]])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    for _ in range(2):
        logits = twin(source, target[:, :-1])
        loss = F.cross_entropy(logits.transpose(1, 2), target[:, 1:], ignore_index=0)
        slopes = torch.autograd.grad(loss, list(twin.parameters()))
        with torch.no_grad():
            for parameter, slope in zip(twin.parameters(), slopes, strict=True):
                parameter -= 0.5 * slope
        got = seq2seq.training_step(model, optimizer, source, target)
        assert got == pytest.approx(loss.item(), abs=1e-12)
    assert_same(list(model.parameters()), list(twin.parameters()))


class Scripted(nn.Module):
    """Says prepared words in turn; the row is named by the first source token."""

    def __init__(self, words: list[list[int]], pad: int):
        super().__init__()
        self.words, self.pad = words, pad

    def forward(self, source: Tensor, tokens: Tensor) -> Tensor:
        """Logits (B, n, 9), each with its one at the prepared word."""
        assert not self.training and not torch.is_grad_enabled()
        said = [(self.words[row] + [8] * 9)[: tokens.size(1)] for row in source[:, 0].tolist()]
        return F.one_hot(torch.tensor(said), 9).double()


@pytest.mark.parametrize("training", [True, False])
def test_greedy_decoding_fills_rows_that_have_ended_with_padding(training: bool) -> None:
    model = Scripted([[4, 2], [5, 6, 4, 2]], pad=0).train(training)
    source = torch.tensor([[0, 3], [1, 3]])
    tokens = seq2seq.greedy_decode(model, source, 1, 2, 9)
    assert tokens.tolist() == [[1, 4, 2, 0, 0], [1, 5, 6, 4, 2]]  # as in the hand-out
    assert seq2seq.greedy_decode(model, source, 1, 2, 3).tolist() == [[1, 4, 2], [1, 5, 6]]
    assert model.training is training
