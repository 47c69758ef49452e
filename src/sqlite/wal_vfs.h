#pragma once

#include <sqlite3.h>

namespace rushes::sqlite {

/// The name of a VFS above the default one that does better than it by the log (WAL).
///
/// It gathers what a commit writes: SQLite writes each page and the head of each by themselves. What is gathered is
/// written before anything else happens to the log (a read of it, a sync, …), so that others see of it what they would
/// anyway. Where it cannot be written, what comes next says so, and does nothing until it is. The database itself is
/// written as ever: who has given up a checkpoint may not write later.
///
/// It has a checkpoint begin anew after one that could not sync the database. With a failed sync goes whatever was
/// written since the last good one, the pages of former checkpoints too, which SQLite takes for copied.
///
/// Registered by the first call. Threads: any. Sources: https://www.sqlite.org/vfs.html,
/// https://www.sqlite.org/walformat.html
const char* wal_vfs();

/// Whether the commits of this connection, of this VFS, return before their sync: they are durable after the next
/// `sync_log` or checkpoint of any connection of this process. Not within a transaction. Gives whether it is so: not
/// before the connection's log is open. Threads: the connection's.
bool leave_syncs(sqlite3* database, bool left);

/// Syncs the log: whatever any connection of this process has committed is durable. SQLite's code; what a sync that
/// failed may have taken with it is written anew by the next. The system tells each connection once of a failed sync,
/// whosever it was: with the code of the connection's own next one. Threads: the connection's.
int sync_log(sqlite3* database);

/// Has the system begin to write out what checkpoints have copied to the database, without waiting, so that the sync
/// has less to do. Threads: the connection's.
void write_out_database(sqlite3* database);

/// Syncs the database itself: what checkpoints have copied is durable. SQLite's code; where it fails, a checkpoint
/// begins anew. Threads: the connection's.
int sync_database(sqlite3* database);

}  // namespace rushes::sqlite
