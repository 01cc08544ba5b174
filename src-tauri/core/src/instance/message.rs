//! The message about a link of an instance.

use jiff::tz::TimeZone;

use super::Instance;
use crate::link::compose::Composed;
use crate::link::message::Handover;

impl Instance {
    /// Returns the name by which people know the instance. An instance on a gateway has its name
    /// there, because the name on this computer only tells instances on several gateways apart.
    #[must_use]
    pub fn public_name(&self) -> &str {
        let there = self.connection.as_ref();
        let there = there.and_then(|connection| connection.name.as_ref());
        there.unwrap_or(&self.settings.name).as_str()
    }

    /// Returns the message in which a person with a name gets a link, as its long or its short `url`,
    /// after a number of sign-ins by it, if that is known. It names times in `zone`.
    #[must_use]
    pub fn message_to(
        &self,
        name: &str,
        url: &str,
        composed: &Composed,
        used: Option<u64>,
        zone: &TimeZone,
    ) -> String {
        let settings = &self.settings;
        let decides = !settings.hosted.is_latchkey();
        settings.message.fill(&Handover {
            name,
            instance: self.public_name(),
            url,
            claims: &composed.claims,
            used,
            elsewhere: decides.then(|| settings.url.authority()),
            zone,
        })
    }
}
