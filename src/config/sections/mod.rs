//! Which keys there are, what each may hold, and what must fit together.

mod actions;
mod media;

use std::collections::BTreeMap;
use std::time::Duration;

use secrecy::ExposeSecret as _;

use super::layers::{Entry, Value, read_written};
use super::problem::Origin;
use super::reader::{Reader, unknown};
use super::{Calls, Config, Database, Delivery, Gateway, Log, Number, Preset, Rules, Webhook};
use crate::message::{PhoneNumberId, is_id};
use crate::telemetry::{LogFormat, check_filter};

/// A request's answer may come this much later than its timeout: connecting, scheduling, the commit
/// after it.
const LEASE_MARGIN: Duration = Duration::from_secs(10);
/// Paths of the public listener that the webhook cannot have.
const TAKEN_PATHS: [&str; 2] = ["/livez", "/readyz"];

/// What a preset stands for.
struct PresetValues {
    base_url: &'static str,
    control_url: &'static str,
    api_key_variable: &'static str,
    requests_per_second: u32,
}

impl Preset {
    fn values(self) -> PresetValues {
        match self {
            Self::Maton => PresetValues {
                base_url: "https://gateway.maton.ai/whatsapp-business",
                control_url: "https://ctrl.maton.ai",
                api_key_variable: "MATON_API_KEY",
                requests_per_second: 8,
            },
            Self::Graph => PresetValues {
                base_url: "https://graph.facebook.com",
                // Nobody's: Meta itself has no connections, and commands that need them say so.
                control_url: "https://graph.facebook.com",
                api_key_variable: "WHATSAPP_TOKEN",
                requests_per_second: 0,
            },
        }
    }
}

