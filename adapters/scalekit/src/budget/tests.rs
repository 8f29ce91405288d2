//! Floods, in steps of a millisecond.

use proptest::prelude::*;
use tokio::sync::oneshot::Receiver;
use tokio::sync::oneshot::error::TryRecvError;

use super::*;

const COST: Duration = Duration::from_micros(40);

/// Queues, and the time by which they are served.
struct World {
    queues: Queues,
    now: Instant,
}

/// A token whose verification was asked for.
enum Asked {
    Waiting(Receiver<()>),
    /// Whether it was admitted.
    Answered(bool),
}

impl World {
    fn new() -> Self {
        let now = Instant::now();
        Self { queues: Queues::new(now), now }
    }

    fn ask(&mut self, is_known: bool, owner: u64) -> Asked {
        if self.queues.is_admitted(COST, self.now) {
            return Asked::Answered(true);
        }
        let (turn, given) = oneshot::channel();
        self.queues.push(is_known, Owner(owner), Waiter { turn, cost: COST });
        Asked::Waiting(given)
    }

    fn pass_a_millisecond(&mut self) {
        self.now += Duration::from_millis(1);
        self.queues.serve(self.now);
    }

    /// Spends what has been saved up.
    fn exhaust(&mut self) {
        while let Asked::Answered(_) = self.ask(false, 0) {}
        while self.queues.next().is_some() {}
    }
}

/// Whether it was admitted; `None` while it is waiting.
fn outcome(asked: &mut Asked) -> Option<bool> {
    if let Asked::Waiting(given) = asked {
        *asked = match given.try_recv() {
            Ok(()) => Asked::Answered(true),
            Err(TryRecvError::Closed) => Asked::Answered(false),
            Err(TryRecvError::Empty) => return None,
        };
    }
    match asked {
        Asked::Waiting(_) => None,
        Asked::Answered(is_admitted) => Some(*is_admitted),
    }
}

fn admitted(all: &mut [Asked]) -> usize {
    all.iter_mut().filter_map(outcome).filter(|is_admitted| *is_admitted).count()
}

/// Different numbers on every call, the same in every run.
fn scattered(number: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
}

#[test]
fn a_thousand_callers_with_new_tokens_at_once_wait_for_nothing() {
    let mut world = World::new();
    for caller in 0..1_000 {
        assert!(matches!(world.ask(false, scattered(caller)), Asked::Answered(true)), "{caller}");
    }
}

#[test]
fn a_flood_gets_a_quarter_of_a_core_and_known_subjects_are_served_beside_it() {
    let mut world = World::new();
    world.exhaust();
    let (mut flood, mut known, mut new) = (Vec::new(), Vec::new(), Vec::new());
    for millisecond in 0..5_000_u64 {
        // 50,000 bad signatures in a second, of made-up subjects.
        for number in 0..50 {
            flood.push(world.ask(false, scattered(millisecond * 50 + number)));
        }
        // 200 new tokens in a second of subjects that are known, and 20 of subjects that are not.
        if millisecond % 5 == 0 {
            known.push((millisecond, world.ask(true, scattered(millisecond / 5 % 40))));
        }
        if millisecond % 50 == 0 {
            new.push(world.ask(false, scattered(u64::MAX - millisecond)));
        }
        world.pass_a_millisecond();
        let late = known.iter_mut().filter(|(asked, _)| asked + 20 == millisecond);
        for (_, asked) in late {
            assert_eq!(outcome(asked), Some(true), "known subjects wait for less than 20 ms");
        }
    }
    let (served, asked) = (admitted(&mut new), new.len());
    let all = admitted(&mut flood) + known.len() + served;
    assert!((31_000..=31_500).contains(&all), "{all}, and a quarter of 5 s are 31,250");
    // A stranger's first token has the odds of any other: one in eight or nine here, and it may try again.
    assert!((5..=25).contains(&served), "{served} of {asked}");
}

