import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_cell_forward(xt, a_prev, c_prev, parameters):
    Wf, bf = parameters["Wf"], parameters["bf"]
    Wi, bi = parameters["Wi"], parameters["bi"]
    Wc, bc = parameters["Wc"], parameters["bc"]
    Wo, bo = parameters["Wo"], parameters["bo"]
    Wy, by = parameters["Wy"], parameters["by"]
    concat = np.concatenate((a_prev, xt), axis=0)
    ft, it = sigmoid(Wf @ concat + bf), sigmoid(Wi @ concat + bi)
    cct, ot = np.tanh(Wc @ concat + bc), sigmoid(Wo @ concat + bo)
    c_next = ft * c_prev + it * cct
    a_next = ot * np.tanh(c_next)
    yt_pred = Wy @ a_next + by
    cache = (a_next, c_next, a_prev, c_prev, ft, it, cct, ot, xt, parameters)
    return a_next, c_next, yt_pred, cache


def lstm_cell_backward(da_next, dc_next, cache):
    a_next, c_next, a_prev, c_prev, ft, it, cct, ot, xt, parameters = cache
    n_a = a_next.shape[0]
    concat = np.concatenate((a_prev, xt), axis=0)
    dot = da_next * np.tanh(c_next) * ot * (1 - ot)
    dc = dc_next + ot * (1 - np.tanh(c_next) ** 2) * da_next
    dcct, dit, dft = dc * it * (1 - cct**2), dc * cct * it * (1 - it), dc * c_prev * ft * (1 - ft)
    gradients = {"dc_prev": dc * ft}
    back = 0
    for name, d in (("f", dft), ("i", dit), ("c", dcct), ("o", dot)):
        gradients[f"dW{name}"] = d @ concat.T
        gradients[f"db{name}"] = d.sum(axis=1, keepdims=True)
        back = back + parameters[f"W{name}"].T @ d
    gradients["da_prev"], gradients["dxt"] = back[:n_a], back[n_a:]
    return gradients
