//! Units of work on the database: one method, one transaction, many rows at once.
//!
//! The only module with SQL. Every method does a constant number of statements whatever the size of
//! its batch: rows travel as one JSON array and are unfolded by `json_each`. [`Store::receive`] is
//! the heart; `outbox` is what delivery works on; `read` serves the people who look. Next on the
//! way of a message: [`crate::workers::outbox`].

mod action_claim;
mod backup;
mod conversations;
pub mod error;
pub mod file_identity;
mod history;
mod hold;
mod keys;
mod manual_send;
pub mod media;
mod opening;
mod outbox;
mod probe;
mod process_lock;
mod receive;
mod restore;
mod sizes;
mod sql;
mod transaction;
mod trouble;
mod wal;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

pub use action_claim::{ActionClaim, ClaimedAction};
pub use backup::{Copied, CopyError, Present, Progress, backup};
pub use conversations::{
    AccountEventRow, ConversationSummary, StoredConversationEvent, TranscriptMessage,
};
pub use error::StoreError;
pub use file_identity::Displaced;
pub use history::{Asked, PastMessage, RecordedConversation};
pub use hold::{Came, Old, Waits};
pub use manual_send::{SendEligibility, Sent, Upload};
pub use media::{Download, DownloadEnd};
pub use outbox::{
    ClaimRequest, Claimed, ClaimedKind, Claims, Done, ExpiredMessage, NotDone, OutboxCount,
    OutboxRow, Reason, Repeat, RetryByHand, SendResult, Settled, Settlement, Swept, Try,
};
pub use receive::{Decide, EndedAction, MediaPolicy, ReceivePolicy, Received};
pub use restore::{Restored, restore};
pub use sizes::FileSizes;
pub use trouble::{Cleared, Fault, Trouble};

use crate::files;
pub use watch::{Quarantine, SecretsInUse};

use crate::message::RulesVersion;
use file_identity::Place;
use hold::Gate;
use process_lock::Lock;
use transaction::{Guard, Readers, Transaction};

/// A busy writer is waited for this long; then the webhook answers 503 and Meta sends again.
const BUSY_TIMEOUT: Duration = Duration::from_secs(1);
/// Connections for reading beside the one that writes.
const READERS: u32 = 4;

/// The database. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Store {
    read: Readers,
    write: SqlitePool,
    guard: Arc<Guard>,
    gate: Arc<Gate>,
    // Last, so that the file stays ours until both pools are gone.
    _lock: Option<Arc<Lock>>,
}

impl Store {
    /// Opens the database for service: makes the file when it is missing, takes it for this process
    /// alone, brings the schema up to date, and marks what a dead process was sending as such.
    ///
    /// # Errors
    /// Every [`StoreError`] but `Missing` and `Corrupt`; `ForeignLog` and `Damaged` before anything
    /// is changed.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let path = path_of(url)?;
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        folder.map_or(Ok(()), files::make_folder)?;
        let lock = Lock::take(&path)?;
        let looked_at = opening::prepare(&path).await?;
        // Before SQLite, which would make it as wide as the umask lets it.
        files::make_private(&path)?;
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // After our 200 Meta does not send again: a power cut must not take back what we
            // acknowledged.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let write = pool(1).connect_with(options.clone()).await?;
        migrator().run(&write).await?;
        // The lock says nobody else is sending: leases of the process before us are over.
        sqlx::query(sql::END_LEASES).execute(&write).await?;
        // A connection that takes the place of another must never make a file, nor open one that we
        // do not know.
        let options = options.create_if_missing(false);
        write.set_connect_options(options.clone());
        let guard = Guard::of(Place::of(&path)?);
        let gate = Gate::open(path.clone(), &write, looked_at).await?;
        let read = pool(READERS).connect_with(options.read_only(true)).await?;
        Ok(Self {
            read: Readers::new(read, Arc::clone(&guard)),
            write,
            guard,
            gate: Arc::new(gate),
            _lock: Some(Arc::new(lock)),
        })
    }

    /// Opens the database for looking only, beside a running service or without one.
    ///
    /// # Errors
    /// `Url`, `Missing`, `Migrate` when the schema is another one than ours, `Database`.
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
        let ours = MIGRATIONS.last().map_or(0, |(version, _, _)| *version);
        if newest != ours {
            return Err(sqlx::migrate::MigrateError::VersionMissing(newest.max(ours)).into());
        }
        let guard = Guard::of(Place::of(&path)?);
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
            // A restored copy has none before its first use.
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            // A service that is busy commits many times a second: a command can wait.
            .busy_timeout(5 * BUSY_TIMEOUT);
        Ok(Self {
            write: pool(1).connect_with(options).await?,
            ..looking
        })
    }

    /// Keeps the full text of rules that are about to decide.
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

    /// Closes every connection; the last one folds the write-ahead log into the file.
    pub async fn close(&self) {
        self.read.pool().close().await;
        self.write.close().await;
    }

    /// Starts a transaction that may write.
    async fn begin(&self) -> Result<Transaction, StoreError> {
        self.gate.refuse_if_damaged()?;
        Transaction::begin(&self.write, &self.guard).await
    }
}

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(5))
        // A local file does not go away: asking before each use would cost a thread hand-off.
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
}

/// `<database><end>`: what lies beside it.
fn beside_path(database: &Path, end: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn path_of(url: &str) -> Result<PathBuf, StoreError> {
    let path = url.strip_prefix("sqlite:").filter(|path| !path.is_empty());
    let path = path.map(|path| path.strip_prefix("//").unwrap_or(path));
    match path {
        Some(path) if !path.contains(":memory:") => Ok(Path::new(path).to_owned()),
        _ => Err(StoreError::Url(url.to_owned())),
    }
}

/// Number, name and text of every migration; never edited after a release.
const MIGRATIONS: [(i64, &str, &str); 1] = [(
    1,
    "conversations",
    include_str!("../../migrations/sqlite/0001_conversations.sql"),
)];

fn migrator() -> Migrator {
    Migrator::with_migrations(
        MIGRATIONS
            .iter()
            .map(|(version, name, text)| {
                let kind = MigrationType::Simple;
                Migration::new(
                    *version,
                    (*name).into(),
                    kind,
                    (*text).into_sql_str(),
                    false,
                )
            })
            .collect(),
    )
}
