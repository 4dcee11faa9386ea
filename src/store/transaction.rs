//! A transaction that never returns a connection in an unknown state to its pool.
//!
//! SQLite rolls back by itself when the disk is full, a read fails or memory runs out. sqlx's own
//! transaction does not notice: its count of open transactions stays up, and the connection rejects
//! every later one. After a failed sync, the cache of the connection cannot be trusted either. So a
//! connection returns to its pool only after a confirmed COMMIT or ROLLBACK; otherwise it is
//! closed, and the next transaction gets a new one.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use serde::de::DeserializeOwned;
use sqlx::pool::PoolConnection;
use sqlx::query::QueryScalar;
use sqlx::sqlite::{
    SqliteArguments, SqliteConnection, SqlitePool, SqliteQueryResult, SqliteRow, SqliteStatement,
    SqliteTypeInfo,
};
use sqlx::{Either, Execute, Executor, SqlStr, Sqlite};

use super::error::StoreError;
use super::fault::{Fault, OutageMonitor};
use super::file_identity::FileIdentity;
use super::sql;

type Rows<'e> =
    Pin<Box<dyn Stream<Item = sqlx::Result<Either<SqliteQueryResult, SqliteRow>>> + Send + 'e>>;
type Answer<'e, T> = Pin<Box<dyn Future<Output = sqlx::Result<T>> + Send + 'e>>;

/// State that every unit of work checks and reports to.
#[derive(Debug)]
pub(super) struct Guard {
    pub(super) file: FileIdentity,
    pub(super) outage: OutageMonitor,
}

impl Guard {
    pub(super) fn new(file: FileIdentity) -> Arc<Self> {
        let outage = OutageMonitor::default();
        Arc::new(Self { file, outage })
    }

    /// Records the fault behind an error on its way out.
    fn record(&self, error: StoreError) -> StoreError {
        if let Some(fault) = error.fault() {
            self.outage.record(fault);
        }
        error
    }
}

/// A transaction that may write.
#[derive(Debug)]
pub(super) struct Transaction {
    connection: PoolConnection<Sqlite>,
    guard: Arc<Guard>,
    end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The end was not confirmed, or not tried.
    Unknown,
    /// SQLite confirmed the end.
    Confirmed,
}

impl Transaction {
    /// Starts with the write lock, so that a transaction never fails because it has read first.
    pub(super) async fn begin(pool: &SqlitePool, guard: &Arc<Guard>) -> Result<Self, StoreError> {
        let begun = Self::try_begin(pool, guard).await;
        begun.map_err(|error| guard.record(error))
    }

    async fn try_begin(pool: &SqlitePool, guard: &Arc<Guard>) -> Result<Self, StoreError> {
        guard.file.check()?;
        let mut tx = Self {
            connection: pool.acquire().await?,
            guard: Arc::clone(guard),
            // Set before the statement: if this future is dropped, the transaction must not stay
            // open.
            end: End::Unknown,
        };
        sqlx::query(sql::BEGIN).execute(&mut *tx.connection).await?;
        guard.file.check_log()?;
        Ok(tx)
    }

    /// Commits.
    ///
    /// # Errors
    /// `CommitUnknown`; `Displaced` if the commit went into a file that is no longer at its path.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        let committed = sqlx::query(sql::COMMIT)
            .execute(&mut *self.connection)
            .await;
        let result = match committed {
            Ok(_) => {
                self.end = End::Confirmed;
                self.guard.file.check()
            }
            Err(error) => Err(StoreError::CommitUnknown(error)),
        };
        result.map_err(|error| self.guard.record(error))
    }

    /// Runs a query whose result is one row of JSON: see [`super::sql`]. `table` is named in the
    /// error for unexpected JSON.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub(super) async fn fetch_json<T: DeserializeOwned>(
        &mut self,
        query: QueryScalar<'_, Sqlite, String, SqliteArguments>,
        table: &'static str,
    ) -> Result<T, StoreError> {
        let json = query.fetch_one(self).await?;
        let corrupt = |_| StoreError::corrupt(table, 0, "what was looked up is not what we wrote");
        serde_json::from_str(&json).map_err(corrupt)
    }

    /// Ends a transaction without writes.
    pub(super) async fn roll_back(mut self) {
        let rolled_back = sqlx::query(sql::ROLLBACK)
            .execute(&mut *self.connection)
            .await;
        match rolled_back {
            Ok(_) => self.end = End::Confirmed,
            Err(error) => self.guard.outage.record_error(&error),
        }
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        match self.end {
            End::Confirmed => {}
            End::Unknown => {
                self.connection.close_on_drop();
                self.guard.file.forget_log();
            }
        }
    }
}

impl<'c> Executor<'c> for &'c mut Transaction {
    type Database = Sqlite;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> Rows<'e>
    where
        'c: 'e,
        E: 'q + Execute<'q, Sqlite>,
    {
        let outage = &self.guard.outage;
        let connection: &'c mut SqliteConnection = &mut self.connection;
        let rows = connection.fetch_many(query);
        Box::pin(rows.inspect_err(|error| outage.record_error(error)))
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> Answer<'e, Option<SqliteRow>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Sqlite>,
    {
        Box::pin(async move {
            let row = self.connection.fetch_optional(query).await;
            row.inspect_err(|error| self.guard.outage.record_error(error))
        })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [SqliteTypeInfo],
    ) -> Answer<'e, SqliteStatement>
    where
        'c: 'e,
    {
        let connection: &'c mut SqliteConnection = &mut self.connection;
        connection.prepare_with(sql, parameters)
    }
}

/// Connections for reading. One with a failed read is closed, because its cache may be wrong.
#[derive(Clone, Debug)]
pub(super) struct Readers {
    pool: SqlitePool,
    guard: Arc<Guard>,
}

impl Readers {
    pub(super) fn new(pool: SqlitePool, guard: Arc<Guard>) -> Self {
        Self { pool, guard }
    }

    pub(super) fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    async fn acquire(&self) -> sqlx::Result<PoolConnection<Sqlite>> {
        let acquired = self.pool.acquire().await;
        acquired.inspect_err(|error| self.guard.outage.record_error(error))
    }

    fn close_if_faulty<T>(&self, connection: &mut PoolConnection<Sqlite>, read: &sqlx::Result<T>) {
        if let Some(fault) = read.as_ref().err().and_then(Fault::from_error) {
            connection.close_on_drop();
            self.guard.file.forget_log();
            self.guard.outage.record(fault);
        }
    }
}

impl<'p> Executor<'p> for &'p Readers {
    type Database = Sqlite;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> Rows<'e>
    where
        'p: 'e,
        E: 'q + Execute<'q, Sqlite>,
    {
        // All rows are read before the first is returned: no caller reads a result row by row.
        let rows = async move {
            let mut connection = self.acquire().await?;
            let rows = connection.fetch_many(query).try_collect::<Vec<_>>().await;
            self.close_if_faulty(&mut connection, &rows);
            rows.map(|rows| stream::iter(rows).map(Ok))
        };
        Box::pin(stream::once(rows).try_flatten())
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> Answer<'e, Option<SqliteRow>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Sqlite>,
    {
        Box::pin(async move {
            let mut connection = self.acquire().await?;
            let row = connection.fetch_optional(query).await;
            self.close_if_faulty(&mut connection, &row);
            row
        })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [SqliteTypeInfo],
    ) -> Answer<'e, SqliteStatement>
    where
        'p: 'e,
    {
        Box::pin(async move { self.acquire().await?.prepare_with(sql, parameters).await })
    }
}
