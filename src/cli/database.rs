//! Options that choose the database, and the opening of it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cli::demo_files::{CONFIG_FILE as DEMO_CONFIG_FILE, DATA_FOLDER as DEMO_FOLDER};
use crate::cli::terminal::{self, Hint};
use crate::config;
use crate::store::{Store, StoreError};

/// Options that choose the database.
#[derive(Debug, clap::Args)]
pub(crate) struct DatabaseOptions {
    /// Database, such as sqlite:data/replyd.db [default: the one of the configuration].
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Configuration file [default: replyd.toml when there is one].
    #[arg(long, value_name = "FILE", conflicts_with = "database")]
    config: Option<PathBuf>,
}

impl DatabaseOptions {
    /// Opens the database read-only, beside a running service or without one.
    pub(crate) async fn open(&self) -> anyhow::Result<Store> {
        let url = self.url()?;
        let opened = Store::open_read_only(&url).await;
        opened.map_err(|error| not_opened(error, &url))
    }

    /// Opens the database for short writes, beside a running service or without one.
    pub(crate) async fn open_for_cli(&self) -> anyhow::Result<Store> {
        let url = self.url()?;
        let opened = Store::open_for_cli(&url).await;
        opened.map_err(|error| not_opened(error, &url))
    }

    /// Time after which a reply is given up.
    pub(crate) fn give_up_after(&self) -> anyhow::Result<Duration> {
        Ok(config::read_delivery(self.config.as_deref())?.give_up_after)
    }

    pub(crate) fn url(&self) -> anyhow::Result<String> {
        Ok(match &self.database {
            Some(url) => url.clone(),
            None => config::read_database(self.config.as_deref())?.url,
        })
    }
}

fn not_opened(error: StoreError, url: &str) -> anyhow::Error {
    match error {
        StoreError::Missing(path) => {
            let demo = Path::new(DEMO_FOLDER).join(DEMO_CONFIG_FILE);
            let hint = if demo.is_file() {
                let demo = terminal::path(&demo);
                format!("the demo's conversations are shown with --config {demo}")
            } else {
                "name it with --database sqlite:PATH, or the configuration with --config".to_owned()
            };
            let path = terminal::path(&path);
            Hint::error(format!("there is no database at `{path}`"), hint)
        }
        other => anyhow::Error::from(other).context(format!("could not read `{url}`")),
    }
}
