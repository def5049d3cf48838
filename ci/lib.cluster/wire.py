"""A client of several nodes, one request at a time: what the programs of this directory ask with."""
import base64
import hashlib
import http.client
import json
import random
import urllib.parse

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class Cut(Exception):
    """No answer came, or one that says that the registry cannot now (5xx, 429): the client may try again."""


class Refused(Cut):
    """Nobody listens: nothing was sent."""


class Wrong(Exception):
    """An answer that must not be, whatever fails behind the registry."""


def digest_of(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def basic(name, secret):
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


def image(config, mark):
    """A manifest without layers: its config is a blob of these bytes, and `mark` makes it one of its kind."""
    return json.dumps({
        "schemaVersion": 2, "mediaType": MANIFEST, "layers": [], "annotations": {"mark": mark},
        "config": {"mediaType": "application/octet-stream", "digest": digest_of(config), "size": len(config)},
    }).encode()


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def __str__(self):
        return f"{self.status} {self.body[:200]!r}"

    @property
    def digest(self):
        return self.headers.get("Docker-Content-Digest")


class Caller:
    """Connections to nodes (`host:port`, or URLs), kept open; `headers` go with every request. Times in seconds."""

    def __init__(self, nodes, headers=None, timeout=20):
        self.nodes = [node.removeprefix("http://").rstrip("/") for node in nodes]
        self.headers, self.timeout = headers or {}, timeout
        self.open = {}

    def connection(self, host):
        if host not in self.open:
            self.open[host] = http.client.HTTPConnection(host, timeout=self.timeout)
        return self.open[host]

    def forget(self, host):
        connection = self.open.pop(host, None)
        if connection:
            connection.close()

    def send(self, node, method, target, body=b"", headers=None):
        """The answer of node number `node`, whatever it is. Raises Cut where none comes."""
        return self.ask(self.nodes[node], method, target, body, {**self.headers, **(headers or {})})

    def ask(self, host, method, target, body, headers):
        try:
            connection = self.connection(host)
            connection.request(method, target, body if method in ("POST", "PUT", "PATCH") else None, headers)
            answer = connection.getresponse()
            content = answer.read()
            if answer.getheader("Connection", "").lower() == "close":
                self.forget(host)
            return Answer(answer.status, answer.headers, content)
        except ConnectionRefusedError as error:
            self.forget(host)
            raise Refused(f"{type(error).__name__}: {error}") from error
        except (OSError, http.client.HTTPException) as error:
            self.forget(host)
            raise Cut(f"{type(error).__name__}: {error}") from error

    def expect(self, wanted, node, method, target, body=b"", headers=None):
        """The same; raises Cut for 5xx and 429, and Wrong for what else is not wanted."""
        answer = self.send(node, method, target, body, headers)
        if answer.status in wanted:
            return answer
        if answer.status >= 500 or answer.status == 429:
            raise Cut(f"{answer.status}")
        raise Wrong(f"{method} {target} at node {node + 1}: {answer}, expected {sorted(wanted)}")

    def blob(self, node, repository, digest):
        """A blob's bytes, from where the registry sends us; None where it is not there. Raises Cut and Wrong."""
        answer = self.expect({200, 307, 404}, node, "GET", f"/v2/{repository}/blobs/{digest}")
        if answer.status == 307:
            place = urllib.parse.urlsplit(answer.headers["Location"])
            answer = self.ask(place.netloc, "GET", f"{place.path}?{place.query}", b"", {})
            if answer.status >= 500:
                raise Cut(f"{answer.status} of the store")
            if answer.status != 200:
                raise Wrong(f"blob {digest}: the store says {answer}")
        if answer.status == 404:
            return None
        if digest_of(answer.body) != digest:
            raise Wrong(f"blob {digest} has other bytes: {len(answer.body)} of {digest_of(answer.body)}")
        return answer.body

    def push_blob(self, nodes, repository, content):
        """POST, PATCH and PUT, each at a node of its own."""
        location = self.expect({202}, nodes[0], "POST", f"/v2/{repository}/blobs/uploads/").headers["Location"]
        location = self.expect({202}, nodes[1], "PATCH", location, content).headers["Location"]
        digest = digest_of(content)
        self.expect({201}, nodes[2], "PUT", f"{location}?digest={digest}")
        return digest

    def push_manifest(self, node, repository, reference, body, headers=None):
        headers = {"Content-Type": MANIFEST, **(headers or {})}
        return self.send(node, "PUT", f"/v2/{repository}/manifests/{reference}", body, headers)

    def manifest(self, node, repository, reference, method="GET"):
        return self.send(node, method, f"/v2/{repository}/manifests/{reference}", headers={"Accept": MANIFEST})


def some_nodes(count, chance=random):
    """Numbers of three nodes, different ones as far as there are so many."""
    order = list(range(count))
    chance.shuffle(order)
    return [order[index % count] for index in range(3)]
