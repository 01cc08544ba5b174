//! Correcting recorded times that lie in the future because the clock was wrong.

use super::super::command::MAX_TIMES;
use super::super::command::Outcome;
use super::super::effect::Effect;
use super::super::user::TimeAhead;
use super::Draft;
use crate::activity::EventData;
use crate::ledger::LinkPerson;
use crate::protocol::email::Email;
use crate::time;

impl Draft {
    /// Sets recorded times that lie in the future to now.
    pub(super) fn correct_times(&mut self, found: &[TimeAhead]) -> Outcome {
        let mut users = Vec::new();
        for time in found {
            if self.correct_time(time) {
                users.push(time.user.clone());
            }
        }
        let latest = self.facts.latest_time.unwrap_or_default();
        if found.len() < MAX_TIMES && time::is_ahead(latest, self.now) {
            self.push(Effect::SetLatestTime(self.now));
        }
        let mut count = users.len().try_into().unwrap_or(u64::MAX);
        let mut cutoffs = self.facts.cutoffs.clone();
        if cutoffs.correct(self.now) {
            self.push(Effect::SetInstanceCutoffs(cutoffs));
            count += 1;
        }
        if count > 0 {
            self.record(EventData::TimesCorrected { users }.into());
        }
        Outcome::Count(count)
    }

    fn correct_time(&mut self, found: &TimeAhead) -> bool {
        let id = &found.user;
        if found.is_cutoff {
            return self.correct_cutoffs(found);
        }
        if found.is_removal {
            let is_there = self.facts.removed_at(id) == Some(found.at);
            if is_there {
                self.correct_cutoffs(found);
                // If a user has the ID again, the removal is dropped. Otherwise links that were
                // made for that user would count as older.
                let at = self.facts.user(id).is_none().then_some(self.now);
                self.push(Effect::SetRemoval(id.clone(), at));
            }
            return is_there;
        }
        let user = self.facts.user(id);
        let Some(user) = user.filter(|user| user.profile_as_of == found.at) else {
            return false;
        };
        let mut user = user.clone();
        user.profile_as_of = self.now;
        self.put(&user);
        // The time is now this computer's. Links that were noted stay newer.
        let links = self.facts.links_since_edit(id).flatten();
        let links = links.unwrap_or_default().to_vec();
        self.push(Effect::SetLinksSinceEdit(id.clone(), Some(links)));
        true
    }

    /// Corrects the cutoffs of a user with the ID, and of the address.
    fn correct_cutoffs(&mut self, found: &TimeAhead) -> bool {
        let by_id = LinkPerson::User(found.user.clone());
        let email = Email::parse(found.user.as_str(), "user").ok();
        let mut is_any = false;
        for person in email.map(LinkPerson::Email).into_iter().chain([by_id]) {
            let mut cutoffs = self.facts.cutoffs_of(&person);
            if cutoffs.correct(self.now) {
                self.push(Effect::SetPersonCutoffs(person, Box::new(cutoffs)));
                is_any = true;
            }
        }
        is_any
    }
}
