"""A command hook: started anew for each event, which comes on standard input."""

import json
import os
import sys
import time

json.loads(sys.stdin.buffer.read())
now = time.monotonic_ns()
os.write(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND), b"0 %d\n" % now)
