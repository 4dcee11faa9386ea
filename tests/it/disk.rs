//! How much disk a message takes, held against what docs/operations.md says.

use std::path::PathBuf;

use regex::Regex;

use crate::support::{ECHO, TestApp};

const PEOPLE: usize = 20;
const MESSAGES_EACH: usize = 20;

/// Prints what it measures: `cargo test --test it disk_growth -- --nocapture`.
#[tokio::test]
async fn disk_growth_of_a_message_and_its_answer_is_what_the_page_says() {
    let mut app = TestApp::start(ECHO).await;
    let folder = app.folder().to_owned();
    app.stop().await;
    let before = size(&folder);
    app.run().await;
    for message in 0..MESSAGES_EACH {
        for person in 0..PEOPLE {
            let phone = format!("1555000{person:04}");
            let text = format!("Hello, this is my message {message}: are you open on Sunday?");
            app.sandbox.say(&phone, &text).await;
        }
    }
    let pairs = PEOPLE * MESSAGES_EACH;
    app.drained().await;
    app.until("the receipts of every answer", |store| async move {
        let all = store.conversations(None, 1_000).await.unwrap();
        let mut read = 0;
        for one in all {
            let entries = store.transcript(one.id, 1_000).await.unwrap();
            let entries = entries.iter();
            read += entries
                .filter(|entry| entry.delivery_status.as_deref() == Some("read"))
                .count();
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
    let told = Regex::new(r"take about ([\d.]+) KB of disk").unwrap();
    let told = told
        .captures(&page)
        .expect("docs/operations.md tells the figure");
    let told: f64 = told[1].parse().unwrap();
    let measured = f64::from(u32::try_from(bytes).unwrap()) / 1_000.0;
    assert!(
        (measured / told - 1.0).abs() < 0.25,
        "{measured} KB were measured, docs/operations.md says {told} KB"
    );
}

/// The database, once it is closed and its log is folded into it.
fn size(folder: &std::path::Path) -> u64 {
    std::fs::metadata(folder.join("test.db")).unwrap().len()
}
