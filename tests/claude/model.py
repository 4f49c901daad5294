#!/usr/bin/env python3
"""A stand-in for the Anthropic Messages API, so that the real Claude Code runs offline.

    model.py --project DIR [--port PORT] [COMMAND...]

listens on loopback only, runs COMMAND with ANTHROPIC_BASE_URL naming it, and ends as COMMAND does. Without
a COMMAND it prints its address and answers until its stdin ends. `scenes.py` holds what it says. Standard
library only.
"""

import argparse
import itertools
import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from scenes import scenes, text

BODY_BYTES_MAX = 64 << 20
# Ids of answers are unique, as the real ones are: they are what a request is known by.
RUN = os.urandom(4).hex()
SCENE = re.compile(r"\bPLAY ([a-z-]+)")


def blocks_of(message):
    content = message.get("content") or []
    return [text(content)] if isinstance(content, str) else content


def next_turn(request, all_scenes):
    """The blocks of the next assistant message: the scene's turn after as many as have been said."""
    offered = {tool.get("name") for tool in request.get("tools") or []}
    if not offered:
        # Titles and summaries are asked for without tools.
        return [text(json.dumps({"title": "Rehearsal", "isNewTopic": True}))]
    scene, said = all_scenes["text"], 0
    for message in request.get("messages") or []:
        if message.get("role") == "assistant":
            said += 1
            continue
        blocks = blocks_of(message)
        # Tool results repeat prompts of subagents; only what a user typed chooses a scene.
        typed = "" if any(b.get("type") == "tool_result" for b in blocks) else "\n".join(b.get("text", "") for b in blocks)
        chosen = SCENE.search(typed)
        if chosen and "<task-notification>" not in typed:
            scene, said = all_scenes.get(chosen.group(1), all_scenes["text"]), 0
    turn = scene[min(said, len(scene) - 1)]
    return [playable(block, offered) for block in turn]


def playable(block, offered):
    if block["type"] == "text":
        return block
    # Older versions call the tool for subagents Task.
    name = "Task" if block["name"] == "Agent" and "Agent" not in offered else block["name"]
    return dict(block, name=name) if name in offered else text("(the tool %s is not offered)" % name)


class Model(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    numbers = itertools.count(1)
    all_scenes = {}

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.send_json(200, None)

    def do_GET(self):
        self.send_json(404, error("not_found_error", "only messages are played here"))

    def do_POST(self):
        try:
            request = json.loads(self.body() or b"{}")
        except ValueError:
            return self.send_json(400, error("invalid_request_error", "the body is not JSON"))
        path = self.path.split("?")[0]
        if path == "/v1/messages/count_tokens":
            return self.send_json(200, {"input_tokens": 1000})
        if path != "/v1/messages":
            return self.send_json(404, error("not_found_error", "only messages are played here"))
        message = self.message(request)
        if request.get("stream"):
            return self.stream(message)
        return self.send_json(200, message)

    def message(self, request):
        number = next(self.numbers)
        content = [dict(block) for block in next_turn(request, self.all_scenes)]
        for index, block in enumerate(content):
            if block["type"] == "tool_use":
                block["id"] = "toolu_%012d%02d" % (number, index)
        calls = any(block["type"] == "tool_use" for block in content)
        return {
            "id": "msg_%s%06d" % (RUN, number),
            "type": "message",
            "role": "assistant",
            "model": request.get("model", "stand-in"),
            "content": content,
            "stop_reason": "tool_use" if calls else "end_turn",
            "stop_sequence": None,
            "usage": {
                "input_tokens": 1000,
                "output_tokens": 40,
                "cache_creation_input_tokens": 200,
                "cache_read_input_tokens": 4000,
            },
        }

    def stream(self, message):
        """The message as server-sent events, in the order in which the real API sends them."""
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        usage = dict(message["usage"], output_tokens=1)
        start = dict(message, content=[], stop_reason=None, usage=usage)
        self.send_event("message_start", message=start)
        for index, block in enumerate(message["content"]):
            if block["type"] == "text":
                empty, delta = text(""), {"type": "text_delta", "text": block["text"]}
            else:
                empty = dict(block, input={})
                delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
            self.send_event("content_block_start", index=index, content_block=empty)
            self.send_event("content_block_delta", index=index, delta=delta)
            self.send_event("content_block_stop", index=index)
        delta = {"stop_reason": message["stop_reason"], "stop_sequence": None}
        self.send_event("message_delta", delta=delta, usage=message["usage"])
        self.send_event("message_stop")

    def send_event(self, kind, **fields):
        line = "event: %s\ndata: %s\n\n" % (kind, json.dumps(dict(fields, type=kind)))
        self.wfile.write(line.encode())
        self.wfile.flush()

    def send_json(self, status, document):
        body = b"" if document is None else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            return b"".join(self.chunks())
        return self.rfile.read(min(int(self.headers.get("content-length") or 0), BODY_BYTES_MAX))

    def chunks(self):
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()


def error(kind, message):
    return {"type": "error", "error": {"type": kind, "message": message}}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--project", required=True, help="folder that the file tools write to")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    Model.all_scenes = scenes(arguments.project)
    server = ThreadingHTTPServer(("127.0.0.1", arguments.port), Model)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = "http://127.0.0.1:%d" % server.server_address[1]
    if arguments.command:
        environment = dict(os.environ, ANTHROPIC_BASE_URL=address)
        sys.exit(subprocess.run(arguments.command, env=environment).returncode)
    print(address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
