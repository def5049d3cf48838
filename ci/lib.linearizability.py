"""Is a history of tags one that a single registry, doing one thing at a time, could have had? (Wing & Gong 1993, Lowe 2017)

lib.linearizability.py check FILE   lines of JSON, an operation each, as lib.cluster/record.py writes them; exit status 1 if not
lib.linearizability.py self-test    histories made up, right ones and such as a stale read or a lost write leave behind

An operation has a key (a tag), a kind, the moments when it was begun and answered (`ended` null: never), what it meant to write
(`value`), what it asked for (`expected`) and its result. Keys are checked one by one, which is as good (Herlihy & Wing 1990).
What was never answered may have taken place at any later moment, or never.
"""
import collections
import json
import random
import sys

OK, MISMATCH, ABSENT = "ok", "mismatch", "absent"
LIMIT = 500_000  # steps taken for one key before it is given up

Operation = collections.namedtuple("Operation", "key kind begun ended value expected result")


class Undecided(Exception):
    """There were too many ways to try."""


def possible(state, operation):
    """Whether an operation can have had its result (if it had one, had its effect) at this value, and the value behind it. The
    value None: no such tag."""
    kind, result, expected = operation.kind, operation.result, operation.expected
    if kind == "read":
        return operation.value == state, state
    if kind == "write":
        return True, operation.value
    if result == ABSENT:
        return state is None, state
    meets = {"swap": state == expected, "create": state is None, "delete": state is not None,
             "delete-if": state == expected}[kind]
    if result == MISMATCH:
        return not meets, state
    return meets, operation.value if kind in ("swap", "create") else None


def is_look(operation):
    """Whether it changes nothing, at whatever value."""
    return operation.kind == "read" or operation.result in (MISMATCH, ABSENT)


class Search:
    """Tries the orders in which the operations of one key may have taken place.

    What leaves the value as it is is placed as soon as it can be, which takes no order away. What was never answered is placed
    only before something that cannot be without it: elsewhere it could as well come later, or never.
    """

    def __init__(self, operations):
        self.done = sorted((o for o in operations if o.ended is not None), key=lambda o: o.begun)
        self.open_ended = [o for o in operations if o.ended is None]
        # Calls as n, returns as ~n, in a list from which what has been placed is taken out; number `size` is its head.
        order = sorted([(o.begun, 0, n) for n, o in enumerate(self.done)] + [(o.ended, 1, ~n) for n, o in enumerate(self.done)])
        self.events = [event[2] for event in order]
        self.place = {event: at for at, event in enumerate(self.events)}
        size = len(self.events)
        self.size, self.left = size, len(self.done)
        self.after, self.before = list(range(1, size + 1)) + [0], [size] + list(range(size))

    def take(self, number):
        for at in (self.place[number], self.place[~number]):
            self.after[self.before[at]], self.before[self.after[at]] = self.after[at], self.before[at]
        self.left -= 1

    def put_back(self, number):
        for at in (self.place[~number], self.place[number]):
            self.after[self.before[at]] = self.before[self.after[at]] = at
        self.left += 1

    def calls(self):
        """Numbers of the operations that may be next: those begun before any of the others has ended; and which ends first."""
        found, at = [], self.after[self.size]
        while self.events[at] >= 0:
            found.append(self.events[at])
            at = self.after[at]
        return found, ~self.events[at]

    def settle(self, state):
        """Places what changes nothing; gives its numbers."""
        taken = []
        while self.left:
            number = next((n for n in self.calls()[0] if is_look(self.done[n]) and possible(state, self.done[n])[0]), None)
            if number is None:
                break
            self.take(number)
            taken.append(number)
        return taken

    def nexts(self, state, used):
        """What may be placed next: number, value behind it, and the open-ended ones that are used up by then."""
        found, first = self.calls()
        for number in found:
            holds, value = possible(state, self.done[number])
            if holds:
                yield number, value, used
            else:
                yield from self.enabled(number, state, used, self.done[first].ended, 3)

    def enabled(self, number, state, used, until, depth):
        """The same for what needs open-ended ones, `depth` at most, before it can be."""
        for index, operation in enumerate(self.open_ended):
            if used >> index & 1 or operation.begun >= until:
                continue
            holds, value = possible(state, operation)
            if not holds or value == state:
                continue
            holds, last = possible(value, self.done[number])
            if holds:
                yield number, last, used | 1 << index
            elif depth > 1:
                yield from self.enabled(number, value, used | 1 << index, until, depth - 1)

    def run(self):
        """None when there is an order, else the operation that ends before it can be placed. Raises Undecided."""
        seen, looks, furthest = collections.defaultdict(list), 0, (self.left + 1, None)
        placed = 0
        stack = [(None, 0, self.settle(None), None)]
        for number in stack[0][2]:
            placed |= 1 << number
        choices = [self.nexts(None, 0)] if self.left else []
        while self.left:
            if self.left < furthest[0]:
                furthest = (self.left, self.done[self.calls()[1]])
            choice = next(choices[-1], None)
            looks += 1
            if looks > LIMIT:
                raise Undecided(f"{len(self.done)} operations, {len(self.open_ended)} never answered")
            if choice is None:
                choices.pop()
                _, _, settled, number = stack.pop()
                for one in [*reversed(settled), *([number] if number is not None else [])]:
                    self.put_back(one)
                    placed &= ~(1 << one)
                if not stack:
                    return furthest[1]
                continue
            number, value, used = choice
            self.take(number)
            settled = self.settle(value)
            for one in [number, *settled]:
                placed |= 1 << one
            # Whoever was here having used no more could do all that can be done from here.
            if any(before & used == before for before in seen[placed, value]):
                for one in [*reversed(settled), number]:
                    self.put_back(one)
                    placed &= ~(1 << one)
                continue
            seen[placed, value].append(used)
            stack.append((value, used, settled, number))
            choices.append(self.nexts(value, used) if self.left else iter(()))
        return None


