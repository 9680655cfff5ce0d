//! The VFS itself: a table of C functions that stands before SQLite's own one for Unix.
//!
//! SQLite reserves memory for each file it opens. Ours begins with what SQLite looks at (a table of
//! functions), then the watch, then the memory of the real file. Files on no disk of ours have no
//! watch and are passed on untouched.
#![allow(unsafe_code, reason = "a table of C functions")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::size_of;
use std::ptr;
use std::slice;
use std::sync::{Arc, OnceLock};

use libsqlite3_sys as ffi;

use crate::disk::{self, Shared};
use crate::fault::{FaultKind, Site};
use crate::trace::{Inode, Operation};

/// What `sqlite3_vfs_find` and messages call it.
const NAME: &CStr = c"daicho-test";
/// Files whose first sync makes SQLite sync the folder, too (`UNIXFILE_DIRSYNC`).
const SYNCS_FOLDER: c_int =
    ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_SUPER_JOURNAL;

/// The VFS that was the default before.
static REAL: OnceLock<Real> = OnceLock::new();

struct Real(*mut ffi::sqlite3_vfs);
// SAFETY: SQLite never changes or frees its own VFS for Unix, whose functions any thread may call.
unsafe impl Send for Real {}
// SAFETY: the same.
unsafe impl Sync for Real {}

/// A file as SQLite holds it; the real file's memory follows.
#[repr(C)]
struct File {
    base: ffi::sqlite3_file,
    watch: *mut Watch,
}

/// A file on a disk of ours.
struct Watch {
    disk: Arc<Shared>,
    inode: Inode,
    folder_is_due: bool,
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    // Version 3 would let SQLite read through a memory map, past the faults.
    xFetch: None,
    xUnfetch: None,
};

/// Makes it the default of this process, once.
pub(crate) fn install() {
    REAL.get_or_init(|| {
        // SAFETY: SQLite initialises itself before it looks; a null name asks for the default.
        let real = unsafe { ffi::sqlite3_vfs_find(ptr::null()) };
        assert!(!real.is_null(), "SQLite has a VFS of its own");
        // SAFETY: it points to SQLite's VFS, which is never freed and which nobody changes.
        let mut ours = unsafe { *real };
        ours.szOsFile += c_int::try_from(size_of::<File>()).expect("a small struct");
        ours.pNext = ptr::null_mut();
        ours.zName = NAME.as_ptr();
        ours.xOpen = Some(open);
        ours.xDelete = Some(delete);
        // SAFETY: the table is never freed, and its functions keep SQLite's rules for a VFS.
        let code = unsafe { ffi::sqlite3_vfs_register(Box::leak(Box::new(ours)), 1) };
        assert_eq!(code, ffi::SQLITE_OK, "SQLite takes a VFS");
        Real(real)
    });
}

fn real_vfs() -> *mut ffi::sqlite3_vfs {
    REAL.get().expect("installed before it is called").0
}

/// The real file behind ours, and its functions.
///
/// # Safety
/// `file` was handed to [`open`] by SQLite and opened by it.
unsafe fn real<'a>(
    file: *mut ffi::sqlite3_file,
) -> (*mut ffi::sqlite3_file, &'a ffi::sqlite3_io_methods) {
    // SAFETY: SQLite reserved `szOsFile` bytes, ours first, the real file's behind them.
    let real = unsafe { file.cast::<File>().add(1) }.cast::<ffi::sqlite3_file>();
    // SAFETY: the real file was opened, so it points to a table that is never freed.
    (real, unsafe { &*(*real).pMethods })
}

/// The watch over a file, if there is one.
///
/// # Safety
/// As for [`real`]; SQLite uses one file in one thread at a time.
unsafe fn watch<'a>(file: *mut ffi::sqlite3_file) -> Option<&'a mut Watch> {
    // SAFETY: `open` has put null or a box there, which lives until `close`.
    unsafe { (*file.cast::<File>()).watch.as_mut() }
}

