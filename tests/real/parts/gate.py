# Servers that want a token, for the clients of `loopin helper`: git's smart HTTP (git http-backend), a Kubernetes API
# server's /version, a docker registry with one manifest, cargo's sparse index with one crate.
#
#   gate.py DIRECTORY      one line of JSON on stdout when ready; ends when stdin closes
#
# DIRECTORY/tokens has the tokens that are taken, one a line; it may change. DIRECTORY/schemes has the schemes that
# /git offers. DIRECTORY/git holds bare repositories. GET /__log tells who came with what, GET /__log/forget forgets it.
import base64, hashlib, http.server, json, os, ssl, subprocess, sys, threading

root = sys.argv[1]
log = []


def lines(name):
    try:
        return open(os.path.join(root, name)).read().split()
    except FileNotFoundError:
        return []


class Gate(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    # The scheme that came with a token that is taken.
    def came_with(self):
        scheme, _, value = self.headers.get("Authorization", "").partition(" ")
        if not value:
            return "Bare" if scheme in lines("tokens") else None
        if scheme == "Basic":
            name, _, value = base64.b64decode(value).decode().partition(":")
            scheme = f"Basic {name}"
        return scheme if value in lines("tokens") else None

    def reply(self, status, body=b"", fields=(), kind="application/json"):
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        path, _, query = self.path.partition("?")
        if path == "/__log":
            return self.reply(200, json.dumps(log).encode())
        if path == "/__log/forget":
            log.clear()
            return self.reply(200)
        scheme = self.came_with()
        log.append([path.split("/")[1], scheme or ("refused" if "Authorization" in self.headers else "nothing")])
        if path.startswith("/git/"):
            return self.git(path, query) if scheme else self.refuse(lines("schemes"))
        if path == "/version":
            return self.reply(200, b'{"gitVersion":"v1.32.0"}') if scheme == "Bearer" else self.refuse(["Bearer"])
        if path.startswith("/v2/"):
            return self.registry(path) if scheme else self.refuse(["Basic"])
        if path.startswith("/index/"):
            return self.cargo(path) if scheme == "Bare" else self.refuse(["Cargo"])
        self.reply(404)

    do_HEAD = do_POST = do_GET

    def refuse(self, schemes):
        self.reply(401, b"{}", [("WWW-Authenticate", f'{scheme} realm="gate"') for scheme in schemes])

    def git(self, path, query):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        env = dict(os.environ, GIT_PROJECT_ROOT=os.path.join(root, "git"), GIT_HTTP_EXPORT_ALL="1", REMOTE_USER="gate",
                   REQUEST_METHOD=self.command, PATH_INFO=path.removeprefix("/git"), QUERY_STRING=query,
                   CONTENT_TYPE=self.headers.get("Content-Type", ""), CONTENT_LENGTH=str(len(body)),
                   HTTP_CONTENT_ENCODING=self.headers.get("Content-Encoding", ""),
                   GIT_PROTOCOL=self.headers.get("Git-Protocol", ""))
        done = subprocess.run(["git", "http-backend"], input=body, env=env, capture_output=True)
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        fields = [line.decode().split(": ", 1) for line in head.split(b"\r\n") if line]
        status = next((int(value.split()[0]) for name, value in fields if name == "Status"), 200)
        kind = next((value for name, value in fields if name == "Content-Type"), "text/plain")
        self.reply(status, body, [f for f in fields if f[0] not in ("Status", "Content-Type")], kind)

    def registry(self, path):
        if path == "/v2/":
            return self.reply(200, b"{}")
        digest = lambda body: "sha256:" + hashlib.sha256(body).hexdigest()
        image = "application/vnd.docker.container.image.v1+json"
        config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}).encode()
        if path.endswith(digest(config)):
            return self.reply(200, config, kind=image)
        kind = "application/vnd.docker.distribution.manifest.v2+json"
        described = {"mediaType": image, "size": len(config), "digest": digest(config)}
        body = json.dumps({"schemaVersion": 2, "mediaType": kind, "config": described, "layers": []}).encode()
        self.reply(200, body, [("Docker-Content-Digest", digest(body))], kind)

    def cargo(self, path):
        if path == "/index/config.json":
            origin = f"http://{self.headers['Host']}"
            return self.reply(200, json.dumps({"dl": f"{origin}/crates", "auth-required": True}).encode())
        if path == "/index/de/mo/demo":
            return self.reply(200, json.dumps({"name": "demo", "vers": "1.0.0", "deps": [], "cksum": "0" * 64,
                                               "features": {}, "yanked": False}).encode() + b"\n")
        self.reply(404)


def serve(context=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Gate)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"127.0.0.1:{server.server_address[1]}"


key, certificate = os.path.join(root, "key.pem"), os.path.join(root, "certificate.pem")
subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=127.0.0.1",
                "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
print(json.dumps({"http": serve(), "https": serve(context)}), flush=True)
sys.stdin.read()
