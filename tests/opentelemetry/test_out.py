"""What the `otlp` sink sends, read by OpenTelemetry's own messages."""

import http.server
import json
import threading
import unittest

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.logs.v1.logs_pb2 import SEVERITY_NUMBER_ERROR, SEVERITY_NUMBER_INFO
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from server import FIXTURES, Server, eventually

SESSION = "6de14646-dff7-4706-a66d-b9884b862135"
MESSAGES = {
    "/v1/traces": (ExportTraceServiceRequest, ExportTraceServiceResponse),
    "/v1/logs": (ExportLogsServiceRequest, ExportLogsServiceResponse),
}


class Receiver(http.server.ThreadingHTTPServer):
    """Parses every body, and keeps the messages; refuses one log record when it is told to."""

    def __init__(self) -> None:
        self.taken = {path: [] for path in MESSAGES}
        self.refuses = False
        super().__init__(("127.0.0.1", 0), Door)
        threading.Thread(target=self.serve_forever).start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()

    def spans(self) -> list:
        return [
            span
            for message in list(self.taken["/v1/traces"])
            for resource in message.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def records(self) -> list:
        return [
            record
            for message in list(self.taken["/v1/logs"])
            for resource in message.resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        ]


class Door(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        asked, answered = MESSAGES[self.path]
        assert self.headers["content-type"] == "application/x-protobuf"
        message, answer = asked.FromString(body), answered()
        if self.server.refuses and self.path == "/v1/logs":
            answer.partial_success.rejected_log_records = 1
            answer.partial_success.error_message = "one is too old"
        else:
            self.server.taken[self.path].append(message)
        text = answer.SerializeToString()
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_) -> None:
        pass


def told(attributes) -> dict:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


class Out(unittest.TestCase):
    def setUp(self) -> None:
        self.receiver = Receiver()
        self.addCleanup(self.receiver.stop)
        url = f"http://127.0.0.1:{self.receiver.server_port}"
        self.server = Server(f'[[sink]]\nkind = "otlp"\nurl = "{url}"\nbatch.window_ms = 10\n')
        self.addCleanup(self.server.stop)

    def settled(self, events_min: int) -> dict:
        def settled():
            sink = self.server.get("/api/handlers/otlp")
            return sink["pending"] == 0 and sink["done"] + sink["dead"] >= events_min and sink

        return eventually("all is sent", settled)

    def test_a_session_is_a_tree(self) -> None:
        lines = (FIXTURES / "claude-code/sessions/full.jsonl").read_text().splitlines()
        for line in lines:
            self.server.post("/hooks/claude-code", json.dumps(json.loads(line)["payload"]).encode())
        self.server.post("/v1/logs", (FIXTURES / "otlp/json/013_logs.json").read_bytes())
        cause = self.server.events("claude.session_start")[0]
        caused = {"specversion": "1.0", "id": "n1", "source": "/me", "type": "claude.post_tool_use", "causationid": cause["id"]}
        caused |= {"subject": "session/other", "sessionid": "other", "severity": "error", "data": {"tool_use_id": "x", "tool_name": "Über", "duration_ms": 250}}
        self.server.post("/api/events", json.dumps(caused).encode())
        self.assertEqual(self.settled(len(lines) + 5)["dead"], 0)
        spans = {span.span_id: span for span in self.receiver.spans()}
        self.assertEqual(len(spans), len(self.receiver.spans()))
        for span in spans.values():
            self.assertEqual((len(span.trace_id), len(span.span_id)), (16, 8))
            self.assertIn(len(span.parent_span_id), (0, 8))
            self.assertLessEqual(span.start_time_unix_nano, span.end_time_unix_nano)
            self.assertGreater(span.start_time_unix_nano, 1_600_000_000 * 10**9)
        self.check_nesting(spans)
        self.check_attributes(list(spans.values()))
        self.check_records(spans, cause)

    def check_nesting(self, spans: dict) -> None:
        def chain(span) -> list:
            above = spans.get(span.parent_span_id)
            if above is None:
                return [span.name]
            self.assertEqual(above.trace_id, span.trace_id)
            return [span.name, *chain(above)]

        chains = [chain(span) for span in spans.values()]
        agent = ["invoke_agent general-purpose", "turn", "session"]
        for expected in (agent, ["execute_tool Bash", *agent], ["execute_tool Write", "turn", "session"]):
            self.assertIn(expected, chains)
        roots = [names[0] for names in chains if len(names) == 1]
        # The lone tool's session has not ended.
        self.assertEqual(sorted(roots), ["execute_tool Über", "session"])

    def check_attributes(self, spans: list) -> None:
        named = lambda name: next(span for span in spans if span.name == name)
        tool, request, lone = (named(name) for name in ("execute_tool Write", "chat claude-sonnet-4-5", "execute_tool Über"))
        attributes = told(tool.attributes)
        self.assertEqual(attributes["gen_ai.operation.name"], "execute_tool")
        self.assertEqual(attributes["gen_ai.tool.name"], "Write")
        self.assertEqual(attributes["gen_ai.conversation.id"], SESSION)
        self.assertEqual((tool.kind, tool.status.code), (Span.SPAN_KIND_INTERNAL, Status.STATUS_CODE_OK))
        failed = [span for span in spans if span.status.code == Status.STATUS_CODE_ERROR]
        self.assertTrue(failed and all(span.status.message and told(span.attributes)["error.type"] for span in failed))

        attributes = told(request.attributes)
        expected = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "anthropic",
            "gen_ai.request.model": "claude-sonnet-4-5",
            # What was read from a cache and written to it is input too.
            "gen_ai.usage.input_tokens": 1200 + 5000 + 300,
            "gen_ai.usage.output_tokens": 42,
            "gen_ai.usage.cache_read.input_tokens": 5000,
            "gen_ai.usage.cache_creation.input_tokens": 300,
            "tacho.cost_usd": 0.006854999999999999,
        }
        self.assertEqual({name: attributes[name] for name in expected}, expected)
        self.assertEqual(request.kind, Span.SPAN_KIND_CLIENT)
        self.assertEqual(request.end_time_unix_nano - request.start_time_unix_nano, 123 * 10**6)
        # The agent's own exporter had another trace.
        self.assertEqual([link.trace_id.hex() for link in request.links], ["d4ef918ff20c9c25337e6c9e13c59dff"])
        self.assertEqual(lone.end_time_unix_nano - lone.start_time_unix_nano, 250 * 10**6)

    def check_records(self, spans: dict, cause: dict) -> None:
        records = {told(record.attributes)["tacho.event.id"]: record for record in self.receiver.records()}
        _, trace, span, _ = cause["traceparent"].split("-")
        first, last = records[cause["id"]], records["n1"]
        self.assertEqual((first.trace_id.hex(), first.span_id.hex()), (trace, span))
        self.assertEqual(first.event_name, "claude.session_start")
        self.assertEqual(json.loads(first.body.string_value), cause["data"])
        self.assertEqual(told(first.attributes)["tacho.position"], cause["position"])
        self.assertEqual((first.severity_number, last.severity_number), (SEVERITY_NUMBER_INFO, SEVERITY_NUMBER_ERROR))
        lone = next(span for span in spans.values() if span.name == "execute_tool Über")
        links = [(link.trace_id.hex(), link.span_id.hex(), told(link.attributes)) for link in lone.links]
        self.assertEqual(links, [(trace, span, {"tacho.link": "causation"})])

    def test_what_a_receiver_refuses_is_a_dead_letter(self) -> None:
        self.receiver.refuses = True
        self.server.post("/api/events", b'{"specversion":"1.0","id":"a","source":"/me","type":"hello","data":{}}')
        self.assertEqual(self.settled(1)["dead"], 1)
        # It is counted a moment before it is on the log.
        letter = eventually("a letter", lambda: self.server.get("/api/dead-letters")["dead_letters"])[0]
        self.assertEqual(letter["error"]["code"], "partial_success")
        self.assertIn("refused 1: one is too old", letter["error"]["message"])


if __name__ == "__main__":
    unittest.main()
