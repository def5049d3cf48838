"""What is begun at one node goes on at another, and what is changed at one holds at all others with the next request.

across.py --nodes URL,URL,URL --pid PID --accounts FILE [CASE…]: plays these cases, or all in turn, a line each; exits with 1
when one fails. PID is the first node's. The last case, killed, kills it; whoever has started it may start it again.
"""
import argparse
import json
import os
import random
import signal
import socket
import sys
import time
import urllib.parse

import wire
from wire import Cut, Wrong

MIB = 1 << 20


class World:
    """The nodes, who asks them, and a repository for each case."""

    def __init__(self, options):
        self.nodes = options.nodes.split(",")
        self.pid = options.pid
        self.secrets = {}
        with open(options.accounts, encoding="utf-8") as file:
            for line in file:
                _, name, secret = line.split()
                self.secrets[name] = secret
        self.owner = self.caller("owner" if "owner" in self.secrets else "admin")
        self.seed = options.seed

    def caller(self, name, secret=None, timeout=20):
        return wire.Caller(self.nodes, wire.basic(name, secret or self.secrets[name]), timeout)

    def content(self, size):
        return random.Random(f"{self.seed}/{time.monotonic_ns()}").randbytes(size)

    def api(self, node, method, path, body=None, wanted=(200, 201, 204)):
        headers = {"Content-Type": "application/json"} if body is not None else {}
        text = json.dumps(body).encode() if body is not None else b""
        answer = self.owner.expect(set(wanted), node, method, "/api/v1/" + path, text, headers)
        return json.loads(answer.body) if answer.body else None

    def tagged(self, node, repository, tag, mark):
        """Pushes an image; gives its digest."""
        config = b"{}"
        self.owner.push_blob([node] * 3, repository, config)
        body = wire.image(config, mark)
        answer = self.owner.push_manifest(node, repository, tag, body)
        check(answer.status == 201, f"a manifest: {answer}")
        return wire.digest_of(body)

    def others(self):
        return range(1, len(self.nodes))

    def await_node(self, number):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if wire.Caller(self.nodes, timeout=3).send(number, "GET", "/readyz").status == 200:
                    return
            except Cut:
                pass
            time.sleep(0.05)
        raise Wrong(f"node {number + 1} is not ready")


def check(holds, otherwise):
    if not holds:
        raise Wrong(otherwise)


class HalfSent:
    """A PATCH or PUT whose body stops half way, on a connection that stays open."""

    def __init__(self, world, node, method, target, content, sent):
        place = urllib.parse.urlsplit(world.nodes[node])
        self.rest = content[sent:]
        self.link = socket.create_connection((place.hostname, place.port), timeout=60)
        head = [f"{method} {target} HTTP/1.1", f"Host: {place.netloc}", f"Content-Length: {len(content)}",
                "Content-Type: application/octet-stream"]
        head += [f"{name}: {value}" for name, value in world.owner.headers.items()]
        self.link.sendall("\r\n".join(head + ["", ""]).encode())
        self.link.sendall(content[:sent])

    def finish(self):
        """Sends the rest; gives the status, or None where no answer comes."""
        try:
            self.link.sendall(self.rest)
            line = self.link.recv(4096).decode("latin-1").split("\r\n")[0]
            return int(line.split(" ")[1]) if line else None
        except OSError:
            return None
        finally:
            self.link.close()


def received(answer):
    """Bytes that an upload's status tells; 0 and 1 look the same there."""
    return int(answer.headers["Range"].partition("-")[2]) + 1


def begin(world, node, repository):
    return world.owner.expect({202}, node, "POST", f"/v2/{repository}/blobs/uploads/").headers["Location"]


def blob_at(world, nodes, repository, content):
    digest = wire.digest_of(content)
    for node in nodes:
        check(world.owner.blob(node, repository, digest) == content, f"node {node + 1} lacks blob {digest}")


def blob_everywhere(world, repository, content):
    blob_at(world, range(len(world.nodes)), repository, content)


def go_on(world, repository, location, content, kept):
    """Takes an upload up at B where its status says, of which at least `kept` bytes must be left, and ends it at C; gives the
    seconds until B had taken the rest."""
    started = time.monotonic()
    count = received(world.owner.expect({204}, 1, "GET", location))
    count = count if count > 1 else 0
    check(count >= kept, f"{count} bytes are left of {kept} that were acknowledged")
    headers = {"Content-Range": f"{count}-{len(content) - 1}"}
    world.owner.expect({202}, 1, "PATCH", location, content[count:], headers)
    seconds = time.monotonic() - started
    world.owner.expect({201}, 2, "PUT", f"{location}?digest={wire.digest_of(content)}")
    blob_at(world, world.others(), repository, content)
    return seconds


# ------------------------------------------------------------------------------------------------------------ sessions

