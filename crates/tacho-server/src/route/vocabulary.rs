//! What a route is described with.

pub(crate) enum Parameter {
    /// Every condition of a filter.
    Filters,
    Query(&'static str, Kind, &'static str),
    Path(&'static str, &'static str),
    Header(&'static str, &'static str),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    Switch,
    Format,
}

/// What a request carries.
pub(crate) enum Carries {
    Events,
    HookPayload,
    Registration,
    /// A history that is not the true one.
    Supposition,
    /// What somebody has handlers or letters do, and why.
    Order,
    /// Who registers themselves.
    RegistryRequest,
    /// The page that a browser is to open.
    Page,
    /// Who does something about a wait, and what they say.
    Deed,
    /// An export of this signal, as opentelemetry-proto names its message.
    Telemetry(&'static str),
}

/// What a success answers.
pub(crate) enum Answers {
    /// Status, media type, description.
    Plain(u16, &'static str, &'static str),
    /// Status, name of the schema, description.
    Json(u16, &'static str, &'static str),
    Empty(u16, &'static str),
}
