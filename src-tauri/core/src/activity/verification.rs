//! The result of a verification, in data and in words.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::seal::Mark;
use crate::time;

/// Result of a verification of the activity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Verification {
    /// Number of sealed entries that are there.
    pub entries: u64,
    /// Last seal. Null if no entry is sealed.
    #[schema(required)]
    pub last: Option<Mark>,
    /// Time of the last sealed entry.
    #[serde(with = "time::rfc3339_if_any")]
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub last_at: Option<i64>,
    /// Number of entries that were recorded before sealing began. They are not sealed.
    pub before_sealing: u64,
    /// Number up to which the retention has removed the sealed entries that are no refusals. Null if
    /// it has removed none.
    #[schema(required)]
    pub removed_through: Option<u64>,
    /// Number up to which the retention has removed the sealed refusals. Null if it has removed
    /// none.
    #[schema(required)]
    pub refusals_removed_through: Option<u64>,
    /// Faults in the order of the entries, at most 100.
    pub faults: Vec<Fault>,
    /// Whether there are more than 100 faults.
    pub has_more_faults: bool,
    /// Comparison with the seal that was expected. Null if none was.
    #[schema(required)]
    pub expected: Option<Comparison>,
}

/// Result of a comparison with an expected seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// The entry has the expected hash.
    Same,
    /// The entry has another hash, or is missing.
    Different,
    /// The activity ends before the entry.
    Ended,
    /// The hash cannot be computed, because entries that it covers were removed by the retention or
    /// are not sealed.
    Unknown,
}

/// Place in the activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Place {
    /// Number of an entry.
    pub number: u64,
    /// Time of the entry. Null if it is not known.
    #[serde(with = "time::rfc3339_if_any")]
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub at: Option<i64>,
}

impl Place {
    fn words(self) -> String {
        let number = self.number;
        self.at.map_or_else(
            || format!("entry {number}"),
            |at| format!("entry {number} of {}", time::exact(at)),
        )
    }
}

/// Kind of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Entries are missing.
    Missing,
    /// Entries were added that were not recorded there.
    Added,
    /// Entries were altered, replaced or reordered.
    Altered,
    /// A seal is missing.
    SealMissing,
    /// A seal was altered or added.
    SealAltered,
    /// The state of the sealing is missing.
    SealingMissing,
}

/// A fault of the activity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fault {
    /// Kind of the fault.
    pub kind: FaultKind,
    /// Minimum number of entries or seals that it concerns.
    pub count: u64,
    /// Last entry before the fault. Null at the beginning of the activity.
    #[schema(required)]
    pub after: Option<Place>,
    /// Last entry that the fault may concern. Null if it is not known.
    #[schema(required)]
    pub through: Option<Place>,
}

impl Fault {
    /// Returns the fault in one sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let count = self.count;
        let what = match (self.kind, count) {
            (FaultKind::Missing, 1) => "1 entry is missing".to_owned(),
            (FaultKind::Missing, _) => format!("{count} entries are missing"),
            (FaultKind::Added, 1) => "1 entry was added that was not recorded".to_owned(),
            (FaultKind::Added, _) => format!("{count} entries were added that were not recorded"),
            (FaultKind::Altered, _) => "an entry was altered, replaced or moved".to_owned(),
            (FaultKind::SealMissing, _) => "a seal is missing".to_owned(),
            (FaultKind::SealAltered, _) => "a seal was altered or added".to_owned(),
            (FaultKind::SealingMissing, _) => "the state of the sealing is missing".to_owned(),
        };
        let place = match (self.after, self.through) {
            (None, None) => String::new(),
            (None, Some(through)) => format!("up to {}: ", through.words()),
            (Some(after), None) => format!("after {}: ", after.words()),
            (Some(after), Some(through)) => {
                format!("after {}, up to {}: ", after.words(), through.words())
            }
        };
        let sentence = format!("{place}{what}.");
        let mut letters = sentence.chars();
        let first = letters.next().map(char::to_uppercase);
        first.into_iter().flatten().chain(letters).collect()
    }
}

impl Verification {
    /// Returns whether there is no fault, and the expected seal is there if one was given.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty() && matches!(self.expected, None | Some(Comparison::Same))
    }

    /// Returns the result in one sentence.
    #[must_use]
    pub fn title(&self) -> String {
        let entries = entries(self.entries);
        let unlike_expected = match self.expected {
            Some(Comparison::Different) => {
                Some("The activity is not the one that was verified before.")
            }
            Some(Comparison::Ended) => Some("The activity was cut off, or is an older copy."),
            Some(Comparison::Unknown) => {
                Some("No fault was found, but the expected seal cannot be compared.")
            }
            Some(Comparison::Same) | None => None,
        };
        if let (Some(title), []) = (unlike_expected, &self.faults[..]) {
            return title.to_owned();
        }
        match (&self.last, self.faults.len()) {
            (None, 0) => "No entry is sealed yet.".to_owned(),
            (Some(_), 0) => format!("The activity is whole: {entries} as recorded."),
            (_, 1) => "The activity is damaged: 1 fault.".to_owned(),
            (_, count) if self.has_more_faults => {
                format!("The activity is damaged: more than {count} faults.")
            }
            (_, count) => format!("The activity is damaged: {count} faults."),
        }
    }

    /// Returns the faults, the comparison with `expected`, and what was not verified, each in one
    /// sentence.
    #[must_use]
    pub fn details(&self, expected: Option<&Mark>) -> Vec<String> {
        let mut details: Vec<String> = self.faults.iter().map(Fault::sentence).collect();
        if let (Some(comparison), Some(Mark { number, .. })) = (self.expected, expected) {
            let last = self.last.map_or(0, |last| last.number);
            details.push(match comparison {
                Comparison::Same => format!("Entry {number} has the expected hash."),
                Comparison::Different => format!(
                    "Entry {number} does not have the expected hash. Entries up to it were changed since the hash was noted."
                ),
                Comparison::Ended => format!(
                    "The activity ends at entry {last}, before entry {number}, which was expected."
                ),
                Comparison::Unknown => format!(
                    "The hash of entry {number} cannot be compared any more, because the retention has removed entries that it covers, or it is not sealed."
                ),
            });
        }
        if self.before_sealing > 0 {
            let entries = entries(self.before_sealing);
            details.push(format!(
                "{entries} from before sealing began: not sealed, and not verified."
            ));
        }
        if let Some(through) = self.removed_through {
            details.push(format!(
                "The retention has removed the entries up to {through}."
            ));
        }
        if let Some(through) = self.refusals_removed_through
            && self.removed_through.is_none_or(|all| all < through)
        {
            details.push(format!(
                "The retention has removed the refusals up to {through}."
            ));
        }
        details
    }
}

fn entries(count: u64) -> String {
    if count == 1 {
        "1 entry".to_owned()
    } else {
        format!("{count} entries")
    }
}
