//! The events that agents declare in `.claude/agents/<agent>.md`: each declaration is a schema.
//!
//! ```xml
//! <events>
//!   <event name="cacheRequested" type="info">
//!     <description>Somebody asked for a page to be cached.</description>
//!     <attributes>
//!       <attribute name="url" type="string" required="true"/>
//!     </attributes>
//!   </event>
//! </events>
//! ```
//!
//! The block begins on a line of its own, alone or inside `<eventing-system>`, in a code fence or not;
//! the Markdown around it may be anything. Inside, everything has to be as above: a misspelt declaration
//! that is ignored in silence would be a schema that never holds.

mod block;
mod camel_case;
mod read;

use crate::schema::{Field, Registration, Severity, ValueKind, Version, object_schema};
use std::fmt;

/// Largest agent file, in bytes.
pub const MAX_FILE_BYTES: usize = 1024 * 1024;
/// Most events that one file declares.
pub const MAX_EVENTS: usize = 200;
/// Most attributes of one event.
pub const MAX_ATTRIBUTES: usize = 100;
/// Longest name of an agent, event or attribute, in bytes.
pub const MAX_NAME_BYTES: usize = 80;
/// Most problems that are told of one file.
pub const MAX_PROBLEMS: usize = 20;

/// One event that an agent declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// The agent's name as it is written, like `url-cacher`.
    pub agent: String,
    /// The event's name as it is written, like `cacheRequested`.
    pub name: String,
    /// The event type: `<camelCasedAgent>.<camelCasedEvent>`, or the name where that has a dot already.
    pub kind: String,
    pub severity: Severity,
    pub description: String,
    pub attributes: Vec<Attribute>,
    /// Where it stands in the file; the first line is 1.
    pub line: u32,
}

/// One attribute of a declared event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    pub name: String,
    pub kind: ValueKind,
    pub required: bool,
    /// Empty where there is none.
    pub description: String,
}

/// What is wrong in an agent's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The first line is 1.
    pub line: u32,
    /// What is wrong and what to do.
    pub what: String,
}

/// Reads an agent's file. `file_stem` is its name without folder and `.md`; it names the agent where the
/// file's front matter has no `name`. A file without an `<events>` block declares nothing.
///
/// # Errors
///
/// Every problem of the file, at most [`MAX_PROBLEMS`]; then nothing of it is declared.
pub fn declarations(file_stem: &str, markdown: &str) -> Result<Vec<Declaration>, Vec<Problem>> {
    read::declarations(file_stem, markdown)
}

impl Declaration {
    /// The JSON Schema of the payload, minified.
    pub fn schema(&self) -> Box<[u8]> {
        let fields: Vec<_> = self.attributes.iter().map(Attribute::field).collect();
        object_schema(&fields)
    }

    /// The declaration as the registry takes it. A declaration has no version of its own:
    /// [`crate::schema::Registry::next_version`] gives one.
    pub fn registration(&self, version: Version) -> Registration {
        Registration {
            kind: self.kind.clone(),
            version,
            schema: self.schema(),
            meaning: self.description.clone(),
            severity: Some(self.severity),
            declared_by: Some(self.agent.clone()),
            example: None,
            upcast: None,
        }
    }
}

impl Attribute {
    fn field(&self) -> Field<'_> {
        Field {
            required: self.required,
            description: &self.description,
            ..Field::optional(&self.name, self.kind)
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}: {}", self.line, self.what)
    }
}

impl std::error::Error for Problem {}
