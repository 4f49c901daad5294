"""What Celery's worker does, and who sends it: `python tasks.py EVENTS PER_SECOND` (0: as fast as it goes)."""

import os
import sys
import time

from celery import Celery

app = Celery("tasks", broker=os.environ["BENCH_BROKER"])
app.conf.update(task_ignore_result=True, task_acks_late=True)
stamps = os.open(os.environ["BENCH_STAMPS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
PAYLOAD = "x" * 240


@app.task(name="bench.take")
def take(event):
    now = time.monotonic_ns()
    os.write(stamps, b"%d %d\n" % (event["sent"], now))


if __name__ == "__main__":
    events, per_second = int(sys.argv[1]), int(sys.argv[2])
    begun = time.monotonic()
    for number in range(events):
        if per_second:
            time.sleep(max(0.0, begun + number / per_second - time.monotonic()))
        take.delay({"sent": time.monotonic_ns(), "text": PAYLOAD})
