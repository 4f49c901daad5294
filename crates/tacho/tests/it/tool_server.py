"""A tool server on standard input and output that does what a test asks of it."""

import json
import os
import sys
import time


def write(line):
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


def answer(identity, result):
    write(json.dumps({"jsonrpc": "2.0", "id": identity, "result": result}).encode() + b"\n")


def text(words):
    return {"content": [{"type": "text", "text": words}]}


def call(message, waiting):
    identity, params = message["id"], message["params"]
    name, arguments = params["name"], params.get("arguments", {})
    if name == "later":
        waiting.append(identity)
    elif name == "fail":
        answer(identity, dict(text("it does not work"), isError=True))
    elif name == "unknown":
        error = {"code": -32602, "message": "unknown tool"}
        write(json.dumps({"jsonrpc": "2.0", "id": identity, "error": error}).encode() + b"\n")
    elif name == "exit":
        os._exit(arguments["code"])
    elif name == "die":
        os.kill(os.getpid(), arguments["signal"])
    elif name == "silence":
        pass
    elif name == "secret":
        answer(identity, text("the key is AKIAIOSFODNN7EXAMPLE"))
    else:
        answer(identity, text(json.dumps(arguments)))
        while waiting:
            answer(waiting.pop(), text("later"))


def main():
    sys.stderr.write("the tool server is here\n")
    sys.stderr.flush()
    waiting = []
    for line in sys.stdin.buffer:
        try:
            message = json.loads(line)
            method = message.get("method")
        except (ValueError, AttributeError):
            write(line)
            continue
        if method == "initialize":
            info = {"name": "com.example/search", "version": "1.4"}
            answer(message["id"], {"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": info})
        elif method == "tools/call":
            call(message, waiting)
        elif "id" in message:
            answer(message["id"], {})


main()
