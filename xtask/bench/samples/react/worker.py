"""A warm handler: `noop`, `stamp FILE`, `sleep SECONDS`, or `refuse FILE`, which refuses until the file is there."""

import json
import os
import sys
import time

mode = sys.argv[1]
argument = sys.argv[2] if len(sys.argv) > 2 else ""
stamps = os.open(argument, os.O_WRONLY | os.O_CREAT | os.O_APPEND) if mode == "stamp" else None
DONE = '"result":{"events":[]}'
REFUSED = '"error":{"code":7,"message":"not today","data":{"retry":false}}'


def outcome(params):
    if mode == "stamp":
        now = time.monotonic_ns()
        os.write(stamps, b"%d %d\n" % (params["event"]["data"].get("sent", 0), now))
    elif mode == "sleep":
        time.sleep(float(argument))
    elif mode == "refuse" and not os.path.exists(argument):
        return REFUSED
    return DONE


for line in sys.stdin.buffer:
    request = json.loads(line)
    said = outcome(request["params"]) if request["method"] == "handle" else DONE
    os.write(1, b'{"jsonrpc":"2.0","id":%d,%s}\n' % (request["id"], said.encode()))
