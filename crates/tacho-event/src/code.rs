//! The stable codes of refusals: one table, from which answers and the reference page are made.

macro_rules! codes {
    ($($variant:ident $name:literal $status:literal $title:literal),+ $(,)?) => {
        /// Why something was refused. The text is a promise; clients branch on it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $title] $variant),+ }

        impl Code {
            /// Every code, in the order of the reference page.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The stable text.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The HTTP status that goes with it.
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status),+ }
            }

            /// What it means, in one line.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),+ }
            }
        }
    };
}

codes! {
    InvalidJson "invalid_json" 400 "The body is not JSON that is accepted.",
    InvalidUtf8 "invalid_utf8" 400 "The body is not UTF-8.",
    InvalidProtobuf "invalid_protobuf" 400 "The body is not the protobuf message that is accepted here.",
    InvalidEncoding "invalid_encoding" 400 "The body is not compressed as its Content-Encoding says.",
    TooDeep "too_deep" 400 "Arrays and objects nest deeper than the limit.",
    InvalidEvent "invalid_event" 422 "The event breaks a rule of the envelope.",
    InvalidId "invalid_id" 422 "The id is empty, too long or has control characters.",
    InvalidAttribute "invalid_attribute" 422 "An attribute has a value that it cannot have.",
    InvalidTraceparent "invalid_traceparent" 422 "The traceparent is none of W3C Trace Context.",
    ReservedAttribute "reserved_attribute" 422 "The event names an attribute that only the log gives.",
    ReservedType "reserved_type" 403 "Only Tachograph itself writes this type or stream.",
    LoopDetected "loop_detected" 422 "The event has passed through too many handlers.",
    SchemaViolation "schema_violation" 422 "The payload does not fit the schema of its type.",
    EventTooLarge "event_too_large" 413 "The event is larger than the limit.",
    BatchTooLarge "batch_too_large" 413 "The request holds more events or bytes than the limit.",
    UnsupportedMediaType "unsupported_media_type" 415 "The content type is none that is accepted here.",
    InvalidHeader "invalid_header" 400 "A header has a value that cannot be read.",
    IdConflict "id_conflict" 409 "An event with this source and id exists, with other content.",
    SequenceConflict "sequence_conflict" 409 "A stream is not at the expected sequence.",
    AlreadySettled "already_settled" 409 "It was tried again or given up already.",
    NotRunning "not_running" 409 "The handler that this is for does not run.",
    InvalidFilter "invalid_filter" 400 "A filter or parameter cannot be read.",
    InvalidCursor "invalid_cursor" 400 "The cursor is none that this log gave.",
    EventNotFound "event_not_found" 404 "No event has this id.",
    AmbiguousId "ambiguous_id" 409 "Several sources have an event with this id: name the source.",
    StreamNotFound "stream_not_found" 404 "No event is in this stream.",
    ProjectionUnknown "projection_unknown" 404 "No projection has this name.",
    NotFound "not_found" 404 "Nothing is at this path.",
    MethodNotAllowed "method_not_allowed" 405 "This path does not answer this method.",
    ForbiddenHost "forbidden_host" 403 "The Host header names no host of this server.",
    ForbiddenOrigin "forbidden_origin" 403 "The request comes from a page of another origin.",
    Unauthorized "unauthorized" 401 "The request carries no valid token.",
    ControlToken "control_token" 401 "The request carries no control token, which this needs.",
    RequestTimeout "request_timeout" 408 "The request did not arrive in time.",
    TooManySubscribers "too_many_subscribers" 503 "The server has as many live subscribers as it accepts.",
    Overloaded "overloaded" 503 "The log's queue is full: try again in a moment.",
    ViewBehind "view_behind" 503 "The read side did not reach the log's head in time.",
    ReadOnly "read_only" 503 "The log accepts no appends now; reads go on.",
    ShuttingDown "shutting_down" 503 "The server is stopping.",
    Internal "internal" 500 "Something failed inside; the server's log says what.",
}
