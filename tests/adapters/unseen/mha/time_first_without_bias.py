import torch
from torch import nn


class RelAttn(nn.Module):
    def __init__(self, n_head, d_model, d_head):
        super().__init__()
        self.n_head, self.d_head = n_head, d_head
        self.q_net = nn.Linear(d_model, n_head * d_head, bias=False)
        self.kv_net = nn.Linear(d_model, 2 * n_head * d_head, bias=False)
        self.o_net = nn.Linear(n_head * d_head, d_model, bias=False)
        self.scale = 1 / (d_head**0.5)

    def forward(self, h, mem, attn_mask=None):
        head_q = self.q_net(h).view(h.size(0), h.size(1), self.n_head, self.d_head)
        head_k, head_v = torch.chunk(self.kv_net(mem), 2, -1)
        head_k = head_k.view(mem.size(0), mem.size(1), self.n_head, self.d_head)
        head_v = head_v.view(mem.size(0), mem.size(1), self.n_head, self.d_head)
        attn_score = torch.einsum("ibnd,jbnd->ijbn", head_q, head_k) * self.scale
        if attn_mask is not None:
            attn_score.masked_fill_(attn_mask[:, :, :, None], -float("inf"))
        attn_prob = torch.softmax(attn_score, dim=1)
        vec = torch.einsum("ijbn,jbnd->ibnd", attn_prob, head_v)
        return self.o_net(vec.flatten(2)), attn_prob
