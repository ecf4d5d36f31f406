import gc
import weakref


class Node:
    def __init__(self, parent=None):
        self.parent = weakref.ref(parent) if parent else None


def run():
    root = Node()
    leaf = Node(root)
    alive = leaf.parent() is root
    cache = weakref.WeakValueDictionary(root=root)
    del root
    gc.collect()
    return alive, leaf.parent() is None, len(cache)
