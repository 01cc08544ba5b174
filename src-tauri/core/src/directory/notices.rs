use jiff::Timestamp;

use super::engine::Directory;
use super::user::TimeAhead;
use crate::error::Warning;
use crate::{Result, time};

/// Code of the warning about recorded times that lie in the future.
pub const TIMES_AHEAD: &str = "times_ahead";

/// Returns warnings about states of a directory that an administrator must correct.
pub async fn notices(directory: &dyn Directory, now: Timestamp) -> Result<Vec<Warning>> {
    let shared = directory.shared_emails().await?.into_iter();
    let shared = shared.map(|shared| Warning::new("shared_email", shared.to_string()));
    let (times, all) = (
        directory.times_ahead(now).await?,
        directory.cutoff_ahead(now).await?,
    );
    let ahead = ahead(&times, all);
    Ok(shared.chain(ahead).collect())
}

/// Returns the warning about recorded times of users, and about that of a revocation of the links of
/// all people or of a key, that lie in the future.
fn ahead(times: &[TimeAhead], all: Option<i64>) -> Option<Warning> {
    let latest = times.iter().map(|time| time.at).chain(all).max()?;
    let mut users: Vec<&str> = times.iter().map(|time| time.user.as_str()).collect();
    users.dedup();
    let count = users.len();
    users.truncate(5);
    let more = if count > 5 { " and others" } else { "" };
    let users = format!("{}{more}", users.join(", "));
    let links = "the links of all users or of a signing key";
    let of = match (count, all) {
        (_, None) => users,
        (0, Some(_)) => links.to_owned(),
        (_, Some(_)) => format!("{users} and for {links}"),
    };
    let message = format!(
        "Times that are recorded for {of} lie in the future, up to {}: this computer's clock was wrong then, or is now. \
         Until then links count as older than the removal, the revocation or the profile. Set the clock, then set these times to now.",
        time::exact(latest)
    );
    Some(Warning::new(TIMES_AHEAD, message))
}
