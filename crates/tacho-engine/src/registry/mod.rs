//! The registry: who is there to do something, and how they are.
//!
//! An entry is one object, whole in the last event of its stream (`registry/<id>`): what the log says is the registry.
//! One thread ([`keeper`]) holds what is there against what the log says and appends what differs; events that ask for
//! a capability are given to whom [`choice`] names.

mod capability;
mod choice;
mod entry;
mod keeper;
mod member;
mod orders;
mod present;
mod stored;
mod wellness;

pub use capability::by_capability;
pub use choice::Split;
pub use entry::{
    CONFIGURATION_CHANGED, EntryHealth, EntryKind, EntryOrigin, EntryState, REGISTERED, REGISTRY_CHANGED,
    RegistryEntry, UNREGISTERED,
};
pub use member::{Member, Offer, Registration, RegistrationKind, Sources};
pub use orders::RegistryError;

pub(crate) use capability::healthiest;
pub(crate) use orders::Registry;
