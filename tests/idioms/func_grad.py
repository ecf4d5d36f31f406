import torch
from torch.func import functional_call, grad, grad_and_value, jacrev, vmap


def run():
    torch.manual_seed(10)
    model = torch.nn.Linear(3, 1)
    params = dict(model.named_parameters())
    x, y = torch.randn(5, 3), torch.randn(5, 1)

    def loss(params, x, y):
        return (functional_call(model, params, (x,)) - y).pow(2).mean()

    each = vmap(grad(loss), in_dims=(None, 0, 0))(params, x, y)
    grads, value = grad_and_value(loss)(params, x, y)
    jacobian = jacrev(lambda v: v.sin().cumsum(0))(torch.arange(3.0))
    return each["weight"], grads["bias"], value, jacobian
