"""What ci/durability does: clients, power failures, and a look at everything that was acknowledged. See its --help.

Every client is sequential and has a repository of its own, so that it knows what must be there: what was acknowledged,
and of the one request that the failure cut off that it may have been carried out or not.
"""
import argparse
import ctypes
import errno
import fcntl
import hashlib
import http.client
import json
import os
import random
import re
import signal
import struct
import subprocess
import sys
import threading
import time

EXT4_IOC_SHUTDOWN = 0x8004587D
NOLOGFLUSH = 2
OCI = "application/vnd.oci.image.manifest.v1+json"


def digest_of(content, algorithm="sha256"):
    return algorithm + ":" + hashlib.new(algorithm, content).hexdigest()


class Cut(Exception):
    """The server did not do what it was asked: the power is gone."""


class Wrong(Exception):
    """The server answered what it must not, power or not."""


class Connection:
    """One client's connection, one request at a time."""

    def __init__(self, port):
        self.port, self.http = port, None

    def send(self, method, target, body=b"", headers=None):
        """Status, headers and body. Raises Cut when no answer comes."""
        try:
            if self.http is None:
                self.http = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            self.http.request(method, target, body, headers or {})
            answer = self.http.getresponse()
            content = answer.read()
            if answer.getheader("Connection") == "close":
                self.http.close()
                self.http = None
            return answer.status, answer, content
        except (OSError, http.client.HTTPException) as error:
            self.http = None
            raise Cut(str(error)) from error

    def expect(self, wanted, method, target, body=b"", headers=None):
        """The same; raises Cut for 5xx and Wrong for what else is not wanted."""
        status, answer, content = self.send(method, target, body, headers)
        if status in wanted:
            return answer, content
        if status >= 500:
            raise Cut(f"{method} {target}: {status}")
        raise Wrong(f"{method} {target}: {status} {content[:300]!r}")


