//! A shim that makes every sync slower, compiled here and loaded before the C library: the same
//! for our process, the peers' and the server's.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::BenchError;

/// Compiles the shim into `folder`; none where syncs stay as they are.
///
/// # Errors
/// No C compiler.
pub(crate) fn compile(folder: &Path, sync_ms: u32) -> Result<Option<PathBuf>, BenchError> {
    if sync_ms == 0 {
        return Ok(None);
    }
    let (source, shim) = (folder.join("shim.c"), folder.join("shim.so"));
    std::fs::write(&source, include_str!("shim.c"))?;
    let nanoseconds = u64::from(sync_ms) * 1_000_000;
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-O2"]).arg(format!("-DSYNC_NS={nanoseconds}L"));
    cc.arg("-o").arg(&shim).arg(&source).arg("-ldl");
    let output = cc.output().map_err(|error| {
        BenchError::Child(format!("`cc` (Debian: gcc) is needed for --sync-ms: {error}"))
    })?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(BenchError::Child(format!("`cc` does not compile the shim: {why}")));
    }
    Ok(Some(shim))
}