def session(world):
    """POST at A, PATCH at B, PATCH at C, PUT at A: small chunks and large ones"""
    for size in (1, 10_000, 3 * MIB, 17 * MIB):
        content, repository = world.content(size), "owner/across/session"
        location, cut = begin(world, 0, repository), size // 3
        if cut:
            world.owner.expect({202}, 1, "PATCH", location, content[:cut], {"Content-Range": f"0-{cut - 1}"})
            status = world.owner.expect({204}, 0, "GET", location)
            check(cut == 1 or received(status) == cut, f"{status.headers['Range']} of {cut} bytes")
        headers = {"Content-Range": f"{cut}-{size - 1}"}
        world.owner.expect({202}, 2, "PATCH", location, content[cut:], headers)
        world.owner.expect({201}, 0, "PUT", f"{location}?digest={wire.digest_of(content)}")
        blob_everywhere(world, repository, content)
        world.owner.expect({404}, 1, "GET", location)


def busy(world):
    """a second writer at another node, while the first one writes: one of them wins, and the bytes are the winner's"""
    content, repository = world.content(12 * MIB), "owner/across/busy"
    location = begin(world, 0, repository)
    half = HalfSent(world, 0, "PATCH", location, content, 8 * MIB)
    time.sleep(0.3)
    world.owner.expect({202}, 1, "PATCH", location, content)
    status = half.finish()
    check(status != 202, f"both writers were told that their bytes were kept: {status}")
    world.owner.expect({201}, 2, "PUT", f"{location}?digest={wire.digest_of(content)}")
    blob_everywhere(world, repository, content)


def paused(world):
    """A is paused in mid-upload, B goes on and C ends it: what A does when it wakes changes nothing"""
    told = []
    for size, first, sent in ((20 * MIB, 7 * MIB, 8 * MIB), (12 * MIB, 0, 7 * MIB), (600_000, 0, 300_000)):
        for method in ("PATCH", "PUT"):
            content, repository = world.content(size), "owner/across/paused"
            location, digest = begin(world, 0, repository), wire.digest_of(content)
            if first:
                world.owner.expect({202}, 0, "PATCH", location, content[:first])
            target = location if method == "PATCH" else f"{location}?digest={digest}"
            half = HalfSent(world, 0, method, target, content[first:], sent)
            time.sleep(0.3)
            os.kill(world.pid, signal.SIGSTOP)
            try:
                seconds = go_on(world, repository, location, content, first)
            finally:
                os.kill(world.pid, signal.SIGCONT)
            status = half.finish()
            told.append(f"{status}")
            check(status is None or status >= 400 or method == "PUT", f"the old owner's {method} is told {status}")
            world.await_node(0)
            time.sleep(0.5)
            blob_everywhere(world, repository, content)
    return f"taken up in {seconds:.1f} s; A's clients were told {', '.join(told)}"


def cancelled(world):
    """an upload that is cancelled at B is gone at A and C, also while A still writes"""
    content, repository = world.content(12 * MIB), "owner/across/cancelled"
    location = begin(world, 0, repository)
    half = HalfSent(world, 0, "PATCH", location, content, 8 * MIB)
    time.sleep(0.3)
    world.owner.expect({204}, 1, "DELETE", location)
    world.owner.expect({404}, 2, "GET", location)
    status = half.finish()
    check(status != 202, f"bytes for an upload that was cancelled are told to be kept: {status}")


# ----------------------------------------------------------------------------------------------------------- what binds

def tags(world):
    """a tag that is moved, deleted and made again at A is that at B and C with the next request"""
    repository, everywhere = "owner/across/tags", range(len(world.nodes))
    for turn in range(30):
        node = turn % len(world.nodes)
        digest = world.tagged(node, repository, "moving", f"{world.seed}/{turn}")
        for other in everywhere:
            answer = world.owner.manifest(other, repository, "moving", "GET" if turn % 2 else "HEAD")
            check(answer.digest == digest, f"turn {turn}: node {other + 1} says {answer.digest}, not {digest}")
        if turn % 3 == 0:
            world.owner.expect({202}, node, "DELETE", f"/v2/{repository}/manifests/moving")
            for other in everywhere:
                answer = world.owner.manifest(other, repository, "moving")
                check(answer.status == 404, f"turn {turn}: node {other + 1} still has the tag: {answer}")
        if turn % 3 == 1:
            world.owner.expect({202}, node, "DELETE", f"/v2/{repository}/manifests/{digest}")
            for other in everywhere:
                for reference in ("moving", digest):
                    answer = world.owner.manifest(other, repository, reference)
                    check(answer.status == 404, f"turn {turn}: node {other + 1} still has {reference}: {answer}")


