use std::time::Duration;

use tokio::time::Instant;

/// The part of one core that may be spent.
const ONE_IN: u32 = 4;
/// The most that is saved up: over two thousand verifications of an ordinary token.
const MOST: Duration = Duration::from_millis(100);

/// CPU time that may be spent: a bucket that fills steadily.
///
/// It is spent while there is any, whatever the next piece of work costs, and is overdrawn by that at
/// most.
#[derive(Debug)]
pub(super) struct Credit {
    /// In nanoseconds; negative while it is overdrawn.
    available: i64,
    filled_at: Instant,
}

impl Credit {
    pub(super) fn full(now: Instant) -> Self {
        Self { available: nanoseconds(MOST), filled_at: now }
    }

    pub(super) fn fill(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.filled_at);
        let filled = self.available.saturating_add(nanoseconds(elapsed / ONE_IN));
        self.available = filled.min(nanoseconds(MOST));
        self.filled_at = now;
    }

    pub(super) fn is_left(&self) -> bool {
        self.available > 0
    }

    /// The part that is spent of what is saved up at most, from 0 to 1.
    pub(super) fn spent(&self) -> f64 {
        let left = Duration::from_nanos(self.available.max(0).unsigned_abs());
        1.0 - left.div_duration_f64(MOST)
    }

    pub(super) fn spend(&mut self, cost: Duration) {
        self.available = self.available.saturating_sub(nanoseconds(cost));
    }

    /// How long until some is left.
    pub(super) fn wait(&self) -> Duration {
        let lacking = if self.is_left() { 0 } else { 1 - self.available };
        Duration::from_nanos(lacking.unsigned_abs()) * ONE_IN
    }
}

fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COST: Duration = Duration::from_micros(40);

    /// How many pieces of work can be paid at that time.
    fn spend_all(credit: &mut Credit, now: Instant) -> u32 {
        credit.fill(now);
        let mut count = 0;
        while credit.is_left() {
            credit.spend(COST);
            count += 1;
        }
        count
    }

    #[test]
    fn a_quarter_of_the_time_can_be_spent_and_a_tenth_of_a_second_saved_up() {
        let start = Instant::now();
        let mut credit = Credit::full(start);
        assert_eq!(spend_all(&mut credit, start), 2_500);
        assert_eq!(spend_all(&mut credit, start), 0);
        let mut paid = 0;
        for millis in 1..=1_000 {
            paid += spend_all(&mut credit, start + Duration::from_millis(millis));
        }
        assert_eq!(paid, 6_250);
        assert_eq!(spend_all(&mut credit, start + Duration::from_hours(1)), 2_500);
    }

    #[test]
    fn the_wait_is_until_some_is_left() {
        let start = Instant::now();
        let mut credit = Credit::full(start);
        assert_eq!(credit.wait(), Duration::ZERO);
        credit.spend(MOST + COST);
        let wait = credit.wait();
        assert_eq!(wait, COST * 4 + Duration::from_nanos(4));
        credit.fill(start + wait - Duration::from_nanos(4));
        assert!(!credit.is_left());
        let mut credit = Credit::full(start);
        credit.spend(MOST + COST);
        credit.fill(start + wait);
        assert!(credit.is_left());
    }
}
