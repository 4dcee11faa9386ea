//! The migrations of the schema, included in the binary.

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// Number, name and text of every migration; never edited after a release.
pub(super) const MIGRATIONS: [(i64, &str, &str); 1] = [(
    1,
    "conversations",
    include_str!("../../migrations/sqlite/0001_conversations.sql"),
)];

pub(super) fn migrator() -> Migrator {
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
