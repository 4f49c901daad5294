"""What OpenTelemetry's own exporters send is on the log, over HTTP and over gRPC."""

import unittest

from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogs
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcMetrics
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpans
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogs
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpMetrics
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpans
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import Link, Status, StatusCode

from server import Server

RESOURCE = Resource({"service.name": "shop"})


class In(unittest.TestCase):
    def setUp(self) -> None:
        self.server = Server('[server]\notlp_grpc = "127.0.0.1:0"\n')
        self.addCleanup(self.server.stop)

    def test_over_http(self) -> None:
        url = self.server.url
        for compression in (Compression.NoCompression, Compression.Gzip):
            with self.subTest(compression):
                self.check(
                    HttpSpans(f"{url}/v1/traces", compression=compression),
                    HttpLogs(f"{url}/v1/logs", compression=compression),
                    HttpMetrics(f"{url}/v1/metrics", compression=compression),
                )

    def test_over_grpc(self) -> None:
        to = {"endpoint": self.server.grpc, "insecure": True}
        self.check(GrpcSpans(**to), GrpcLogs(**to), GrpcMetrics(**to))

    def check(self, spans, logs, metrics) -> None:
        before = {kind: len(self.server.events(kind)) for kind in ("otel.span", "otel.log", "otel.metric")}
        outer, inner = self.trace(spans)
        self.log(logs)
        self.measure(metrics)
        new = {kind: self.server.events(kind)[count:] for kind, count in before.items()}

        told = {event["data"]["name"]: event for event in new["otel.span"]}
        self.assertEqual(sorted(told), ["answer", "chat house-model"])
        child, parent = told["chat house-model"], told["answer"]
        self.assertEqual(child["traceparent"], f"00-{outer.trace_id:032x}-{inner.span_id:016x}-01")
        self.assertEqual(parent["traceparent"], f"00-{outer.trace_id:032x}-{outer.span_id:016x}-01")
        self.assertEqual(child["parentspanid"], f"{outer.span_id:016x}")
        self.assertEqual(child["data"]["links"][0]["span_id"], f"{outer.span_id:016x}")
        self.assertEqual(child["data"]["events"][0]["attributes"], {"ms": 1.5})
        self.assertEqual((child["severity"], child["data"]["status"]["message"]), ("error", "too slow"))
        attributes = child["data"]["attributes"]
        self.assertEqual(attributes["gen_ai.usage.input_tokens"], 12)
        self.assertEqual(attributes["gen_ai.response.finish_reasons"], ["stop"])
        self.assertEqual(parent["sessionid"], "s-1")
        self.assertEqual([log["data"]["body"] for log in new["otel.log"]], ["the till is empty"])
        self.assertEqual([log["severity"] for log in new["otel.log"]], ["warning"])
        values = {event["data"]["name"]: event["data"]["value"] for event in new["otel.metric"]}
        self.assertEqual(sorted(values), ["orders", "seconds"])
        self.assertEqual((values["orders"], values["seconds"]["sum"]), (3, 0.25))

    def trace(self, exporter):
        provider = TracerProvider(resource=RESOURCE)
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        tracer = provider.get_tracer("shop")
        with tracer.start_as_current_span("answer", attributes={"session.id": "s-1"}) as outer:
            usage = {"gen_ai.usage.input_tokens": 12, "gen_ai.response.finish_reasons": ["stop"]}
            link = Link(outer.get_span_context(), {"why": "it asked"})
            with tracer.start_as_current_span("chat house-model", attributes=usage, links=[link]) as inner:
                inner.add_event("first token", {"ms": 1.5})
                inner.set_status(Status(StatusCode.ERROR, "too slow"))
        provider.shutdown()
        return outer.get_span_context(), inner.get_span_context()

    def log(self, exporter) -> None:
        provider = LoggerProvider(resource=RESOURCE)
        provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
        logger = provider.get_logger("shop")
        logger.emit(body="the till is empty", severity_number=SeverityNumber.WARN, severity_text="WARN")
        provider.shutdown()

    def measure(self, exporter) -> None:
        provider = MeterProvider([PeriodicExportingMetricReader(exporter)], resource=RESOURCE)
        meter = provider.get_meter("shop")
        meter.create_counter("orders").add(3, {"kind": "book"})
        meter.create_histogram("seconds").record(0.25)
        provider.shutdown()


if __name__ == "__main__":
    unittest.main()
