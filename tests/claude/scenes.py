"""What the stand-in model says: one list of turns for each scene.

A turn is a list of blocks; one without a tool call ends the agent's turn. The prompt names the scene:
`PLAY full`. A subagent's prompt names its own.
"""

import json


def text(words):
    return {"type": "text", "text": words}


def call(tool, **arguments):
    return {"type": "tool_use", "name": tool, "input": arguments}


def agent(prompt, kind="general-purpose", background=False):
    return call("Agent", description=prompt, prompt=prompt, subagent_type=kind, run_in_background=background)


def marker(event, **attributes):
    return "<EVENT>%s</EVENT>" % json.dumps({"name": "urlCacher." + event, "attributes": attributes})


def printing(*markers):
    """A Bash call whose output carries the markers, a line each."""
    return call("Bash", command="printf '%%s\\n' %s" % " ".join("'%s'" % line for line in markers), description="Report")


def scenes(project):
    """All scenes; file tools write below `project`."""
    greeting = project + "/greeting.py"
    return {
        "text": [[text("Nothing to do.")]],
        "full": [
            [text("First the files."), call("Bash", command="ls -a", description="List the files")],
            [call("Write", file_path=greeting, content="def greet():\n    return 'hello'\n")],
            [call("Read", file_path=greeting)],
            [call("Edit", file_path=greeting, old_string="'hello'", new_string="'good day'")],
            [call("Bash", command="echo '2 passed, 1 failed'; exit 1", description="Run the tests")],
            [call("Read", file_path=project + "/absent.txt")],
            [
                call("Bash", command="echo left", description="One of two"),
                call("Bash", command="echo right", description="Two of two"),
            ],
            [agent("PLAY sub count the lines")],
            [call("TaskCreate", subject="Greet", description="Greet politely", activeForm="Greeting")],
            [call("TaskUpdate", taskId="1", status="completed")],
            [text("All done.")],
        ],
        "sub": [
            [call("Bash", command="wc -l *.py | tail -1", description="Count lines")],
            [text("Two lines.")],
        ],
        "task": [[agent("PLAY sub count the lines")], [text("It has two lines.")]],
        "denied": [
            [call("Bash", command="rm -rf ./build", description="Remove the build")],
            [text("That was not allowed.")],
        ],
        "bgagent": [
            [agent("PLAY sub count the lines meanwhile", background=True)],
            [text("It is counting.")],
        ],
        "urlcacher": [
            [agent("PLAY cache https://docs.example.com/guide/start", "tachograph:url-cacher")],
            [agent("PLAY cache-fails ftp://docs.example.com", "tachograph:url-cacher")],
            [text("One is cached, one cannot be.")],
        ],
        "cache": cache("https://docs.example.com/guide/start", ".cache/urls/docs.example.com/guide-start"),
        "cache-fails": cache_fails("ftp://docs.example.com", ".cache/urls/docs.example.com/index"),
    }


def cache(url, path):
    """The seven events of a success: a stale copy is found and replaced. Text and Bash output take turns."""
    requested = marker("cacheRequested", url=url, cache_path=path, user_context='the "start" guide')
    validated = marker("urlValidated", url=url, tld="com", path_segments=["guide", "start"])
    found = marker(
        "urlAlreadyCached", url=url, cache_path=path, cache_age_hours=31.5, last_updated="2026-01-01T00:00:00Z"
    )
    return [
        [text(requested + "\nThe URL is well formed.\n" + validated), printing(marker("cacheCheckStarted", cache_path=path))],
        [
            text("There is an old copy. " + found),
            printing(
                marker("downloadStarted", url=url),
                marker("downloadCompleted", url=url, content_size=5120, download_duration_ms=87),
            ),
        ],
        [text(marker("urlCached", file_path=path, last_updated_file=path + ".last-updated", content_size=5120) + "\n" + path)],
    ]


def cache_fails(url, path):
    failed = marker(
        "urlCacheFailed",
        url=url,
        error_type="invalid_url",
        error_message="the scheme ftp is not fetched",
        existing_cache_preserved=False,
    )
    return [[text(marker("cacheRequested", url=url, cache_path=path) + "\n" + failed + "\nIt cannot be cached.")]]
