//! Rules of every business number: loaded at the start, consulted for each message.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::rules_loader::RulesFiles;
use crate::config::Config;
use crate::diagnostics;
use crate::diagnostics::sources::SourceMap;
use crate::diagnostics::{Colour, Diagnostic, Severity};
use crate::engine::{Decision, Engine, EngineEvent, Trace, Turn};
use crate::message::{AccountStatusEvent, Conversation, PhoneNumberId, RulesVersion};
use crate::rules::RuleSet;

/// A rules file with mistakes.
#[derive(Debug, thiserror::Error)]
#[error("rules file `{}` does not pass the check\n\n{diagnostics}", file.display())]
pub(super) struct Rejected {
    file: PathBuf,
    /// File and line of the first error.
    place: String,
    /// Every diagnostic as `replyd check` shows it.
    diagnostics: String,
}

impl Rejected {
    /// File and line of the first error, without its content.
    pub(super) fn place(&self) -> String {
        self.place.clone()
    }
}

/// Rules of each business number.
#[derive(Debug)]
pub(super) struct Rulebook {
    files: BTreeMap<PathBuf, Arc<Engine>>,
    answered: Answered,
}

#[derive(Debug)]
enum Answered {
    /// No number is configured: these rules answer all.
    Every(Arc<Engine>),
    /// Only these numbers are answered.
    Listed(HashMap<PhoneNumberId, Arc<Engine>>),
}

impl Rulebook {
    /// Reads and compiles every rules file the configuration names, each once. `events` about
    /// templates decide what is sent, never whether a file passes the check.
    ///
    /// # Errors
    /// When a file cannot be read or does not pass the check.
    pub(super) fn load(config: &Config, events: &[AccountStatusEvent]) -> anyhow::Result<Self> {
        let mut files = BTreeMap::new();
        let answered = if config.numbers.is_empty() {
            Answered::Every(engine_of(&mut files, &config.rules.file, events)?)
        } else {
            let mut listed = HashMap::new();
            for number in &config.numbers {
                let file = number.rules.as_ref().unwrap_or(&config.rules.file);
                let engine = engine_of(&mut files, file, events)?;
                listed.insert(number.phone_number_id.clone(), engine);
            }
            Answered::Listed(listed)
        };
        Ok(Self { files, answered })
    }

    /// Iterates over every file with its rules.
    pub(super) fn files(&self) -> impl Iterator<Item = (&Path, &RuleSet)> {
        self.files
            .iter()
            .map(|(file, engine)| (file.as_path(), engine.rules()))
    }

    /// Decides on an event by the rules of the conversation's business number.
    pub(super) fn decide(
        &self,
        conversation: &Conversation,
        incoming: EngineEvent<'_>,
        now: Timestamp,
    ) -> (Turn, RulesVersion) {
        let engine = match &self.answered {
            Answered::Every(engine) => Some(engine),
            Answered::Listed(listed) => listed.get(&conversation.phone_number_id),
        };
        match engine {
            Some(engine) => (
                engine.decide(conversation, incoming, now, Trace::Matched),
                engine.rules().version.clone(),
            ),
            None => (stored_only(conversation), self.any_version()),
        }
    }

    /// Version to record where no rules were consulted: any stored version will do.
    fn any_version(&self) -> RulesVersion {
        let (_, rules) = self
            .files()
            .next()
            .expect("every configuration names a rules file");
        rules.version.clone()
    }
}

fn engine_of(
    files: &mut BTreeMap<PathBuf, Arc<Engine>>,
    file: &Path,
    events: &[AccountStatusEvent],
) -> anyhow::Result<Arc<Engine>> {
    if let Some(engine) = files.get(file) {
        return Ok(Arc::clone(engine));
    }
    let engine = Arc::new(Engine::new(compile(file, events)?));
    files.insert(file.to_owned(), Arc::clone(&engine));
    Ok(engine)
}

fn compile(file: &Path, events: &[AccountStatusEvent]) -> anyhow::Result<RuleSet> {
    let files = RulesFiles::read(file)?;
    match files.compile(None) {
        Ok(mut compiled) => {
            // After the check: no event may keep rules from being loaded.
            compiled.rules.templates = files.template_states(events);
            if !compiled.warnings.is_empty() {
                tracing::warn!(
                    file = %file.display(),
                    warnings = compiled.warnings.len(),
                    "rules have warnings; `replyd check` shows them"
                );
            }
            Ok(compiled.rules)
        }
        Err(diagnostics) => Err(Rejected {
            file: file.to_owned(),
            place: first_error(&diagnostics, &files.sources),
            diagnostics: diagnostics::render(&diagnostics, &files.sources, Colour::Plain),
        }
        .into()),
    }
}

