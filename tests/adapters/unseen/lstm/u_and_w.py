import torch
import torch.nn as nn


class CustomLSTMCell(nn.Module):
    def __init__(self, input_sz, hidden_sz):
        super().__init__()
        for gate in ("i", "f", "c", "o"):
            setattr(self, f"U_{gate}", nn.Parameter(torch.empty(input_sz, hidden_sz)))
            setattr(self, f"V_{gate}", nn.Parameter(torch.empty(hidden_sz, hidden_sz)))
            setattr(self, f"b_{gate}", nn.Parameter(torch.empty(hidden_sz)))

    def forward(self, x_t, init_states):
        h_t, c_t = init_states
        i_t = torch.sigmoid(x_t @ self.U_i + h_t @ self.V_i + self.b_i)
        f_t = torch.sigmoid(x_t @ self.U_f + h_t @ self.V_f + self.b_f)
        g_t = torch.tanh(x_t @ self.U_c + h_t @ self.V_c + self.b_c)
        o_t = torch.sigmoid(x_t @ self.U_o + h_t @ self.V_o + self.b_o)
        c_t = f_t * c_t + i_t * g_t
        h_t = o_t * torch.tanh(c_t)
        return h_t, (h_t, c_t)
