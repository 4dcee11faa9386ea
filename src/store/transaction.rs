//! A transaction that never gives a connection back in an unknown state.
//!
//! SQLite rolls back by itself when the disk is full, a read fails or memory runs out, and sqlx's
//! own transaction does not notice: its count of open ones stays up, and that connection refuses
//! every later one. After a failed sync, nothing that connection has cached can be trusted either.
//! So a connection goes back to its pool only after COMMIT or ROLLBACK was confirmed; any other way
//! out closes it, and the next transaction gets a new one.

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

/// What every unit of work looks at and reports to.
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

    /// Notes the fault behind an error of ours on its way out.
    fn noted(&self, error: StoreError) -> StoreError {
        if let Some(fault) = error.fault() {
            self.outage.note(fault);
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
    /// Not confirmed, or not tried.
    Unknown,
    /// SQLite said that the transaction is over.
    Confirmed,
}

impl Transaction {
    /// Takes the write lock now, so that it can never fail for having read first.
    pub(super) async fn begin(pool: &SqlitePool, guard: &Arc<Guard>) -> Result<Self, StoreError> {
        let begun = Self::try_begin(pool, guard).await;
        begun.map_err(|error| guard.noted(error))
    }

    async fn try_begin(pool: &SqlitePool, guard: &Arc<Guard>) -> Result<Self, StoreError> {
        guard.file.check()?;
        let mut tx = Self {
            connection: pool.acquire().await?,
            guard: Arc::clone(guard),
            // Before the statement: whoever stops waiting for it must not leave an open transaction
            // behind.
            end: End::Unknown,
        };
        sqlx::query(sql::BEGIN).execute(&mut *tx.connection).await?;
        guard.file.check_log()?;
        Ok(tx)
    }

    /// Commits.
    ///
    /// # Errors
    /// `CommitUnknown`; `Displaced` when it went into a file that is not at its path any more.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        let committed = sqlx::query(sql::COMMIT)
            .execute(&mut *self.connection)
            .await;
        let kept = match committed {
            Ok(_) => {
                self.end = End::Confirmed;
                self.guard.file.check()
            }
            Err(error) => Err(StoreError::CommitUnknown(error)),
        };
        kept.map_err(|error| self.guard.noted(error))
    }

    /// Runs a query whose result is one row of JSON: see [`super::sql`]. `table` is the one named
    /// when the JSON is not what was expected.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub(super) async fn fetch_json<T: DeserializeOwned>(
        &mut self,
        query: QueryScalar<'_, Sqlite, String, SqliteArguments>,
        table: &'static str,
    ) -> Result<T, StoreError> {
        let json = query.fetch_one(self).await?;
        serde_json::from_str(&json).map_err(|_| StoreError::Corrupt {
            table,
            row: 0,
            what: "what was looked up is not what we wrote",
        })
    }

    /// Ends a transaction in which there was nothing to do.
    pub(super) async fn roll_back(mut self) {
        let rolled_back = sqlx::query(sql::ROLLBACK)
            .execute(&mut *self.connection)
            .await;
        match rolled_back {
            Ok(_) => self.end = End::Confirmed,
            Err(error) => self.guard.outage.note_error(&error),
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
        Box::pin(rows.inspect_err(|error| outage.note_error(error)))
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> Answer<'e, Option<SqliteRow>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Sqlite>,
    {
        Box::pin(async move {
            let row = self.connection.fetch_optional(query).await;
            row.inspect_err(|error| self.guard.outage.note_error(error))
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

/// Connections for reading. One on which a read failed is closed: what it has cached may be wrong.
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
        acquired.inspect_err(|error| self.guard.outage.note_error(error))
    }

    fn judge<T>(&self, connection: &mut PoolConnection<Sqlite>, read: &sqlx::Result<T>) {
        if let Some(fault) = read.as_ref().err().and_then(Fault::from_error) {
            connection.close_on_drop();
            self.guard.file.forget_log();
            self.guard.outage.note(fault);
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
        // All of them before the first is handed on: nobody here reads a result row by row.
        let all = async move {
            let mut connection = self.acquire().await?;
            let rows = connection.fetch_many(query).try_collect::<Vec<_>>().await;
            self.judge(&mut connection, &rows);
            rows.map(|rows| stream::iter(rows).map(Ok))
        };
        Box::pin(stream::once(all).try_flatten())
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> Answer<'e, Option<SqliteRow>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Sqlite>,
    {
        Box::pin(async move {
            let mut connection = self.acquire().await?;
            let row = connection.fetch_optional(query).await;
            self.judge(&mut connection, &row);
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