impl Reader<'_> {
    /// Reads everything; `None` when a problem was noted.
    pub(super) fn config(&mut self) -> Option<Config> {
        let server = self.server();
        let admin = self.admin();
        let database = self.database();
        let webhook = self.webhook();
        let gateway = self.gateway();
        let delivery = self.delivery(gateway.as_ref());
        let media = self.media(gateway.as_ref());
        let rules = self.path("rules.file").map(|file| Rules { file });
        let actions = self.actions();
        let model = self.model();
        let numbers = self.numbers();
        let log = self.log();
        self.refuse_unknown();
        Some(Config {
            server: server?,
            admin: admin?,
            database: database?,
            webhook: webhook?,
            gateway: gateway?,
            delivery: delivery?,
            media: media?,
            rules: rules?,
            actions: actions?,
            model: model?,
            numbers: numbers?,
            log: log?,
        })
    }

    /// What calls of the gateway need.
    pub(super) fn calls(&mut self) -> Option<Calls> {
        let gateway = self.gateway();
        let database = self.database();
        let media = self.media(gateway.as_ref());
        let rules = self.path("rules.file").map(|file| Rules { file });
        let numbers = self.numbers();
        Some(Calls {
            gateway: gateway?,
            database: database?,
            media: media?,
            rules: rules?,
            numbers: numbers?,
        })
    }

    pub(super) fn database(&mut self) -> Option<Database> {
        let key = "database.url";
        let (text, origin) = self.text(key)?;
        let path = text
            .strip_prefix("sqlite:")
            .map(|path| path.strip_prefix("//").unwrap_or(path))
            .filter(|path| !path.is_empty() && !path.starts_with(':'));
        let Some(path) = path else {
            return self.refuse(
                key,
                &origin,
                r#"must be "sqlite:" and a file, such as "sqlite:data/replyd.db""#,
            );
        };
        let url = format!("sqlite:{}", self.folder.join(path).display());
        Some(Database { url })
    }

    fn webhook(&mut self) -> Option<Webhook> {
        let path = self.webhook_path();
        let app_secrets = self.secrets("webhook.app_secrets");
        let verify_token = self.secret("webhook.verify_token");
        Some(Webhook {
            path: path?,
            app_secrets: app_secrets?,
            verify_token: verify_token?.0,
        })
    }

    fn webhook_path(&mut self) -> Option<String> {
        let key = "webhook.path";
        let (path, origin) = self.text(key)?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
        if !path.starts_with('/') || !path.bytes().all(plain) {
            return self.refuse(
                key,
                &origin,
                r#"must start with "/" and hold only letters, digits and - . _ ~ /"#,
            );
        }
        if TAKEN_PATHS.contains(&path.as_str()) {
            return self.refuse(key, &origin, "is the path of a health check");
        }
        Some(path)
    }

    fn gateway(&mut self) -> Option<Gateway> {
        let words = [("maton", Preset::Maton), ("graph", Preset::Graph)];
        let preset = self.choice("gateway.preset", &words);
        // With an unknown preset the rest is still checked, against either one.
        let values = preset.unwrap_or(Preset::Maton).values();
        let base_url = self.web_address("gateway.base_url", values.base_url);
        let control_url = self.web_address("gateway.control_url", values.control_url);
        let graph_version = self.graph_version();
        let api_key = self.api_key(values.api_key_variable);
        let connection = self.connection();
        let requests_per_second =
            self.or_preset("gateway.requests_per_second", values.requests_per_second);
        let timeout = self.duration("gateway.timeout");
        Some(Gateway {
            preset: preset?,
            base_url: base_url?,
            control_url: control_url?,
            graph_version: graph_version?,
            api_key: api_key?,
            connection: Some(connection?).filter(|connection| !connection.is_empty()),
            requests_per_second: requests_per_second?,
            timeout: timeout?.0,
        })
    }

    fn or_preset(&mut self, key: &str, preset: u32) -> Option<u32> {
        if self.layers.settings.contains_key(key) {
            return self.integer(key, 0..=10_000);
        }
        self.known.push(key.to_owned());
        Some(preset)
    }

    pub(super) fn web_address(&mut self, key: &str, preset: &str) -> Option<String> {
        let Some((text, origin)) = self.text(key) else {
            // A value of another type is noted by now, and the start is refused for it.
            return Some(preset.to_owned());
        };
        let Ok(url) = reqwest::Url::parse(&text) else {
            return self.refuse(
                key,
                &origin,
                "must be a URL such as https://graph.facebook.com",
            );
        };
        let loopback = match url.host_str() {
            Some("localhost") => true,
            Some(host) => host
                .trim_matches(['[', ']'])
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback()),
            None => false,
        };
        if url.scheme() != "https" && !(url.scheme() == "http" && loopback) {
            return self.refuse(
                key,
                &origin,
                "must begin with https://, or the API key would travel in the clear",
            );
        }
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
            return self.refuse(key, &origin, "must have no user, query or fragment");
        }
        Some(text.trim_end_matches('/').to_owned())
    }

    fn graph_version(&mut self) -> Option<String> {
        let key = "gateway.graph_version";
        let (text, origin) = self.text(key)?;
        let digits =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let parts = text.strip_prefix('v').and_then(|rest| rest.split_once('.'));
        if parts.is_some_and(|(major, minor)| digits(major) && digits(minor)) {
            return Some(text);
        }
        self.refuse(key, &origin, r#"must be a version such as "v23.0""#)
    }

    fn api_key(&mut self, variable: &str) -> Option<secrecy::SecretString> {
        let key = "gateway.api_key";
        let of_preset = || {
            let name = Entry {
                value: Value::Text(variable.to_owned()),
                origin: Origin::Default,
            };
            Entry {
                value: Value::Table(BTreeMap::from([("env".to_owned(), name)])),
                origin: Origin::Default,
            }
        };
        self.layers
            .settings
            .entry(key.to_owned())
            .or_insert_with(of_preset);
        let (secret, origin) = self.secret(key)?;
        self.for_header(key, &origin, secret.expose_secret())?;
        Some(secret)
    }

    /// Empty when none is to be sent.
    fn connection(&mut self) -> Option<String> {
        let key = "gateway.connection";
        let (text, origin) = self.text(key)?;
        self.for_header(key, &origin, &text)?;
        Some(text)
    }

    pub(super) fn delivery(&mut self, gateway: Option<&Gateway>) -> Option<Delivery> {
        let messages_per_second = self.integer("delivery.messages_per_second", 1..=1_000);
        let max_in_flight = self.integer("delivery.max_in_flight", 1..=10_000);
        let lease = self.lease(gateway);
        let give_up_after = self.duration("delivery.give_up_after");
        let unknown_wait = self.duration("delivery.unknown_wait");
        Some(Delivery {
            messages_per_second: messages_per_second?,
            max_in_flight: max_in_flight?,
            lease: lease?,
            give_up_after: give_up_after?.0,
            unknown_wait: unknown_wait?.0,
        })
    }

    fn lease(&mut self, gateway: Option<&Gateway>) -> Option<Duration> {
        let key = "delivery.lease";
        let (lease, origin) = self.duration(key)?;
        match gateway {
            Some(gateway) if lease < gateway.timeout + LEASE_MARGIN => self.refuse(
                key,
                &origin,
                format!(
                    "must be at least {} s longer than gateway.timeout, or a message still being sent is taken for lost",
                    LEASE_MARGIN.as_secs()
                ),
            ),
            _ => Some(lease),
        }
    }

    fn log(&mut self) -> Option<Log> {
        let words = [("text", LogFormat::Text), ("json", LogFormat::Json)];
        let format = self.choice("log.format", &words);
        let filter = self.text("log.filter");
        let filter = filter.and_then(|(filter, origin)| match check_filter(&filter) {
            Ok(()) => Some(filter),
            Err(_) => self.refuse(
                "log.filter",
                &origin,
                "must be error, warn, info, debug or trace, or parts such as `info,sqlx=warn`",
            ),
        });
        Some(Log {
            format: format?,
            filter: filter?,
        })
    }

    fn numbers(&mut self) -> Option<Vec<Number>> {
        let key = "number";
        let Some(Entry { mut value, origin }) = self.take(key) else {
            return Some(Vec::new());
        };
        if let Value::Written(written) = &value {
            value = read_written(written, &origin).unwrap_or(value);
        }
        let Value::Array(elements) = value else {
            return self.refuse(key, &origin, "must be written as [[number]]");
        };
        let numbers: Vec<(Option<Number>, Origin)> = elements
            .into_iter()
            .map(|element| {
                let origin = element.origin.clone();
                (self.number(element), origin)
            })
            .collect();
        let mut seen = Vec::new();
        for (number, origin) in &numbers {
            let Some(number) = number else { continue };
            if seen.contains(&&number.phone_number_id) {
                self.refuse::<()>("number.phone_number_id", origin, "is listed twice");
            }
            seen.push(&number.phone_number_id);
        }
        numbers.into_iter().map(|(number, _)| number).collect()
    }

    fn number(&mut self, element: Entry) -> Option<Number> {
        const KEYS: [&str; 3] = ["phone_number_id", "waba_id", "rules"];
        let Entry { value, origin } = element;
        let Value::Table(keys) = value else {
            let message = format!("must be a table, not {}", value.kind());
            return self.refuse("number", &origin, message);
        };
        let mut texts = BTreeMap::new();
        for (key, Entry { value, origin }) in keys {
            let path = format!("number.{key}");
            if !KEYS.contains(&key.as_str()) {
                self.refuse::<()>(&path, &origin, unknown(&key, KEYS.into_iter()));
                continue;
            }
            match value {
                Value::Text(text) if key != "rules" && !text.is_empty() && !is_id(&text) => {
                    let message = "is no id: it becomes a part of addresses, and holds only letters, digits, - and _";
                    self.refuse::<()>(&path, &origin, message);
                    texts.insert(key, "?".to_owned());
                }
                Value::Text(text) if !text.is_empty() => {
                    texts.insert(key, text);
                }
                _ => {
                    self.refuse::<()>(&path, &origin, "must be a text in quotes, not empty");
                    // Named wrongly is not missing: one problem is enough.
                    texts.insert(key, "?".to_owned());
                }
            }
        }
        let Some(id) = texts
            .remove("phone_number_id")
            .and_then(PhoneNumberId::parse)
        else {
            return self.refuse("number.phone_number_id", &origin, "is missing");
        };
        Some(Number {
            phone_number_id: id,
            waba_id: texts.remove("waba_id"),
            rules: texts.remove("rules").map(|file| self.folder.join(file)),
        })
    }
}
