"""Which numbers anyone may see, so that no small one can be worked out from the others (decision 16).

A table is of cells. A cell says for each axis where it belongs, from fine to coarse: `("room 3", "north", "*")`. A box
is one label for each axis, and its number is the sum of the cells in it. Every question that anyone may ask is a box.

Decoys stand beside the true table: tables that could as well be true. A number is shown only where it is the same in
all of them, and every small number has at least three values in them. So whoever knows all that is shown cannot tell
them apart, whatever is added, subtracted or asked again: a small number keeps three possible values, all above 0.
Cells without anybody stay empty in the decoys, because an empty row is no secret: nobody is nobody.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product

THRESHOLD = 5


POSSIBLE = 3  # values that every small number keeps, at the least

Cell = tuple[tuple[str, ...], ...]
Box = tuple[str, ...]
Move = tuple[tuple[Cell, int], ...]

_STEPS = (1, -1, 2, -2, 3, -3)  # by how many people a decoy may differ in a cell
_COMMON = 3  # how much more a number is worth for each axis that it is not split by, as a power of two
_NEAREST = 32  # partners that are weighed for a step; those further off would hide more
_PATIENCE = 4  # decoys that are made for remainders, before the number that they remain of is hidden instead


def is_small(number: int) -> bool:
    """From one to four people; nobody is not small, for nothing is said of anybody."""
    return 0 < number < THRESHOLD


def boxes_of(cell: Cell) -> Iterator[Box]:
    return product(*cell)


@dataclass(frozen=True, slots=True)
class Cover:
    """What is hidden of a table, and the decoys that prove it."""

    hidden: frozenset[Box]
    decoys: tuple[dict[Cell, int], ...]


def cover(table: Mapping[Cell, int]) -> Cover:
    """The same table gives the same cover, whoever asks and however often."""
    search = _Search({cell: table[cell] for cell in sorted(table) if table[cell] > 0})
    search.run()
    return Cover(frozenset(search.hidden), tuple(
        {cell: number + steps.get(cell, 0) for cell, number in search.table.items()} for steps in search.decoys))


class _Search:
    """Makes one decoy after the other, each of steps that hide as little as they can."""

    def __init__(self, table: dict[Cell, int]) -> None:
        self.table = table
        inside: dict[Box, list[Cell]] = {}
        for cell in table:
            for box in boxes_of(cell):
                inside.setdefault(box, []).append(cell)
        self.inside = {box: tuple(cells) for box, cells in inside.items()}
        self.value = {box: sum(table[cell] for cell in cells) for box, cells in inside.items()}
        # boxes by number in what is asked a million times
        numbers = {box: number for number, box in enumerate(self.inside)}
        self.boxes = {cell: frozenset(numbers[box] for box in boxes_of(cell)) for cell in table}
        # what it costs to hide a box: the people in it, and much more where the question is a common one
        self.weight = [value << _COMMON * box.count("*") for box, value in self.value.items()]
        self.hidden = {box for box, value in self.value.items() if is_small(value)}
        self.free = {numbers[box] for box in self.hidden}  # costs nothing any more
        self.names = list(numbers)
        # the widest first: a step for them mostly serves those within as well
        self.small = tuple(dict.fromkeys(self.inside[box] for box in sorted(
            self.hidden, key=lambda b: (-b.count("*"), -self.value[b], b))))
        self.moves: dict[Cell, tuple[Move, ...]] = {}
        self.decoys: list[dict[Cell, int]] = []
        self.steps: dict[Cell, int] = {}  # of the decoy that is being made

    def run(self) -> None:
        """Ends: each decoy gives its first secret a new value, and what is hidden stays hidden."""
        unsafe, single = self._unsafe(), False
        while unsafe:
            self.steps = {}
            for cells in unsafe[:1] if single else unsafe:
                if self._apart(cells) in self._seen(cells):
                    self._step(cells)
            self.decoys.append(self.steps)
            before, unsafe = len(unsafe), self._unsafe()
            single = len(unsafe) >= before

    def _unsafe(self) -> list[tuple[Cell, ...]]:
        """Secrets that have too few values yet: small boxes, and small remainders of what is shown."""
        found = [cells for cells in self.small if len(self._seen(cells)) < POSSIBLE]
        while True:
            left_over = [(box, left) for box, left in self._left_overs() if len(self._seen(left)) < POSSIBLE]
            if len(self.decoys) < _PATIENCE or not left_over:
                return list(dict.fromkeys([*found, *(left for _, left in left_over)]))
            self.hidden.update(box for box, _ in left_over)

    def _seen(self, cells: tuple[Cell, ...]) -> set[int]:
        return {0, *(sum(steps.get(cell, 0) for cell in cells) for steps in self.decoys)}

    def _apart(self, cells: Iterable[Cell]) -> int:
        return sum(self.steps.get(cell, 0) for cell in cells)

    def _left_overs(self) -> Iterator[tuple[Box, tuple[Cell, ...]]]:
        """What is left of a shown number, small, when all that is shown within it is taken off."""
        for box in sorted({wider for small in self.hidden for wider in self._wider(small)} - self.hidden):
            for left in self._left_over(box):
                if is_small(sum(self.table[cell] for cell in left)):
                    yield box, left

    def _wider(self, box: Box) -> Iterator[Box]:
        """Boxes that differ in one axis and hold it."""
        for axis, chain in enumerate(self.inside[box][0]):
            for label in chain[chain.index(box[axis]) + 1:]:
                yield (*box[:axis], label, *box[axis + 1:])

    def _left_over(self, box: Box) -> Iterator[tuple[Cell, ...]]:
        """Along each axis, and each of its levels: the cells of which no narrower number is shown."""
        cells = self.inside[box]
        for axis, label in enumerate(box):
            for level in range(max(len(cell[axis]) for cell in cells) - 1):
                left = tuple(cell for cell in cells if level >= cell[axis].index(label)
                             or (*box[:axis], cell[axis][level], *box[axis + 1:]) in self.hidden)
                if left and len(left) < len(cells):
                    yield left

    def _step(self, secret: tuple[Cell, ...]) -> None:
        """Of all steps that give the secret a new value in this decoy, the one that hides least."""
        best: tuple[int, Move, int] | None = None
        for move in self._moves(secret):
            by = self._by(secret, move)
            if by:
                cost = sum(self.weight[box] for box in self._touched(move) - self.free)
                if best is None or cost < best[0]:
                    best = cost, move, by
        if best is not None:
            _, move, by = best
            for cell, sign in move:
                self.steps[cell] = self.steps.get(cell, 0) + sign * by
            touched = self._touched(move)
            self.free |= touched
            self.hidden.update(self.names[box] for box in touched)

    def _moves(self, secret: tuple[Cell, ...]) -> Iterator[Move]:
        """Somebody more or less; somebody here rather than there; two who change places in one respect."""
        for cell in secret[:THRESHOLD]:
            if cell not in self.moves:
                self.moves[cell] = tuple(self._moves_of(cell))
            yield from self.moves[cell]

    def _moves_of(self, cell: Cell) -> Iterator[Move]:
        yield ((cell, 1),)
        others = sorted((c for c in self.table if c != cell),
                        key=lambda c: (-sum(x == y for x, y in zip(c, cell, strict=True)), -self.table[c], c))
        for other in others[:_NEAREST]:
            yield (cell, 1), (other, -1)
        squares = 0
        for other in others:
            for one, two in _corners(cell, other):
                if one in self.table and two in self.table and squares < _NEAREST:
                    squares += 1
                    yield (cell, 1), (other, 1), (one, -1), (two, -1)

    def _by(self, secret: tuple[Cell, ...], move: Move) -> int:
        """The smallest step that gives the secret a new value and leaves somebody in each cell; 0 where none does."""
        within = set(secret)
        net = sum(sign for cell, sign in move if cell in within)
        if not net:
            return 0
        before, seen = self._apart(secret), self._seen(secret)
        return next((by for by in _STEPS if before + net * by not in seen and all(
            self.table[cell] + self.steps.get(cell, 0) + sign * by > 0 for cell, sign in move)), 0)

    def _touched(self, move: Move) -> frozenset[int]:
        """Boxes with more of the cells that gain than of those that lose, or fewer."""
        if len(move) == 1:
            return self.boxes[move[0][0]]
        if len(move) == 2:
            return self.boxes[move[0][0]] ^ self.boxes[move[1][0]]
        one, other, three, four = (self.boxes[cell] for cell, _ in move)
        return ((one | other) ^ (three | four)) | ((one & other) ^ (three & four))


def _corners(one: Cell, other: Cell) -> Iterator[tuple[Cell, Cell]]:
    """The two cells that have one axis (or the first axes) of the one and the rest of the other."""
    for axis in range(len(one)):
        if one[axis] != other[axis]:
            mixed = (*one[:axis], other[axis], *one[axis + 1:])
            if mixed != other:
                yield mixed, (*other[:axis], one[axis], *other[axis + 1:])
    for axis in range(2, len(one) - 1):
        if one[:axis] != other[:axis] and one[axis:] != other[axis:]:
            yield (*one[:axis], *other[axis:]), (*other[:axis], *one[axis:])
