"""A steady mixed load on all nodes that knows what it was told, and looks at all of it in the end.

load.py --nodes URL,… --accounts FILE --until FILE --clients N --seed N --result FILE [--over FILE]: works until FILE is there,
then waits for all nodes and reads everything back. The result is a JSON object; what is lost, stale or wrong is told on standard
error, and the exit status is 1 then.

Every client is sequential and has a repository of its own. A key (a blob, a manifest, a tag) has the value that was acknowledged
last; what was sent and not answered may have been carried out, and may be at any later moment, as the node that has it may be
asleep: such values are pending for good. None: not there.
"""
import argparse
import collections
import json
import os
import random
import sys
import threading
import time

import wire
from wire import Cut, Refused, Wrong

TRIES = 4
TIMEOUT = 8  # seconds that a client waits for an answer


class Tally:
    """What all clients saw, by moments of the monotonic clock."""

    def __init__(self):
        self.lock = threading.Lock()
        self.requests = self.acknowledged = self.given_up = 0
        self.errors = collections.Counter()
        self.answers, self.failures = [], []
        self.wrong, self.stale = [], []

    def answered(self):
        with self.lock:
            self.requests += 1
            self.answers.append(time.monotonic())

    def failed(self, error):
        with self.lock:
            self.requests += 1
            self.errors[str(error).split(":")[0]] += 1
            self.failures.append(time.monotonic())


