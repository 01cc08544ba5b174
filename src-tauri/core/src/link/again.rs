//! Signing a link of the ledger again, which makes the same code.

use crate::ledger::{LinkOrigin, ListedLink};
use crate::link::compose::{Composed, Target, signed};
use crate::protocol::claims::Claims;
use crate::secret::{KeyRecord, SigningKey};
use crate::{Error, ErrorCode, Result};

/// Returns the claims of a link, to sign them again with the key of a record. Without a `record`,
/// the key is not compared.
///
/// Fails with [`ErrorCode::NotCopyable`] if the link does not work any more, if the ledger does not
/// have its claims, or if another key has signed it.
pub fn claims(
    listed: &ListedLink,
    claims: Option<Claims>,
    record: Option<&KeyRecord>,
) -> Result<Claims> {
    let ListedLink { link, standing } = listed;
    if !standing.status.works() {
        return Err(not_copyable("This link does not work any more"));
    }
    let Some(claims) = claims else {
        return Err(not_copyable(match link.origin {
            LinkOrigin::Foreign => "Another system has made this link, and only that one has it",
            LinkOrigin::Scanned | LinkOrigin::Taken => {
                "The ledger does not have this link any more"
            }
        }));
    };
    let is_same = |record: &KeyRecord| match &link.key {
        Some(key) => *key == record.id,
        None => record.set_at <= link.entered_at,
    };
    if record.is_some_and(|record| !is_same(record)) {
        let message = "The key that has signed this link is not the signing key any more";
        return Err(not_copyable(message));
    }
    Ok(claims)
}

/// Signs a link again. The code is the same as before.
///
/// Fails like [`claims`].
pub fn composed(
    listed: &ListedLink,
    kept: Option<Claims>,
    target: &Target,
    (key, record): (&SigningKey, Option<&KeyRecord>),
) -> Result<Composed> {
    signed(target, key, claims(listed, kept, record)?)
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
    use crate::secret::{KeyLocation, KeyOrigin, SecretEncoding};

    const NOW: i64 = 1_795_300_000;

    fn record(id: &str, set_at: i64) -> KeyRecord {
        KeyRecord {
            id: id.into(),
            origin: KeyOrigin::Generated,
            kept: KeyLocation::SealedFile,
            set_at,
            bytes: 32,
            encoding: SecretEncoding::default(),
            revealed: false,
        }
    }

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
    fn a_link_that_works_is_signed_again_as_the_same_code() {
        let target = Settings::sample().unwrap().target();
        let key = SigningKey::generate(target.algorithm).unwrap();
        let payload = Payload::Id(ExistingId::parse("ada", false).unwrap());
        let spec = LinkSpec::new(payload, "7 days".parse().unwrap());
        let now = Timestamp::from_second(NOW).unwrap();
        let first = compose(&target, &key, spec, now).unwrap();
        let kept = Some(first.claims.clone());
        let known = record("key", NOW);
        let of = |status, by, record: &KeyRecord| {
            composed(
                &listed(status, by),
                kept.clone(),
                &target,
                (&key, Some(record)),
            )
        };
        for by in [Some("key"), None] {
            let again = of(LinkStatus::InUse, by, &known).unwrap();
            assert_eq!(again.code.expose(), first.code.expose());
        }
        let refused = [
            of(LinkStatus::UsedUp, Some("key"), &known),
            of(LinkStatus::NotUsed, Some("other"), &known),
            of(LinkStatus::NotUsed, None, &record("key", NOW + 1)),
            composed(
                &listed(LinkStatus::NotUsed, None),
                None,
                &target,
                (&key, None),
            ),
        ];
        for refused in refused {
            assert_eq!(refused.unwrap_err().code, ErrorCode::NotCopyable);
        }
    }
}
