//! The plan of a whole file, and carrying it out in batches.

use std::collections::HashMap;

use futures_util::future::join_all;
use jiff::Timestamp;

use super::file::ImportFile;
use super::plan::{self, Action, ImportOptions, RowPlan, RowProblem};
use super::row::ImportRow;
use crate::activity::AuditContext;
use crate::directory::{Command, Directory, Facts, MAX_IMPORT, Newcomer, SeenProfile};
use crate::protocol::payload::NewUser;
use crate::protocol::user_id::UserId;
use crate::verdict::Seats;
use crate::{Error, ErrorCode, Result};

/// Number of changed profiles that are sent at once, because an engine writes them together.
const CHANGES_AT_ONCE: usize = 16;

/// Number of attempts at a batch that another change overtakes.
const ATTEMPTS: usize = 3;

/// A file with the plan for each row.
#[derive(Debug)]
pub struct Import {
    file: ImportFile,
    options: ImportOptions,
    plans: Vec<RowPlan>,
    /// Seats before the import.
    seats: Seats,
    /// Number of rows that were looked at for the import.
    looked_at: usize,
    /// Number of rows that were imported.
    done: Counts,
}

/// Numbers of rows by what the import does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Users that are added, also again.
    pub add: u64,
    /// Users that are changed.
    pub change: u64,
    /// Users that exist with the same profile.
    pub same: u64,
    /// Users that exist with another profile, and keep it.
    pub keep: u64,
    /// Rows with a problem.
    pub problem: u64,
}

impl Counts {
    /// Counts plans.
    fn of<'a>(plans: impl IntoIterator<Item = &'a RowPlan>) -> Self {
        let mut counts = Self::default();
        for plan in plans {
            counts.count(&plan.action);
        }
        counts
    }

    fn count(&mut self, action: &Action) {
        *match action {
            Action::Add | Action::AddAgain(_) => &mut self.add,
            Action::Change(_) => &mut self.change,
            Action::Same => &mut self.same,
            Action::Keep(_) => &mut self.keep,
            Action::Problem(_) => &mut self.problem,
        } += 1;
    }
}

impl Import {
    /// Plans a file. Changes nothing.
    pub async fn plan(
        file: ImportFile,
        options: ImportOptions,
        directory: &dyn Directory,
        now: Timestamp,
    ) -> Result<Self> {
        let mut import = Self {
            plans: Vec::with_capacity(file.rows.len()),
            file,
            options,
            seats: directory.seats(now).await?,
            looked_at: 0,
            done: Counts::default(),
        };
        import.plan_again(options, directory, now).await?;
        Ok(import)
    }

    /// Plans the file anew with other choices. Changes nothing.
    pub async fn plan_again(
        &mut self,
        options: ImportOptions,
        directory: &dyn Directory,
        now: Timestamp,
    ) -> Result<()> {
        let mut plans = Vec::with_capacity(self.file.rows.len());
        let (mut seats, mut seen) = (None, Seen::default());
        for rows in self.file.rows.chunks(MAX_IMPORT) {
            let mut facts = directory.look_up(&plan::lookup(rows), now).await?;
            // All batches count from the seats of the first, also if somebody signs in between.
            let counts = seats.get_or_insert(facts.counts);
            for row in rows {
                facts.counts = *counts;
                let mut planned = plan::decide(row, &facts, options, now);
                if let Some(problem) = seen.problem(row, &planned) {
                    planned = RowPlan::problem(problem);
                }
                if matches!(planned.action, Action::Add | Action::AddAgain(_)) {
                    counts.active += 1;
                }
                plans.push(planned);
            }
        }
        self.seats = directory.seats(now).await?;
        self.options = options;
        self.plans = plans;
        self.looked_at = 0;
        self.done = Counts::default();
        Ok(())
    }

    /// Returns the file.
    #[must_use]
    pub const fn file(&self) -> &ImportFile {
        &self.file
    }

    /// Returns the choices.
    #[must_use]
    pub const fn options(&self) -> ImportOptions {
        self.options
    }

    /// Returns the rows with their plans.
    #[must_use]
    pub fn rows(
        &self,
    ) -> impl ExactSizeIterator<Item = (&ImportRow, &RowPlan)> + DoubleEndedIterator {
        self.file.rows.iter().zip(&self.plans)
    }

    /// Returns the seats when the plan was made.
    #[must_use]
    pub const fn seats(&self) -> Seats {
        self.seats
    }

