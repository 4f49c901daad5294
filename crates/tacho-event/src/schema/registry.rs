//! What is registered: types and patterns, each with its versions.

use super::compile;
use super::difference::{self, Difference};
use super::registration::{Registration, RegistrationError};
use super::upcast::Upcast;
use super::violation::{self, Violations};
use crate::{Draft, Pattern, Position, Recorded, Sameness, catalogue, json};
use jsonschema::Validator;
use semver::Version;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, OnceLock};

/// Most types and patterns beside the catalogue's.
pub const MAX_REGISTERED_TYPES: usize = 10_000;
/// Most versions of a type.
pub const MAX_VERSIONS: usize = 1000;

/// The schemas in force. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    types: BTreeMap<Box<str>, Versions>,
    /// The most specific first.
    patterns: Vec<(Pattern, Versions)>,
    last_upcast: Option<Position>,
}

type Versions = BTreeMap<Version, Arc<Registered>>;

/// One version of one type's schema.
#[derive(Debug)]
pub struct Registered {
    pub registration: Registration,
    /// Where it was registered; `None` for an entry of the catalogue.
    pub position: Option<Position>,
    upcast: Option<Upcast>,
    /// Compiled when it is first used.
    validator: OnceLock<Result<Validator, String>>,
}

impl Registry {
    /// The catalogue's entries; what is registered comes on top.
    pub fn with_catalogue() -> Self {
        let mut registry = Self::default();
        for entry in &catalogue::ALL {
            registry.insert(entry.registration(), None);
        }
        registry
    }

    /// Folds an event of the log. Anything but `tacho.schema_registered` changes nothing. Answers whether
    /// the registry changed. Where the log repeats a version, its first registration counts; a version of
    /// the catalogue gives way to one on the log.
    ///
    /// # Errors
    ///
    /// A registration that cannot be read; the registry is unchanged. Whether its schema is usable shows
    /// when it is used, so that what an earlier program accepted does not stop the fold.
    pub fn apply(&mut self, event: &Recorded) -> Result<bool, RegistrationError> {
        if event.kind() != super::REGISTERED {
            return Ok(false);
        }
        let data = event.data().ok_or(RegistrationError::Missing("data"))?;
        let registration = Registration::from_data(data)?;
        let known =
            self.versions(&registration.kind).and_then(|versions| versions.get(&registration.version));
        if known.is_some_and(|known| known.position.is_some()) {
            return Ok(false);
        }
        self.insert(registration, Some(event.position));
        Ok(true)
    }

    /// Checks a registration against its own schema and against what is registered. Returns it minified,
    /// ready to be appended with [`Registration::to_data`]; `None` when it is registered already.
    /// A version below the latest is accepted, as history.
    pub fn check(&self, registration: Registration) -> Result<Option<Registration>, RegistrationError> {
        let registration = registration.checked()?;
        let Some(versions) = self.versions(&registration.kind) else {
            let registered = self.types.len() + self.patterns.len();
            if registered >= MAX_REGISTERED_TYPES + catalogue::ALL.len() {
                return Err(RegistrationError::Full { of: "types", limit: MAX_REGISTERED_TYPES });
            }
            return Ok(Some(registration));
        };
        let Some(known) = versions.get(&registration.version) else {
            if versions.len() >= MAX_VERSIONS {
                return Err(RegistrationError::Full { of: "versions of this type", limit: MAX_VERSIONS });
            }
            self.check_compatible(&registration, versions)?;
            return Ok(Some(registration));
        };
        if difference::between(&known.registration.schema, &registration.schema) == Difference::None {
            return Ok(None);
        }
        // Where the latest version has this schema already, that is the one to name.
        let next = self.next_version(&registration.kind, &registration.schema);
        let next = next.or_else(|| Some(latest(versions)?.registration.version.clone()));
        let next = next.unwrap_or_else(|| Version::new(registration.version.major + 1, 0, 0));
        Err(RegistrationError::Changed { kind: registration.kind, version: registration.version, next })
    }

    /// A release behind the latest one takes the payloads of that, or says how they become its own.
    fn check_compatible(
        &self,
        registration: &Registration,
        versions: &Versions,
    ) -> Result<(), RegistrationError> {
        let Some(latest) = latest(versions).map(|latest| &latest.registration) else { return Ok(()) };
        let comes_next = registration.version > latest.version && registration.version.pre.is_empty();
        let differs = difference::between(&latest.schema, &registration.schema) == Difference::Other;
        if comes_next && differs && registration.upcast.is_none() {
            return Err(RegistrationError::Incompatible {
                kind: registration.kind.clone(),
                version: registration.version.clone(),
                latest: latest.version.clone(),
            });
        }
        Ok(())
    }

