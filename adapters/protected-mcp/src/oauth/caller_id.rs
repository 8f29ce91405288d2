use std::sync::Arc;

use super::Caller;

/// Whom a limit counts for: the subject, and the organization that it acts for. An issuer may use one `sub`
/// in several organizations; a machine is its own subject.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct CallerId {
    organization: Option<Arc<str>>,
    subject: Arc<str>,
}

impl From<&Caller> for CallerId {
    fn from(caller: &Caller) -> Self {
        Self {
            organization: caller.organization().map(Arc::clone),
            subject: Arc::clone(caller.subject()),
        }
    }
}