def blobs(world):
    """a blob that is deleted at A is gone at B and C with the next request, and there again when it is pushed again"""
    repository, content = "owner/across/blobs", world.content(5000)
    digest = wire.digest_of(content)
    for turn in range(10):
        world.owner.push_blob(wire.some_nodes(len(world.nodes)), repository, content)
        blob_everywhere(world, repository, content)
        world.owner.expect({202}, turn % 3, "DELETE", f"/v2/{repository}/blobs/{digest}")
        for node in range(len(world.nodes)):
            check(world.owner.blob(node, repository, digest) is None, f"turn {turn}: node {node + 1} still has the blob")


def rights(world):
    """a right that is given or taken at A binds at B and C with the next request: for passwords and for tokens"""
    repository = "owner/across/rights"
    digest = world.tagged(0, repository, "v1", f"{world.seed}/rights")
    colleague, path = world.caller("colleague"), f"repositories/{urllib.parse.quote(repository, safe='')}"
    query = f"/auth/token?scope=repository:{repository}:pull"
    for turn in range(10):
        world.api(0, "PUT", f"{path}/permissions/user:colleague", {"actions": ["pull"]})
        answer = colleague.send(1, "GET", query)
        token = json.loads(answer.body)["token"] if answer.status == 200 else None
        bearer = wire.Caller(world.nodes, {"Authorization": f"Bearer {token}"}) if token else None
        for node in world.others():
            for who in filter(None, (colleague, bearer)):
                answer = who.manifest(node, repository, "v1")
                check(answer.digest == digest, f"turn {turn}: node {node + 1} refuses what was given: {answer}")
        world.api(0, "DELETE", f"{path}/permissions/user:colleague")
        for node in world.others():
            for who in filter(None, (colleague, bearer)):
                answer = who.manifest(node, repository, "v1")
                check(answer.status in (401, 403, 404), f"turn {turn}: node {node + 1} allows what was taken: {answer}")
    world.api(0, "PATCH", path, {"visibility": "public"})
    nobody = wire.Caller(world.nodes)
    check(all(colleague.manifest(node, repository, "v1").status == 200 for node in world.others()), "public, and refused")
    world.api(0, "PATCH", path, {"visibility": "private"})
    for node in world.others():
        for who in (colleague, nobody):
            check(who.manifest(node, repository, "v1").status in (401, 403, 404), f"node {node + 1}: private, and served")
    return "with tokens" if token else "no token was given"


def keys(world):
    """a key that is revoked at A opens nothing at B and C with the next request; nor does an account that is disabled"""
    repository = "owner/across/keys"
    world.tagged(0, repository, "v1", f"{world.seed}/keys")
    for turn in range(10):
        key = world.api(0, "POST", "keys", {"name": f"key-{world.seed}-{turn}"})
        holder = world.caller("owner", key["secret"])
        for node in world.others():
            check(holder.manifest(node, repository, "v1").status == 200, f"node {node + 1} refuses a new key")
        world.api(0, "DELETE", f"keys/{key['id']}")
        for node in world.others():
            answer = holder.manifest(node, repository, "v1")
            check(answer.status == 401, f"turn {turn}: node {node + 1} takes a revoked key: {answer}")


def tokens(world):
    """a token that one node gives opens all others"""
    for node in range(len(world.nodes)):
        token = json.loads(world.owner.expect({200}, node, "GET", "/auth/token").body)["token"]
        bearer = wire.Caller(world.nodes, {"Authorization": f"Bearer {token}"})
        for other in range(len(world.nodes)):
            bearer.expect({200}, other, "GET", "/v2/")


def killed(world):
    """A is killed by SIGKILL in mid-upload: the upload goes on at B and C"""
    content, repository = world.content(20 * MIB), "owner/across/killed"
    location = begin(world, 0, repository)
    world.owner.expect({202}, 0, "PATCH", location, content[:7 * MIB])
    half = HalfSent(world, 0, "PATCH", location, content[7 * MIB:], 8 * MIB)
    time.sleep(0.3)
    os.kill(world.pid, signal.SIGKILL)
    half.link.close()
    return f"taken up in {go_on(world, repository, location, content, 7 * MIB):.1f} s"


CASES = [session, busy, paused, cancelled, tags, blobs, rights, keys, tokens, killed]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--nodes", required=True)
    parser.add_argument("--pid", type=int, required=True)
    parser.add_argument("--accounts", required=True)
    parser.add_argument("cases", nargs="*")
    parser.add_argument("--seed", type=int, default=time.time_ns())
    options = parser.parse_args()
    world, failures = World(options), 0
    for case in CASES:
        if options.cases and case.__name__ not in options.cases:
            continue
        started = time.monotonic()
        try:
            note = case(world)
            verdict = "ok"
        except (Wrong, Cut) as error:
            failures, note, verdict = failures + 1, error, "FAILED"
        seconds = time.monotonic() - started
        print(f"{verdict:6} {case.__name__:10} {seconds:5.1f} s  {case.__doc__}{f' ({note})' if note else ''}", flush=True)
    sys.exit(1 if failures else 0)


main()