class Client:
    def __init__(self, number, caller, tally, seed):
        self.repository = f"owner/load/{seed}/{number}"
        self.caller, self.tally = caller, tally
        self.random = random.Random(f"{seed}/{number}")
        self.mark = f"{seed}/{number}"
        self.values, self.pending = {}, collections.defaultdict(set)
        self.ever = collections.defaultdict(set)
        self.content = {}

    def run(self, is_over):
        work = [self.push_blob, self.push_image, self.read_tag, self.read_manifest, self.read_blob, self.delete_tag,
                self.delete_manifest]
        weights = [4, 6, 12, 4, 4, 1, 1]
        while not is_over():
            try:
                self.random.choices(work, weights)[0]()
            except Cut:
                time.sleep(0.05)
            except Wrong as error:
                self.tally.wrong.append(f"{self.repository}: {error}")

    # ---------------------------------------------------------------------------------------------------- asking

    def node(self):
        return self.random.randrange(len(self.caller.nodes))

    def once(self, act):
        """Carries `act` out, which asks one thing. Raises Cut and Wrong."""
        try:
            result = act()
        except Cut as error:
            self.tally.failed(error)
            raise
        self.tally.answered()
        return result

    def repeatedly(self, act, note=lambda: None):
        """Carries `act` out until it is answered, as clients do. `note` is told of each time when it was not."""
        for turn in range(TRIES):
            try:
                return self.once(lambda: act(turn))
            except Cut as error:
                if not isinstance(error, Refused):
                    note()
                if turn + 1 == TRIES:
                    with self.tally.lock:
                        self.tally.given_up += 1
                    raise
                time.sleep(0.1 * 2 ** turn)

    def change(self, key, value, act, also=None):
        """One change, of a key and of one more that goes with it."""
        keys = [key, also] if also else [key]

        def note():
            for key in keys:
                self.values.setdefault(key)
                self.pending[key].add(value)

        try:
            self.repeatedly(act, note)
        except Wrong:
            note()
            raise
        for key in keys:
            self.values[key] = value
            self.ever[key].add(value)
        with self.tally.lock:
            self.tally.acknowledged += 1

    def allowed(self, key):
        return {self.values.get(key)} | self.pending[key]

    def certain(self, kind):
        return [key for key, value in self.values.items()
                if key[0] == kind and value is not None and None not in self.pending[key]]

    def compare(self, key, found, node):
        """What a read has found, against what it may find."""
        if found in self.allowed(key):
            return True
        kind = "stale" if found in self.ever[key] or found is None else "wrong"
        text = f"{self.repository} {key} at node {node + 1}: {found}, expected {sorted(map(str, self.allowed(key)))}"
        (self.tally.stale if kind == "stale" else self.tally.wrong).append(text)
        return False

    # ------------------------------------------------------------------------------------------------------ work

    def push_blob(self):
        size = self.random.randrange(6 << 20, 7 << 20) if self.random.random() < 0.01 else self.random.randrange(1, 40_000)
        content = random.Random(f"{self.mark}/{self.random.random()}").randbytes(size)
        digest = wire.digest_of(content)
        self.content[digest] = content if size < 100_000 else None
        location = None

        def begin(_):
            nonlocal location
            location = self.caller.expect(
                {202}, self.node(), "POST", f"/v2/{self.repository}/blobs/uploads/").headers["Location"]

        def send(turn):
            # What arrived of a PATCH that was cut off is told by the upload.
            count = 0
            if turn:
                status = self.caller.expect({204}, self.node(), "GET", location)
                count = int(status.headers["Range"].partition("-")[2]) + 1
                count = 0 if count == 1 else count
            if count < size:
                headers = {"Content-Range": f"{count}-{size - 1}"}
                answer = self.caller.expect(
                    {202, 404, 416} if turn else {202}, self.node(), "PATCH", location, content[count:], headers)
                # The time before has come through meanwhile, at another node: the status says how far.
                if answer.status != 202:
                    raise Cut(f"{answer.status} behind another try")

        def finish(turn):
            answer = self.caller.send(self.node(), "PUT", f"{location}?digest={digest}")
            if answer.status >= 500 or answer.status == 429:
                raise Cut(f"{answer.status}")
            # The time before may have ended the upload.
            if answer.status == 404 and turn and self.caller.send(
                    self.node(), "HEAD", f"/v2/{self.repository}/blobs/{digest}").status == 200:
                return
            if answer.status != 201:
                raise Wrong(f"PUT of a blob: {answer}")

        self.repeatedly(begin)
        self.repeatedly(send)
        self.change(("blobs", digest), digest, finish)

    def push_image(self):
        configs = [key for key in self.certain("blobs") if self.content.get(key[1])]
        if not configs:
            return self.push_blob()
        body = wire.image(self.content[self.random.choice(configs)[1]], f"{self.mark}/{self.random.random()}")
        digest, tag = wire.digest_of(body), f"t{self.random.randrange(20)}"
        self.content[digest] = body

        def push(_):
            answer = self.caller.push_manifest(self.node(), self.repository, tag, body)
            if answer.status >= 500 or answer.status == 429:
                raise Cut(f"{answer.status}")
            if answer.status != 201:
                raise Wrong(f"PUT of a manifest: {answer}")

        self.change(("tags", tag), digest, push, also=("manifests", digest))

    def look(self, key, node):
        """The value of a key at a node, its bytes checked."""
        kind, name = key
        if kind == "blobs":
            return None if self.caller.blob(node, self.repository, name) is None else name
        answer = self.caller.manifest(node, self.repository, name)
        if answer.status >= 500 or answer.status == 429:
            raise Cut(f"{answer.status}")
        if answer.status == 404:
            return None
        if answer.status != 200 or wire.digest_of(answer.body) != answer.digest:
            raise Wrong(f"{key} at node {node + 1}: {answer}")
        return answer.digest

    def read(self, kind):
        keys = [key for key in self.values if key[0] == kind]
        if keys:
            key, node = self.random.choice(keys), self.node()
            self.compare(key, self.once(lambda: self.look(key, node)), node)

    def read_tag(self):
        self.read("tags")

    def read_manifest(self):
        self.read("manifests")

    def read_blob(self):
        self.read("blobs")

    def delete(self, key):
        def ask(turn):
            wanted = {202, 404} if turn or self.pending[key] else {202}
            self.caller.expect(wanted, self.node(), "DELETE", f"/v2/{self.repository}/manifests/{key[1]}")
        self.change(key, None, ask)

    def delete_tag(self):
        keys = self.certain("tags")
        if keys:
            self.delete(self.random.choice(keys))

    def delete_manifest(self):
        """With its tags."""
        keys = self.certain("manifests")
        if not keys:
            return
        key = self.random.choice(keys)
        tags = [tag for tag in list(self.values) if tag[0] == "tags" and key[1] in self.allowed(tag)]
        for tag in tags:
            self.pending[tag].add(None)
        self.delete(key)
        for tag in tags:
            if self.values[tag] == key[1]:
                self.values[tag] = None

    # ------------------------------------------------------------------------------------------------- in the end

    def check(self):
        """Reads everything back, tags at every node; gives how much, and what is lost."""
        lost, count = [], 0
        for key in list(self.values):
            nodes = range(len(self.caller.nodes)) if key[0] == "tags" else [self.node()]
            for node in nodes:
                count += 1
                found = self.find(key, node)
                if found not in self.allowed(key):
                    lost.append(f"{self.repository} {key} at node {node + 1}: {found}, "
                                f"expected {sorted(map(str, self.allowed(key)))}")
        return count, lost

    def find(self, key, node):
        """What is there: who is not answered asks again, for a minute."""
        deadline = time.monotonic() + 60
        while True:
            try:
                return self.look(key, node)
            except Wrong as error:
                return str(error)
            except Cut as error:
                if time.monotonic() > deadline:
                    return str(error)
                time.sleep(0.2)


