# %% [markdown]
# # T
# %%
f = 1
# %%
def broken(:
