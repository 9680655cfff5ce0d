//! Where PostgreSQL's programs are on this machine.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// The environment variable that names the folder of the programs; it counts before any other
/// place.
const FOLDER_VARIABLE: &str = "DAICHO_POSTGRES_BIN";
/// Where Debian keeps them, a folder for each version.
const DEBIAN_FOLDER: &str = "/usr/lib/postgresql";
/// What a folder must hold to be taken.
const PROGRAMS: [&str; 3] = ["postgres", "initdb", "pg_ctl"];

/// The folder with `postgres`, `initdb` and `pg_ctl`.
///
/// # Panics
/// When there is none, with what to install.
#[must_use]
pub fn folder() -> PathBuf {
    find(
        env::var_os(FOLDER_VARIABLE).as_deref(),
        env::var_os("PATH").as_deref().unwrap_or_default(),
        Path::new(DEBIAN_FOLDER),
    )
    .unwrap_or_else(|why| panic!("{why}"))
}

fn find(named: Option<&OsStr>, path: &OsStr, versions: &Path) -> Result<PathBuf, String> {
    if let Some(named) = named {
        let whole = Some(PathBuf::from(named)).filter(|folder| is_whole(folder));
        return whole.ok_or_else(|| {
            format!("{FOLDER_VARIABLE} is {}, which lacks one of {PROGRAMS:?}", named.display())
        });
    }
    on_path(path).or_else(|| newest(versions)).ok_or_else(|| {
        format!(
            "this test needs a PostgreSQL server, and none is on the PATH or in {}: install it \
             (Debian: postgresql), or name the folder of its programs in {FOLDER_VARIABLE}",
            versions.display()
        )
    })
}

/// The folder of the PATH's `postgres`, past any link to it: its siblings are not always linked.
fn on_path(path: &OsStr) -> Option<PathBuf> {
    env::split_paths(path).find_map(|folder| {
        let program = fs::canonicalize(folder.join("postgres")).ok()?;
        program.parent().filter(|folder| is_whole(folder)).map(Path::to_path_buf)
    })
}

/// The folder of the highest version that is installed.
fn newest(versions: &Path) -> Option<PathBuf> {
    let versions = fs::read_dir(versions).ok()?.filter_map(Result::ok);
    let number = |name: &OsStr| name.to_str()?.parse::<u32>().ok();
    let numbered = versions.filter_map(|entry| {
        let folder = entry.path().join("bin");
        Some((number(&entry.file_name())?, folder)).filter(|(_, folder)| is_whole(folder))
    });
    numbered.max().map(|(_, folder)| folder)
}

fn is_whole(folder: &Path) -> bool {
    PROGRAMS.iter().all(|program| folder.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn install(folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        PROGRAMS.iter().for_each(|program| fs::write(folder.join(program), "").unwrap());
    }

    #[test]
    fn the_named_folder_goes_before_the_path_and_the_path_before_the_newest_version() {
        let home = tempfile::tempdir().unwrap().keep().canonicalize().unwrap();
        let versions = home.join("versions");
        install(&versions.join("9/bin"));
        install(&versions.join("15/bin"));
        fs::create_dir_all(versions.join("17/bin")).unwrap();
        assert_eq!(find(None, OsStr::new(""), &versions).unwrap(), versions.join("15/bin"));

        install(&home.join("programs"));
        fs::create_dir_all(home.join("links")).unwrap();
        std::os::unix::fs::symlink(home.join("programs/postgres"), home.join("links/postgres"))
            .unwrap();
        let path = home.join("links").into_os_string();
        assert_eq!(find(None, &path, &versions).unwrap(), home.join("programs"));

        install(&home.join("named"));
        let named = home.join("named").into_os_string();
        assert_eq!(find(Some(&named), &path, &versions).unwrap(), home.join("named"));
        fs::remove_dir_all(home).unwrap();
    }

    #[test]
    fn a_machine_without_a_server_is_told_what_to_install() {
        let nowhere = Path::new("/nowhere");
        let why = find(None, OsStr::new("/nowhere"), nowhere).unwrap_err();
        assert!(why.contains("Debian: postgresql"), "{why}");
        let why = find(Some(OsStr::new("/nowhere")), OsStr::new(""), nowhere).unwrap_err();
        assert!(why.contains(FOLDER_VARIABLE), "{why}");
    }
}
