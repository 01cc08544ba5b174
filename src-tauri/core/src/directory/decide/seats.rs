//! The seat limit.

use super::super::command::Outcome;
use super::super::effect::Effect;
use super::Draft;
use crate::activity::{Change, EventData};

impl Draft {
    pub(super) fn set_seat_limit(&mut self, limit: Option<u64>) -> Outcome {
        let mut counts = self.facts.counts;
        if counts.seat_limit != limit {
            let (from, to) = (counts.seat_limit, limit);
            counts.seat_limit = limit;
            self.push(Effect::SetCounts(counts));
            self.record(EventData::SeatLimitSet(Change { from, to }).into());
        }
        Outcome::Seats(self.facts.seats())
    }
}