    /// Where the last upcaster was registered; `None` where there is none.
    pub fn last_upcast(&self) -> Option<Position> {
        self.last_upcast
    }

    /// The event with its payload in the form of its type's latest release; `None` where it has that form.
    ///
    /// An event that names no version is of the one that was the latest when it was recorded.
    pub fn upcast(&self, event: &Recorded) -> Option<Recorded> {
        self.last_upcast?;
        let kind = event.kind();
        let matching = || self.patterns.iter().find(|(pattern, _)| pattern.matches_type(kind));
        let versions = self.types.get(kind).or_else(|| matching().map(|(_, versions)| versions))?;
        if versions.values().all(|registered| registered.upcast.is_none()) {
            return None;
        }
        let from = version_of(event, versions)?;
        let newer = versions.range((Bound::Excluded(from), Bound::Unbounded));
        let mut newer = newer.filter(|(version, _)| version.pre.is_empty()).peekable();
        newer.peek()?;
        let (mut payload, mut version) = (json::to_value(event.data()?), from);
        for (next, registered) in newer {
            version = next;
            if let Some(upcast) = &registered.upcast {
                payload = upcast.apply(payload);
            }
        }
        rewritten(event, &payload, &super::urn(kind, version))
    }

    /// [`Self::check`], and takes it up as an event at `position` would. Answers whether it is new.
    pub fn register(
        &mut self,
        registration: Registration,
        position: Position,
    ) -> Result<bool, RegistrationError> {
        let Some(registration) = self.check(registration)? else { return Ok(false) };
        self.insert(registration, Some(position));
        Ok(true)
    }

    /// The version that a schema without one gets: 1.0.0 for a new type; `None` when the latest version
    /// accepts the same payloads; else the next minor version where old payloads still fit, and the next
    /// major where they may not. `schema` is minified.
    pub fn next_version(&self, kind: &str, schema: &[u8]) -> Option<Version> {
        match self.versions(kind).and_then(latest) {
            None => Some(Version::new(1, 0, 0)),
            Some(known) => {
                let difference = difference::between(&known.registration.schema, schema);
                difference::next_version(&known.registration.version, difference)
            }
        }
    }

    /// The schema of an event type: the named version, else the latest release. A schema of the very type
    /// wins over patterns, a more specific pattern over others.
    pub fn find(&self, kind: &str, version: Option<&Version>) -> Option<&Arc<Registered>> {
        let matching = || self.patterns.iter().find(|(pattern, _)| pattern.matches_type(kind));
        let versions = self.types.get(kind).or_else(|| matching().map(|(_, versions)| versions))?;
        match version {
            Some(version) => versions.get(version),
            None => latest(versions),
        }
    }

    /// Validates the payload of an event: minified JSON, or `None` for an event without one. Returns the
    /// schema that it fits, or `None` where no schema is registered for its type and version.
    pub fn validate(
        &self,
        kind: &str,
        version: Option<&Version>,
        data: Option<&[u8]>,
    ) -> Result<Option<&Arc<Registered>>, Violations> {
        let Some(registered) = self.find(kind, version) else { return Ok(None) };
        match registered.violations(data) {
            None => Ok(Some(registered)),
            Some((list, more)) => {
                let version = registered.registration.version.clone();
                Err(Violations { kind: kind.to_owned(), version, list, more })
            }
        }
    }

    /// As [`Self::validate`], without saying why: `None` where no schema is registered.
    pub fn fits(&self, kind: &str, version: Option<&Version>, data: Option<&[u8]>) -> Option<bool> {
        Some(self.find(kind, version)?.fits(data))
    }

    /// All versions of a type or of a pattern as it was registered, the lowest first.
    pub fn versions_of(&self, kind: &str) -> impl DoubleEndedIterator<Item = &Arc<Registered>> {
        self.versions(kind).into_iter().flat_map(BTreeMap::values)
    }

