#pragma once

namespace rushes::sqlite {

/// Has every connection's page cache know its highest page. SQLite's own takes the number that pages have for a moment
/// while a tree is balanced (that of the lock page, behind the first gigabyte) for one of them, and from then on looks
/// through the whole cache at each commit for pages behind the database's end.
///
/// Before the first connection is opened; does nothing later. Threads: any.
/// Source: https://www.sqlite.org/c3ref/pcache_methods2.html
void count_pages_in_cache();

}  // namespace rushes::sqlite
