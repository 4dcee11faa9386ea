//! Disk space of a message, compared with docs/operations.md.

use std::path::PathBuf;

use regex::Regex;

use crate::support::{ECHO, TestApp};

const CONTACTS: usize = 20;
const MESSAGES_EACH: usize = 20;

/// Prints the figure: `cargo test --test it disk_growth -- --nocapture`.
#[tokio::test]
async fn disk_growth_of_a_message_and_its_answer_is_that_of_the_page() {
    let mut app = TestApp::start(ECHO).await;
    let folder = app.folder().to_owned();
    app.stop().await;
    let before = size(&folder);
    app.run().await;
    for message in 0..MESSAGES_EACH {
        for contact in 0..CONTACTS {
            let phone = format!("1555000{contact:04}");
            let text = format!("Hello, this is my message {message}: are you open on Sunday?");
            app.sandbox.say(&phone, &text).await;
        }
    }
    let pairs = CONTACTS * MESSAGES_EACH;
    app.drained().await;
    app.until("the receipts of every answer", |store| async move {
        let mut read = 0;
        for conversation in store.conversations(None, 1_000).await.unwrap() {
            let messages = store.transcript(conversation.id, 1_000).await.unwrap();
            let statuses = messages
                .iter()
                .map(|message| message.delivery_status.as_deref());
            read += statuses.filter(|status| *status == Some("read")).count();
        }
        (read == pairs).then_some(())
    })
    .await;
    app.stop().await;

    let bytes = (size(&folder) - before) / pairs as u64;
    #[expect(clippy::print_stdout, reason = "the figure is what this is run for")]
    {
        println!("{bytes} bytes for a message, its answer and three receipts");
    }
    let page = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/operations.md");
    let page = std::fs::read_to_string(page).unwrap();
    let figure = Regex::new(r"take about ([\d.]+) KB of disk").unwrap();
    let figure = figure.captures(&page).expect("docs/operations.md has it");
    let documented: f64 = figure[1].parse().unwrap();
    let measured = f64::from(u32::try_from(bytes).unwrap()) / 1_000.0;
    assert!(
        (measured / documented - 1.0).abs() < 0.25,
        "{measured} KB were measured, docs/operations.md says {documented} KB"
    );
}

/// The database, once it is closed and its log is folded into it.
fn size(folder: &std::path::Path) -> u64 {
    std::fs::metadata(folder.join("test.db")).unwrap().len()
}
