//! Secrets that are good once, for a while.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use super::fingerprint::Fingerprint;
use crate::identifiers::unguessable;

/// Hands out unguessable tickets, each of which gives its value back once. In memory: a restart
/// voids them all.
pub(crate) struct Tickets<T> {
    issued: Mutex<VecDeque<Ticket<T>>>,
    lifetime: i64,
    most: usize,
}

struct Ticket<T> {
    fingerprint: Fingerprint,
    expires_at: i64,
    value: T,
}

impl<T> Tickets<T> {
    /// `lifetime` in seconds; beyond `most` tickets the oldest is void.
    pub(crate) fn new(lifetime: i64, most: usize) -> Self {
        Self { issued: Mutex::default(), lifetime, most }
    }

    pub(crate) fn issue(&self, value: T, now: i64) -> String {
        self.issue_for(self.lifetime, value, now)
    }

    /// A ticket that is good for another time than most, in seconds.
    pub(crate) fn issue_for(&self, lifetime: i64, value: T, now: i64) -> String {
        let ticket = unguessable();
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        issued.retain(|held| now < held.expires_at);
        if issued.len() >= self.most {
            issued.pop_front();
        }
        issued.push_back(Ticket {
            fingerprint: Fingerprint::of(&ticket),
            expires_at: now.saturating_add(lifetime),
            value,
        });
        ticket
    }

    /// The value of a ticket that was issued, has not expired and was never taken.
    pub(crate) fn take(&self, ticket: &str, now: i64) -> Option<T> {
        let fingerprint = Fingerprint::of(ticket);
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        let place = issued.iter().position(|held| held.fingerprint == fingerprint)?;
        issued.remove(place).filter(|taken| now < taken.expires_at).map(|taken| taken.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_good_once() {
        let tickets = Tickets::new(600, 10);
        let ticket = tickets.issue("value", 0);

        assert_eq!(tickets.take(&ticket, 599), Some("value"));
        assert_eq!(tickets.take(&ticket, 599), None);
    }

    #[test]
    fn a_ticket_expires() {
        let tickets = Tickets::new(600, 10);
        let ticket = tickets.issue("value", 0);

        assert_eq!(tickets.take(&ticket, 600), None);
    }

    #[test]
    fn the_oldest_ticket_makes_room() {
        let tickets = Tickets::new(600, 2);
        let issued: Vec<_> = (0..3).map(|value| (value, tickets.issue(value, 0))).collect();

        let found: Vec<_> = issued.iter().map(|(_, ticket)| tickets.take(ticket, 0)).collect();

        assert_eq!(found, [None, Some(1), Some(2)]);
    }
}
