//! The database file as an owner's tool sees it: another connection, reading only.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _};

pub(crate) async fn connect(database: &Path) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(database)
        .read_only(true)
        .connect()
        .await
        .unwrap()
}

/// The one number a query gives.
pub(crate) async fn number(database: &Path, query: &'static str) -> i64 {
    sqlx::query_scalar(query)
        .fetch_one(&mut connect(database).await)
        .await
        .unwrap()
}

/// Texts of the only column of a query.
pub(crate) async fn texts(database: &Path, query: &'static str) -> Vec<String> {
    let mut connection = connect(database).await;
    let texts = sqlx::query_scalar(query).fetch_all(&mut connection).await;
    texts.unwrap()
}

/// Every row of a query that a document shows.
pub(crate) async fn rows(database: &Path, query: &str) -> sqlx::Result<Vec<SqliteRow>> {
    let query = AssertSqlSafe(query.to_owned());
    sqlx::query(query)
        .fetch_all(&mut connect(database).await)
        .await
}