class Client:
    """A client, and what it knows of its repository: for blobs, manifests and tags the values that each may have by now;
    one in all but what was in flight. None: not there."""

    def __init__(self, number, seed):
        self.repository = f"client/{number}"
        self.random = random.Random(f"{seed}/{number}")
        self.seed = seed
        self.blobs, self.manifests, self.tags = {}, {}, {}
        self.sessions = {}
        self.content = {}
        self.acknowledged = 0
        self.faults = []

    def run(self, port):
        """Works until the power fails. After that moment too the registry may only say that it cannot, never that the
        client is at fault: a storage that is gone is not an upload that is unknown."""
        connection = Connection(port)
        work = [self.post, self.put, self.chunks, self.mount, self.manifest, self.leave, self.delete_tag,
                self.delete_manifest, self.delete_blob]
        weights = [4, 4, 4, 1, 8, 1, 1, 1, 1]
        try:
            while True:
                self.random.choices(work, weights)[0](connection)
        except Cut:
            pass
        except Exception as error:  # a fault of the registry or of this file: told with the round's result
            self.faults.append(f"{self.repository}: {type(error).__name__}: {error}")

    def change(self, states, key, value, act):
        """Carries out a change: what is in flight may have either value, what is acknowledged has this one."""
        before = states.get(key, {None})
        states[key] = before | {value}
        result = act()
        states[key] = {value}
        self.acknowledged += 1
        return result

    def sure(self, states):
        """Keys of what is there for certain."""
        return [key for key, values in states.items() if None not in values]

    def new_content(self):
        kind = self.random.random()
        size = 0 if kind < 0.02 else self.random.randrange(1, 3_000_000 if kind > 0.97 else 60_000)
        # A share of the content is what others push too: one object for all of them.
        name = f"{self.seed}/shared/{self.random.randrange(200)}" if kind < 0.2 else str(self.random.random())
        if kind < 0.2:
            size = 20_000
        return random.Random(name).randbytes(size)

    def begin(self, connection):
        answer, _ = connection.expect({202}, "POST", f"/v2/{self.repository}/blobs/uploads/")
        return answer.getheader("Location")

    def keep(self, content, act):
        digest = digest_of(content, self.random.choice(["sha256"] * 9 + ["sha512"]))
        self.content[digest] = content
        self.change(self.blobs, digest, digest, lambda: act(digest))
        return digest

    def post(self, connection):
        content = self.new_content()
        target = f"/v2/{self.repository}/blobs/uploads/?digest="
        return self.keep(content, lambda digest: connection.expect({201}, "POST", target + digest, content))

    def put(self, connection):
        content, location = self.new_content(), self.begin(connection)
        return self.keep(
            content, lambda digest: connection.expect({201}, "PUT", f"{location}?digest={digest}", content))

    def chunks(self, connection):
        content, location = self.new_content(), self.begin(connection)
        cut = self.random.randrange(len(content) + 1)
        first, last = content[:cut], content[cut:]
        if first:
            connection.expect({202}, "PATCH", location, first, {"Content-Range": f"0-{len(first) - 1}"})
        if self.random.random() < 0.5:
            if last:
                connection.expect({202}, "PATCH", location, last)
            last = b""
        return self.keep(content, lambda digest: connection.expect({201}, "PUT", f"{location}?digest={digest}", last))

    def leave(self, connection):
        """An upload that is not finished before the power fails."""
        if len(self.sessions) >= 5:
            return
        content, location = self.new_content(), self.begin(connection)
        cut = self.random.randrange(len(content) + 1)
        if cut:
            connection.expect({202}, "PATCH", location, content[:cut])
        self.sessions[location] = (content, cut)
        self.acknowledged += 1

    def mount(self, connection):
        there = [digest for digest in self.sure(self.blobs) if "/" not in digest]
        if not there:
            return
        digest = self.random.choice(there)
        target = f"/v2/{self.repository}/mounted/blobs/uploads/?mount={digest}&from={self.repository}"
        key = "mounted/" + digest
        self.content[key] = self.content[digest]
        self.change(self.blobs, key, key, lambda: connection.expect({201}, "POST", target))

    def manifest(self, connection):
        layers = [digest for digest in self.sure(self.blobs) if "/" not in digest]
        layers = self.random.sample(layers, min(len(layers), self.random.randrange(1, 4)))
        if not layers:
            layers = [self.post(connection)]
        descriptors = [
            {"mediaType": "application/octet-stream", "digest": digest, "size": len(self.content[digest])}
            for digest in layers]
        body = json.dumps({
            "schemaVersion": 2, "mediaType": OCI, "config": descriptors[0], "layers": descriptors[1:],
            "annotations": {"mark": str(self.random.random())}}).encode()
        digest = digest_of(body)
        self.content[digest] = body
        tag = f"t{self.random.randrange(40)}" if self.random.random() < 0.8 else None
        if tag:
            self.tags[tag] = self.tags.get(tag, {None}) | {digest}
        self.change(self.manifests, digest, digest, lambda: connection.expect(
            {201}, "PUT", f"/v2/{self.repository}/manifests/{tag or digest}", body, {"Content-Type": OCI}))
        if tag:
            self.tags[tag] = {digest}

    def delete_tag(self, connection):
        there = self.sure(self.tags)
        if there:
            tag = self.random.choice(there)
            self.change(self.tags, tag, None, lambda: connection.expect(
                {202}, "DELETE", f"/v2/{self.repository}/manifests/{tag}"))

    def delete_manifest(self, connection):
        there = self.sure(self.manifests)
        if not there:
            return
        digest = self.random.choice(there)
        tags = [tag for tag, values in self.tags.items() if digest in values]
        for tag in tags:
            self.tags[tag] = self.tags[tag] | {None}
        self.change(self.manifests, digest, None, lambda: connection.expect(
            {202}, "DELETE", f"/v2/{self.repository}/manifests/{digest}"))
        for tag in tags:
            self.tags[tag] = {None}

    def delete_blob(self, connection):
        """Of a blob that no manifest names."""
        used = {digest for key in self.manifests for digest in re.findall(rb"sha\d+:[0-9a-f]+", self.content[key])}
        there = [digest for digest in self.sure(self.blobs) if "/" not in digest and digest.encode() not in used]
        if there:
            digest = self.random.choice(there)
            self.change(self.blobs, digest, None, lambda: connection.expect(
                {202}, "DELETE", f"/v2/{self.repository}/blobs/{digest}"))

    def check(self, port):
        """Looks at everything; gives how much, and what is not as it must be. What was in flight is known afterwards."""
        connection, lost, count = Connection(port), [], 0
        kinds = [("blobs", self.blobs), ("manifests", self.manifests), ("manifests", self.tags)]
        for kind, states in kinds:
            for key, values in states.items():
                count += 1
                found = self.look(connection, kind, key)
                if found not in values:
                    lost.append(f"{self.repository} {kind} {key}: {found} instead of {sorted(map(str, values))}")
                states[key] = {found}
        for location, (content, cut) in list(self.sessions.items()):
            count += 1
            lost += self.go_on(connection, location, content, cut)
        self.sessions = {}
        return count, lost

    def look(self, connection, kind, key):
        """The key's value as the registry has it, or words for what it must not have."""
        inner, _, name = key.rpartition("/")
        path = f"/v2/{self.repository}{'/' + inner if inner else ''}/{kind}/{name}"
        status, answer, body = connection.send("GET", path, headers={"Accept": OCI})
        if status == 404 and b"damaged" not in body:
            return None
        if status != 200:
            return f"{status} {body[:200]!r}"
        found = answer.getheader("Docker-Content-Digest")
        if digest_of(body, found.partition(":")[0]) != found:
            return f"other bytes than those of {found}"
        return key if name == found else found

    def go_on(self, connection, location, content, cut):
        """An unfinished upload: has the bytes that were acknowledged, and can be finished."""
        status, answer, _ = connection.send("GET", location)
        if status != 204:
            return [f"{self.repository} upload {location}: {status} instead of {cut} bytes"]
        last = int(answer.getheader("Range").partition("-")[2])
        received = last + 1 if last else min(cut, 1)
        if received < cut:
            return [f"{self.repository} upload {location}: {received} bytes instead of {cut}"]
        digest = digest_of(content)
        headers = {"Content-Range": f"{cut}-{len(content) - 1}"} if received == cut < len(content) and cut > 1 else {}
        status, _, body = connection.send("PUT", f"{location}?digest={digest}", content[cut:], headers)
        if status != 201:
            return [f"{self.repository} upload {location}: {status} {body[:200]!r} for its end"]
        self.content[digest] = content
        self.blobs[digest] = {digest}
        return []


