//! How the environment can deviate from a regular one, for tests.
//!
//! Each quirk reproduces what a real authorization server was seen doing, or exposes a mistake that a
//! client or a resource server once made. They are set in process, by
//! [`EmulatorHandle::set_quirks`](crate::EmulatorHandle::set_quirks); no request and no setting reaches
//! them.

mod client_documents;
mod keys;
mod metadata;
mod selection;
mod switchboard;
mod token;

pub use selection::{
    AudienceClaim, Cimd, ForeignKey, IssuerClaim, KeysEndpoint, MetadataForm, OrganizationClaim,
    Quirks, Registration, ScopeForm,
};
pub(crate) use switchboard::Switchboard;
