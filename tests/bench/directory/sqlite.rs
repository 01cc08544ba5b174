//! `SQLite` with the indexes for the same queries, and with durable commits.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use latchkey_core::directory::SortBy;
use latchkey_core::protocol::claims::Claims;
use latchkey_core::protocol::code::VerifiedCode;
use latchkey_core::protocol::payload::{NewUser, Payload};
use latchkey_core::protocol::user_id::UserId;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, TransactionBehavior, params};

use crate::crowd::now;
use crate::engine::{Engine, Ledger, PAGE, Wanted};

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS users(
        id TEXT PRIMARY KEY, folded_id TEXT, email TEXT, folded_email TEXT UNIQUE, text TEXT,
        metadata TEXT, status INTEGER, origin INTEGER, created_at INTEGER, last_sign_in INTEGER,
        sign_ins INTEGER, profile_as_of INTEGER
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS by_id ON users(folded_id, id);
    CREATE INDEX IF NOT EXISTS by_email ON users(folded_email, id);
    CREATE INDEX IF NOT EXISTS by_created ON users(created_at, id);
    CREATE INDEX IF NOT EXISTS by_last ON users(last_sign_in, id);
    CREATE TABLE IF NOT EXISTS links(
        id TEXT PRIMARY KEY, user TEXT, name TEXT, text TEXT, key TEXT, claims TEXT,
        entered_at INTEGER, issued_at INTEGER, expires_at INTEGER, uses INTEGER, used INTEGER,
        last_use INTEGER, revoked_at INTEGER
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS by_entered ON links(entered_at DESC, id);
    CREATE INDEX IF NOT EXISTS by_issued ON links(issued_at);
    CREATE TABLE IF NOT EXISTS seats(used INTEGER, seat_limit INTEGER);
    INSERT INTO seats SELECT 0, NULL WHERE NOT EXISTS (SELECT 1 FROM seats);
";

/// A database with one connection per writer.
pub(crate) struct Sqlite {
    connection: Mutex<Connection>,
}

impl Sqlite {
    pub(crate) fn open(folder: &Path) -> Self {
        let connection = Connection::open(file(folder)).unwrap();
        connection.busy_timeout(Duration::from_secs(30)).unwrap();
        connection
            .execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;")
            .unwrap();
        connection.execute_batch(SCHEMA).unwrap();
        Self {
            connection: Mutex::new(connection),
        }
    }

    fn in_transaction(&self, work: impl FnOnce(&Transaction<'_>)) {
        let mut connection = self.connection.lock().unwrap();
        let behavior = TransactionBehavior::Immediate;
        let transaction = connection.transaction_with_behavior(behavior).unwrap();
        work(&transaction);
        transaction.commit().unwrap();
    }

    fn read(&self, sql: &str, parameters: impl rusqlite::Params) -> Vec<(String, String)> {
        let connection = self.connection.lock().unwrap();
        let mut statement = connection.prepare_cached(sql).unwrap();
        let users = statement.query_map(parameters, whole).unwrap();
        users.map(Result::unwrap).collect()
    }
}

fn file(folder: &Path) -> PathBuf {
    folder.join("users.sqlite")
}

/// Reads every column, as a page of users needs them. Returns the ID and the column that is sorted
/// by.
fn whole(row: &Row<'_>) -> rusqlite::Result<(String, String)> {
    let _email: Option<String> = row.get("email")?;
    let metadata: String = row.get("metadata")?;
    let _: serde_json::Value = serde_json::from_str(&metadata).unwrap();
    let _times: (i64, Option<i64>, i64) = (
        row.get("created_at")?,
        row.get("last_sign_in")?,
        row.get("sign_ins")?,
    );
    Ok((row.get("id")?, row.get::<_, String>("folded_id")?))
}

fn insert(transaction: &Transaction<'_>, user: &NewUser) {
    let folded_id = user.id.as_str().to_lowercase();
    let email = user
        .email
        .as_ref()
        .map(latchkey_core::protocol::email::Email::as_str);
    let folded_email = email.map(str::to_lowercase);
    let name = user.metadata.members()["name"]
        .as_str()
        .unwrap()
        .to_lowercase();
    let text = format!(
        "{folded_id}\u{1f}{}\u{1f}{name}",
        folded_email.as_deref().unwrap_or_default()
    );
    transaction
        .prepare_cached("INSERT INTO users VALUES(?,?,?,?,?,?,0,0,?,NULL,0,?)")
        .unwrap()
        .execute(params![
            user.id.as_str(),
            folded_id,
            email,
            folded_email,
            text,
            user.metadata.json(),
            now().as_second(),
            now().as_second()
        ])
        .unwrap();
}

impl Engine for Sqlite {
    fn import(&self, users: &[NewUser]) {
        self.in_transaction(|transaction| {
            for user in users {
                insert(transaction, user);
            }
            transaction
                .execute(
                    "UPDATE seats SET used = used + ?",
                    [users.len().cast_signed()],
                )
                .unwrap();
        });
    }

    fn redeem(&self, code: &VerifiedCode) {
        let Payload::User(user) = &code.payload else {
            panic!("the crowd is of new users");
        };
        self.in_transaction(|transaction| {
            if let Some(link) = &code.registered.id {
                use_link(transaction, link);
            }
            let status: Option<i64> = transaction
                .prepare_cached("SELECT status FROM users WHERE id = ?")
                .unwrap()
                .query_row([user.id.as_str()], |row| row.get(0))
                .optional()
                .unwrap();
            if status.is_some() {
                transaction
                    .prepare_cached(
                        "UPDATE users SET last_sign_in = ?, sign_ins = sign_ins + 1 WHERE id = ?",
                    )
                    .unwrap()
                    .execute(params![now().as_second(), user.id.as_str()])
                    .unwrap();
                return;
            }
            let seats = transaction
                .prepare_cached(
                    "UPDATE seats SET used = used + 1 WHERE seat_limit IS NULL OR used < seat_limit",
                )
                .unwrap()
                .execute([])
                .unwrap();
            assert_eq!(seats, 1);
            insert(transaction, user);
        });
    }

    fn is_known(&self, id: &UserId) -> bool {
        let found = self.read("SELECT * FROM users WHERE id = ?", [id.as_str()]);
        found.len() == 1
    }

    fn search(&self, word: &str) -> (usize, u64) {
        let pattern = format!("%{word}%");
        let sql =
            format!("SELECT * FROM users WHERE text LIKE ? ORDER BY folded_id, id LIMIT {PAGE}");
        let page = self.read(&sql, [&pattern]);
        let total = self
            .connection
            .lock()
            .unwrap()
            .prepare_cached("SELECT count(*) FROM users WHERE text LIKE ?")
            .unwrap()
            .query_row([&pattern], |row| row.get::<_, i64>(0))
            .unwrap();
        (page.len(), total.cast_unsigned())
    }

    fn pages(&self, by: SortBy, count: usize) -> usize {
        // Only the order by ID is measured.
        assert_eq!(by, SortBy::Id);
        let sql = format!(
            "SELECT * FROM users WHERE (folded_id, id) > (?, ?) ORDER BY folded_id, id LIMIT {PAGE}"
        );
        let (mut after, mut seen) = ((String::new(), String::new()), 0);
        for _ in 0..count {
            let page = self.read(&sql, params![after.1, after.0]);
            seen += page.len();
            match page.last() {
                Some(last) => after = last.clone(),
                None => break,
            }
        }
        seen
    }

    fn jump(&self, by: SortBy, row: u64) -> usize {
        let order = match by {
            SortBy::Id => "folded_id, id",
            SortBy::Email => "folded_email IS NULL, folded_email, id",
            SortBy::Created => "created_at, id",
            SortBy::LastSignIn => "last_sign_in IS NULL, last_sign_in, id",
        };
        let sql = format!("SELECT * FROM users ORDER BY {order} LIMIT {PAGE} OFFSET ?");
        self.read(&sql, [row.cast_signed()]).len()
    }
}

/// Condition of a link that works.
const WORKS: &str = "revoked_at IS NULL AND (uses IS NULL OR used < uses) AND expires_at > ?";

/// Spends a use of a link.
fn use_link(transaction: &Transaction<'_>, id: &str) {
    let now = now().as_second();
    let sql = format!("UPDATE links SET used = used + 1, last_use = ? WHERE id = ? AND {WORKS}");
    let mut statement = transaction.prepare_cached(&sql).unwrap();
    assert_eq!(statement.execute(params![now, id, now]).unwrap(), 1);
}

fn insert_link(transaction: &Transaction<'_>, claims: &Claims) {
    let Payload::User(user) = &claims.payload else {
        panic!("the crowd is of new users");
    };
    let registered = &claims.registered;
    let (id, name) = (registered.id.as_deref(), user.metadata.display_name());
    let text = [id, Some(user.id.as_str()), name].map(Option::unwrap_or_default);
    let issued_at = registered.issued_at;
    let limit = registered.uses.limit().map(u64::cast_signed);
    transaction
        .prepare_cached("INSERT INTO links VALUES(?,?,?,?,'key-1',?,?,?,?,?,0,NULL,NULL)")
        .unwrap()
        .execute(params![
            id,
            user.id.as_str(),
            name,
            text.join("\u{1f}").to_lowercase(),
            serde_json::to_string(&claims.members()).unwrap(),
            issued_at,
            issued_at,
            registered.expires_at,
            limit
        ])
        .unwrap();
}

/// Reads every column, as a page of links needs them.
fn whole_link(row: &Row<'_>) -> rusqlite::Result<String> {
    let _texts: (String, Option<String>) = (row.get("user")?, row.get("name")?);
    let _times: (i64, i64, Option<i64>) = (
        row.get("entered_at")?,
        row.get("expires_at")?,
        row.get("last_use")?,
    );
    row.get("id")
}

impl Sqlite {
    fn count(&self, sql: &str, parameters: impl rusqlite::Params) -> u64 {
        let connection = self.connection.lock().unwrap();
        let mut statement = connection.prepare_cached(sql).unwrap();
        let count = statement.query_row(parameters, |row| row.get::<_, i64>(0));
        count.unwrap().cast_unsigned()
    }

    fn change(&self, sql: &str, parameters: impl rusqlite::Params) {
        self.in_transaction(|transaction| {
            transaction
                .prepare_cached(sql)
                .unwrap()
                .execute(parameters)
                .unwrap();
        });
    }
}

impl Ledger for Sqlite {
    fn give_out(&self, links: &[Claims]) {
        self.in_transaction(|transaction| {
            for link in links {
                insert_link(transaction, link);
            }
        });
    }

    fn revoke(&self, id: &str) {
        let sql = "UPDATE links SET revoked_at = ? WHERE id = ?";
        self.change(sql, params![now().as_second(), id]);
    }

    fn revoke_before(&self, before: i64) {
        let sql = "UPDATE links SET revoked_at = ? WHERE issued_at < ? AND revoked_at IS NULL";
        self.change(sql, [now().as_second(), before]);
    }

    fn has_link(&self, id: &str) -> bool {
        self.count("SELECT count(*) FROM links WHERE id = ?", [id]) == 1
    }

    fn links(&self, wanted: &Wanted<'_>, row: u64) -> (usize, u64) {
        let (mut conditions, mut parameters) = (vec!["1"], Vec::new());
        if !wanted.word.is_empty() {
            conditions.push("text LIKE ?");
            parameters.push(format!("%{}%", wanted.word));
        }
        if wanted.works {
            conditions.push(WORKS);
            parameters.push(now().as_second().to_string());
        }
        let conditions = conditions.join(" AND ");
        let total = format!("SELECT count(*) FROM links WHERE {conditions}");
        let total = self.count(&total, rusqlite::params_from_iter(&parameters));
        let sql = format!(
            "SELECT * FROM links WHERE {conditions} ORDER BY entered_at DESC, id LIMIT {PAGE} OFFSET {row}"
        );
        let connection = self.connection.lock().unwrap();
        let mut statement = connection.prepare_cached(&sql).unwrap();
        let links = statement.query_map(rusqlite::params_from_iter(&parameters), whole_link);
        (links.unwrap().map(Result::unwrap).count(), total)
    }

    fn count_working(&self) -> u64 {
        let sql = format!("SELECT count(*) FROM links WHERE {WORKS}");
        self.count(&sql, [now().as_second()])
    }
}
