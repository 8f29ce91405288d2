//! What all use cases share.

use std::sync::Arc;

use todo_domain::{
    Caller, Denied, Due, Instant, NoOrganization, Now, Quota, ReadAction, ReadPermit, RequestedDue,
    Sharing, TimeZone, TodoId, UnresolvedDue, WriteAction, WritePermit, authorize_read,
    authorize_write,
};

use crate::ports::{
    ChangeFeed, Clock, IdSource, Principal, StorageError, TodoHistory, TodoRepository, WriteSet,
};

/// How often a write is tried anew after another writer was faster. In each round one writer succeeds, so
/// this many may update one todo at the same time.
pub(super) const ROUNDS: usize = 256;

/// Everything a caller can do with todos. Share it in an `Arc`; its methods may run concurrently.
pub struct Todos {
    pub(super) repository: Arc<dyn TodoRepository>,
    pub(super) changes: Arc<dyn ChangeFeed>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdSource>,
    /// `None` if no changes are remembered.
    pub(super) history: Option<Arc<dyn TodoHistory>>,
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
        let (history, quota, time_zone) = (None, Quota::OFF, None);
        Self { repository, changes, clock, ids, history, sharing, quota, time_zone }
    }

    /// Remembers each change, in the history of the store that was given to [`Todos::new`].
    #[must_use]
    pub fn with_history(self, history: Arc<dyn TodoHistory>) -> Self {
        Self { history: Some(history), ..self }
    }

    /// Whether changes are remembered, so that they can be listed and undone.
    pub fn remembers_changes(&self) -> bool {
        self.history.is_some()
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

    /// When the day of the principal began; where no zone is known, a day ago.
    pub(super) fn day_began(&self, principal: &dyn Principal) -> Instant {
        const DAY: i64 = 24 * 60 * 60 * 1_000;
        if let Some(now) = self.now(principal, None) {
            return now.midnight();
        }
        let a_day_ago = self.clock.now().as_unix_millis() - DAY;
        Instant::from_unix_millis(a_day_ago).unwrap_or(Instant::UNIX_EPOCH)
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
        let permit = permit.within(self.quota).through(principal.client());
        Ok(permit.remembering(self.history.is_some()))
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

    /// As [`publish_change`](Self::publish_change), for writes that were made together.
    pub(super) fn publish_writes(
        &self,
        permit: &WritePermit,
        set: &WriteSet,
        failed: Option<&StorageError>,
    ) {
        for planned in &set.writes {
            self.publish_change(permit, planned.write.todo().id(), failed);
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
