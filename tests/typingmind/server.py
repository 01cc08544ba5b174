"""A stand-in for TypingMind's API, written from its OpenAPI document (1.2.0).

It serves users and groups over HTTP on a free port of the loopback address, checks the key, and prints
the port. Each request is appended to the file `requests` in its folder. The file `mode` there names the
fault of the next answers; without it there is none.
"""

import argparse
import json
import re
import ssl
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

GROUPS = [{"id": "1", "title": "Sales"}, {"id": "2", "title": "Support"}]


def generated(number):
    groups = [{"id": group["id"], "name": group["title"]} for group in GROUPS]
    return {
        "id": str(number),
        "email": f"user-{number}@acme.example",
        "createdAt": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(1_700_000_000 + number)),
        "groups": groups[: number % 3],
    }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, value, headers=()):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, text in headers:
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        length = int(self.headers.get("Content-Length") or 0)
        return json.loads(self.rfile.read(length)) if length else None

    def handle_request(self):
        server = self.server
        given = self.body()
        with (server.folder / "requests").open("a") as log:
            log.write(f"{self.command} {self.path} {json.dumps(given)}\n")
        if self.headers.get("X-API-KEY") != server.key:
            return self.answer(401, {"message": "Unauthorized"})
        mode_file = server.folder / "mode"
        mode = mode_file.read_text().strip() if mode_file.exists() else ""
        if mode and self.fault(mode):
            return None
        url = urlsplit(self.path)
        user = re.fullmatch(r"/api/v2/users/(\d+)", url.path)
        match (self.command, url.path):
            case ("GET", "/api/v2/users"):
                wanted = parse_qs(url.query).get("email", [None])[0]
                found = [one for one in server.users.values() if wanted in (None, one["email"])]
                if mode == "new-members":
                    found = [one | {"plan": {"name": "pro"}, "seat": None} for one in found]
                if mode == "missing-members":
                    found = [{"id": int(one["id"])} for one in found]
                if mode == "user-without-id":
                    found = found[:1] + [{"email": "nobody@acme.example"}]
                return self.answer(200, {"data": found})
            case ("POST", "/api/v2/users"):
                return self.add(given)
            case ("GET", "/api/v2/groups"):
                return self.answer(200, GROUPS)
        if user is None:
            return self.answer(404, {"message": "Not found"})
        return self.one(user[1], given)

    def add(self, given):
        users = self.server.users
        email = (given or {}).get("email")
        if not isinstance(email, str) or "@" not in email:
            return self.answer(400, {"message": "email is required"})
        if any(one["email"] == email for one in users.values()):
            return self.answer(409, {"message": "User already exists"})
        number = max((int(id) for id in users), default=0) + 1
        users[str(number)] = generated(number) | {"email": email, "groups": []}
        return self.answer(201, users[str(number)])

    def one(self, id, given):
        users = self.server.users
        if id not in users:
            return self.answer(404, {"message": "User not found"})
        match self.command:
            case "GET":
                return self.answer(200, users[id])
            case "DELETE":
                del users[id]
                return self.answer(200, {"success": True})
            case "PATCH":
                wanted = given["groups"]
                groups = [one for one in GROUPS if one["id"] in wanted]
                users[id]["groups"] = [{"id": one["id"], "name": one["title"]} for one in groups]
                return self.answer(200, users[id])
        return self.answer(405, {"message": "Method not allowed"})

    def fault(self, mode):
        """Answers with a fault. Returns False for a mode that changes only the list."""
        match mode:
            case "403" | "404" | "429" | "500":
                self.answer(int(mode), {"message": f"The key is {self.server.key}"})
            case "redirect":
                self.answer(302, b"", [("Location", "http://127.0.0.1:1/")])
            case "html":
                self.answer(200, b"<!doctype html><title>Be right back</title>")
            case "no-data":
                self.answer(200, {"users": []})
            case "other-types":
                self.answer(200, {"data": "none"})
            case "half":
                self.answer(200, b'{"data": [{"id": "1", "email": "user-1@acme')
            case "cut":
                self.send_response(200)
                self.send_header("Content-Length", "1000")
                self.end_headers()
                self.wfile.write(b'{"data": [')
                self.close_connection = True
            case "slow":
                # Longer than any test waits. The connection ends with the client or the process.
                time.sleep(30)
                self.close_connection = True
            case "huge":
                self.answer(200, b'{"data": [' + b" " * 4_000_000 + b"]}")
            case _:
                return False
        return True

    do_GET = do_POST = do_DELETE = do_PATCH = handle_request

    def log_message(self, format, *arguments):
        """Prints nothing, because nobody reads it."""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--port", type=int, default=0, help="0 for a free one")
    parser.add_argument("--users", type=int, default=3)
    parser.add_argument("--certificate", type=Path, help="PEM with certificate and key, for HTTPS")
    given = parser.parse_args()
    server = ThreadingHTTPServer(("127.0.0.1", given.port), Handler)
    server.daemon_threads = True
    server.folder, server.key = given.folder, given.key
    server.users = {str(number): generated(number) for number in range(1, given.users + 1)}
    if given.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(given.certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
