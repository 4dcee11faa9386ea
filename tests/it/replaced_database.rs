//! A database that is deleted, moved or replaced while the service runs: nothing is acknowledged
//! into nothing, and the service logs the reason and stops.

use std::fs;
use std::path::{Path, PathBuf};

use replyd::store::Store;

use crate::faults::Service;
use crate::support::assert_contains;

/// Damage done to the file, and a part of the reason that is logged.
struct Case {
    name: &'static str,
    does: fn(&Path),
    reason: &'static str,
}

const CASES: [Case; 7] = [
    Case {
        name: "deleted",
        does: |database| fs::remove_file(database).unwrap(),
        reason: "its file was deleted or moved",
    },
    Case {
        name: "moved",
        does: |database| fs::rename(database, database.with_extension("old")).unwrap(),
        reason: "its file was deleted or moved",
    },
    Case {
        name: "its folder renamed",
        does: |database| {
            let folder = fs::canonicalize(database.parent().unwrap()).unwrap();
            fs::rename(&folder, folder.with_extension("old")).unwrap();
        },
        reason: "its file was deleted or moved",
    },
    Case {
        name: "replaced",
        does: |database| fs::rename(spare(database), database).unwrap(),
        reason: "its file was replaced",
    },
    Case {
        name: "a link switched",
        does: |database| {
            let current = database.parent().unwrap();
            let (other, link) = (
                current.with_extension("other"),
                current.with_extension("new"),
            );
            fs::create_dir(&other).unwrap();
            fs::copy(spare(database), other.join("test.db")).unwrap();
            std::os::unix::fs::symlink(other, &link).unwrap();
            fs::rename(link, current).unwrap();
        },
        reason: "its file was replaced",
    },
    Case {
        name: "emptied",
        does: |database| drop(fs::File::create(database).unwrap()),
        reason: "its file was emptied",
    },
    Case {
        name: "without its log",
        does: |database| fs::remove_file(log(database)).unwrap(),
        reason: "its `-wal` file was deleted or replaced",
    },
];

/// Another database, beside the one that is served.
fn spare(database: &Path) -> PathBuf {
    database.with_file_name("spare.db")
}

fn log(database: &Path) -> PathBuf {
    let mut log = database.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}

#[tokio::test]
async fn nothing_is_acknowledged_into_a_file_that_is_not_there_and_the_service_stops() {
    for case in CASES {
        let folder = tempfile::tempdir().unwrap();
        let (data, current) = (folder.path().join("data"), folder.path().join("current"));
        fs::create_dir(&data).unwrap();
        std::os::unix::fs::symlink(data, &current).unwrap();
        let database = current.join("test.db");
        let store = Store::open(&format!("sqlite:{}", spare(&database).display())).await;
        store.unwrap().close().await;
        let replacement = fs::read(spare(&database)).unwrap();
        let mut service = Service::start(folder.path(), &database).await;
        assert_eq!(service.post().await, 200);

        (case.does)(&database);
        for _ in 0..5 {
            let status = service.post().await;
            assert!(matches!(status, 503 | 0), "{}: {status}", case.name);
        }
        let (code, logs) = service.served.ended().await;

        assert_eq!(code, Some(1), "{}: {logs}", case.name);
        assert!(logs.contains(case.reason), "{}: {logs}", case.name);
        assert_contains(&logs, "database is lost; stopping");
        if case.reason == "its file was replaced" {
            assert_eq!(fs::read(&database).unwrap(), replacement, "{}", case.name);
        }
    }
}
