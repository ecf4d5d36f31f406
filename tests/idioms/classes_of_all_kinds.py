import torch


class Registry(type):
    known = {}

    def __new__(cls, name, bases, namespace):
        made = super().__new__(cls, name, bases, namespace)
        cls.known[name] = made
        return made


class Base(metaclass=Registry):
    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value

    @property
    def doubled(self):
        return 2 * self.value

    @classmethod
    def of(cls, text):
        return cls(float(text))

    @staticmethod
    def name():
        return "base"

    def __repr__(self):
        return f"{type(self).__name__}({self.value})"

    def __matmul__(self, other):
        return type(self)(self.value * other.value)

    def __getitem__(self, index):
        return self.value + index


class Child(Base):
    def __call__(self, x):
        return x * self.value


def run():
    child = Child.of("1.5")
    return child.doubled, repr(child @ child), child[2], sorted(Registry.known), child(torch.ones(2))
