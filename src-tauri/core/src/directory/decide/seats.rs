//! The seat limit.

use super::super::command::Outcome;
use super::super::effect::Effect;
use super::Draft;
use crate::activity::Event;

impl Draft {
    pub(super) fn set_seat_limit(&mut self, limit: Option<u64>) -> Outcome {
        let mut counts = self.facts.counts;
        if counts.seat_limit != limit {
            let words = |limit: Option<u64>| limit.map_or("none".to_owned(), |n| n.to_string());
            let (was, is) = (words(counts.seat_limit), words(limit));
            counts.seat_limit = limit;
            self.push(Effect::SetCounts(counts));
            let event = Event::act("seat_limit_set", format!("Seat limit: {is}"));
            self.record(event.with(format!("seat limit: {was} → {is}")));
        }
        Outcome::Seats(counts.seats())
    }
}