/// Calls a function of the real file; a missing one is SQLite's own mistake.
macro_rules! pass {
    ($file:expr, $function:ident $(, $argument:expr)*) => {{
        // SAFETY: SQLite calls this with a file that `open` has opened.
        let (real, methods) = unsafe { real($file) };
        let function = methods.$function.expect("SQLite's VFS has every function");
        // SAFETY: the arguments are those that SQLite gave for this very function.
        unsafe { function(real $(, $argument)*) }
    }};
}

unsafe extern "C" fn open(
    _vfs: *mut ffi::sqlite3_vfs,
    path: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: a path that is not null ends with a zero byte; a temporary file has none.
    let place = if path.is_null() { None } else { disk::find(unsafe { CStr::from_ptr(path) }) };
    let ours = file.cast::<File>();
    // SAFETY: SQLite reserved `szOsFile` bytes for us to fill.
    unsafe {
        ours.write(File {
            base: ffi::sqlite3_file { pMethods: ptr::null() },
            watch: ptr::null_mut(),
        });
    };
    let mut state = place.as_ref().map(|(disk, _)| disk.state());
    if let Some(fault) = state.as_mut().and_then(|state| state.plan.count(Site::Open)) {
        return fault.code();
    }
    // SAFETY: the real file's memory follows ours.
    let real_file = unsafe { ours.add(1) }.cast::<ffi::sqlite3_file>();
    // SAFETY: the real VFS lives for ever; the arguments are SQLite's.
    let code = unsafe {
        let function = (*real_vfs()).xOpen.expect("SQLite's VFS opens files");
        function(real_vfs(), path, real_file, flags, out_flags)
    };
    if code != ffi::SQLITE_OK {
        return code;
    }
    if let Some(((disk, name), state)) = place.as_ref().zip(state.as_mut()) {
        let (inode, is_new) = state.file(name, disk.folder());
        if is_new {
            state.record(Operation::Create { name: Arc::clone(name), inode });
        }
        let folder_is_due = flags & ffi::SQLITE_OPEN_CREATE != 0 && flags & SYNCS_FOLDER != 0;
        let watch = Box::new(Watch { disk: Arc::clone(disk), inode, folder_is_due });
        // SAFETY: written above, and ours alone until we return.
        unsafe { (*ours).watch = Box::into_raw(watch) };
    }
    // SAFETY: the same.
    unsafe { (*ours).base.pMethods = &raw const METHODS };
    ffi::SQLITE_OK
}

