//! The catalogue of users.

use std::convert::Infallible;

use super::kind::{Kind, MaybeTime, Part, Totals};
use super::row_id::RowId;
use latchkey_core::directory::Origin;
use latchkey_core::directory::query::{Search, SortBy, UserQuery};
use latchkey_core::verdict::Status;

/// Users. Their text for sorting is the address, and the other text has the names in the metadata.
pub(in crate::embedded) enum Users {}

/// Values of a user in the catalogue.
#[derive(Clone, Copy)]
pub(in crate::embedded) struct UserValues {
    pub(in crate::embedded) status: Status,
    pub(in crate::embedded) origin: Origin,
    pub(in crate::embedded) created_at: i64,
    pub(in crate::embedded) last_sign_in: Option<i64>,
}

/// Values of a user, as the catalogue keeps them.
#[derive(Clone, Copy)]
pub(in crate::embedded) struct UserFields {
    created_at: i64,
    last_sign_in: MaybeTime,
    status: Status,
    origin: Origin,
}

impl Kind for Users {
    type Values<'a> = UserValues;
    type Fields = UserFields;
    type Shared = ();
    type Note = Infallible;
    type By = SortBy;
    type Query = UserQuery;

    const NAME: &'static str = "users";

    fn into_owned<'a>(values: Self::Values<'_>) -> Self::Values<'a> {
        values
    }

    fn fields(values: &UserValues, (): &mut ()) -> UserFields {
        UserFields {
            created_at: values.created_at,
            last_sign_in: values.last_sign_in.into(),
            status: values.status,
            origin: values.origin,
        }
    }

    fn join((): &mut (), (): &()) -> impl Fn(UserFields) -> UserFields + use<> {
        |fields| fields
    }

    fn note((): &mut (), note: Infallible) {
        match note {}
    }

    fn part(by: SortBy) -> Part {
        match by {
            SortBy::Id => Part::Id,
            SortBy::Email => Part::Text,
            SortBy::Created | SortBy::LastSignIn => Part::Time,
        }
    }

    fn time(by: SortBy, fields: &UserFields) -> Option<i64> {
        match by {
            SortBy::Id | SortBy::Email => None,
            SortBy::Created => Some(fields.created_at),
            SortBy::LastSignIn => fields.last_sign_in.get(),
        }
    }

    fn search(query: &UserQuery) -> &Search {
        &query.search
    }

    fn filter<'a>(query: &'a UserQuery, (): &'a ()) -> impl Fn(RowId, &UserFields) -> bool {
        |_, fields| {
            query.status.is_none_or(|wanted| fields.status == wanted)
                && query.origin.is_none_or(|wanted| fields.origin == wanted)
        }
    }

    fn is_alike(a: &UserFields, b: &UserFields) -> bool {
        a.status == b.status && a.origin == b.origin
    }

    fn version(_: &UserQuery, (): &()) -> u64 {
        0
    }

    fn is_complete<'a>(rows: impl Iterator<Item = &'a UserFields>, totals: &Totals) -> bool {
        let (mut users, mut active) = (0, 0);
        for user in rows {
            users += 1;
            active += u64::from(user.status == Status::Active);
        }
        (users, active) == (totals.users, totals.active)
    }
}
