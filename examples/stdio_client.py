#!/usr/bin/env python3
"""A desktop application in Python that lets `loopin stdio` care for its tokens: python3 stdio_client.py INTEGRATION"""

import json
import os
import subprocess
import sys
import webbrowser

loopin = subprocess.Popen([os.environ.get("LOOPIN", "loopin"), "stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
last_id = 0


def ask(method, hear=lambda event, params: None, **params):
    """Sends a request and waits for its answer; `hear` gets what happens meanwhile."""
    global last_id
    last_id += 1
    request = {"jsonrpc": "2.0", "id": last_id, "method": method, "params": params}
    loopin.stdin.write(json.dumps(request).encode() + b"\n")
    loopin.stdin.flush()
    for line in loopin.stdout:
        message = json.loads(line)
        if "method" in message:
            hear(message["method"], message["params"])
        elif message["id"] == last_id:
            return message.get("result"), message.get("error")
    sys.exit("loopin ended")


def show(event, params):
    print(event, params.get("url", ""), flush=True)
    if event == "login/url" and "NO_BROWSER" not in os.environ:
        webbrowser.open(params["url"])


ask("initialize", protocol=1)
token, error = ask("token", integration=sys.argv[1])
if error and error["data"]["code"] == "login_required":
    _, error = ask("login", show, integration=sys.argv[1], open="client")
    token, error = ask("token", integration=sys.argv[1]) if not error else (None, error)
ask("shutdown")
sys.exit(error["message"] if error else print("a token until", token["expires_at"]))