    /// The latest version of every type, by name, then of every pattern, the most specific first.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Registered>> {
        let patterns = self.patterns.iter().map(|(_, versions)| versions);
        self.types.values().chain(patterns).filter_map(latest)
    }

    fn versions(&self, kind: &str) -> Option<&Versions> {
        let pattern = || self.patterns.iter().find(|(pattern, _)| pattern.as_str() == kind);
        self.types.get(kind).or_else(|| pattern().map(|(_, versions)| versions))
    }

    fn insert(&mut self, registration: Registration, position: Option<Position>) {
        let pattern = Pattern::new(registration.kind.as_str());
        let version = registration.version.clone();
        // What an earlier program accepted and this one cannot read upcasts nothing.
        let upcast = registration.upcast.as_deref().and_then(|steps| Upcast::parse(steps).ok());
        if upcast.is_some() {
            self.last_upcast = self.last_upcast.max(position);
        }
        let registered = Arc::new(Registered { registration, position, upcast, validator: OnceLock::new() });
        if pattern.is_exact() {
            let versions = self.types.entry(pattern.as_str().into()).or_default();
            versions.insert(version, registered);
            return;
        }
        match self
            .patterns
            .binary_search_by(|(known, _)| specific_first(known).cmp(&specific_first(&pattern)))
        {
            Ok(index) => {
                self.patterns[index].1.insert(version, registered);
            }
            Err(index) => {
                self.patterns.insert(index, (pattern, BTreeMap::from([(version, registered)])));
            }
        }
    }
}

/// The more of a pattern is literal, the more specific it is; the name makes the order total.
fn specific_first(pattern: &Pattern) -> (std::cmp::Reverse<usize>, &str) {
    let literal = pattern.as_str().bytes().filter(|byte| *byte != b'*').count();
    (std::cmp::Reverse(literal), pattern.as_str())
}

/// The version that an event's payload has.
fn version_of<'v>(event: &Recorded, versions: &'v Versions) -> Option<&'v Version> {
    let named = event.text("dataschema");
    if let Some((_, version)) = named.and_then(|urn| super::parse_urn(&urn)) {
        return versions.get_key_value(&version).map(|(version, _)| version);
    }
    let in_force = |registered: &&Arc<Registered>| {
        let is_release = registered.registration.version.pre.is_empty();
        is_release && registered.position.is_none_or(|position| position < event.position)
    };
    let known = versions.values().rev().find(in_force).or_else(|| versions.values().next())?;
    Some(&known.registration.version)
}

/// The event with another payload. It keeps its place and its names.
fn rewritten(event: &Recorded, payload: &serde_json::Value, urn: &str) -> Option<Recorded> {
    let mut draft = Draft::new(event.kind(), event.source(), event.id());
    draft.subject = Some(event.stream().into());
    for (name, value) in event.attributes() {
        let name = std::str::from_utf8(name).ok()?;
        if !matches!(name, "specversion" | "dataschema" | "data") {
            draft.put(name, value);
        }
    }
    draft.put_text("dataschema", urn);
    draft.set_data(payload.to_string().into_bytes());
    let event_bytes = draft.finish(Sameness::FirstWins).ok()?;
    let bytes = bytes::Bytes::copy_from_slice(event_bytes.bytes());
    Recorded::new(event.position, event.sequence, event.recorded, bytes)
}

/// The highest release; the highest pre-release where there is no release.
fn latest(versions: &Versions) -> Option<&Arc<Registered>> {
    let release = versions.iter().rev().find(|(version, _)| version.pre.is_empty());
    release.or_else(|| versions.last_key_value()).map(|(_, registered)| registered)
}

impl Registered {
    /// The value of `dataschema` for events of `kind`: this type, or one that this pattern matches.
    pub fn urn(&self, kind: &str) -> String {
        super::urn(kind, &self.registration.version)
    }

    fn compiled(&self) -> Result<&Validator, &String> {
        let compile = || compile::compile(&self.registration.schema).map_err(|error| error.to_string());
        self.validator.get_or_init(compile).as_ref()
    }

    fn fits(&self, data: Option<&[u8]>) -> bool {
        self.compiled().is_ok_and(|validator| violation::fits(validator, data))
    }

    fn violations(&self, data: Option<&[u8]>) -> Option<(Vec<violation::Violation>, bool)> {
        match self.compiled() {
            Ok(validator) => violation::find(validator, data),
            Err(error) => {
                let expected = format!("cannot be checked: {error}");
                Some((vec![violation::Violation { path: String::new(), expected }], false))
            }
        }
    }
}
