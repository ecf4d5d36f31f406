%load_ext x
x = !ls
f = 1 if x else \
  2
