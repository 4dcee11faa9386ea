//! `replyd sandbox`: a phone in the sandbox of a running demo.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::cli::demo_files::{ADDRESS_FILE, DATA_FOLDER};
use crate::cli::phone_number;
use crate::cli::terminal::{self, DIM, GOOD, Hint, LITERAL, bubble, paint};
use crate::gateway::http_client;
use crate::sandbox::{Bubble, Side};

/// Phone number of the contact who writes unless `--from` names another.
const CONTACT: &str = "15550000001";
/// Time to wait for the first answer, and then for each further one.
const FIRST_ANSWER: Duration = Duration::from_secs(10);
const ONE_MORE: Duration = Duration::from_millis(400);

/// Talks to the pretend WhatsApp of a running `replyd demo`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
    /// Phone number of the contact, with its country code.
    #[arg(long, global = true, default_value = CONTACT)]
    from: String,
    /// Data folder of the demo.
    #[arg(long, global = true, value_name = "DIR", default_value = DATA_FOLDER)]
    data: PathBuf,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Write a message and wait for the answer.
    Say {
        /// What to write.
        text: String,
        /// Profile name of the contact.
        #[arg(long)]
        name: Option<String>,
    },
    /// Tap a button or choose a row: by its number, its label or its id.
    Tap {
        /// Number, label or id.
        option: String,
    },
    /// Show the whole conversation as the phone shows it.
    Screen,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let phone = Phone::find(&arguments)?;
    let written = match arguments.action {
        Action::Say { text, name } => json!({ "from": phone.contact, "name": name, "text": text }),
        Action::Tap { option } => json!({ "from": phone.contact, "tap": option }),
        Action::Screen => {
            let bubbles = phone.screen(0, Duration::ZERO).await?;
            show(&bubbles);
            if bubbles.is_empty() {
                terminal::note("no messages yet; begin with `replyd sandbox say \"hello\"`");
            }
            return Ok(ExitCode::SUCCESS);
        }
    };
    let before = phone.write(&written).await?;
    let mut seen = before;
    let mut wait = FIRST_ANSWER;
    loop {
        let bubbles = phone.screen(seen, wait).await?;
        if bubbles.is_empty() {
            break;
        }
        show(&bubbles);
        seen += bubbles.len();
        wait = ONE_MORE;
    }
    if seen == before {
        terminal::note("no answer came; `replyd history` shows what was decided");
    }
    Ok(ExitCode::SUCCESS)
}

/// Phone of one contact in the sandbox of a running demo.
struct Phone {
    client: reqwest::Client,
    base: String,
    contact: String,
}

impl Phone {
    fn find(arguments: &Arguments) -> anyhow::Result<Self> {
        let file = arguments.data.join(ADDRESS_FILE);
        let text = std::fs::read_to_string(&file).map_err(|_| {
            Hint::new(
                format!("no demo has written `{}`", terminal::path(&file)),
                "start one with `replyd demo`, in this folder, and leave it running",
            )
        })?;
        let json: Value = serde_json::from_str(&text)
            .with_context(|| format!("could not read `{}`", terminal::path(&file)))?;
        let base = json["url"]
            .as_str()
            .context("the demo's file names no url")?
            .to_owned();
        let client = http_client(Duration::from_secs(30)).context("could not set up HTTP")?;
        Ok(Self {
            client,
            base,
            contact: phone_number::read_contact(&arguments.from)?,
        })
    }

    /// Writes or taps; returns the number of messages on the screen right after.
    async fn write(&self, written: &Value) -> anyhow::Result<usize> {
        let answer = self
            .client
            .post(format!("{}/sandbox/say", self.base))
            .json(written)
            .send();
        let answer = answer.await.map_err(|_| self.unreachable())?;
        let good = answer.status().is_success();
        let body: Value = answer.json().await.context("the sandbox gave no JSON")?;
        if !good {
            let message = body["error"]
                .as_str()
                .unwrap_or("the sandbox refused")
                .to_owned();
            let hint = "`replyd sandbox screen` shows what can be tapped".to_owned();
            return Err(Hint::error(message, hint));
        }
        body["bubbles"]
            .as_u64()
            .and_then(|count| usize::try_from(count).ok())
            .context("the sandbox did not tell where the screen is")
    }

    async fn screen(&self, after: usize, wait: Duration) -> anyhow::Result<Vec<Bubble>> {
        let (base, contact, wait) = (&self.base, &self.contact, wait.as_millis());
        let url = format!("{base}/sandbox/screen/{contact}?after={after}&wait_ms={wait}");
        let answer = self
            .client
            .get(url)
            .send()
            .await
            .map_err(|_| self.unreachable())?;
        answer.json().await.context("the sandbox gave no JSON")
    }

    fn unreachable(&self) -> Hint {
        Hint::new(
            format!("nothing answers at {}", self.base),
            "the demo is not running any more; start it again with `replyd demo`",
        )
    }
}

fn show(bubbles: &[Bubble]) {
    for bubble in bubbles {
        if bubble.side == Side::Contact {
            let ticks = if bubble.read {
                paint(GOOD, "✓✓")
            } else {
                paint(DIM, "✓")
            };
            let you = paint(LITERAL, "you › ");
            let text = terminal::behind(&you, terminal::CONTACT, LITERAL, &bubble.text);
            terminal::line!("{text} {ticks}");
            continue;
        }
        terminal::line(terminal::framed(terminal::BUSINESS, &bubble.text));
        for (index, option) in bubble.options.iter().enumerate() {
            let line = bubble::option_line(index + 1, &option.title, option.description.as_deref());
            terminal::line(bubble::framed(&line));
        }
    }
}
