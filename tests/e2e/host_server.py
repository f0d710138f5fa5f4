"""A web server on the host for guests to fetch from (GET) and send to (PUT).

Guests do not reach the host's 127.0.0.1, so it listens at an address of the host itself. Others may reach it there
while the test runs: only who knows the random address is answered.
"""

import hashlib
import http.server
import secrets
import socket
import threading


def own_address():
    """The address from which this host talks to others. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return probe.getsockname()[0]


class HostServer:
    """Serves `data` at `url` while inside a `with` block; `received` holds the SHA-256 of each body sent there."""

    def __init__(self, data, address=None):
        self.received = []
        outer = self
        path = "/" + secrets.token_hex(16)

        class Handler(http.server.BaseHTTPRequestHandler):
            def parse_request(self):
                if not super().parse_request():
                    return False
                if self.path != path:
                    self.send_error(404)
                return self.path == path

            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_PUT(self):
                digest = hashlib.sha256()
                left = int(self.headers["Content-Length"])
                while left > 0 and (piece := self.rfile.read(min(left, 1 << 20))):
                    digest.update(piece)
                    left -= len(piece)
                outer.received.append(digest.hexdigest())
                self.send_response(200 if left == 0 else 400)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((address or own_address(), 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://{self.server.server_address[0]}:{self.port}{path}"

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
