"""Concurrent operations on the tags of several nodes, written down for lib.linearizability.py.

record.py --nodes URL,… --accounts FILE --operations N --history FILE [--tags N] [--clients N] [--seed N]: reads, writes, writes
under If-Match and If-None-Match, deletions with and without a condition. What is not answered stays without an end; a read that
is not answered tells nothing and is left out, and so is what was never sent. Exit status 1 when an answer is none that such a
request may have.
"""
import argparse
import collections
import json
import random
import sys
import threading
import time

import wire
from wire import Cut, Refused

KINDS = {"read": 45, "write": 18, "swap": 16, "create": 6, "delete": 6, "delete-if": 9}
# The answers that mean something, and what; every other one is an error of the registry.
RESULTS = {
    "read": {200: "ok", 404: "ok"}, "write": {201: "ok"}, "swap": {201: "ok", 412: "mismatch"},
    "create": {201: "ok", 412: "mismatch"}, "delete": {202: "ok", 404: "absent"},
    "delete-if": {202: "ok", 404: "absent", 412: "mismatch"},
}
TIMEOUT = 8  # seconds


class Recorder:
    def __init__(self, options, secret):
        self.options, self.secret = options, secret
        self.nodes = options.nodes.split(",")
        self.lock = threading.Lock()
        self.left = options.operations
        self.history, self.odd = [], []
        self.counts = collections.Counter()
        self.seen = {}
        self.config = b"{}"

    def caller(self):
        return wire.Caller(self.nodes, wire.basic("owner", self.secret), TIMEOUT)

    def repository(self, tag):
        return f"owner/linear/{self.options.seed}/{tag % 4}"

    def prepare(self):
        """Pushes what all manifests name. Faults may be there from the beginning."""
        for tag in range(4):
            for turn in range(60):
                try:
                    self.caller().push_blob([turn % len(self.nodes)] * 3, self.repository(tag), self.config)
                    break
                except Cut:
                    time.sleep(0.5)

    def work(self, number):
        chance, caller = random.Random(f"{self.options.seed}/{number}"), self.caller()
        while True:
            with self.lock:
                self.left -= 1
                turn = self.left
            if turn < 0:
                return
            self.one(chance, caller, f"{self.options.seed}/{turn}")

    def one(self, chance, caller, mark):
        tag, kind = chance.randrange(self.options.tags), chance.choices(list(KINDS), list(KINDS.values()))[0]
        node, body = chance.randrange(len(self.nodes)), wire.image(self.config, mark)
        value = wire.digest_of(body) if kind in ("write", "swap", "create") else None
        expected = None
        if kind in ("swap", "delete-if"):
            expected = self.seen.get(tag) or wire.digest_of(b"")
        begun = time.monotonic_ns()
        ended = result = None
        try:
            answer = self.ask(caller, node, tag, kind, body, expected)
        except Refused:
            return self.count("refused")
        except Cut as error:
            self.count(f"no answer: {str(error).split(':')[0]}")
        else:
            if answer.status in RESULTS[kind]:
                ended, result = time.monotonic_ns(), RESULTS[kind][answer.status]
                if kind == "read":
                    value = answer.digest if answer.status == 200 else None
                if result == "ok":
                    self.seen[tag] = value
            else:
                self.count(str(answer.status))
                if answer.status < 500 and answer.status != 429:
                    self.odd.append(f"{kind} of tag {tag} at node {node + 1}: {answer}")
        if ended or kind != "read":
            with self.lock:
                self.history.append({
                    "key": f"{tag}", "kind": kind, "begun": begun, "ended": ended, "value": value, "expected": expected,
                    "result": result})

    def count(self, what):
        with self.lock:
            self.counts[what] += 1

    def ask(self, caller, node, tag, kind, body, expected):
        repository, reference = self.repository(tag), f"t{tag}"
        condition = {"If-Match": f'"{expected}"'} if expected else {}
        if kind == "read":
            return caller.manifest(node, repository, reference)
        if kind.startswith("delete"):
            return caller.send(node, "DELETE", f"/v2/{repository}/manifests/{reference}", headers=condition)
        if kind == "create":
            condition = {"If-None-Match": "*"}
        return caller.push_manifest(node, repository, reference, body, condition)


def main():
    parser = argparse.ArgumentParser()
    for name in ("nodes", "accounts", "history"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--operations", type=int, required=True)
    parser.add_argument("--tags", type=int, default=24)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    options = parser.parse_args()
    with open(options.accounts, encoding="utf-8") as file:
        secrets = {name: secret for _, name, secret in map(str.split, file)}
    recorder = Recorder(options, secrets["owner"])
    recorder.prepare()
    started = time.monotonic()
    threads = [threading.Thread(target=recorder.work, args=(number,)) for number in range(options.clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - started
    with open(options.history, "w", encoding="utf-8") as file:
        for operation in recorder.history:
            file.write(json.dumps(operation) + "\n")
    errors = ", ".join(f"{count} × {what}" for what, count in recorder.counts.most_common()) or "none"
    print(f"{options.operations} operations in {seconds:.0f} s, seed {options.seed}; errors: {errors}")
    for line in recorder.odd[:10]:
        print(line, file=sys.stderr)
    sys.exit(1 if recorder.odd else 0)


main()
