//! Giving a link of the ledger out again. It is signed again, which makes the same code.

use crate::activity::AuditContext;
use crate::directory::Directory;
use crate::ledger::{
    GivenAs, IssuedLink, LinkOrigin, LinkStatus, ListedLink, TakenLink, not_entered, unknown_link,
};
use crate::link::compose::{Composed, Target, signed};
use crate::protocol::claims::Claims;
use crate::protocol::link_id;
use crate::secret::SigningKey;
use crate::{Error, ErrorCode, Result};

/// A link of the ledger to give out again.
#[derive(Clone, Copy, Debug)]
pub struct Again<'a> {
    /// ID of the link.
    pub id: &'a str,
    /// Way in which it is given out.
    pub given: GivenAs,
    /// Target of the links of the instance.
    pub target: &'a Target,
    /// Keys of the instance that verify now.
    pub keys: &'a [&'a SigningKey],
}

/// Signs a link again, enters in the ledger that it is given out, and returns what `form` makes of
/// it and of its record. If `form` fails, nothing is entered.
///
/// Fails like [`composed`], with [`ErrorCode::UnknownLink`], and if the link cannot be entered.
pub async fn give_out<T, E: From<Error>>(
    ledger: &dyn Directory,
    again: Again<'_>,
    by: &AuditContext,
    form: impl FnOnce(&Composed, &IssuedLink) -> Result<T, E>,
) -> Result<T, E> {
    let found = ledger.link(again.id, by.at).await?;
    let (listed, kept) = found.ok_or_else(unknown_link)?;
    let composed = composed(&listed, kept, again.target, again.keys)?;
    let made = form(&composed, &listed.link)?;
    let taken = TakenLink {
        given: again.given,
        ..TakenLink::new(composed.claims, listed.link.key)
    };
    let entered = ledger.take_link(taken, by).await;
    entered.map_err(not_entered)?;
    Ok(made)
}

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
    let ListedLink { link, standing, .. } = listed;
    match standing.status {
        LinkStatus::NotUsed | LinkStatus::InUse => {}
        LinkStatus::UsedUp => return Err(not_copyable("This link is used up")),
        LinkStatus::Expired => return Err(not_copyable("This link has expired")),
        LinkStatus::Revoked => return Err(not_copyable("This link was revoked")),
        LinkStatus::Superseded => {
            return Err(not_copyable("A newer link has replaced this one"));
        }
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
        return Err(key_is_gone());
    }
    Ok(claims)
}

/// Signs a link again with the key of `keys` that has signed it. The code is the same as before.
///
/// Fails like [`claims`], and with [`ErrorCode::NotCopyable`] if that key is not among them.
pub fn composed(
    listed: &ListedLink,
    kept: Option<Claims>,
    target: &Target,
    keys: &[&SigningKey],
) -> Result<Composed> {
    let claims = claims(listed, kept, |_| true)?;
    let id = &listed.link.id;
    let mut keys = keys.iter();
    let key = keys.find(|key| link_id::is_made_with(id, key));
    let key = key.ok_or_else(key_is_gone)?;
    signed(target, key, claims)
}

fn key_is_gone() -> Error {
    not_copyable("The key that has signed this link is gone")
}

fn not_copyable(why: &str) -> Error {
    let message = format!("{why}, so it cannot be given out again. Make a new link.");
    Error::new(ErrorCode::NotCopyable, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    use jiff::Timestamp;

    use crate::instance::Settings;
    use crate::ledger::{IssuedLink, LinkStatus, Standing};
    use crate::link::compose::{LinkSpec, compose};
    use crate::protocol::payload::{ExistingId, Payload};
    const NOW: i64 = 1_795_300_000;

    fn listed(id: &str, status: LinkStatus) -> ListedLink {
        ListedLink {
            link: IssuedLink::new(id.into(), LinkOrigin::Taken, NOW),
            standing: Standing {
                status,
                ended_at: None,
                ends_sessions: false,
            },
        }
    }

    #[test]
    fn a_link_that_works_is_signed_again_as_the_same_code() {
        let target = Settings::sample().unwrap().target();
        let [key, other] = [(); 2].map(|()| SigningKey::generate(target.algorithm).unwrap());
        let payload = Payload::Id(ExistingId::parse("ada", false).unwrap());
        let spec = LinkSpec::new(payload, "7 days".parse().unwrap());
        let now = Timestamp::from_second(NOW).unwrap();
        let first = compose(&target, &key, spec, now).unwrap();
        let id = first.claims.registered.id.as_deref().unwrap();
        let of = |status, kept: Option<&Claims>, keys: &[&SigningKey]| {
            composed(&listed(id, status), kept.cloned(), &target, keys)
        };
        let kept = Some(&first.claims);
        // The key may be retiring beside a newer one.
        for status in [LinkStatus::NotUsed, LinkStatus::InUse] {
            let again = of(status, kept, &[&other, &key]).unwrap();
            assert_eq!(again.code.expose(), first.code.expose());
        }
        for refused in [
            of(LinkStatus::UsedUp, kept, &[&key]),
            of(LinkStatus::NotUsed, kept, &[&other]),
            of(LinkStatus::NotUsed, None, &[&key]),
        ] {
            assert_eq!(refused.unwrap_err().code, ErrorCode::NotCopyable);
        }
    }
}
