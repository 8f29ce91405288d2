//! What all use cases share.

use std::sync::Arc;

use todo_domain::{
    Caller, Denied, Due, NoOrganization, Now, Quota, ReadAction, ReadPermit, RequestedDue, Sharing,
    TimeZone, TodoId, UnresolvedDue, WriteAction, WritePermit, authorize_read, authorize_write,
};

use crate::ports::{ChangeFeed, Clock, IdSource, Principal, StorageError, TodoRepository};

/// How often a write is tried anew after another writer was faster. In each round one writer succeeds, so
/// this many may update one todo at the same time.
pub(super) const ROUNDS: usize = 256;

/// Everything a caller can do with todos. Share it in an `Arc`; its methods may run concurrently.
pub struct Todos {
    pub(super) repository: Arc<dyn TodoRepository>,
    pub(super) changes: Arc<dyn ChangeFeed>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdSource>,
    sharing: Sharing,
    quota: Quota,
    time_zone: Option<TimeZone>,
}

impl Todos {
    pub fn new(
        repository: Arc<dyn TodoRepository>,
        changes: Arc<dyn ChangeFeed>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        sharing: Sharing,
    ) -> Self {
        Self { repository, changes, clock, ids, sharing, quota: Quota::OFF, time_zone: None }
    }

    /// Limits what each workspace may hold.
    #[must_use]
    pub fn with_quota(self, quota: Quota) -> Self {
        Self { quota, ..self }
    }

    /// The zone of principals that have none of their own.
    #[must_use]
    pub fn with_time_zone(self, time_zone: Option<TimeZone>) -> Self {
        Self { time_zone, ..self }
    }

    /// When a todo of the principal is due. A local time without a zone is in theirs.
    pub fn due(
        &self,
        principal: &dyn Principal,
        requested: RequestedDue,
    ) -> Result<Due, UnresolvedDue> {
        requested.resolve(|| self.time_zone(principal))
    }

    /// The present in the zone that was asked for, or in that of the principal. `None` if no zone is known.
    pub fn now(&self, principal: &dyn Principal, asked: Option<TimeZone>) -> Option<Now> {
        let zone = asked.or_else(|| self.time_zone(principal));
        zone.map(|zone| Now::new(self.clock.now(), zone))
    }

    fn time_zone(&self, principal: &dyn Principal) -> Option<TimeZone> {
        principal.time_zone().or(self.time_zone.as_ref()).cloned()
    }

    /// Whether the principal has a workspace at all, whatever its permissions.
    ///
    /// Every use case checks this too. An adapter asks before it tells a caller which permission is
    /// missing: with that permission, a principal without a workspace would be denied again.
    pub fn check_workspace(&self, principal: &dyn Principal) -> Result<(), NoOrganization> {
        self.sharing.check(principal.organization())
    }

    pub(super) fn permit_to_read(
        &self,
        principal: &dyn Principal,
        action: ReadAction,
    ) -> Result<ReadPermit, Denied> {
        authorize_read(self.sharing, caller(principal), action)
    }

    pub(super) fn permit_to_write(
        &self,
        principal: &dyn Principal,
        action: WriteAction,
    ) -> Result<WritePermit, Denied> {
        let permit = authorize_write(self.sharing, caller(principal), action)?;
        Ok(permit.within(self.quota))
    }

    /// Publishes a change once it is stored, or when the outcome is unknown because the storage failed.
    /// A notice of a change that was not made is harmless.
    pub(super) fn publish_change(
        &self,
        permit: &WritePermit,
        id: TodoId,
        failed: Option<&StorageError>,
    ) {
        if matches!(failed, None | Some(StorageError::Unavailable(_))) {
            self.changes.publish(permit, id);
        }
    }
}

pub(super) fn caller(principal: &dyn Principal) -> Caller<'_> {
    Caller {
        subject: principal.subject(),
        organization: principal.organization(),
        permissions: principal.permissions(),
    }
}
