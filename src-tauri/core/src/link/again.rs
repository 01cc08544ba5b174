//! Signing a link of the ledger again, which makes the same code.

use jiff::Timestamp;

use crate::ledger::{LinkOrigin, ListedLink};
use crate::link::compose::{Composed, Target, signed};
use crate::protocol::claims::Claims;
use crate::secret::KeySet;
use crate::{Error, ErrorCode, Result};

/// Returns the claims of a link, to sign them again. `has_key` tells whether the key with an ID is
/// still there.
///
/// Fails with [`ErrorCode::NotCopyable`] if the link does not work any more, if the ledger does not
/// have its claims, or if the key that has signed it is gone.
pub fn claims(
    listed: &ListedLink,
    kept: Option<Claims>,
    has_key: impl Fn(&str) -> bool,
) -> Result<Claims> {
    let ListedLink { link, standing } = listed;
    if !standing.status.works() {
        return Err(not_copyable("This link does not work any more"));
    }
    let Some(claims) = kept else {
        return Err(not_copyable(match link.origin {
            LinkOrigin::Foreign => "Another system has made this link, and only that one has it",
            LinkOrigin::Scanned | LinkOrigin::Taken => {
                "The ledger does not have this link any more"
            }
        }));
    };
    if link.key.as_deref().is_some_and(|key| !has_key(key)) {
        return Err(not_copyable("The key that has signed this link is gone"));
    }
    Ok(claims)
}

/// Signs a link again with the key that has signed it. The code is the same as before.
///
/// Fails like [`claims`].
pub fn composed(
    listed: &ListedLink,
    kept: Option<Claims>,
    target: &Target,
    keys: &KeySet,
    now: Timestamp,
) -> Result<Composed> {
    let usable = keys.usable(now);
    let named = |id: &str| usable.iter().find(|key| key.id() == Some(id));
    let claims = claims(listed, kept, |id| named(id).is_some())?;
    let key = listed.link.key.as_deref().and_then(named);
    signed(target, key.unwrap_or(&keys.active()), claims)
}

fn not_copyable(why: &str) -> Error {
    let message = format!("{why}, so it cannot be given out again. Make a new link.");
    Error::new(ErrorCode::NotCopyable, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::instance::Settings;
    use crate::ledger::{IssuedLink, LinkStatus, Standing};
    use crate::link::compose::{LinkSpec, compose};
    use crate::protocol::payload::{ExistingId, Payload};
    use crate::secret::SigningKey;

    const NOW: i64 = 1_795_300_000;

    fn listed(status: LinkStatus, key: Option<&str>) -> ListedLink {
        let mut link = IssuedLink::new("link".into(), LinkOrigin::Taken, NOW);
        link.key = key.map(str::to_owned);
        let standing = Standing {
            status,
            ended_at: None,
            ends_sessions: false,
        };
        ListedLink { link, standing }
    }

    #[test]
    fn a_link_is_signed_again_with_its_own_key_as_the_same_code_while_it_works() {
        let target = Settings::sample().unwrap().target();
        let key = |id: &str| SigningKey::generate(target.algorithm).unwrap().with_id(id);
        let (old, new) = (key("old"), key("new"));
        let payload = Payload::Id(ExistingId::parse("ada", false).unwrap());
        let spec = LinkSpec::new(payload, "7 days".parse().unwrap());
        let now = Timestamp::from_second(NOW).unwrap();
        let first = compose(&target, &old, spec, now).unwrap();
        let keys = KeySet::from(new).with_retiring(old, NOW + 100);
        let kept = || Some(first.claims.clone());
        let of = |status, by| composed(&listed(status, by), kept(), &target, &keys, now);
        let again = of(LinkStatus::InUse, Some("old")).unwrap();
        assert_eq!(again.code.expose(), first.code.expose());
        let refused = [
            of(LinkStatus::UsedUp, Some("old")),
            of(LinkStatus::NotUsed, Some("gone")),
            composed(
                &listed(LinkStatus::NotUsed, None),
                None,
                &target,
                &keys,
                now,
            ),
        ];
        for refused in refused {
            assert_eq!(refused.unwrap_err().code, ErrorCode::NotCopyable);
        }
    }
}
