"""An S3 that acknowledges what it does not keep: liar.py PORT. It reads all of a part or an object and answers as one that has it."""
import hashlib
import http.server
import sys


class Liar(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_PUT(self):
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        checksums = {name: value for name, value in self.headers.items() if name.lower().startswith("x-amz-checksum-")}
        self.answer({"ETag": f'"{hashlib.md5(content).hexdigest()}"', **checksums})

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer({}, b'<CompleteMultipartUploadResult><ETag>"0123456789abcdef0123456789abcdef-1"</ETag>'
                        b"</CompleteMultipartUploadResult>")

    def answer(self, headers, body=b""):
        self.send_response(200)
        for name, value in {**headers, "Content-Type": "application/xml", "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Liar).serve_forever()