/// Formats the place of the first error. The text is public, so it holds only the file name.
fn first_error(diagnostics: &[Diagnostic], sources: &SourceMap) -> String {
    let error = |diagnostic: &&Diagnostic| diagnostic.severity == Severity::Error;
    let span = diagnostics
        .iter()
        .find(error)
        .map(|diagnostic| &diagnostic.span);
    let (file, line, _) = sources.line_and_column(span.unwrap_or(&(0..0)));
    let name = Path::new(file).file_name().unwrap_or_default();
    format!("{}:{line}", name.to_string_lossy())
}

fn stored_only(conversation: &Conversation) -> Turn {
    let state = conversation.state.clone();
    Turn::nothing(Decision::Unsupported, state, "number is not configured")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::Rulebook;
    use crate::config;
    use crate::config::{Config, Sources};
    use crate::engine::{Decision, EngineEvent};
    use crate::message::{
        Contact, Content, Conversation, ConversationState, Identity, Inbound, PhoneNumberId, WaId,
        Wamid,
    };

    const RULES: &str = "version = 1\n[[rule]]\nid = \"any\"\nreply = \"hello\"\n";
    const SECRETS: &str = r#"
webhook = { app_secrets = "a", verify_token = "v" }
gateway = { api_key = "k" }
"#;

    fn config(folder: &tempfile::TempDir, text: &str) -> Config {
        config::load(&Sources {
            file: Some((
                PathBuf::from(folder.path()).join("replyd.toml"),
                format!("{SECRETS}{text}"),
            )),
            environment: Vec::new(),
        })
        .unwrap()
    }

    fn message_to(number: &str) -> (Conversation, Inbound) {
        let phone_number_id = PhoneNumberId::parse(number).unwrap();
        let sender = Identity::Phone(WaId::parse("15550001111").unwrap());
        let conversation = Conversation {
            phone_number_id: phone_number_id.clone(),
            contact: Contact {
                identity: sender.clone(),
                name: None,
                username: None,
                refuses_marketing: false,
            },
            inbound_count: 0,
            state: ConversationState::default(),
        };
        let text = Content::Text {
            body: "hello".to_owned(),
        };
        let wamid = Wamid::parse("wamid.1").unwrap();
        let now = jiff::Timestamp::UNIX_EPOCH;
        let message = Inbound::new(phone_number_id, wamid, sender, now, text);
        (conversation, message)
    }

    #[test]
    fn a_message_to_a_number_that_is_not_listed_is_stored_and_not_answered() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("one.toml"), RULES).unwrap();
        let text = "[[number]]\nphone_number_id = \"1\"\nrules = \"one.toml\"\n";
        let rulebook = Rulebook::load(&config(&folder, text), &[]).unwrap();
        let (conversation, message) = message_to("2");

        let (turn, version) = rulebook.decide(
            &conversation,
            EngineEvent::Message(&message),
            message.sent_at,
        );

        assert_eq!(turn.decision, Decision::Unsupported);
        assert_eq!(
            turn.explanation.note.as_deref(),
            Some("number is not configured")
        );
        assert!(turn.replies.is_empty());
        assert!(rulebook.files().any(|(_, rules)| rules.version == version));
    }

    #[test]
    fn a_file_that_several_numbers_share_is_loaded_once_and_an_unused_one_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("one.toml"), RULES).unwrap();
        let text = r#"
rules.file = "nowhere.toml"
number = [{ phone_number_id = "1", rules = "one.toml" }, { phone_number_id = "2", rules = "one.toml" }]
"#;

        let rulebook = Rulebook::load(&config(&folder, text), &[]).unwrap();

        assert_eq!(rulebook.files().count(), 1);
    }

    #[test]
    fn the_place_of_the_first_error_is_known_and_tells_nothing_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let broken = RULES.replace("reply", "replay");
        std::fs::write(folder.path().join("rules.toml"), broken).unwrap();

        let error = Rulebook::load(&config(&folder, ""), &[]).unwrap_err();

        let rejected = error.downcast_ref::<super::Rejected>().unwrap();
        assert_eq!(rejected.place(), "rules.toml:4");
    }

    #[test]
    fn a_rules_file_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();

        let error = Rulebook::load(&config(&folder, ""), &[]).unwrap_err();

        let path = folder.path().join("rules.toml");
        let message = format!("could not read rules file `{}`", path.display());
        assert_eq!(error.to_string(), message);
    }
}
