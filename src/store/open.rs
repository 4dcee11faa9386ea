//! The open database: its connections, its lock, and how commands and the service open it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqliteSynchronous};

use super::error::StoreError;
use super::file_identity::FileIdentity;
use super::gate::Gate;
use super::migrate::{MIGRATIONS, migrator};
use super::process_lock::Lock;
use super::sqlite::{path_of, pool};
use super::transaction::{Guard, Readers, Transaction};
use super::{integrity, sql, wal};
use crate::files;
use crate::message::RulesVersion;

/// Wait for a busy writer; afterwards the webhook responds with 503 and Meta sends again.
const BUSY_TIMEOUT: Duration = Duration::from_secs(1);
/// Pages in the write-ahead log, of 4 KiB, after which a commit copies them into the database. Four
/// times SQLite's default: pages that are written again and again are copied more rarely.
const LOG_PAGES: &str = "4000";
/// Number of connections for reading, beside the one for writing.
const READERS: u32 = 4;

/// The database. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Store {
    pub(super) read: Readers,
    pub(super) write: SqlitePool,
    pub(super) guard: Arc<Guard>,
    pub(super) gate: Arc<Gate>,
    // Last field, so that the lock is held until both pools are closed.
    _lock: Option<Arc<Lock>>,
}

impl Store {
    /// Opens the database for service: creates a missing file, locks it for this process, migrates
    /// the schema, and ends the leases of a process that died.
    ///
    /// # Errors
    /// Every [`StoreError`] but `Missing` and `Corrupt`; `ForeignLog` and `Damaged` leave
    /// everything unchanged.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let path = path_of(url)?;
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        folder.map_or(Ok(()), files::make_folder)?;
        let lock = Lock::take(&path)?;
        let checked = integrity::prepare(&path).await?;
        // Before SQLite, which would apply the umask.
        files::make_private(&path)?;
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // After a response of 200 Meta does not send again: a power cut must not undo the
            // commit.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .pragma("wal_autocheckpoint", LOG_PAGES)
            .busy_timeout(BUSY_TIMEOUT);
        let write = pool(1).connect_with(options.clone()).await?;
        migrator().run(&write).await?;
        // The lock proves that no other process sends: the leases of the previous one are over.
        sqlx::query(sql::END_LEASES).execute(&write).await?;
        // A connection that replaces another must never create a file, nor open an unknown one.
        let options = options.create_if_missing(false);
        write.set_connect_options(options.clone());
        let guard = Guard::new(FileIdentity::new(&path)?);
        let gate = Gate::open(path.clone(), &write, checked).await?;
        let read = pool(READERS).connect_with(options.read_only(true)).await?;
        Ok(Self {
            read: Readers::new(read, Arc::clone(&guard)),
            write,
            guard,
            gate: Arc::new(gate),
            _lock: Some(Arc::new(lock)),
        })
    }

    /// Opens the database for reading, beside a running service or without one.
    ///
    /// # Errors
    /// `Url`, `Missing`, `Migrate` if the schema has another version, `Database`.
    pub async fn open_read_only(url: &str) -> Result<Self, StoreError> {
        let path = path_of(url)?;
        if !path.exists() {
            return Err(StoreError::Missing(path));
        }
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .read_only(true)
            .busy_timeout(BUSY_TIMEOUT);
        let read = pool(READERS).connect_with(options).await?;
        let newest: i64 = sqlx::query_scalar(sql::NEWEST_MIGRATION)
            .fetch_one(&read)
            .await?;
        let known = MIGRATIONS.last().map_or(0, |(version, _, _)| *version);
        if newest != known {
            return Err(sqlx::migrate::MigrateError::VersionMissing(newest.max(known)).into());
        }
        let guard = Guard::new(FileIdentity::new(&path)?);
        Ok(Self {
            write: read.clone(),
            read: Readers::new(read, Arc::clone(&guard)),
            guard,
            gate: Arc::default(),
            _lock: None,
        })
    }

    /// Opens the database for a command's short writes, beside a running service or without one.
    ///
    /// # Errors
    /// As [`Self::open_read_only`], and `ForeignLog`.
    pub async fn open_for_cli(url: &str) -> Result<Self, StoreError> {
        wal::check_when_alone(&path_of(url)?)?;
        let looking = Self::open_read_only(url).await?;
        let options = SqliteConnectOptions::new()
            .filename(path_of(url)?)
            // A restored copy has no log before its first use.
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            // A busy service commits many times a second: a command can wait.
            .busy_timeout(5 * BUSY_TIMEOUT);
        Ok(Self {
            write: pool(1).connect_with(options).await?,
            ..looking
        })
    }

    /// Records the full text of rules before their first decision.
    ///
    /// # Errors
    /// `CommitUnknown`, `Database`.
    pub async fn record_rules(
        &self,
        version: &RulesVersion,
        source: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query(sql::INSERT_RULES_VERSION)
            .bind(version.as_str())
            .bind(source)
            .bind(now.as_millisecond())
            .execute(&mut tx)
            .await?;
        tx.commit().await
    }

    /// Whether the outbox may be sent: not from a copy that was not released, nor from a damaged
    /// file.
    #[must_use]
    pub fn may_send(&self) -> bool {
        self.gate.may_send()
    }

    /// Closes every connection; the last one folds the write-ahead log into the file.
    pub async fn close(&self) {
        self.read.pool().close().await;
        self.write.close().await;
    }

    /// Starts a transaction that may write.
    pub(super) async fn begin(&self) -> Result<Transaction, StoreError> {
        self.gate.refuse_if_damaged()?;
        Transaction::begin(&self.write, &self.guard).await
    }
}
