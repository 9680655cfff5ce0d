//! Whose account a server runs under. PostgreSQL refuses to run as root, so root hands it to the
//! account `postgres`, or to `nobody` where there is none.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::need;

const ROOT_UID: u32 = 0;
/// Accounts that root may hand a server to, the first that is there.
const SERVANTS: [&str; 2] = ["postgres", "nobody"];

/// The account that owns a server's files and runs its programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Account {
    /// User id; part of what tells the shared servers of two users apart.
    pub(crate) uid: u32,
    gid: u32,
    is_own: bool,
}

impl Account {
    /// The account of this process, or the servant of root.
    pub(crate) fn of_servers() -> Self {
        // A file that we make is ours: that tells our ids without a call into C.
        let ours = need(tempfile::tempfile().and_then(|file| file.metadata()), "make a file");
        if ours.uid() != ROOT_UID {
            return Self { uid: ours.uid(), gid: ours.gid(), is_own: true };
        }
        let accounts = need(fs::read_to_string("/etc/passwd"), "read /etc/passwd");
        let servant = SERVANTS.iter().find_map(|name| look_up(&accounts, name));
        servant.unwrap_or_else(|| {
            panic!("root cannot run PostgreSQL, and /etc/passwd has none of {SERVANTS:?}")
        })
    }

    /// Makes `command` run under this account, with no group but its own.
    pub(crate) fn run(self, command: &mut Command) -> &mut Command {
        if self.is_own { command } else { command.uid(self.uid).gid(self.gid) }
    }

    /// Whether what belongs to `uid` was made by these tests: by this account, or by root for it.
    pub(crate) fn trusts(self, uid: u32) -> bool {
        uid == self.uid || (!self.is_own && uid == ROOT_UID)
    }

    /// Makes this account the owner of a file or folder of ours.
    pub(crate) fn give(self, path: &Path) {
        if !self.is_own {
            need(chown(path, Some(self.uid), Some(self.gid)), "hand a file to the server");
        }
    }
}

/// The line `name:password:uid:gid:…` of an account.
fn look_up(accounts: &str, name: &str) -> Option<Account> {
    let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut ids = line.split(':').skip(2).map(str::parse);
    let (uid, gid) = (ids.next()?.ok()?, ids.next()?.ok()?);
    Some(Account { uid, gid, is_own: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        let accounts = "root:x:0:0::/:/bin/sh\npostgres2:x:7:8::/:\npostgres:x:101:104:a,b:/:\n";
        let found = Account { uid: 101, gid: 104, is_own: false };
        assert_eq!(look_up(accounts, "postgres"), Some(found));
        assert_eq!(look_up(accounts, "post"), None);
        assert_eq!(look_up("postgres:x:many:104::/:", "postgres"), None);
    }

    #[test]
    fn no_server_runs_as_root() {
        assert_ne!(Account::of_servers().uid, ROOT_UID);
    }
}
