use std::sync::Arc;
use std::time::UNIX_EPOCH;

use protected_mcp::{Caller, Failure};
use todo_application::domain::{
    ClientId, IdentifierError, Instant, Organization, Permissions, Subject, TimeZone,
};
use todo_application::ports::Principal;

/// The claim with the zone of a person (OpenID Connect Core 1.0 section 5.1), which the authenticator is to
/// keep.
pub const TIME_ZONE_CLAIM: &str = "zoneinfo";

/// The caller of a tool, as the use cases know it.
pub(crate) struct CallerPrincipal {
    subject: Subject,
    organization: Option<Organization>,
    client: Option<ClientId>,
    permissions: Permissions,
    time_zone: Option<TimeZone>,
    expires_at: Instant,
}

/// Copies no text. Fails for identifiers that could not be stored, which the authenticator rejects first.
impl TryFrom<&Caller> for CallerPrincipal {
    type Error = Failure;

    fn try_from(caller: &Caller) -> Result<Self, Failure> {
        let read = || -> Result<Self, IdentifierError> {
            let organization = caller.organization().map(Arc::clone);
            let client = caller.client().map(Arc::clone);
            Ok(Self {
                subject: Subject::try_from(Arc::clone(caller.subject()))?,
                organization: organization.map(Organization::try_from).transpose()?,
                client: client.map(ClientId::try_from).transpose()?,
                permissions: Permissions::from_scopes(caller.scopes().iter()),
                time_zone: time_zone(caller),
                expires_at: expiry(caller),
            })
        };
        read().map_err(|error| {
            tracing::warn!(%error, "the identifiers of a caller cannot be used");
            Failure::forbidden(
                "The access token identifies its subject in a form that is not accepted.",
            )
        })
    }
}

/// A claim that is no zone counts as missing: nothing that the caller can change is wrong.
fn time_zone(caller: &Caller) -> Option<TimeZone> {
    let zone = TimeZone::try_from(caller.claim(TIME_ZONE_CLAIM)?.as_str()?);
    zone.inspect_err(|_| tracing::debug!("the zoneinfo claim of a caller is no time zone")).ok()
}

fn expiry(caller: &Caller) -> Instant {
    let since_1970 = caller.expires_at().duration_since(UNIX_EPOCH).unwrap_or_default();
    let millis = i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX);
    Instant::from_unix_millis(millis).unwrap_or(Instant::MAX)
}

impl Principal for CallerPrincipal {
    fn subject(&self) -> &Subject {
        &self.subject
    }

    fn organization(&self) -> Option<&Organization> {
        self.organization.as_ref()
    }

    fn client(&self) -> Option<&ClientId> {
        self.client.as_ref()
    }

    fn permissions(&self) -> Permissions {
        self.permissions
    }

    fn time_zone(&self) -> Option<&TimeZone> {
        self.time_zone.as_ref()
    }

    fn expires_at(&self) -> Instant {
        self.expires_at
    }
}
