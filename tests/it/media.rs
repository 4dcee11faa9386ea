//! `replyd media`: files go to the pretend WhatsApp and come back, and everything that is told
//! about them.

use std::path::Path;

use serde_json::json;

use crate::sqlite;
use crate::support;
use crate::support::test_cli::TestCli;
use crate::support::{ANA, NUMBERS, Options, TestApp};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR";
const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01 a picture of a cake";

impl TestCli {
    /// Runs `replyd media`.
    async fn media(&self, arguments: &[&str]) -> String {
        self.replyd(&[&["media"], arguments].concat()).await
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_file_is_uploaded_byte_for_byte_and_its_id_is_the_answer() {
    let desk = TestCli::new().await;
    desk.write("cake.jpg", JPEG);

    let told = desk.media(&["upload", "cake.jpg"]).await;

    insta::assert_snapshot!(told, @"
    exit status: 0
    ----- stdout -----
    900200
    ----- stderr -----
    uploaded cake.jpg · image/jpeg · 32 bytes
    number 106540000000001 can send it as image by this id for 30 days
    ");
    let file = desk
        .sandbox
        .look(|state| state.file("900200").cloned())
        .unwrap();
    assert_eq!(file.bytes, JPEG);
    assert_eq!(
        (file.mime_type.as_str(), file.filename.as_deref()),
        ("image/jpeg", Some("cake.jpg"))
    );
    assert_eq!(file.phone_number_id, NUMBERS[0]);
}

#[tokio::test]
async fn a_file_larger_than_any_buffer_arrives_whole() {
    let desk = TestCli::new().await;
    let mut bytes = b"%PDF-1.7\n".to_vec();
    bytes.extend((0..3_000_001_u32).map(|number| number.to_le_bytes()[number as usize % 3]));
    desk.write("price \"list\" ü.pdf", &bytes);

    let told = desk
        .media(&[
            "upload",
            "price \"list\" ü.pdf",
            "--json",
            "--number",
            NUMBERS[1],
        ])
        .await;

    insta::assert_snapshot!(told, @r#"
    exit status: 0
    ----- stdout -----
    {"bytes":3000010,"filename":"price \"list\" ü.pdf","good_for_days":30,"id":"900200","kind":"document","mime_type":"application/pdf"}
    ----- stderr -----
    "#);
    let file = desk
        .sandbox
        .look(|state| state.file("900200").cloned())
        .unwrap();
    assert!(file.bytes == bytes, "it has changed on the way");
    assert_eq!(file.filename.as_deref(), Some("price \"list\" ü.pdf"));
    assert_eq!(file.phone_number_id, NUMBERS[1]);
}

#[tokio::test]
async fn a_dry_run_shows_each_request_and_sends_nothing() {
    let desk = TestCli::new().await;
    desk.write("cake.jpg", JPEG);
    let id = desk.sandbox.store_file(JPEG, "image/jpeg");

    let mut told = String::new();
    for arguments in [
        &["upload", "cake.jpg"][..],
        &["info", &id],
        &["download", &id],
        &["delete", &id],
    ] {
        told += &desk.media(&[arguments, &["--dry-run"]].concat()).await;
    }

    insta::assert_snapshot!(told, @"
    exit status: 0
    ----- stdout -----
    POST http://HOST/v23.0/106540000000001/media
    authorization: Bearer ***
    content-type: multipart/form-data

    messaging_product=whatsapp
    type=image/jpeg
    file=cake.jpg (32 bytes, image/jpeg)
    ----- stderr -----
    exit status: 0
    ----- stdout -----
    GET http://HOST/v23.0/900200?phone_number_id=106540000000001
    authorization: Bearer ***
    ----- stderr -----
    exit status: 0
    ----- stdout -----
    GET http://HOST/v23.0/900200?phone_number_id=106540000000001
    authorization: Bearer ***
    ----- stderr -----
    then the file is fetched from the address that is told, with Meta's token
    exit status: 0
    ----- stdout -----
    DELETE http://HOST/v23.0/900200?phone_number_id=106540000000001
    authorization: Bearer ***
    ----- stderr -----
    ");
    assert!(
        desk.sandbox
            .look(|state| state.file(&id).is_some() && state.file("900201").is_none())
    );
    assert_eq!(names(desk.folder.path()), ["cake.jpg", "replyd.toml"]);
}

#[tokio::test]
async fn files_that_whatsapp_does_not_take_are_refused_before_anything_is_sent() {
    let desk = TestCli::new().await;
    desk.write("cake.png", JPEG);
    desk.write("dance.gif", b"GIF89a");
    desk.write("empty.pdf", b"");
    desk.write("large.png", &[PNG, &vec![0; 5 << 20]].concat());
    desk.write("odd\u{1b}[31m.txt", b"\0");

    let mut told = String::new();
    for arguments in [
        &["upload", "cake.png"][..],
        &["upload", "dance.gif"],
        &["upload", "empty.pdf"],
        &["upload", "large.png"],
        &["upload", "odd\u{1b}[31m.txt"],
        &["upload", "cake.png", "--mime", "video/mp4"],
        &["upload", "cake.png", "--mime", "jpeg"],
        &["upload", "."],
        &["upload", "nowhere.png"],
    ] {
        told += &desk.media(arguments).await;
    }

    insta::assert_snapshot!(told);
    assert!(desk.sandbox.look(|state| state.file("900200").is_none()));
}

#[tokio::test]
async fn a_told_type_helps_where_the_name_is_wrong_and_meta_has_the_last_word() {
    let desk = TestCli::new().await;
    desk.write("cake.png", JPEG);
    desk.write("list.zip", b"PK\x03\x04");

    let named = desk
        .media(&["upload", "cake.png", "--mime", "image/jpeg"])
        .await;
    let refused = desk
        .media(&["upload", "list.zip", "--mime", "application/zip"])
        .await;

    insta::assert_snapshot!(format!("{named}{refused}"), @"
    exit status: 0
    ----- stdout -----
    900200
    ----- stderr -----
    uploaded cake.png · image/jpeg · 32 bytes
    number 106540000000001 can send it as image by this id for 30 days
    exit status: 1
    ----- stdout -----
    ----- stderr -----
    warning: application/zip is not among the types that WhatsApp promises to take
    error: Meta refused with error 100: a parameter is wrong or not supported (Param file must be a file with one of the types that WhatsApp takes.)

    hint: WhatsApp takes .aac .amr .mp3 .m4a .ogg .txt .pdf .doc .docx .xls .xlsx .ppt .pptx .jpg .jpeg .png .mp4 .3gp .webp
    ");
}

#[tokio::test]
async fn what_whatsapp_knows_of_a_file_is_a_table_or_json() {
    let desk = TestCli::new().await;
    let id = desk.sandbox.store_file(JPEG, "image/jpeg");

    let people = desk.media(&["info", &id]).await;
    let programs = desk.media(&["info", &id, "--json"]).await;

    insta::assert_snapshot!(format!("{people}{programs}"), @r#"
    exit status: 0
    ----- stdout -----
     id       900200
     type     image/jpeg
     size     32 bytes
     sha256   a7d0cb208c34eb9c7bbc739e2df0ddaf1e4368136e475e782c71d0a6f74c3f54
     address  http://HOST/sandbox/file/900200
    ----- stderr -----
    the address lives for five minutes and wants Meta's token: replyd media download 900200
    exit status: 0
    ----- stdout -----
    {"bytes":32,"id":"900200","mime_type":"image/jpeg","sha256":"a7d0cb208c34eb9c7bbc739e2df0ddaf1e4368136e475e782c71d0a6f74c3f54","url":"http://HOST/sandbox/file/900200"}
    ----- stderr -----
    "#);
}

#[tokio::test]
async fn a_file_is_fetched_verified_and_named_by_us() {
    let desk = TestCli::new().await;
    let id = desk.sandbox.store_file(JPEG, "image/jpeg");
    let voice = desk.sandbox.store_file("OggS", "audio/ogg; codecs=opus");
    std::fs::create_dir(desk.path("files")).unwrap();

    let mut told = String::new();
    for arguments in [
        &["download", &id][..],
        &["download", &voice, "--output", "files"],
        &["download", &id, "--output", "files/cake", "--json"],
    ] {
        told += &desk.media(arguments).await;
    }

    insta::assert_snapshot!(told, @r#"
    exit status: 0
    ----- stdout -----
    900200.jpg
    ----- stderr -----
    fetched image/jpeg · 32 bytes · its SHA-256 is the one WhatsApp told
    exit status: 0
    ----- stdout -----
    files/900201.ogg
    ----- stderr -----
    fetched audio/ogg; codecs=opus · 4 bytes · its SHA-256 is the one WhatsApp told
    exit status: 0
    ----- stdout -----
    {"bytes":32,"file":"files/cake","id":"900200","mime_type":"image/jpeg","sha256":"a7d0cb208c34eb9c7bbc739e2df0ddaf1e4368136e475e782c71d0a6f74c3f54","verified":true}
    ----- stderr -----
    "#);
    assert_eq!(std::fs::read(desk.path("900200.jpg")).unwrap(), JPEG);
    assert_eq!(names(&desk.path("files")), ["900201.ogg", "cake"]);
}

#[tokio::test]
async fn nothing_is_written_over() {
    let desk = TestCli::new().await;
    let id = desk.sandbox.store_file(JPEG, "image/jpeg");
    desk.write("900200.jpg", b"mine");

    let told = desk.media(&["download", &id]).await;

    insta::assert_snapshot!(told, @"
    exit status: 1
    ----- stdout -----
    ----- stderr -----
    error: `900200.jpg` is there already

    hint: nothing is ever written over; name another file with --output
    ");
    assert_eq!(std::fs::read(desk.path("900200.jpg")).unwrap(), b"mine");
}

#[tokio::test]
async fn what_cannot_be_fetched_leaves_no_file_and_says_what_to_do() {
    let desk = TestCli::with("[media]\nmax_bytes = 20\n").await;
    let large = desk.sandbox.store_file(JPEG, "image/jpeg");
    let small = desk.sandbox.store_file(PNG, "image/png");
    let nowhere = ["download", &small, "--output", "no/folder/a.png"];
    let before = names(desk.folder.path());

    let mut told = desk.media(&["download", &large]).await;
    told += &desk.media(&nowhere).await;
    let mut wrong_token = desk.command(&["media", "download", &small]);
    wrong_token.env("REPLYD__MEDIA__TOKEN", "another");
    told += &String::from_utf8(wrong_token.output().await.unwrap().stderr).unwrap();
    let mut maton = desk.command(&["media", "download", &small]);
    maton.env("REPLYD__GATEWAY__PRESET", "maton");
    told += &String::from_utf8(maton.output().await.unwrap().stderr).unwrap();

    insta::assert_snapshot!(told, @"
    exit status: 1
    ----- stdout -----
    ----- stderr -----
    error: the file has more than 20 bytes

    hint: raise media.max_bytes if you want files of this size
    exit status: 1
    ----- stdout -----
    ----- stderr -----
    error: could not write `no/folder/a.png`: there is no folder `no/folder`

    hint: make the folder first, or name another one
    error: the file host does not take the token

    hint: it must be a token of your own Meta app with access to the number: set media.token
    error: there is no token for Meta's file host; Maton's key does not open it

    hint: set media.token to a token of your own Meta app
    ");
    assert_eq!(names(desk.folder.path()), before);
}

#[tokio::test]
async fn ids_of_nothing_and_of_other_numbers_are_told_as_that() {
    let desk = TestCli::new().await;
    let id = desk.sandbox.store_file(JPEG, "image/jpeg");

    let mut told = String::new();
    for arguments in [
        &["info", "1"][..],
        &["info", &id, "--number", NUMBERS[1]],
        &["download", "1"],
        &["delete", "1", "--yes"],
        &["delete", &id, "--yes", "--number", NUMBERS[1]],
        &["info", "../x"],
    ] {
        told += &desk.media(arguments).await;
    }
    let mut wrong_key = desk.command(&["media", "info", &id]);
    wrong_key.env("REPLYD__GATEWAY__API_KEY", "another");
    told += &String::from_utf8(wrong_key.output().await.unwrap().stderr).unwrap();

    insta::assert_snapshot!(told);
    assert!(desk.sandbox.look(|state| state.file(&id).is_some()));
}

#[tokio::test]
async fn a_file_is_deleted_only_when_somebody_said_so() {
    let desk = TestCli::new().await;
    let first = desk.sandbox.store_file(JPEG, "image/jpeg");
    let second = desk.sandbox.store_file(JPEG, "image/jpeg");

    let unasked = desk.media(&["delete", &first]).await;
    let there_still = desk.sandbox.look(|state| state.file(&first).is_some());
    let people = desk.media(&["delete", &first, "--yes"]).await;
    let programs = desk.media(&["delete", &second, "--yes", "--json"]).await;

    assert!(there_still);
    insta::assert_snapshot!(format!("{unasked}{people}{programs}"), @r#"
    exit status: 1
    ----- stdout -----
    ----- stderr -----
    error: there is no terminal to ask on: delete file 900200 for good?

    hint: say it beforehand with --yes
    exit status: 0
    ----- stdout -----
    deleted 900200
    ----- stderr -----
    exit status: 0
    ----- stdout -----
    {"deleted":true,"id":"900201"}
    ----- stderr -----
    "#);
    assert!(
        desk.sandbox
            .look(|state| state.file(&first).is_none() && state.file(&second).is_none())
    );
}

#[tokio::test]
async fn files_that_people_send_are_fetched_and_shown_in_the_history() {
    let app = TestApp::with(Options {
        extra: "[media]\ndownload = true\nfolder = \"files\"\nmax_bytes = 1000\n",
        ..Options::default()
    })
    .await;
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

    let entries = app.transcript(ANA).await;
    let theirs: Vec<_> = entries.iter().filter(|one| one.direction == "in").collect();
    let path = theirs[0].file.as_deref().unwrap();
    assert!(path.ends_with(&format!("{good}.jpg")), "{path}");
    assert_eq!(
        std::fs::read(app.folder().join("files").join(path)).unwrap(),
        JPEG
    );
    assert_eq!(theirs[1].file, None);
    assert_eq!(
        theirs[1].file_error.as_deref(),
        Some("the file has more than 1000 bytes")
    );
    assert_eq!(
        theirs[2].file_error.as_deref(),
        Some("the file's id is not one of Meta's")
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;

        let file = app.folder().join("files").join(path);
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        let modes = [&*file, file.parent().unwrap(), &app.folder().join("files")].map(mode);
        assert_eq!(modes, [0o600, 0o700, 0o700]);
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_fetched_now_waits_for_another_try() {
    let app = TestApp::with(Options {
        extra: "[media]\ndownload = true\nfolder = \"files\"\ntoken = \"no-token-of-ours\"\n",
        ..Options::default()
    })
    .await;
    let file = app.sandbox.store_file(JPEG, "image/jpeg");
    let image = json!({ "type": "image", "image": { "id": file, "mime_type": "image/jpeg" } });

    app.sandbox.write(ANA, image, "[image]").await;

    let why = app.until("the failure of a try", |store| async move {
        let entries = support::transcript(&store, ANA).await;
        entries.first()?.file_error.clone()
    });
    assert_eq!(why.await, "the file host does not take the token");
    let waiting =
        "SELECT count(*) FROM outbox WHERE kind = 'download' AND state = 'queued' AND attempts = 1";
    assert_eq!(sqlite::number(&app.database(), waiting).await, 1);
}
