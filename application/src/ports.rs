//! What the use cases need from outside, as roles.
//!
//! Signatures name domain and application types only, so that no driver, protocol or framework
//! leaks inwards. A trait is here because two implementations ship, or because the compiler must
//! keep two crates apart.

mod authorization_server;
mod change_feed;
mod clock;
mod id_source;
mod principal;
mod readiness;
mod storage_error;
mod todo_archive;
mod todo_repository;
mod token_verifier;

pub use authorization_server::AuthorizationServer;
pub use change_feed::{ChangeFeed, Changed, Changes};
pub use clock::Clock;
pub use id_source::IdSource;
pub use principal::Principal;
pub use readiness::{NotReady, Readiness};
pub use storage_error::{BoxError, StorageError};
pub use todo_archive::{Loaded, TodoLoader, TodoSnapshot};
pub use todo_repository::{Creation, CreationRequest, Filter, TodoRepository};
pub use token_verifier::{Rejection, TokenVerifier, VerificationError};

#[cfg(test)]
pub(crate) use change_feed::{MockChangeFeed, MockChanges};
#[cfg(test)]
pub(crate) use todo_repository::MockTodoRepository;
