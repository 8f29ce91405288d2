use std::collections::BTreeMap;

use proptest::prelude::*;
use todo_application::domain::{TermChange, TodoId, Version};
use tokio::sync::oneshot::channel;

use super::super::super::write::Removal;
use super::*;

const GROUPS: usize = 2;
const SIZE: usize = 3;

#[derive(Debug, Clone)]
enum Step {
    Push { workspace: u8 },
    Withdraw(usize),
    Finish { place: usize, fails: bool },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..4_u8).prop_map(|workspace| Step::Push { workspace }),
        1 => (0..8_usize).prop_map(Step::Withdraw),
        2 => (0..GROUPS, prop::bool::weighted(0.2))
            .prop_map(|(place, fails)| Step::Finish { place, fails }),
    ];
    prop::collection::vec(step, 0..60)
}

fn workspace(number: u8) -> WorkspaceId {
    WorkspaceId::try_from(format!("w{number}").as_str()).unwrap()
}

fn removal(workspace: WorkspaceId) -> Write {
    Write::Remove(Removal {
        workspace,
        id: TodoId::from_bytes([0; 16]),
        before: Version::FIRST,
        terms: TermChange::default(),
        change: None,
    })
}

fn workspaces(group: &[Job]) -> Vec<WorkspaceId> {
    let mut workspaces: Vec<_> = group.iter().map(|job| job.write.workspace().clone()).collect();
    workspaces.dedup();
    workspaces
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever comes, fails and is withdrawn: writes of a workspace follow each other in their order, one
    /// that was in a failed group runs alone, nothing is lost, and nothing runs twice.
    #[test]
    fn groups_keep_their_promises(steps in steps(), mixes in any::<bool>()) {
        let mut queue = Queue::new(GROUPS, SIZE, mixes);
        let mut running: Vec<Vec<Job>> = Vec::new();
        let mut waiting: BTreeMap<u64, WorkspaceId> = BTreeMap::new();
        let mut failed: Vec<u64> = Vec::new();
        let mut done: Vec<(WorkspaceId, u64)> = Vec::new();
        let mut pushed = 0;
        let mut withdrawn = 0;
        // At the end, everything that runs succeeds.
        let the_end = (0..200).map(|_| Step::Finish { place: 0, fails: false });
        for step in steps.into_iter().chain(the_end) {
            match step {
                Step::Push { workspace: number } => {
                    pushed += 1;
                    let workspace = workspace(number);
                    let number = queue.push(removal(workspace.clone()), channel().0);
                    waiting.insert(number, workspace);
                }
                Step::Withdraw(index) => {
                    let found = waiting.iter().nth(index).map(|(number, of)| (*number, of.clone()));
                    if let Some((number, workspace)) = found {
                        prop_assert!(queue.withdraw(&workspace, number));
                        prop_assert!(!queue.withdraw(&workspace, number));
                        waiting.remove(&number);
                        withdrawn += 1;
                    }
                }
                Step::Finish { place, fails } if place < running.len() => {
                    let group = running.swap_remove(place);
                    let of = workspaces(&group);
                    if fails && group.len() > 1 {
                        for job in &group {
                            waiting.insert(job.number, job.write.workspace().clone());
                            failed.push(job.number);
                        }
                        queue.put_back(group);
                    } else {
                        done.extend(group.into_iter().map(|job| (job.write.workspace().clone(), job.number)));
                    }
                    queue.finish(&of);
                }
                Step::Finish { .. } => {}
            }
            while let Some(group) = queue.next() {
                prop_assert!(group.len() <= SIZE);
                let of = workspaces(&group);
                prop_assert!(mixes || of.len() == 1);
                for other in &running {
                    prop_assert!(workspaces(other).iter().all(|it| !of.contains(it)));
                }
                for job in &group {
                    let workspace = waiting.remove(&job.number);
                    prop_assert_eq!(workspace.as_ref(), Some(job.write.workspace()));
                    prop_assert!(group.len() == 1 || !failed.contains(&job.number));
                }
                running.push(group);
                prop_assert!(running.len() <= GROUPS);
            }
        }
        prop_assert!(running.is_empty() && waiting.is_empty());
        prop_assert_eq!(done.len() + withdrawn, pushed);
        prop_assert!(queue.waiting.is_empty() && queue.ready.is_empty());
        prop_assert_eq!(queue.free, GROUPS);
        for number in 0..4 {
            let of = workspace(number);
            let order: Vec<_> = done.iter().filter(|(it, _)| *it == of).map(|(_, number)| number).collect();
            prop_assert!(order.is_sorted());
        }
    }
}