def check(operations):
    """None when the operations of one key are linearizable, else one that fits nowhere. Raises Undecided."""
    return Search(operations).run()


def check_all(operations):
    """Words about each key that is not linearizable, and how many keys there are."""
    keys = collections.defaultdict(list)
    for operation in operations:
        keys[operation.key].append(operation)
    faults = []
    for key, ones in sorted(keys.items()):
        try:
            misfit = check(ones)
        except Undecided as error:
            faults.append(f"{key}: undecided: {error}")
            continue
        if misfit is not None:
            near = sorted((o for o in ones if o.ended is None or o.ended > misfit.begun - 20_000_000), key=lambda o: o.begun)
            lines = [f"    {'*' if o is misfit else ' '} {o}" for o in near if o.begun <= misfit.ended][-12:]
            faults.append("\n".join([f"{key}: not linearizable; by {misfit.result} of {misfit.kind}", *lines]))
    return faults, len(keys)


# ----------------------------------------------------------------------------------------------------------- self-test

class Play:
    """A register and clients whose operations overlap, each taking place at one moment of its time."""

    def __init__(self, seed, count=160, clients=4, lose=0.02):
        chance = random.Random(seed)
        self.operations, state, values = [], None, 0
        for moment, begun, ended in sorted(self.moments(chance, count, clients)):
            kind = chance.choice(["read", "read", "write", "swap", "create", "delete", "delete-if"])
            values += 1
            expected = (state if chance.random() < 0.7 else f"v{chance.randrange(values)}") if kind in ("swap", "delete-if") else None
            blank = Operation("t", kind, begun, ended, state if kind == "read" else f"v{values}", expected, OK)
            result = OK
            holds, after = possible(state, blank)
            if not holds:
                after, result = state, ABSENT if kind == "delete" else MISMATCH
            if kind != "read" and chance.random() < lose:
                # Nobody hears of it, and half of them have not taken place.
                blank, result = blank._replace(ended=None), None
                after = after if chance.random() < 0.5 else state
            state = after
            self.operations.append(blank._replace(result=result))

    @staticmethod
    def moments(chance, count, clients):
        for client in range(clients):
            clock = chance.randrange(50)
            for _ in range(count // clients):
                begun = clock + chance.randrange(1, 30)
                moment = begun + chance.randrange(1, 60)
                clock = moment + chance.randrange(1, 60)
                yield moment + client / 100, begun, clock


def spoil_read(operations):
    """A read that gets what had been written over before it began."""
    writes = [o for o in operations if o.kind == "write" and o.ended]
    for at, read in enumerate(operations):
        if read.kind != "read" or read.ended is None:
            continue
        for last in writes:
            older = next((o for o in writes if o.ended < last.begun), None)
            if older and last.ended < read.begun:
                return operations[:at] + [read._replace(value=older.value)] + operations[at + 1:]
    return None


def spoil_write(operations):
    """A write that is acknowledged, and that reads behind it know nothing of."""
    last = max(o.ended or o.begun for o in operations) + 10
    before = Operation("t", "write", last, last + 1, "before", None, OK)
    lost = Operation("t", "write", last + 2, last + 5, "lost", None, OK)
    return operations + [before, lost, Operation("t", "read", last + 6, last + 7, "before", None, OK)]


def spoil_swap(operations):
    """Two that were both told to have replaced the same value."""
    last = max(o.ended or o.begun for o in operations) + 10
    return operations + [
        Operation("t", "write", last, last + 1, "one", None, OK), Operation("t", "swap", last + 2, last + 9, "two", "one", OK),
        Operation("t", "swap", last + 3, last + 8, "three", "one", OK)]


def spoil_delete(operations):
    """A tag that is there again after it was deleted."""
    last = max(o.ended or o.begun for o in operations) + 10
    return operations + [
        Operation("t", "write", last, last + 1, "one", None, OK), Operation("t", "delete", last + 2, last + 3, None, None, OK),
        Operation("t", "read", last + 4, last + 5, "one", None, OK)]


def by_brute_force(operations):
    """Whether there is an order, by trying all of them."""
    def reach(state, left):
        if all(o.ended is None for o in left):
            return True
        first = min(o.ended for o in left if o.ended is not None)
        for at, operation in enumerate(left):
            if operation.begun < first:
                holds, value = possible(state, operation)
                if holds and reach(value, left[:at] + left[at + 1:]):
                    return True
        return False
    return reach(None, operations)


def scribble(seed):
    """A few operations with results by chance."""
    chance, operations = random.Random(seed), []
    for number in range(chance.randrange(3, 8)):
        kind, begun = chance.choice(["read", "read", "write", "swap", "create", "delete", "delete-if"]), chance.randrange(40)
        lost = kind != "read" and chance.random() < 0.3
        results = {"read": [OK], "write": [OK], "delete": [OK, ABSENT], "delete-if": [OK, MISMATCH, ABSENT]}.get(kind, [OK, MISMATCH])
        value = chance.choice([None, "a", "b"]) if kind == "read" else chance.choice("ab")
        operations.append(Operation(
            "t", kind, begun + number / 100, None if lost else begun + chance.randrange(1, 25) + number / 90, value,
            chance.choice("ab"), None if lost else chance.choice(results)))
    return operations


def self_test():
    faults, right, wrong = [], 0, 0
    for seed in range(100):
        operations = Play(seed).operations
        right += 1
        if check(operations) is not None:
            faults.append(f"seed {seed}: a right history is refused")
        for spoil in (spoil_read, spoil_write, spoil_swap, spoil_delete):
            spoilt = spoil(operations)
            if spoilt is None:
                continue
            wrong += 1
            if check(spoilt) is None:
                faults.append(f"seed {seed}: {spoil.__name__} is not found")
    verdicts = collections.Counter()
    for seed in range(3000):
        operations = scribble(seed)
        truth = by_brute_force(operations)
        verdicts[truth] += 1
        if (check(operations) is None) != truth:
            faults.append(f"scribble {seed}: {'refused' if truth else 'taken'} against brute force")
    print(f"self-test: {right} right histories, {wrong} wrong ones; brute force agrees on {verdicts[True]} that are right and "
          f"{verdicts[False]} that are not: {len(faults)} mistakes")
    return faults


def main():
    if sys.argv[1:] == ["self-test"]:
        faults = self_test()
    elif len(sys.argv) == 3 and sys.argv[1] == "check":
        with open(sys.argv[2], encoding="utf-8") as file:
            operations = [Operation(**json.loads(line)) for line in file]
        faults, keys = check_all(operations)
        unanswered = sum(operation.ended is None for operation in operations)
        print(f"{len(operations)} operations on {keys} tags, {unanswered} never answered: {len(faults)} anomalies")
    else:
        sys.exit(__doc__)
    for fault in faults:
        print(fault, file=sys.stderr)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
