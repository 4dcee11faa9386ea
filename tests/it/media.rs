//! `replyd media` against the sandbox, and files that contacts send.

use std::path::Path;

use serde_json::json;

use crate::support::test_cli::TestCli;
use crate::support::{ANA, NUMBERS, TestApp, names};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR";
pub(crate) const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01 a picture of a cake";
/// A file name with all that could break the form it is sent in.
const ODD: &str = "price \"list\" ü.pdf";

#[tokio::test]
async fn a_file_is_uploaded_byte_for_byte_and_its_id_is_the_answer() {
    let mut large = b"%PDF-1.7\n".to_vec();
    large.extend((0..3_000_001_u32).map(|number| number.to_le_bytes()[number as usize % 3]));
    let options = "--json --number 106540000000002";
    let cases = [
        ("uploaded", "cake.jpg", JPEG, "image/jpeg", "", NUMBERS[0]),
        (
            "uploaded_large",
            ODD,
            &large,
            "application/pdf",
            options,
            NUMBERS[1],
        ),
    ];
    for (snapshot, name, bytes, mime_type, options, number) in cases {
        let cli = TestCli::with_graph().await;
        cli.write(name, bytes);

        let run = cli
            .replyd(&format!("media upload '{name}' {options}"))
            .await;

        insta::assert_snapshot!(snapshot, run);
        let file = cli
            .sandbox
            .look(|state| state.file("900200").cloned())
            .unwrap();
        assert!(file.bytes == bytes, "{name} has changed on the way");
        assert_eq!(file.mime_type, mime_type);
        assert_eq!(file.filename.as_deref(), Some(name));
        assert_eq!(file.phone_number_id, number);
    }
}

#[tokio::test]
async fn a_dry_run_shows_each_request_and_sends_nothing() {
    let cli = TestCli::with_graph().await;
    cli.write("cake.jpg", JPEG);
    cli.sandbox.store_file(JPEG, "image/jpeg");

    let session = cli.session(&[
        "media upload cake.jpg --dry-run",
        "media info 900200 --dry-run",
        "media download 900200 --dry-run",
        "media delete 900200 --dry-run",
    ]);

    insta::assert_snapshot!("dry_run", session.await);
    assert_eq!(files(&cli), ["900200"]);
    assert_eq!(names(cli.folder()), ["cake.jpg", "replyd.toml"]);
}

/// Ids of the first two files that are at the sandbox.
fn files(cli: &TestCli) -> Vec<&'static str> {
    let ids = ["900200", "900201"].into_iter();
    cli.sandbox
        .look(|state| ids.filter(|id| state.file(id).is_some()).collect())
}

#[tokio::test]
async fn files_that_whatsapp_does_not_take_are_refused_before_anything_is_sent() {
    let cli = TestCli::with_graph().await;
    cli.write("cake.png", JPEG);
    cli.write("dance.gif", b"GIF89a");
    cli.write("empty.pdf", b"");
    cli.write("large.png", [PNG, &vec![0; 5 << 20]].concat());
    cli.write("odd\u{1b}[31m.txt", b"\0");

    let mut shown = Vec::new();
    for arguments in [
        "cake.png",
        "dance.gif",
        "empty.pdf",
        "large.png",
        "odd\u{1b}[31m.txt",
        "cake.png --mime video/mp4",
        "cake.png --mime jpeg",
        ".",
        "nowhere.png",
    ] {
        let run = cli.replyd(&format!("media upload {arguments}")).await;
        shown.push(run.replace("\u{1b}", "␛").to_string());
    }

    insta::assert_snapshot!(shown.join("\n"));
    assert_eq!(files(&cli), [""; 0]);
}

#[tokio::test]
async fn a_type_that_is_given_replaces_that_of_the_name_and_meta_has_the_last_word() {
    let cli = TestCli::with_graph().await;
    cli.write("cake.png", JPEG);
    cli.write("list.zip", b"PK\x03\x04");

    let session = cli.session(&[
        "media upload cake.png --mime image/jpeg",
        "media upload list.zip --mime application/zip",
    ]);

    insta::assert_snapshot!("told_type", session.await);
}

#[tokio::test]
async fn the_metadata_of_a_file_is_a_table_or_json() {
    let cli = TestCli::with_graph().await;
    cli.sandbox.store_file(JPEG, "image/jpeg");

    let session = cli.session(&["media info 900200", "media info 900200 --json"]);

    insta::assert_snapshot!("info", session.await);
}

#[tokio::test]
async fn a_file_is_fetched_verified_and_named_by_us() {
    let cli = TestCli::with_graph().await;
    cli.sandbox.store_file(JPEG, "image/jpeg");
    cli.sandbox.store_file("OggS", "audio/ogg; codecs=opus");
    std::fs::create_dir(cli.path("files")).unwrap();

    let session = cli.session(&[
        "media download 900200",
        "media download 900201 --output files",
        "media download 900200 --output files/cake --json",
    ]);

    insta::assert_snapshot!("download", session.await);
    assert_eq!(std::fs::read(cli.path("900200.jpg")).unwrap(), JPEG);
    assert_eq!(names(&cli.path("files")), ["900201.ogg", "cake"]);
}

