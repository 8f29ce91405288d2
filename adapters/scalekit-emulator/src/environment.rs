//! One Scalekit environment with one MCP server registered in it.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::behavior::Behavior as _;
use crate::claims::AccessTokenClaims;
use crate::metadata::{AuthorizationServerMetadata, OpenidConfiguration};
use crate::oauth::scope::{ScopeCatalog, Scopes};
use crate::options::{ServerText, User};
use crate::state::key_ring::KeyRing;
use crate::state::ledger::Ledger;
use crate::state::tickets::{AuthorizedCode, PendingAuthorization, Tickets};
use crate::token_request::{ACCESS_TOKEN_LIFETIME, TokenRequest};
use crate::urls::Urls;

#[cfg(feature = "testing")]
pub(crate) type ActiveBehavior = crate::quirks::Switchboard;
#[cfg(not(feature = "testing"))]
pub(crate) type ActiveBehavior = crate::behavior::Regular;

/// The client of tokens that no registered client requested.
const LOCAL_CLIENT: &str = "m2m_70412587198996491";

pub(crate) type SharedEnvironment = Arc<Environment>;

pub(crate) struct Environment {
    pub(crate) urls: Urls,
    pub(crate) scopes: ScopeCatalog,
    pub(crate) text: ServerText,
    pub(crate) user: User,
    pub(crate) auto_consent: bool,
    pub(crate) clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    pub(crate) keys: KeyRing,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) pending: Tickets<PendingAuthorization>,
    pub(crate) codes: Tickets<AuthorizedCode>,
    /// Held while a code is exchanged.
    pub(crate) exchanging: Mutex<()>,
    pub(crate) behavior: ActiveBehavior,
}

impl Environment {
    /// Unix seconds.
    pub(crate) fn now(&self) -> i64 {
        let since_1970 = (self.clock)().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since_1970.as_secs()).unwrap_or(i64::MAX)
    }

    /// A token of the user with every scope of the resource.
    pub(crate) fn token_request(&self) -> TokenRequest {
        TokenRequest {
            subject: self.user.subject.clone(),
            organization: Some(self.user.organization.clone()),
            client_id: LOCAL_CLIENT.to_owned(),
            scopes: self.scopes.of_the_resource().to_names(),
            expires_in: ACCESS_TOKEN_LIFETIME,
        }
    }

    /// A signed access token. `session` is that of the login it comes from.
    pub(crate) fn mint(&self, request: &TokenRequest, session: Option<&str>) -> String {
        let claims = AccessTokenClaims::new(&self.urls, self.now(), request, session);
        self.keys.sign(&self.behavior.access_token(claims, &self.urls))
    }

    /// The key set (RFC 7517 section 5).
    pub(crate) fn jwks(&self) -> Value {
        let keys = self.keys.jwks().into_iter().map(|key| json!(key)).collect();
        json!({ "keys": self.behavior.key_set(keys) })
    }

    pub(crate) fn resource_metadata(&self) -> impl Serialize {
        let metadata = AuthorizationServerMetadata::new(&self.urls, &self.scopes);
        self.behavior.resource_metadata(metadata, &self.urls)
    }

    pub(crate) fn openid_configuration(&self) -> impl Serialize {
        let configuration = OpenidConfiguration::new(&self.urls, &self.scopes);
        self.behavior.openid_configuration(configuration)
    }

    /// The part of `granted` that the user may have at this moment.
    pub(crate) fn permitted(&self, granted: &Scopes) -> Scopes {
        self.behavior.permitted(granted, &self.scopes.of_the_resource())
    }
}