def await_nodes(nodes, seconds=90):
    deadline = time.monotonic() + seconds
    for number in range(len(nodes)):
        while True:
            try:
                if wire.Caller(nodes, timeout=3).send(number, "GET", "/readyz").status == 200:
                    break
            except Cut:
                pass
            if time.monotonic() > deadline:
                raise SystemExit(f"node {number + 1} is not ready after {seconds} s")
            time.sleep(0.05)


def seconds_of(path):
    """The moment at which a file was written, by the monotonic clock; None where there is none."""
    if not path or not os.path.exists(path):
        return None
    return time.monotonic() - (time.time() - os.stat(path).st_mtime)


def each(clients, act):
    threads = [threading.Thread(target=act, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main():
    parser = argparse.ArgumentParser()
    for name in ("nodes", "accounts", "until", "result"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--over")
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--seed", type=int, required=True)
    options = parser.parse_args()
    with open(options.accounts, encoding="utf-8") as file:
        secrets = {name: secret for _, name, secret in map(str.split, file)}
    nodes, tally = options.nodes.split(","), Tally()
    clients = [Client(number, wire.Caller(nodes, wire.basic("owner", secrets["owner"]), TIMEOUT), tally, options.seed)
               for number in range(options.clients)]
    started = time.monotonic()
    each(clients, lambda client: client.run(lambda: os.path.exists(options.until)))
    ended = time.monotonic()
    await_nodes(nodes)
    counts, lost = [], []

    def check(client):
        count, missing = client.check()
        counts.append(count)
        lost.extend(missing)

    each(clients, check)
    over = seconds_of(options.over)
    moments = [started, *sorted(moment for moment in tally.answers if moment < ended), ended]
    late = [moment - over for moment in tally.failures if over and moment > over]
    result = {
        "seconds": round(ended - started, 1), "requests": tally.requests, "errors": sum(tally.errors.values()),
        "given_up": tally.given_up, "kinds": dict(tally.errors.most_common()), "acknowledged": tally.acknowledged, "looked_at": sum(counts),
        "lost": len(lost), "stale": len(tally.stale), "wrong": len(tally.wrong),
        "longest_gap": round(max(b - a for a, b in zip(moments, moments[1:])), 2), "recovery": round(max(late, default=0), 2),
    }
    with open(options.result, "w", encoding="utf-8") as file:
        json.dump(result, file)
    for kind, lines in (("lost", lost), ("stale", tally.stale), ("wrong", tally.wrong)):
        for line in lines[:10]:
            print(f"{kind}: {line}", file=sys.stderr)
    sys.exit(1 if lost or tally.stale or tally.wrong else 0)


main()
