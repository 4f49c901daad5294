#!/usr/bin/env python3
"""A hook that only writes its stdin down: `dump_hook.py FILE` appends one line.

The slow tests compare what it saw with what is on the log.
"""

import json
import os
import sys

line = json.dumps(json.load(sys.stdin)) + "\n"
file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
# One write, so that hooks that run at once do not mix their lines.
os.write(file, line.encode())
