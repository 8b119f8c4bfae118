"""How much work wildcards can make: patterns beyond a bound are refused, as PutRule refuses them.

The measure is that of aws/event-ruler (`MachineComplexityEvaluator`): at how many places of the wildcards of one field
the worst value can be at the same time. Every star passed is a place that is never left; after it, each beginning
of the text that follows is one more. EventBridge publishes no bound. It refuses `*:*:*:*:*:event-bus/*` (11) and four
of the form `*/datasync/*.tif` in one field (16), and takes four of the form `*.tif` (8).
"""

from collections import deque
from collections.abc import Sequence

MOST_PLACES = 10


def too_complex(wildcards: Sequence[Sequence[str]]) -> bool:
    """`wildcards` of one field, each as the literal stretches between its stars."""
    starred = [parts for parts in wildcards if len(parts) > 1]
    return any(
        _places([other for other in starred if parts[0].startswith(other[0])]) > MOST_PLACES for parts in starred
    )


def _places(together: Sequence[Sequence[str]]) -> int:
    """All of these can be past their first star in one value."""
    stars = sum(len(parts) - 1 for parts in together)
    return (
        stars if stars > MOST_PLACES else stars + _most_beginnings([text for parts in together for text in parts[1:]])
    )


class _Node:
    def __init__(self) -> None:
        self.next: dict[str, _Node] = {}
        self.shorter: _Node | None = None
        self.count = 0


def _most_beginnings(texts: Sequence[str]) -> int:
    """The most beginnings of the texts that one string can end with: a trie with links to the next shorter ending."""
    root = _Node()
    for text in texts:
        node = root
        for char in text:
            node = node.next.setdefault(char, _Node())
            node.count += 1
    most = 0
    waiting = deque([root])
    while waiting:
        node = waiting.popleft()
        for char, child in node.next.items():
            shorter = node.shorter
            while shorter is not None and char not in shorter.next:
                shorter = shorter.shorter
            child.shorter = root if shorter is None else shorter.next[char]
            child.count += child.shorter.count
            most = max(most, child.count)
            waiting.append(child)
    return most