unsafe extern "C" fn delete(
    _vfs: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    sync_folder: c_int,
) -> c_int {
    // SAFETY: a path to delete ends with a zero byte.
    let place = disk::find(unsafe { CStr::from_ptr(path) });
    let mut state = place.as_ref().map(|(disk, _)| disk.state());
    if let Some(fault) = state.as_mut().and_then(|state| state.plan.count(Site::Remove)) {
        return fault.code();
    }
    // SAFETY: the real VFS lives for ever; the arguments are SQLite's.
    let code = unsafe {
        let function = (*real_vfs()).xDelete.expect("SQLite's VFS deletes files");
        function(real_vfs(), path, sync_folder)
    };
    if let Some(((_, name), state)) = place.as_ref().zip(state.as_mut())
        && code == ffi::SQLITE_OK
    {
        state.forget(name);
        let with_folder = sync_folder != 0;
        state.record(Operation::Remove { name: Arc::clone(name), with_folder });
    }
    code
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    let code = pass!(file, xClose);
    // SAFETY: SQLite closes a file once; `open` has put null or a box there.
    let watch = unsafe { ptr::replace(&raw mut (*file.cast::<File>()).watch, ptr::null_mut()) };
    if !watch.is_null() {
        // SAFETY: it came from a box, and nobody else holds it.
        drop(unsafe { Box::from_raw(watch) });
    }
    code
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    buffer: *mut c_void,
    amount: c_int,
    offset: i64,
) -> c_int {
    // SAFETY: an open file of ours.
    let watch = unsafe { watch(file) };
    let fault = watch.and_then(|watch| watch.disk.state().plan.count(Site::Read));
    let Some(fault) = fault else { return pass!(file, xRead, buffer, amount, offset) };
    if fault == FaultKind::ShortRead {
        let code = pass!(file, xRead, buffer, amount, offset);
        if code != ffi::SQLITE_OK {
            return code;
        }
        // SAFETY: SQLite's buffer holds `amount` bytes, and the real read has filled them.
        let bytes = unsafe { slice::from_raw_parts_mut(buffer.cast::<u8>(), length(amount)) };
        // A read beyond the end is filled up with zeros, as SQLite's interface demands.
        bytes.fill(0);
    }
    fault.code()
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    buffer: *const c_void,
    amount: c_int,
    offset: i64,
) -> c_int {
    // SAFETY: an open file of ours.
    let Some(watch) = (unsafe { watch(file) }) else {
        return pass!(file, xWrite, buffer, amount, offset);
    };
    let mut state = watch.disk.state();
    let fault = state.plan.count(Site::Write);
    // A write that fails has mostly done a part.
    let amount = if fault.is_some() { amount / 2 } else { amount };
    let code = pass!(file, xWrite, buffer, amount, offset);
    if code == ffi::SQLITE_OK {
        // SAFETY: SQLite's buffer holds at least `amount` bytes.
        let bytes = unsafe { slice::from_raw_parts(buffer.cast::<u8>(), length(amount)) }.to_vec();
        state.record(Operation::Write { inode: watch.inode, offset: place(offset), bytes });
    }
    fault.map_or(code, FaultKind::code)
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    // SAFETY: an open file of ours.
    let Some(watch) = (unsafe { watch(file) }) else { return pass!(file, xTruncate, size) };
    let mut state = watch.disk.state();
    if let Some(fault) = state.plan.count(Site::Truncate) {
        return fault.code();
    }
    let code = pass!(file, xTruncate, size);
    if code == ffi::SQLITE_OK {
        state.record(Operation::Truncate { inode: watch.inode, length: place(size) });
    }
    code
}

/// The real disk need not sync: the power fails only in a replay.
unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: an open file of ours.
    let Some(watch) = (unsafe { watch(file) }) else { return pass!(file, xSync, flags) };
    let mut state = watch.disk.state();
    let inode = watch.inode;
    if let Some(fault) = state.plan.count(Site::Sync) {
        state.record(Operation::FailedSync { inode });
        return fault.code();
    }
    let with_folder = std::mem::take(&mut watch.folder_is_due);
    state.record(Operation::Sync { inode, with_folder });
    ffi::SQLITE_OK
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, size: *mut i64) -> c_int {
    pass!(file, xFileSize, size)
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    pass!(file, xLock, level)
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    pass!(file, xUnlock, level)
}

unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    pass!(file, xCheckReservedLock, out)
}

unsafe extern "C" fn file_control(
    file: *mut ffi::sqlite3_file,
    operation: c_int,
    argument: *mut c_void,
) -> c_int {
    pass!(file, xFileControl, operation, argument)
}

unsafe extern "C" fn sector_size(file: *mut ffi::sqlite3_file) -> c_int {
    pass!(file, xSectorSize)
}

/// What SQLite's VFS for Unix says of a common file system, whatever lies under this one.
unsafe extern "C" fn device_characteristics(_file: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    region: c_int,
    size: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    // SAFETY: an open file of ours.
    let watch = unsafe { watch(file) };
    if let Some(fault) = watch.and_then(|watch| watch.disk.state().plan.count(Site::Map)) {
        return fault.code();
    }
    pass!(file, xShmMap, region, size, extend, out)
}

unsafe extern "C" fn shm_lock(
    file: *mut ffi::sqlite3_file,
    offset: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    pass!(file, xShmLock, offset, count, flags)
}

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    pass!(file, xShmBarrier);
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, delete: c_int) -> c_int {
    pass!(file, xShmUnmap, delete)
}

fn length(amount: c_int) -> usize {
    usize::try_from(amount).expect("SQLite's lengths are not negative")
}

fn place(offset: i64) -> usize {
    usize::try_from(offset).expect("SQLite's offsets are not negative")
}
