//! Keys of the configuration, their allowed values, and checks across keys.

mod actions;
mod media;

use std::time::Duration;

use secrecy::ExposeSecret as _;

use super::reader::Reader;
use super::{Calls, Config, Database, Delivery, Gateway, Log, Number, Preset, Rules, Webhook};
use crate::diagnostics::toml_reader::{Field, Text};
use crate::message::{PhoneNumberId, is_id};
use crate::telemetry::{LogFormat, check_filter};

/// A request's answer may come this much later than its timeout: connecting, scheduling, the commit
/// after it.
const LEASE_MARGIN: Duration = Duration::from_secs(10);
/// Paths of the public listener that the webhook cannot have.
const TAKEN_PATHS: [&str; 2] = ["/livez", "/readyz"];

/// Values that a preset sets.
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
                // Unused: Meta has no connections, and commands that need them say so.
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
        let is_proven = self.app_secret_proof(gateway.as_ref());
        let delivery = self.delivery(gateway.as_ref());
        let media = self.media(gateway.as_ref());
        let rules = self.path("rules.file").map(|file| Rules { file });
        let actions = self.actions();
        let model = self.model();
        let numbers = self.numbers();
        let log = self.log();
        self.refuse_unknown();
        let webhook = webhook?;
        let app_secret = webhook.app_secrets.first().filter(|_| is_proven).cloned();
        Some(Config {
            server: server?,
            admin: admin?,
            database: database?,
            webhook,
            gateway: Gateway {
                app_secret,
                ..gateway?
            },
            delivery: delivery?,
            media: media?,
            rules: rules?,
            actions: actions?,
            model: model.ok()?,
            numbers: numbers?,
            log: log?,
        })
    }

    /// Reads the sections that calls of the gateway need.
    pub(super) fn calls(&mut self) -> Option<Calls> {
        let gateway = self.gateway();
        // Commands need the webhook's secrets for this alone.
        let secrets = if self.app_secret_proof(gateway.as_ref()) {
            Some(self.secrets("webhook.app_secrets")?)
        } else {
            None
        };
        let database = self.database();
        let media = self.media(gateway.as_ref());
        let rules = self.path("rules.file").map(|file| Rules { file });
        let numbers = self.numbers();
        Some(Calls {
            gateway: Gateway {
                app_secret: secrets.and_then(|secrets| secrets.into_iter().next()),
                ..gateway?
            },
            database: database?,
            media: media?,
            rules: rules?,
            numbers: numbers?,
        })
    }

    pub(super) fn database(&mut self) -> Option<Database> {
        let key = "database.url";
        let text = self.text(key)?;
        let path = text
            .value
            .strip_prefix("sqlite:")
            .map(|path| path.strip_prefix("//").unwrap_or(path))
            .filter(|path| !path.is_empty() && !path.starts_with(':'));
        let Some(path) = path else {
            let message = r#"must be "sqlite:" and a file, such as "sqlite:data/replyd.db""#;
            return self.refuse(key, &text.span, message);
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
        let Text { value: path, span } = self.text(key)?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
        if !path.starts_with('/') || !path.bytes().all(plain) {
            let message = r#"must start with "/" and hold only letters, digits and - . _ ~ /"#;
            return self.refuse(key, &span, message);
        }
        if TAKEN_PATHS.contains(&path) {
            return self.refuse(key, &span, "is the path of a health check");
        }
        Some(path.to_owned())
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
            app_secret: None,
        })
    }

    /// Whether each call proves that the token is used by its app. Maton adds its own token, for
    /// which a proof with our secret would be wrong.
    fn app_secret_proof(&mut self, gateway: Option<&Gateway>) -> bool {
        let key = "gateway.app_secret_proof";
        match self.flag(key) {
            Some((true, span)) if gateway.is_some_and(|it| it.preset == Preset::Maton) => {
                let message = "is only for gateway.preset = \"graph\": Maton sends its own token, which our app secret cannot prove";
                self.refuse::<()>(key, &span, message);
                false
            }
            Some((is_wanted, _)) => is_wanted,
            None => false,
        }
    }

    fn or_preset(&mut self, key: &'static str, preset: u32) -> Option<u32> {
        if self.is_set(key) {
            return self.integer(key, 0..=10_000);
        }
        Some(preset)
    }

    pub(super) fn web_address(&mut self, key: &'static str, preset: &str) -> Option<String> {
        let Some(Text { value: text, span }) = self.text(key) else {
            // A value of another type is noted by now, and the start is refused for it.
            return Some(preset.to_owned());
        };
        let Ok(url) = reqwest::Url::parse(text) else {
            let message = "must be a URL such as https://graph.facebook.com";
            return self.refuse(key, &span, message);
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
            let message = "must begin with https://, or the API key would travel in the clear";
            return self.refuse(key, &span, message);
        }
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
            return self.refuse(key, &span, "must have no user, query or fragment");
        }
        Some(text.trim_end_matches('/').to_owned())
    }

    fn graph_version(&mut self) -> Option<String> {
        let key = "gateway.graph_version";
        let Text { value: text, span } = self.text(key)?;
        let digits =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let parts = text.strip_prefix('v').and_then(|rest| rest.split_once('.'));
        if parts.is_some_and(|(major, minor)| digits(major) && digits(minor)) {
            return Some(text.to_owned());
        }
        self.refuse(key, &span, r#"must be a version such as "v23.0""#)
    }

    fn api_key(&mut self, variable: &str) -> Option<secrecy::SecretString> {
        let key = "gateway.api_key";
        let (secret, place) = if self.is_set(key) {
            self.secret(key)?
        } else {
            self.default_secret(key, variable)?
        };
        self.for_header(key, &place, secret.expose_secret())?;
        Some(secret)
    }

    /// Empty when none is to be sent.
    fn connection(&mut self) -> Option<String> {
        let key = "gateway.connection";
        let text = self.text(key)?;
        self.for_header(key, &text.span, text.value)?;
        Some(text.value.to_owned())
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
        let (lease, place) = self.duration(key)?;
        match gateway {
            Some(gateway) if lease < gateway.timeout + LEASE_MARGIN => self.refuse(
                key,
                &place,
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
        let filter = filter.and_then(|filter| match check_filter(filter.value) {
            Ok(()) => Some(filter.value.to_owned()),
            Err(_) => self.refuse(
                "log.filter",
                &filter.span,
                "must be error, warn, info, debug or trace, or parts such as `info,sqlx=warn`",
            ),
        });
        Some(Log {
            format: format?,
            filter: filter?,
        })
    }

    fn numbers(&mut self) -> Option<Vec<Number>> {
        if !self.is_set("number") {
            return Some(Vec::new());
        }
        let elements = self.list("number")?;
        let numbers: Vec<_> = elements.iter().map(|field| self.number(field)).collect();
        let mut earlier: Vec<&PhoneNumberId> = Vec::new();
        for (number, field) in numbers.iter().zip(&elements) {
            let Some(number) = number else { continue };
            let id = &number.phone_number_id;
            if earlier.contains(&id) {
                self.refuse::<()>("number.phone_number_id", &field.span, "is listed twice");
            }
            earlier.push(id);
        }
        numbers.into_iter().collect()
    }

    fn number(&mut self, field: &Field<'_>) -> Option<Number> {
        let table = self
            .toml
            .table(field, &["phone_number_id", "waba_id", "rules"])?;
        let id = self.toml.required(&table, "phone_number_id");
        let id = id.and_then(|id| self.number_id(&id, "number.phone_number_id"));
        let waba_id = table.get("waba_id");
        let waba_id = waba_id.and_then(|id| self.number_id(&id, "number.waba_id"));
        let rules = table.get("rules");
        let rules = rules.and_then(|rules| self.filled(&rules, "number.rules"));
        Some(Number {
            phone_number_id: PhoneNumberId::parse(id?.value)?,
            waba_id: waba_id.map(|id| id.value.to_owned()),
            rules: rules.map(|file| self.folder.join(file.value)),
        })
    }

    /// Takes an id of Meta's.
    fn number_id<'d>(&mut self, field: &Field<'d>, key: &str) -> Option<Text<'d>> {
        let id = self.filled(field, key)?;
        if is_id(id.value) {
            return Some(id);
        }
        let message =
            "is no id: it becomes a part of addresses, and holds only letters, digits, - and _";
        self.refuse(key, &id.span, message)
    }

    /// Takes a text that is not empty.
    fn filled<'d>(&mut self, field: &Field<'d>, key: &str) -> Option<Text<'d>> {
        let text = self.toml.string(field)?;
        if text.value.is_empty() {
            return self.refuse(key, &text.span, "must not be empty");
        }
        Some(text)
    }
}
