//! Programs that others wrote and tests hold ours against, at fixed versions: installed once for
//! each target folder, by whichever test comes first.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder below `targets` with packages from npm: `sources` are written into it first, and among
/// them are `package.json` and `package-lock.json`.
///
/// # Panics
/// When npm is not there, or the packages cannot be had.
#[must_use]
pub fn npm_packages(targets: &Path, name: &str, sources: &[(&str, &str)]) -> PathBuf {
    installed(targets, name, sources, |folder| {
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
        done(npm.current_dir(folder), "npm is there (Debian: npm), and the packages can be had");
    })
}

/// The folder of the programs of a virtual environment with these packages from PyPI: the lines of
/// a `requirements.txt`.
///
/// # Panics
/// When Python or its venv is not there, or the packages cannot be had.
#[must_use]
pub fn python_packages(targets: &Path, name: &str, requirements: &str) -> PathBuf {
    let sources = [("requirements.txt", requirements)];
    let folder = installed(targets, name, &sources, |folder| {
        let venv = ["-m", "venv", "venv"];
        let mut made = Command::new("python3");
        done(made.args(venv).current_dir(folder), "Python has venv (Debian: python3-venv)");
        let mut pip = Command::new(folder.join("venv/bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        done(pip.args(["-r", "requirements.txt"]).current_dir(folder), "the packages can be had");
    });
    folder.join("venv/bin")
}

/// Other sources go into another folder: what was installed before is left as it is.
fn installed(
    targets: &Path,
    name: &str,
    sources: &[(&str, &str)],
    install: impl FnOnce(&Path),
) -> PathBuf {
    let mut hash = DefaultHasher::new();
    sources.hash(&mut hash);
    let folder = targets.join(format!("{name}-{:016x}", hash.finish()));
    let put = || -> std::io::Result<()> {
        fs::create_dir_all(&folder)?;
        let lock = File::create(folder.join("lock"))?;
        lock.lock()?;
        let ready = folder.join("ready");
        if !ready.exists() {
            for (name, text) in sources {
                fs::write(folder.join(name), text)?;
            }
            install(&folder);
            fs::write(ready, "")?;
        }
        Ok(())
    };
    put().unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    folder
}

#[track_caller]
fn done(command: &mut Command, needed: &str) {
    let ended = command.status();
    assert!(ended.is_ok_and(|status| status.success()), "{command:?} failed: {needed}");
}