#[tokio::test]
async fn nothing_is_written_over() {
    let cli = TestCli::with_graph().await;
    cli.sandbox.store_file(JPEG, "image/jpeg");
    cli.write("900200.jpg", b"mine");

    let run = cli.replyd("media download 900200").await;

    insta::assert_snapshot!(run.refused(), @"
    error: `900200.jpg` is there already

    hint: nothing is ever written over; name another file with --output
    ");
    assert_eq!(cli.read("900200.jpg"), "mine");
}

#[tokio::test]
async fn a_download_that_fails_leaves_no_file_and_gives_a_hint() {
    let cli = TestCli::with_graph().await;
    cli.edit("# Luna Bakery", "[media]\nmax_bytes = 20");
    cli.sandbox.store_file(JPEG, "image/jpeg");
    cli.sandbox.store_file(PNG, "image/png");
    let before = names(cli.folder());

    let mut shown = Vec::new();
    for (line, environment) in [
        ("media download 900200", None),
        ("media download 900201 --output no/folder/a.png", None),
        (
            "media download 900201",
            Some(("REPLYD__MEDIA__TOKEN", "another")),
        ),
        (
            "media download 900201",
            Some(("REPLYD__GATEWAY__PRESET", "maton")),
        ),
    ] {
        let run = cli.replyd_with(line, environment.as_slice()).await;
        shown.push(run.to_string());
    }

    insta::assert_snapshot!("not_fetched", shown.join("\n"));
    assert_eq!(names(cli.folder()), before);
}

#[tokio::test]
async fn ids_of_nothing_and_of_other_numbers_are_refused() {
    let cli = TestCli::with_graph().await;
    cli.sandbox.store_file(JPEG, "image/jpeg");

    let second = NUMBERS[1];
    let session = cli
        .session(&[
            "media info 1",
            &format!("media info 900200 --number {second}"),
            "media download 1",
            "media delete 1 --yes",
            &format!("media delete 900200 --yes --number {second}"),
            "media info ../x",
        ])
        .await;
    let wrong_key = [("REPLYD__GATEWAY__API_KEY", "another")];
    let refused = cli.replyd_with("media info 900200", &wrong_key).await;

    insta::assert_snapshot!(format!("{session}\n{refused}"));
    assert_eq!(files(&cli), ["900200"]);
}

#[tokio::test]
async fn a_file_is_deleted_only_after_a_confirmation() {
    let cli = TestCli::with_graph().await;
    cli.sandbox.store_file(JPEG, "image/jpeg");
    cli.sandbox.store_file(JPEG, "image/jpeg");

    let unasked = cli.replyd("media delete 900200").await;
    let before = files(&cli);
    let session = cli.session(&[
        "media delete 900200 --yes",
        "media delete 900201 --yes --json",
    ]);

    insta::assert_snapshot!("deleted", format!("{unasked}\n{}", session.await));
    assert_eq!(before, ["900200", "900201"]);
    assert_eq!(files(&cli), [""; 0]);
}

#[tokio::test]
async fn files_of_contacts_are_downloaded_and_shown_in_the_history() {
    let media = "[media]\ndownload = true\nfolder = \"files\"\nmax_bytes = 1000\n";
    let app = TestApp::builder().config(media).start().await;
    let good = app.sandbox.store_file(JPEG, "image/jpeg");
    let large = app.sandbox.store_file(vec![0; 1001], "application/pdf");
    let image = json!({ "type": "image", "image": { "id": good, "mime_type": "image/jpeg", "caption": "my cake" } });
    let document = json!({ "type": "document", "document": { "id": large, "mime_type": "application/pdf", "filename": "../evil.pdf" } });
    let elsewhere =
        json!({ "type": "image", "image": { "id": "../elsewhere", "mime_type": "image/jpeg" } });

    app.sandbox.write(ANA, image, "[image]").await;
    app.sandbox.write(ANA, document, "[document]").await;
    app.sandbox.write(ANA, elsewhere, "[image]").await;
    app.drained().await;

    let messages = app.transcript(ANA).await;
    let inbound = messages.iter().filter(|message| message.direction == "in");
    let inbound: Vec<_> = inbound.collect();
    let path = inbound[0].file.as_deref().unwrap();
    assert!(path.ends_with(&format!("{good}.jpg")), "{path}");
    let file = app.path("files").join(path);
    assert_eq!(std::fs::read(&file).unwrap(), JPEG);
    assert_eq!(inbound[1].file, None);
    let errors = [1, 2].map(|index| inbound[index].file_error.as_deref().unwrap());
    let expected = [
        "the file has more than 1000 bytes",
        "the file's id is not one of Meta's",
    ];
    assert_eq!(errors, expected);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;

        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        let modes = [&*file, file.parent().unwrap(), &app.path("files")].map(mode);
        assert_eq!(modes, [0o600, 0o700, 0o700]);
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_fetched_now_waits_for_another_try() {
    let media = "[media]\ndownload = true\nfolder = \"files\"\ntoken = \"no-token-of-ours\"\n";
    let app = TestApp::builder().config(media).start().await;
    let file = app.sandbox.store_file(JPEG, "image/jpeg");
    let image = json!({ "type": "image", "image": { "id": file, "mime_type": "image/jpeg" } });

    app.sandbox.write(ANA, image, "[image]").await;

    let why = app.until_transcript("the failure of a try", ANA, |messages| {
        messages.first()?.file_error.clone()
    });
    assert_eq!(why.await, "the file host does not take the token");
    let waiting =
        "SELECT count(*) FROM outbox WHERE kind = 'download' AND state = 'queued' AND attempts = 1";
    assert_eq!(app.number(waiting).await, 1);
}