class Machine:
    """The disk, and the registry on it."""

    def __init__(self, options):
        self.options, self.server = options, None
        self.log = open(options.log, "ab")

    def mount(self):
        subprocess.run(["mount", "-o", "loop", self.options.disk, self.options.mount], check=True)

    def start(self, honest=False):
        """Starts the registry; gives its port."""
        start = self.log.tell()
        environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
        if self.options.preload and not honest:
            environment["LD_PRELOAD"] = self.options.preload
        libc = ctypes.CDLL(None)
        self.server = subprocess.Popen(
            [self.options.binary, "serve", "--open", "--listen", "127.0.0.1:0", "--data", self.options.mount + "/data"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=environment,
            preexec_fn=lambda: libc.prctl(1, signal.SIGKILL))
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            with open(self.options.log, "rb") as log:
                log.seek(start)
                found = re.search(rb"serving address=127\.0\.0\.1:(\d+)", log.read())
            if found:
                return int(found[1])
            if self.server.poll() is not None:
                break
            time.sleep(0.02)
        raise Wrong("the registry does not start: see " + self.options.log)

    def fail(self):
        """The power fails."""
        descriptor = os.open(self.options.mount, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, EXT4_IOC_SHUTDOWN, struct.pack("I", NOLOGFLUSH))
        except OSError as error:
            if error.errno in (errno.ENOTTY, errno.EOPNOTSUPP, errno.EPERM, errno.EINVAL):
                self.stop()
                sys.exit(77)
            raise
        finally:
            os.close(descriptor)

    def stop(self):
        if self.server:
            self.server.kill()
            self.server.wait()
        self.server = None

    def unmount(self):
        subprocess.run(["umount", self.options.mount], check=True)


def play(options):
    """All rounds; the number of losses."""
    moments = random.Random(options.seed)
    clients = [Client(number, options.seed) for number in range(options.clients)]
    machine = Machine(options)
    losses = 0
    machine.mount()
    table = open(options.table, "w")
    print("round\tpower after\tacknowledged\tlooked at\tlost", file=table, flush=True)
    for number in range(1, options.rounds + 1):
        port = machine.start()
        before = sum(client.acknowledged for client in clients)
        threads = [threading.Thread(target=client.run, args=(port,)) for client in clients]
        for thread in threads:
            thread.start()
        moment = moments.uniform(0.2, 2.5)
        time.sleep(moment)
        machine.fail()
        for thread in threads:
            thread.join()
        machine.stop()
        machine.unmount()
        machine.mount()
        lost = [fault for client in clients for fault in client.faults]
        for client in clients:
            client.faults = []
        looked = 0
        try:
            port = machine.start()
            for client in clients:
                count, missing = client.check(port)
                looked += count
                lost += missing
        except (Wrong, Cut) as error:
            lost.append(f"after the failure: {error}")
        machine.stop()
        acknowledged = sum(client.acknowledged for client in clients) - before
        print(f"{number}\t{moment:.2f} s\t{acknowledged}\t{looked}\t{len(lost)}", file=table, flush=True)
        for line in lost[:20]:
            print(f"round {number}: {line}", file=sys.stderr)
        losses += len(lost)
        if lost and looked == 0:
            break
    machine.unmount()
    return losses


def main():
    parser = argparse.ArgumentParser()
    for name in ("disk", "mount", "binary", "log", "table"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--preload")
    for name in ("rounds", "clients", "seed"):
        parser.add_argument("--" + name, type=int, required=True)
    sys.exit(1 if play(parser.parse_args()) else 0)


main()
