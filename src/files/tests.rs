use std::fs;
use std::io::Write as _;

use super::{Access, Draft, Existing, Reason, create, make_folder, replace};

fn names(folder: &std::path::Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn a_file_that_is_there_is_never_created_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    fs::write(&path, "owner's").unwrap();

    let refused = create(&path, "ours", Access::Umask).unwrap_err();

    assert!(matches!(refused.reason(), Reason::Exists), "{refused}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "owner's");
    assert_eq!(names(folder.path()), ["a"]);
}

#[test]
fn a_file_that_comes_while_another_is_written_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let draft = Draft::begin(&path, Existing::Kept, Access::Umask).unwrap();
    draft.file().write_all(b"ours").unwrap();
    fs::write(&path, "owner's").unwrap();

    let refused = draft.publish().unwrap_err();

    assert!(matches!(refused.reason(), Reason::Exists), "{refused}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "owner's");
    assert_eq!(names(folder.path()), ["a"]);
}

#[test]
fn a_draft_that_is_dropped_leaves_the_old_file_and_nothing_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    fs::write(&path, "old").unwrap();

    let draft = Draft::begin(&path, Existing::Replaced, Access::Umask).unwrap();
    draft.file().write_all(b"half").unwrap();
    drop(draft);

    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    assert_eq!(names(folder.path()), ["a"]);
}

#[test]
fn what_stands_in_the_way_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("folder")).unwrap();
    fs::write(at("file"), "").unwrap();

    let errors = [at("folder"), at("file/x"), at("nowhere/x")].map(|path| {
        let error = replace(&path, "", Access::Umask).unwrap_err();
        error.reason().to_string()
    });
    let in_the_way = make_folder(&at("file")).unwrap_err();

    assert_eq!(
        errors,
        [
            "a folder has this name".to_owned(),
            "a part of the path is a file, not a folder".to_owned(),
            format!("there is no folder `{}`", at("nowhere").display()),
        ]
    );
    assert!(matches!(in_the_way.reason(), Reason::File), "{in_the_way}");
    assert_eq!(names(folder.path()), ["file", "folder"]);
}

#[cfg(unix)]
mod unix {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

    use super::names;
    use crate::files::open_private;
    use crate::files::{Access, Reason, create, make_folder, make_private, replace};

    fn mode(path: &std::path::Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn a_replaced_file_keeps_its_mode_and_the_links_that_lead_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("real")).unwrap();
        fs::write(at("real/file"), "old").unwrap();
        symlink("real/file", at("near")).unwrap();
        symlink(at("near"), at("far")).unwrap();

        for bits in [0o600, 0o640, 0o444, 0o666] {
            fs::set_permissions(at("real/file"), Permissions::from_mode(bits)).unwrap();
            replace(&at("far"), "new", Access::Private).unwrap();
            assert_eq!(mode(&at("real/file")), bits);
        }

        assert_eq!(fs::read_to_string(at("real/file")).unwrap(), "new");
        assert!(at("far").is_symlink() && at("near").is_symlink());
        assert_eq!(names(&at("real")), ["file"]);
        assert_eq!(names(folder.path()), ["far", "near", "real"]);
    }

    #[test]
    fn a_link_that_leads_nowhere_gets_its_target_or_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        symlink("target", at("link")).unwrap();
        symlink("circle", at("circle")).unwrap();

        let refused = create(&at("link"), "new", Access::Umask).unwrap_err();
        replace(&at("link"), "new", Access::Private).unwrap();
        let circle = replace(&at("circle"), "new", Access::Umask).unwrap_err();

        assert!(matches!(refused.reason(), Reason::Exists), "{refused}");
        assert!(matches!(circle.reason(), Reason::Circle), "{circle}");
        assert!(at("link").is_symlink());
        assert_eq!(fs::read_to_string(at("target")).unwrap(), "new");
        assert_eq!(mode(&at("target")), 0o600);
    }

    #[test]
    fn folders_and_files_that_we_make_are_their_owners_alone_and_others_stay_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("wide")).unwrap();
        fs::set_permissions(at("wide"), Permissions::from_mode(0o755)).unwrap();
        fs::write(at("wide/file"), "").unwrap();
        fs::set_permissions(at("wide/file"), Permissions::from_mode(0o644)).unwrap();
        symlink(at("wide/target"), at("link")).unwrap();

        make_folder(&at("wide/a/b")).unwrap();
        make_private(&at("wide/file")).unwrap();
        make_private(&at("c/file")).unwrap();
        open_private(&at("link")).unwrap();

        let modes = ["wide", "wide/a", "wide/a/b", "c"].map(|name| mode(&at(name)));
        assert_eq!(modes, [0o755, 0o700, 0o700, 0o700]);
        let modes = ["wide/file", "c/file", "wide/target"].map(|name| mode(&at(name)));
        assert_eq!(modes, [0o644, 0o600, 0o600]);
    }

    #[test]
    fn devices_are_written_through_and_stay_devices() {
        let before = fs::metadata("/dev/null").unwrap();

        replace("/dev/null".as_ref(), "gone", Access::Umask).unwrap();

        assert_eq!(fs::metadata("/dev/null").unwrap().rdev(), before.rdev());
    }

    #[test]
    fn a_full_disk_is_told_in_a_sentence() {
        let Ok(()) = fs::metadata("/dev/full").map(drop) else {
            return;
        };

        let full = replace("/dev/full".as_ref(), "text", Access::Umask).unwrap_err();

        assert!(matches!(full.reason(), Reason::Full), "{full}");
    }
}
