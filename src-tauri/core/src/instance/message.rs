//! The message about a link of an instance.

use jiff::tz::TimeZone;

use super::Settings;
use crate::link::compose::Composed;
use crate::link::message::Handover;

impl Settings {
    /// Returns the message in which a person with a name gets a link, as its long or its short `url`. It
    /// names times in `zone`.
    #[must_use]
    pub fn message_to(
        &self,
        name: &str,
        url: &str,
        composed: &Composed,
        zone: &TimeZone,
    ) -> String {
        let decides = !self.hosted.is_latchkey();
        self.message.fill(&Handover {
            name,
            instance: self.name.as_str(),
            url,
            claims: &composed.claims,
            elsewhere: decides.then(|| self.url.authority()),
            zone,
        })
    }
}
