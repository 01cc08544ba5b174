//! Lists of users, by the API of another process.

use latchkey_core::admin::UserList;
use latchkey_core::directory::{PageStart, Sort, SortBy, UserPage, UserQuery};
use latchkey_core::{Error, ErrorCode, Result};

use super::client::{Client, PAGE};

/// Returns users that match a query, in pages as large as an answer can be.
pub(super) async fn list(
    client: &Client,
    query: &UserQuery,
    sort: Sort,
    place: &PageStart,
    limit: usize,
) -> Result<UserPage> {
    let mut page = one_page(client, query, sort, place, limit.min(PAGE)).await?;
    while page.users.len() < limit
        && let Some(next) = page.next.take()
    {
        let rest = (limit - page.users.len()).min(PAGE);
        let more = one_page(client, query, sort, &PageStart::After(next), rest).await?;
        page.users.extend(more.users);
        page.next = more.next;
    }
    Ok(page)
}

/// Returns one page of users, as large as an answer can be.
async fn one_page(
    client: &Client,
    query: &UserQuery,
    sort: Sort,
    place: &PageStart,
    limit: usize,
) -> Result<UserPage> {
    let (search, limit) = (query.search.words().join(" "), limit.to_string());
    let mut pairs = vec![("search", search.as_str()), ("limit", &limit)];
    let status = query.status.map(latchkey_core::verdict::Status::name);
    pairs.extend(status.map(|status| ("status", status)));
    let origin = query.origin.map(latchkey_core::directory::Origin::name);
    pairs.extend(origin.map(|origin| ("origin", origin)));
    pairs.push(("sort", SortBy::name(sort.by)));
    if sort.descending {
        pairs.push(("descending", "true"));
    }
    let (name, value) = match place {
        PageStart::First => ("row", "0".to_owned()),
        PageStart::After(cursor) => {
            // The other process would refuse the cursor with the same error.
            cursor.position(sort)?;
            ("after", cursor.to_string())
        }
        // The API counts rows with 63 bits.
        PageStart::Row(row) => ("row", (*row).min(i64::MAX.unsigned_abs()).to_string()),
    };
    pairs.push((name, &value));
    let list: UserList = client.get("/users", &pairs).await?;
    let page: UserPage = list.try_into()?;
    if let (PageStart::After(from), Some(next)) = (place, &page.next) {
        let order = sort.compare(from.position(sort)?, next.position(sort)?);
        if order.is_ge() {
            return Err(Error::new(
                ErrorCode::Internal,
                "The list of users does not go on, because its pages follow each other in a circle. Something is wrong with the gateway.",
            ));
        }
    }
    Ok(page)
}
