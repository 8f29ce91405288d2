use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};

use todo_application::domain::{ChangeNumber, WorkspaceId};
use todo_application::ports::StorageError;
use tokio::sync::oneshot::Sender;

use super::super::write::Write;

/// Gets the number of a write that had its effect.
pub(super) type Reply = Sender<Result<Option<ChangeNumber>, StorageError>>;

/// A write that waits, or is running.
pub(super) struct Job {
    pub(super) write: Write,
    pub(super) reply: Reply,
    number: u64,
    /// A group with it has failed.
    is_alone: bool,
}

/// The writes that wait.
pub(super) struct Queue {
    /// How many groups may still begin.
    free: usize,
    size: usize,
    mixes_workspaces: bool,
    next_number: u64,
    /// The waiting writes of each workspace that is ready or has writes running.
    waiting: HashMap<WorkspaceId, VecDeque<Job>>,
    /// The workspaces whose writes may run, in the order in which the first of them came.
    ready: VecDeque<WorkspaceId>,
}

impl Queue {
    /// At most `groups` groups of `size` writes run at the same time. Each is of one workspace unless it
    /// `mixes_workspaces`.
    pub(super) fn new(groups: usize, size: usize, mixes_workspaces: bool) -> Self {
        let (waiting, ready) = Default::default();
        Self { free: groups, size, mixes_workspaces, next_number: 0, waiting, ready }
    }

    /// Adds a write, and returns its number.
    pub(super) fn push(&mut self, write: Write, reply: Reply) -> u64 {
        self.next_number += 1;
        let number = self.next_number;
        let jobs = match self.waiting.entry(write.workspace().clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                self.ready.push_back(new.key().clone());
                new.insert(VecDeque::new())
            }
        };
        jobs.push_back(Job { write, reply, number, is_alone: false });
        number
    }

    /// Removes a write that is still waiting, and returns whether it was.
    pub(super) fn withdraw(&mut self, workspace: &WorkspaceId, number: u64) -> bool {
        let Some(jobs) = self.waiting.get_mut(workspace) else { return false };
        let before = jobs.len();
        jobs.retain(|job| job.number != number);
        jobs.len() < before
    }

    /// The next group, which runs until it has [finished](Self::finish). The writes of a workspace are in
    /// a row.
    pub(super) fn next(&mut self) -> Option<Vec<Job>> {
        if self.free == 0 {
            return None;
        }
        let mut group = Vec::new();
        while group.len() < self.size
            && (group.is_empty() || self.mixes_workspaces)
            && let Some(workspace) = self.ready.pop_front()
        {
            let Entry::Occupied(mut entry) = self.waiting.entry(workspace) else { continue };
            let together = entry.get().iter().take_while(|job| !job.is_alone).count();
            match (entry.get().is_empty(), together) {
                // All were withdrawn.
                (true, _) => drop(entry.remove()),
                (false, 0) if group.is_empty() => {
                    group.extend(entry.get_mut().pop_front());
                    break;
                }
                (false, 0) => {
                    self.ready.push_front(entry.key().clone());
                    break;
                }
                (false, _) => {
                    let size = together.min(self.size - group.len());
                    group.extend(entry.get_mut().drain(..size));
                }
            }
        }
        self.free -= usize::from(!group.is_empty());
        (!group.is_empty()).then_some(group)
    }

    /// Lets the writes of a group that failed run again, each alone and before those that came later.
    pub(super) fn put_back(&mut self, group: Vec<Job>) {
        for mut job in group.into_iter().rev() {
            job.is_alone = true;
            if let Some(jobs) = self.waiting.get_mut(job.write.workspace()) {
                jobs.push_front(job);
            }
        }
    }

    /// Ends a group with the writes of these workspaces.
    pub(super) fn finish(&mut self, workspaces: &[WorkspaceId]) {
        self.free += 1;
        for workspace in workspaces {
            match self.waiting.entry(workspace.clone()) {
                Entry::Occupied(entry) if entry.get().is_empty() => drop(entry.remove()),
                Entry::Occupied(_) => self.ready.push_back(workspace.clone()),
                Entry::Vacant(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
