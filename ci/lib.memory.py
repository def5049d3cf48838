"""What ci/memory does to a registry: the attacks that once took a GiB. See its --help."""
import hashlib
import http.client
import json
import socket
import sys
import time

OCI = "application/vnd.oci.image.manifest.v1+json"
CONFIG = b"{}"


def digest_of(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


class Registry:
    def __init__(self, port, process):
        self.port, self.process = port, process

    def send(self, method, target, body=b"", headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.request(method, target, body, headers or {})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, content

    def expect(self, status, *request):
        found, content = self.send(*request)
        if found != status:
            sys.exit(f"{request[0]} {request[1]}: {found} instead of {status}: {content[:200]!r}")
        return content

    def socket(self, request, source="127.0.0.1"):
        """A connection that has sent this, and reads nothing."""
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(30)
        client.bind((source, 0))
        client.connect(("127.0.0.1", self.port))
        try:
            client.sendall(request)
        except OSError:
            pass  # one that is not taken has its answer already
        return client

    def memory(self, name):
        with open(f"/proc/{self.process}/status") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith(name))

    def put(self, mark, padding, subject=None):
        manifest = {"schemaVersion": 2, "mediaType": OCI, "layers": [],
                    "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest_of(CONFIG), "size": 2},
                    "annotations": {"mark": mark, "padding": "x" * padding}}
        if subject:
            manifest["subject"] = {"mediaType": OCI, "digest": subject, "size": 2}
        self.expect(201, "PUT", f"/v2/a/manifests/{mark}", json.dumps(manifest).encode(), {"Content-Type": OCI})


def get(target):
    return f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode()


def readers(registry):
    """300 who ask for a manifest of 4 MiB and read nothing of it."""
    registry.put("large", (4 << 20) - 2000)
    return [registry.socket(get("/v2/a/manifests/large"), f"127.0.0.{1 + i % 9}") for i in range(300)]


def pages(registry):
    """200 who ask for the referrers of a manifest, which are megabytes, and read nothing of them."""
    subject = digest_of(b"subject")
    for index in range(4):
        registry.put(f"r{index}", 1_000_000, subject)
    return [registry.socket(get(f"/v2/a/referrers/{subject}"), f"127.0.0.{1 + i % 9}") for i in range(200)]


def trickles(registry):
    """Large manifests that stand still, and 2,000 that were begun and left."""
    head = f"PUT /v2/a/manifests/t HTTP/1.1\r\nHost: a\r\nContent-Type: {OCI}\r\nContent-Length: 4000000\r\n\r\n".encode()
    standing = [registry.socket(head + b"x" * 3_000_000, f"127.0.0.{1 + i}") for i in range(8)]
    for index in range(2000):
        registry.socket(head + b"x" * 1000, f"127.0.0.{1 + index % 9}").close()
    return standing


def bodies(registry):
    """500 uploads that send a little and stop."""
    head = "POST /v2/a/blobs/uploads/?digest=" + digest_of(b"x") + " HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n"
    return [registry.socket(head.encode() + b"x" * 60_000, f"127.0.0.{1 + i % 9}") for i in range(500)]


HEAD = b"GET /v2/ HTTP/1.1\r\nHost: a\r\n" + b"".join(b"X-%d: %s\r\n" % (i, b"x" * 600) for i in range(95))


def heads(registry):
    """3,000 connections of one client with 60 KiB of a head that does not end."""
    sockets = [registry.socket(HEAD) for _ in range(3000)]
    # Another client's large head ends, and is answered.
    other = registry.socket(HEAD[:40_000], "127.0.0.77")
    time.sleep(0.1)
    other.sendall(HEAD[40_000:] + b"\r\n")
    answer = other.recv(100)
    other.close()
    if not answer.startswith(b"HTTP/1.1 200"):
        sys.exit(f"beside heads that do not end, another client's is answered {answer!r}")
    return sockets


def behind(registry):
    """500 who read nothing of a manifest, and send 100 KiB of further requests behind it."""
    more = get("/v2/") * 2500
    sockets = []
    for index in range(500):
        client = registry.socket(get("/v2/a/manifests/large"), f"127.0.0.{1 + index % 9}")
        client.setblocking(False)
        try:
            client.send(more)
        except OSError:
            pass  # no more than the kernel takes
        sockets.append(client)
    return sockets


def idlers(registry):
    """2,000 who have sent 300 KiB that nobody wants, have their answer, and stay."""
    request = b"POST /v2/ HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n" + b"x" * 300_000
    sockets = [registry.socket(request, f"127.0.0.{1 + i % 9}") for i in range(2000)]
    for client in sockets:
        if not client.recv(100).startswith(b"HTTP/1.1 405"):
            sys.exit("what nobody wants is not answered with 405")
    return sockets


def everything(registry):
    """All of this at once."""
    return [client for attack in ATTACKS for client in attack(registry)]


ATTACKS = [readers, pages, trickles, bodies, heads, behind, idlers]


def main():
    registry = Registry(int(sys.argv[1]), int(sys.argv[2]))
    registry.expect(201, "POST", f"/v2/a/blobs/uploads/?digest={digest_of(CONFIG)}", CONFIG)
    print("attack\tpeak so far, MiB\twhile it lasts\tafter it")
    for attack in [*ATTACKS, everything]:
        sockets = attack(registry)
        time.sleep(1)
        registry.expect(200, "GET", "/v2/")
        during = registry.memory("VmRSS")
        for client in sockets:
            client.close()
        # The allocator gives back what is free every few seconds.
        deadline = time.monotonic() + 15
        while registry.memory("VmRSS") > 96 and time.monotonic() < deadline:
            time.sleep(0.5)
        words = (attack.__doc__ or "").strip().rstrip(".")
        print(f"{words}\t{registry.memory('VmHWM'):.0f}\t{during:.0f}\t{registry.memory('VmRSS'):.0f}", flush=True)


main()