    /// Returns the numbers of rows by plan. A row that turned out to be stale has a problem.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts::of(&self.plans)
    }

    /// Returns the numbers of the rows that were imported so far.
    #[must_use]
    pub const fn done(&self) -> Counts {
        self.done
    }

    /// Returns the number of rows that [`import_batch`](Self::import_batch) has passed.
    #[must_use]
    pub const fn looked_at(&self) -> usize {
        self.looked_at
    }

    /// Imports the next batch. Returns `false` after the last.
    ///
    /// Loads the facts again. A row whose plan no longer fits is left out and has a
    /// [problem](RowProblem). New users of the batch are added all together or, if this fails, not
    /// at all. What earlier batches did stays.
    pub async fn import_batch(
        &mut self,
        directory: &dyn Directory,
        by: &AuditContext,
    ) -> Result<bool> {
        let batch = self.next_batch();
        if batch.is_empty() {
            self.looked_at = self.plans.len();
            return Ok(false);
        }
        for attempt in 1.. {
            match self.attempt(&batch, directory, by).await {
                Err(overtaken) if is_overtaken(&overtaken) && attempt < ATTEMPTS => {}
                done => {
                    done?;
                    break;
                }
            }
        }
        self.looked_at = batch.last().map_or(self.plans.len(), |last| last + 1);
        Ok(true)
    }

    /// Returns the places of the next rows that change something.
    fn next_batch(&self) -> Vec<usize> {
        let rest = self.plans.iter().enumerate().skip(self.looked_at);
        let changing = rest.filter(|(_, plan)| plan.action.changes());
        changing.map(|(place, _)| place).take(MAX_IMPORT).collect()
    }

    async fn attempt(
        &mut self,
        batch: &[usize],
        directory: &dyn Directory,
        by: &AuditContext,
    ) -> Result<()> {
        let rows = batch.iter().filter_map(|place| self.file.rows.get(*place));
        let mut facts = directory.look_up(&plan::lookup(rows), by.at).await?;
        let (mut adding, mut changing) = (Vec::new(), Vec::new());
        for place in batch {
            let (Some(row), Some(planned)) =
                (self.file.rows.get(*place), self.plans.get_mut(*place))
            else {
                continue;
            };
            let now = plan::decide(row, &facts, self.options, by.at);
            if now != *planned {
                *planned = stale(now);
                continue;
            }
            let Ok(new) = &row.content else { continue };
            if let (Action::Change(_), Some(user)) = (&planned.action, &planned.user) {
                changing.push((*place, user.clone()));
            } else {
                facts.counts.active += 1;
                adding.push(Newcomer {
                    user: new.clone(),
                    ends_at: row.ends_at,
                });
            }
        }
        if !adding.is_empty() {
            let count = adding.len() as u64;
            directory.execute(Command::Import(adding), by).await?;
            self.done.add += count;
        }
        self.change(&changing, &facts, directory, by).await
    }

    /// Changes the profiles of existing users.
    async fn change(
        &mut self,
        changing: &[(usize, UserId)],
        facts: &Facts,
        directory: &dyn Directory,
        by: &AuditContext,
    ) -> Result<()> {
        for some in changing.chunks(CHANGES_AT_ONCE) {
            let changes: Vec<_> = some
                .iter()
                .filter_map(|(place, id)| {
                    let new = self.file.rows.get(*place)?.content.as_ref().ok()?;
                    let user = facts.user(id)?;
                    let seen = SeenProfile::from(user);
                    Some((*place, id, plan::differences(user, new), seen))
                })
                .collect();
            let edits = changes.iter().map(async |(place, id, profile, seen)| {
                (*place, directory.edit_seen(id, profile, seen, by).await)
            });
            for (place, edited) in join_all(edits).await {
                match edited {
                    Ok(_) => self.done.change += 1,
                    Err(error) if is_about_user(&error) => {
                        if let Some(plan) = self.plans.get_mut(place) {
                            plan.action = Action::Problem(RowProblem::Stale);
                        }
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }
}

/// Returns the plan for a row whose plan no longer fits.
fn stale(now: RowPlan) -> RowPlan {
    match now.action {
        // Another program has done the same, or an answer was lost.
        Action::Same | Action::Problem(_) => now,
        _ => RowPlan {
            action: Action::Problem(RowProblem::Stale),
            ..now
        },
    }
}

/// Returns whether another change came between a look at the directory and the change.
fn is_overtaken(error: &Error) -> bool {
    matches!(
        error.code,
        ErrorCode::UserExists | ErrorCode::EmailInUse | ErrorCode::NoSeats
    )
}

/// Returns whether an edit failed because of the user and not of the directory.
fn is_about_user(error: &Error) -> bool {
    matches!(
        error.code,
        ErrorCode::UnknownUser
            | ErrorCode::UserChanged
            | ErrorCode::EmailInUse
            | ErrorCode::InvalidPayload
    )
}

/// IDs and addresses of earlier rows, with their numbers.
#[derive(Default)]
struct Seen {
    ids: HashMap<UserId, usize>,
    emails: HashMap<String, usize>,
}

impl Seen {
    /// Returns the problem of a row that repeats an earlier one. Notes the row.
    fn problem(&mut self, row: &ImportRow, planned: &RowPlan) -> Option<RowProblem> {
        let new: &NewUser = row.content.as_ref().ok()?;
        let id = planned.user.as_ref().unwrap_or(&new.id);
        let earlier = *self.ids.entry(id.clone()).or_insert(row.number);
        if earlier != row.number {
            return Some(RowProblem::SameId { row: earlier });
        }
        let email = new.email.as_ref()?.key();
        let earlier = *self.emails.entry(email).or_insert(row.number);
        (earlier != row.number).then_some(RowProblem::SameEmail { row: earlier })
    }
}
