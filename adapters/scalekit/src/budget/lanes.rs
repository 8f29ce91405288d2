use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::oneshot;

/// A token that waits for a turn. Its task is notified when this is dropped.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) turn: oneshot::Sender<()>,
    pub(super) cost: Duration,
}

/// A bounded number of queues that take turns, each of bounded length. Who queues where does not matter to
/// the others, however many there are in one.
///
/// A queue serves its oldest waiter first, and drops it when it is full and another one comes: the one that has
/// waited longest is most likely to have given up. So a queue that was flooded a moment ago has room for
/// the next honest waiter, and none waits for longer than a queue takes.
#[derive(Debug)]
pub(super) struct Lanes {
    queues: Vec<VecDeque<Waiter>>,
    /// The lanes that are not empty, the next one first.
    order: VecDeque<usize>,
    longest: usize,
}

impl Lanes {
    pub(super) fn new(count: usize, longest: usize) -> Self {
        let queues = (0..count).map(|_| VecDeque::new()).collect();
        Self { queues, order: VecDeque::new(), longest }
    }

    pub(super) fn are_empty(&self) -> bool {
        self.order.is_empty()
    }

    pub(super) fn waiting(&self) -> usize {
        self.queues.iter().map(VecDeque::len).sum()
    }

    /// Queues in one of the lanes: the same one for the same `hash`.
    pub(super) fn push(&mut self, hash: u64, waiter: Waiter) {
        #[expect(clippy::cast_possible_truncation, reason = "any bits of a hash will do")]
        let number = hash as usize % self.queues.len();
        let lane = &mut self.queues[number];
        if lane.is_empty() {
            self.order.push_back(number);
        }
        if lane.len() >= self.longest {
            lane.retain(|waiter| !waiter.turn.is_closed());
        }
        if lane.len() >= self.longest {
            lane.pop_front();
        }
        lane.push_back(waiter);
    }

    /// The next one, of the next lane.
    pub(super) fn pop(&mut self) -> Option<Waiter> {
        let number = self.order.pop_front()?;
        let lane = &mut self.queues[number];
        let waiter = lane.pop_front();
        if !lane.is_empty() {
            self.order.push_back(number);
        }
        waiter
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot::Receiver;

    use super::*;

    const COST: Duration = Duration::from_micros(40);

    fn push(lanes: &mut Lanes, key: u64) -> Receiver<()> {
        let (turn, receiver) = oneshot::channel();
        lanes.push(key, Waiter { turn, cost: COST });
        receiver
    }

    /// Gives turns to so many waiters.
    fn give(lanes: &mut Lanes, count: usize) {
        for _ in 0..count {
            let _ = lanes.pop().expect("a waiter").turn.send(());
        }
    }

    fn has_turn(receiver: &mut Receiver<()>) -> bool {
        receiver.try_recv().is_ok()
    }

    #[test]
    fn lanes_take_turns_however_long_they_are() {
        let mut lanes = Lanes::new(4, 8);
        let mut crowd: Vec<_> = (0..8).map(|_| push(&mut lanes, 5)).collect();
        let mut others: Vec<_> = [2, 3].map(|key| push(&mut lanes, key)).into();
        give(&mut lanes, 3);
        assert!(others.iter_mut().all(has_turn));
        assert_eq!(crowd.iter_mut().filter_map(|it| it.try_recv().ok()).count(), 1);
        give(&mut lanes, 7);
        assert!(lanes.are_empty() && lanes.pop().is_none());
    }

    #[test]
    fn a_full_lane_drops_who_has_given_up_and_then_who_waits_longest() {
        let mut lanes = Lanes::new(1, 2);
        let mut first = push(&mut lanes, 0);
        drop(push(&mut lanes, 0));
        let mut third = push(&mut lanes, 0);
        let closed = oneshot::error::TryRecvError::Closed;
        assert_eq!(first.try_recv(), Err(oneshot::error::TryRecvError::Empty));
        let mut fourth = push(&mut lanes, 0);
        assert_eq!(first.try_recv(), Err(closed));
        give(&mut lanes, 2);
        assert!(has_turn(&mut third) && has_turn(&mut fourth));
        assert!(lanes.are_empty());
    }

    #[test]
    fn a_lane_whose_waiters_have_all_given_up_is_used_again() {
        let mut lanes = Lanes::new(2, 1);
        drop(push(&mut lanes, 0));
        let mut waiting = push(&mut lanes, 0);
        give(&mut lanes, 1);
        assert!(has_turn(&mut waiting));
        assert!(lanes.are_empty());
    }
}
