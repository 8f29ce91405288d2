//! How this environment differs from the one in the manual, on request of a test.
//!
//! Each quirk stands for something that a real authorization server was seen doing, or that one of
//! its readers once got wrong. They are switched in process, by
//! [`EmulatorHandle::set_quirks`](crate::EmulatorHandle::set_quirks): no request, no setting and no
//! command reaches them, and the program itself never sets one.

mod discovery;
mod keys;
pub(crate) mod switchboard;
mod token;

use std::collections::BTreeSet;

pub use self::{
    discovery::{Cimd, MetadataForm, Registration},
    keys::{ForeignKey, KeysEndpoint},
    token::{AudienceClaim, IssuerClaim, OrganizationClaim, ScopeForm},
};

/// Everything that can be odd about the environment. The default is an environment without oddities.
///
/// ```
/// use todo_adapter_scalekit_emulator::{IssuerClaim, Quirks};
///
/// let migrated = Quirks { issuer: IssuerClaim::Resource, ..Quirks::default() };
/// assert_ne!(migrated, Quirks::default());
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Quirks {
    /// `iss` of every access token.
    pub issuer: IssuerClaim,
    /// `aud` of every access token.
    pub audience: AudienceClaim,
    /// How every access token names its scopes.
    pub scope_form: ScopeForm,
    /// How every access token names the organization, where it has one.
    pub organization: OrganizationClaim,
    /// The scopes of the resource that the user may have at all; `None` for all of them.
    ///
    /// Whatever was asked for and consented to, a login or a refresh grants no other (the setting
    /// `intersect_scopes_user_permission` of a Scalekit resource). Scopes that do not belong to the
    /// resource, such as `offline_access`, are no permissions and stay. Stands for the bug of a
    /// client or a server that takes what was asked for as what was granted.
    pub permissions: Option<Vec<String>>,
    /// Seconds that an access token of the token endpoint is good for, instead of an hour; negative
    /// for one that has expired. Stands for clients that never refresh, and for servers that accept
    /// a token for longer than it lasts. A token minted in process has the lifetime of its request.
    pub token_lifetime: Option<i64>,
    /// Seconds by which the clock of the environment is ahead in `iat`, `nbf` and `exp`, or behind.
    /// Stands for servers that allow no leeway, or too much.
    pub clock_skew: i64,
    /// Seconds that an authorization code is good for, instead of ten minutes; 0 for one that has
    /// expired. Stands for clients that let a person wait, and then retry the code they have.
    pub code_lifetime: Option<i64>,
    /// Keys in the key set that are not for access tokens, before those that are.
    pub foreign_keys: Vec<ForeignKey>,
    /// What the key set endpoint answers.
    pub keys: KeysEndpoint,
    /// Which issuer and endpoints the metadata of the resource names.
    pub metadata: MetadataForm,
    /// Whether clients can register.
    pub registration: Registration,
    /// Metadata without `code_challenge_methods_supported`, at which careful clients stop: without
    /// that field a server does not support PKCE (RFC 8414 section 2).
    pub metadata_without_s256: bool,
    /// Metadata that does not offer `offline_access`: clients then do not ask for it, get no refresh
    /// token, and send people to log in again every hour.
    pub metadata_without_offline_access: bool,
    /// Whether the URL of a client id metadata document is a client id.
    pub cimd: Cimd,
    /// Fetch such documents from this machine too, and over plain http, where a test serves them.
    /// Anywhere else this is the hole through which such a server is made to ask its own network.
    pub cimd_allow_loopback: bool,
    /// Clients that are unknown here although they were registered. Stands for applications that
    /// remember the registration of another environment, and have to forget it and register anew.
    pub refused_clients: BTreeSet<String>,
}
