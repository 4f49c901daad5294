//! The doors of agents: OTLP and hooks.

use super::{Answers, Carries, Parameter, Route};
use crate::api::{hook, telemetry};
use axum::routing::post;

const CONTENT_ENCODING: Parameter =
    Parameter::Header("Content-Encoding", "gzip, or identity; the limit is for the expanded body");
const EXPORTED: Answers = Answers::Json(
    200,
    "Exported",
    "Durable; `partialSuccess` tells of records that are no events. In the encoding of the request",
);

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "post",
        path: "/v1/logs",
        summary: "OTLP: append log records; Claude Code's as claude_code.<event>, others as otel.log",
        parameters: &[CONTENT_ENCODING],
        request: Some(Carries::Telemetry("ExportLogsServiceRequest")),
        response: EXPORTED,
        handler: || post(telemetry::logs),
    },
    Route {
        method: "post",
        path: "/v1/traces",
        summary: "OTLP: append spans as otel.span",
        parameters: &[CONTENT_ENCODING],
        request: Some(Carries::Telemetry("ExportTraceServiceRequest")),
        response: EXPORTED,
        handler: || post(telemetry::traces),
    },
    Route {
        method: "post",
        path: "/v1/metrics",
        summary: "OTLP: append data points as otel.metric",
        parameters: &[CONTENT_ENCODING],
        request: Some(Carries::Telemetry("ExportMetricsServiceRequest")),
        response: EXPORTED,
        handler: || post(telemetry::metrics),
    },
    Route {
        method: "post",
        path: "/hooks/claude-code",
        summary: "Claude Code's http hooks; the answer is always empty",
        parameters: &[],
        request: Some(Carries::HookPayload),
        response: Answers::Empty(200, "Taken, or left out if it cannot be; never a decision"),
        handler: || post(hook::claude_code),
    },
];
