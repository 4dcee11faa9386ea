//! The command line of the benchmark.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// Measures durably acknowledged webhooks per second, their cost and their latency.
#[derive(Debug, Parser)]
pub(crate) struct Options {
    /// Another replyd binary to measure in the same run, round by round beside this one.
    #[arg(long, value_name = "PATH")]
    pub(crate) beside: Vec<String>,
    /// Servers to measure; `bare` always runs, because the others are compared with it.
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub(crate) only: Vec<Kind>,
    /// Numbers of connections of the closed loop [default: 1,16,64,256, and none with --rate].
    #[arg(long, value_name = "N", value_delimiter = ',')]
    pub(crate) connections: Vec<usize>,
    /// Webhooks per second of the open loop [default: half of each server's own rate at 64
    /// connections, and none with --connections].
    #[arg(long, value_name = "N")]
    pub(crate) rate: Option<u32>,
    /// Messages in the databases of `stored` and `answered` before the start.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) history: u64,
    /// Rules that do not match, before those that do.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) rules: usize,
    /// Rounds of each measurement; the median is printed.
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(crate) rounds: usize,
    /// Length of a round in seconds.
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) seconds: u64,
    /// What `cargo bench` adds.
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Work of the processes that the benchmark itself starts.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serves a ceiling instead of measuring.
    #[command(hide = true)]
    Serve {
        kind: Kind,
        listen: String,
        database: PathBuf,
        /// Base address of the gateway.
        gateway: String,
    },
}

/// Connections of the closed loop whose rate is halved for the open one.
pub(crate) const HALVED: usize = 64;

/// Kind of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// `replyd serve` with rules that answer nothing.
    Stored,
    /// `replyd serve` with rules that answer every message.
    Answered,
    /// One transaction for all webhooks that wait, one row for each.
    GroupCommit,
    /// The same with a reply and an outbox, sent and settled, without rules.
    StoreAndSend,
    /// An axum handler that reads the body and answers 200.
    Bare,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] = [
        Self::Stored,
        Self::Answered,
        Self::GroupCommit,
        Self::StoreAndSend,
        Self::Bare,
    ];

    /// Name in the tables and on the command line.
    pub(crate) fn name(self) -> String {
        let value = self.to_possible_value().expect("no kind is skipped");
        value.get_name().to_owned()
    }

    /// Whether it answers messages through the gateway.
    pub(crate) fn answers(self) -> bool {
        matches!(self, Self::Answered | Self::StoreAndSend)
    }

    /// Whether it is replyd itself.
    pub(crate) fn is_replyd(self) -> bool {
        matches!(self, Self::Stored | Self::Answered)
    }
}

impl Options {
    /// Numbers of connections of the closed loop.
    pub(crate) fn connections(&self) -> &[usize] {
        match (self.rate, &self.connections[..]) {
            (None, []) => &[1, 16, HALVED, 256],
            (_, connections) => connections,
        }
    }

    /// Whether servers of this kind are measured.
    pub(crate) fn includes(&self, kind: Kind) -> bool {
        self.only.is_empty() || kind == Kind::Bare || self.only.contains(&kind)
    }
}