#[test]
fn a_flood_of_known_subjects_leaves_a_quarter_to_the_others() {
    let mut world = World::new();
    world.exhaust();
    let mut new = Vec::new();
    for millisecond in 0..1_000_u64 {
        for number in 0..50 {
            world.ask(true, scattered(millisecond * 50 + number));
        }
        // A thousand first logins in a second.
        new.push(world.ask(false, scattered(millisecond)));
        world.pass_a_millisecond();
    }
    let served = admitted(&mut new);
    assert!(served > 980, "{served}");
}

#[test]
fn a_flood_of_one_subject_harms_that_subject_only() {
    let mut world = World::new();
    world.exhaust();
    let mut others = Vec::new();
    for millisecond in 0..1_000_u64 {
        for _ in 0..50 {
            world.ask(true, 7);
        }
        // Not in the lane of the flood.
        others.push(world.ask(true, 8 + millisecond % 40));
        world.pass_a_millisecond();
    }
    let served = admitted(&mut others);
    assert!(served >= 998, "{served}");
}

impl Budget {
    /// Spends what has been saved up.
    pub(crate) fn exhaust(&self) {
        while self.shared.queues().is_admitted(COST, Instant::now()) {}
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_served_as_time_passes_or_told_to_come_back() {
    let budget = Budget::new();
    let owner = budget.owner(Some("org_1"), "usr_1");
    budget.exhaust();
    let began = Instant::now();
    let mut waiting = Vec::new();
    for _ in 0..40 {
        let budget = budget.clone();
        waiting.push(tokio::spawn(async move { budget.admit(COST, || owner).await }));
        tokio::task::yield_now().await;
    }
    let mut outcomes = Vec::new();
    for waiter in waiting {
        outcomes.push(waiter.await.expect("an outcome"));
    }
    let served = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(served, UNKNOWN[1], "the others did not fit: {outcomes:?}");
    assert!(outcomes[32..].iter().all(Result::is_ok), "the newest are served");
    assert!(began.elapsed() <= Duration::from_millis(5), "{:?}", began.elapsed());
    assert!(!budget.shared.queues().is_served, "nothing runs on");
    assert_eq!(budget.admit(COST, || owner).await, Ok(()));

    budget.verified(owner);
    budget.exhaust();
    let clone = budget.clone();
    let waiter = tokio::spawn(async move { clone.admit(COST, || owner).await });
    tokio::task::yield_now().await;
    assert!(!budget.shared.queues().known.are_empty(), "now it is known");
    waiter.abort();
    assert!(waiter.await.is_err());
    tokio::time::sleep(Duration::from_millis(2)).await;
    assert!(budget.shared.queues().are_empty(), "a waiter that gives up leaves nothing behind");
}

proptest! {
    #[test]
    fn the_time_is_never_exceeded_and_everyone_is_answered(
        steps in prop::collection::vec((any::<bool>(), 0..600_u64, 0..80_usize, any::<bool>()), 1..100),
    ) {
        let mut world = World::new();
        let began = world.now;
        let mut asked = Vec::new();
        for (is_known, owner, count, give_up) in steps {
            for _ in 0..count {
                let one = world.ask(is_known, owner);
                if !give_up {
                    asked.push(one);
                }
            }
            world.pass_a_millisecond();
        }
        let limit = Duration::from_millis(100) + (world.now - began) / 4 + COST;
        let spent = COST * u32::try_from(admitted(&mut asked)).expect("a small number");
        prop_assert!(spent <= limit, "{spent:?} of {limit:?}");
        let waiting = asked.iter_mut().filter(|one| matches!(one, Asked::Waiting(_))).count();
        let [known, unknown] = [KNOWN, UNKNOWN].map(|[count, longest]| count * longest);
        prop_assert!(waiting <= known + unknown);
        for _ in 0..1_000 {
            world.pass_a_millisecond();
        }
        prop_assert!(asked.iter_mut().all(|one| outcome(one).is_some()));
        prop_assert!(world.queues.are_empty());
    }
}
