//! Secrets that are valid once and for a limited time, and the two kinds of them.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use super::fingerprint::Fingerprint;
use super::records::Grant;
use crate::identifiers::unguessable;
use crate::oauth::authorization_response::AuthorizationResponse;
use crate::oauth::pkce::CodeChallenge;
use crate::oauth::scope::Scopes;

/// A request that has been checked, while a person decides.
#[derive(Clone, Debug)]
pub(crate) struct PendingAuthorization {
    pub(crate) client_id: String,
    pub(crate) scopes: Scopes,
    pub(crate) challenge: CodeChallenge,
    pub(crate) response: AuthorizationResponse,
}

/// What an authorization code is exchanged for (RFC 6749 section 4.1.2).
#[derive(Clone, Debug)]
pub(crate) struct AuthorizedCode {
    pub(crate) grant: Grant,
    pub(crate) challenge: CodeChallenge,
    /// Byte for byte as in the authorization request.
    pub(crate) redirect_uri: String,
}

/// Issues unguessable tickets, each of which can be redeemed once for its value. In memory: a restart
/// invalidates all of them.
pub(crate) struct Tickets<T> {
    issued: Mutex<VecDeque<Ticket<T>>>,
    most: usize,
}

struct Ticket<T> {
    fingerprint: Fingerprint,
    expires_at: i64,
    value: T,
}

impl<T> Tickets<T> {
    /// Beyond `most` tickets the oldest becomes invalid.
    pub(crate) fn new(most: usize) -> Self {
        Self { issued: Mutex::default(), most }
    }

    /// `lifetime` in seconds, `now` in Unix seconds.
    pub(crate) fn issue(&self, value: T, lifetime: i64, now: i64) -> String {
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

    /// The value of a ticket that was issued, has not expired and was not redeemed before.
    pub(crate) fn redeem(&self, ticket: &str, now: i64) -> Option<T> {
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
    fn a_ticket_is_redeemed_once() {
        let tickets = Tickets::new(10);
        let ticket = tickets.issue("value", 600, 0);

        assert_eq!(tickets.redeem(&ticket, 599), Some("value"));
        assert_eq!(tickets.redeem(&ticket, 599), None);
    }

    #[test]
    fn a_ticket_expires() {
        let tickets = Tickets::new(10);
        let ticket = tickets.issue("value", 600, 0);

        assert_eq!(tickets.redeem(&ticket, 600), None);
    }

    #[test]
    fn the_oldest_ticket_is_dropped() {
        let tickets = Tickets::new(2);
        let issued: Vec<_> = (0..3).map(|value| (value, tickets.issue(value, 600, 0))).collect();

        let found: Vec<_> = issued.iter().map(|(_, ticket)| tickets.redeem(ticket, 0)).collect();

        assert_eq!(found, [None, Some(1), Some(2)]);
    }
}
