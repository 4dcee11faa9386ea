//! Checks of the public address of the webhook.

use std::time::Duration;

use secrecy::ExposeSecret as _;

use super::report::{Health, Report};
use crate::config::Config;
use crate::gateway::{self, http_client};
use crate::whatsapp::signature;

/// Timeout of a request: 3 MB take longer than Meta's limit of some seconds on a slow line.
const PATIENCE: Duration = Duration::from_secs(20);
/// See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview>.
const LARGEST_BYTES: usize = 3_000_000;
/// Webhook without updates: acknowledged, and nothing is stored.
const EMPTY: &str = r#"{"object":"whatsapp_business_account","entry":[]}"#;
/// Challenge that the service must return.
const CHALLENGE: &str = "1158201444";
const SUBJECT: &str = "public webhook";

/// Sends a verification, a signed body, and one without a signature.
pub(super) async fn webhook(report: &mut Report, config: Option<&Config>, url: Option<&str>) {
    let (Some(config), Some(url)) = (config, url) else {
        let why = if url.is_none() {
            "not looked at: its address is not known here"
        } else {
            "not looked at: the configuration cannot be used"
        };
        let advice = "name it: replyd doctor --url https://bot.example/webhook";
        return report.advise(Health::Unknown, SUBJECT, why, advice);
    };
    let client = match http_client(PATIENCE) {
        Ok(client) => client,
        Err(error) => return report.add(Health::Bad, SUBJECT, error.to_string()),
    };
    if !url.starts_with("https://") {
        let advice = "Meta takes only https, with a certificate of a public authority";
        report.advise(
            Health::Doubtful,
            SUBJECT,
            "the address is not https",
            advice,
        );
    }
    verification(report, &client, config, url).await;
    let signed = signature::sign(&config.webhook.app_secrets[0], EMPTY.as_bytes());
    match post(&client, url, Some(&signed), EMPTY.to_owned()).await {
        Ok(200) => {
            let detail = "takes what is signed with our app secret";
            report.add(Health::Good, SUBJECT, detail);
            large(report, &client, config, url).await;
        }
        Ok(401 | 403) => report.advise(
            Health::Bad,
            SUBJECT,
            "does not take our signature",
            "the service there has another app secret, or something on the way changes the body",
        ),
        Ok(status) => report.add(Health::Bad, SUBJECT, format!("answers with {status}")),
        Err(error) => return unreachable(report, error),
    }
    match post(&client, url, None, EMPTY.to_owned()).await {
        Ok(400..=499) => report.add(Health::Good, SUBJECT, "refuses what is not signed"),
        Ok(status) => report.advise(
            Health::Bad,
            SUBJECT,
            format!("answers {status} to what is not signed"),
            "whatever answers there is not replyd",
        ),
        Err(error) => unreachable(report, error),
    }
}

fn unreachable(report: &mut Report, error: String) {
    let advice = "check the proxy, the certificate and the firewall in front of server.listen";
    report.advise(Health::Bad, SUBJECT, error, advice);
}

/// Sends a body of Meta's maximum size: proxies stop at 1 MB by default.
async fn large(report: &mut Report, client: &reqwest::Client, config: &Config, url: &str) {
    const ADVICE: &str =
        "raise the proxy's limit: nginx `client_max_body_size 4m;`, or what yours calls it";
    let body = large_body();
    let signed = signature::sign(&config.webhook.app_secrets[0], body.as_bytes());
    match post(client, url, Some(&signed), body).await {
        Ok(200) => report.add(
            Health::Good,
            SUBJECT,
            "takes 3 MB, the most that Meta sends",
        ),
        Ok(413) => report.advise(
            Health::Bad,
            SUBJECT,
            "refuses 3 MB, which Meta may send, with 413",
            ADVICE,
        ),
        Ok(status) => report.advise(
            Health::Bad,
            SUBJECT,
            format!("answers {status} to 3 MB, which Meta may send"),
            ADVICE,
        ),
        Err(error) => report.advise(
            Health::Bad,
            SUBJECT,
            format!("does not take 3 MB, which Meta may send: {error}"),
            ADVICE,
        ),
    }
}

/// As [`EMPTY`], padded to Meta's maximum size.
fn large_body() -> String {
    let padding = " ".repeat(LARGEST_BYTES - EMPTY.len());
    EMPTY.replace("[]", &format!("[{padding}]"))
}

async fn verification(report: &mut Report, client: &reqwest::Client, config: &Config, url: &str) {
    let Ok(mut address) = reqwest::Url::parse(url) else {
        return report.add(Health::Bad, SUBJECT, "the address is not a URL");
    };
    address
        .query_pairs_mut()
        .append_pair("hub.mode", "subscribe")
        .append_pair("hub.challenge", CHALLENGE)
        .append_pair(
            "hub.verify_token",
            config.webhook.verify_token.expose_secret(),
        );
    // The post that follows reports an unreachable address.
    let Ok(answer) = client.get(address).send().await else {
        return;
    };
    let status = answer.status().as_u16();
    let body = answer.text().await.unwrap_or_default();
    if status == 200 && body == CHALLENGE {
        report.add(Health::Good, SUBJECT, "answers Meta's verification");
    } else {
        let detail = format!("answers {status} to Meta's verification");
        let advice = "the service there has another webhook.verify_token, or is not replyd";
        report.advise(Health::Bad, SUBJECT, detail, advice);
    }
}

async fn post(
    client: &reqwest::Client,
    url: &str,
    signed: Option<&str>,
    body: String,
) -> Result<u16, String> {
    let mut request = client
        .post(url)
        .header("content-type", "application/json")
        .body(body);
    if let Some(signed) = signed {
        request = request.header("x-hub-signature-256", signed);
    }
    match request.send().await {
        Ok(answer) => Ok(answer.status().as_u16()),
        // The text of the error holds the whole URL, which may contain private parts.
        Err(error) => {
            let address = reqwest::Url::parse(url).map(|url| gateway::address(&url));
            let address = address.unwrap_or_default();
            Err(format!(
                "{address} cannot be reached: {}",
                gateway::reason(&error)
            ))
        }
    }
}
