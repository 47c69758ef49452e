#pragma once

namespace rushes::sqlite {

/// The name of a VFS above the default one that gathers writes which follow on one another into one, as those of a
/// commit to the log do: SQLite writes each page and the head of each by themselves. What is gathered is written before
/// anything else happens to the file (a read, a sync, a lock, …), so that others see of it what they would anyway; a
/// write's error is told by that which comes next.
///
/// Registered by the first call. Threads: any. Source: https://www.sqlite.org/vfs.html
const char* gathering_vfs();

}  // namespace rushes::sqlite
