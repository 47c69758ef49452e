#include "sqlite/page_cache.h"

#include <sqlite3.h>

#include <algorithm>
#include <new>

namespace rushes::sqlite {
namespace {

constexpr unsigned kLockByte = 0x40000000;

sqlite3_pcache_methods2 g_below;  // set once, before there are connections

/// A cache of SQLite's own, and the highest page that may be in it.
struct Cache {
  sqlite3_pcache* below = nullptr;
  unsigned lock_page = 0;
  unsigned highest = 0;

  static Cache& of(sqlite3_pcache* cache) { return *reinterpret_cast<Cache*>(cache); }

  static sqlite3_pcache* create(int page_size, int extra_size, int purgeable) {
    auto* cache = new (std::nothrow) Cache;
    if (cache == nullptr) return nullptr;
    cache->below = g_below.xCreate(page_size, extra_size, purgeable);
    if (cache->below == nullptr) {
      delete cache;
      return nullptr;
    }
    cache->lock_page = kLockByte / static_cast<unsigned>(page_size) + 1;
    return reinterpret_cast<sqlite3_pcache*>(cache);
  }

  static void destroy(sqlite3_pcache* cache) {
    g_below.xDestroy(of(cache).below);
    delete &of(cache);
  }

  static sqlite3_pcache_page* fetch(sqlite3_pcache* cache, unsigned page, int create) {
    auto& self = of(cache);
    auto* found = g_below.xFetch(self.below, page, create);
    if (found != nullptr) self.highest = std::max(self.highest, page);
    return found;
  }

  static void rekey(sqlite3_pcache* cache, sqlite3_pcache_page* page, unsigned from, unsigned to) {
    auto& self = of(cache);
    g_below.xRekey(self.below, page, from, to);
    if (to != self.lock_page) self.highest = std::max(self.highest, to);
  }

  static void truncate(sqlite3_pcache* cache, unsigned from) {
    auto& self = of(cache);
    if (from > self.highest) return;
    g_below.xTruncate(self.below, from);
    self.highest = from == 0 ? 0 : from - 1;
  }

  static void set_size(sqlite3_pcache* cache, int pages) { g_below.xCachesize(of(cache).below, pages); }
  static int count(sqlite3_pcache* cache) { return g_below.xPagecount(of(cache).below); }
  static void shrink(sqlite3_pcache* cache) { g_below.xShrink(of(cache).below); }
  static void unpin(sqlite3_pcache* cache, sqlite3_pcache_page* page, int discard) {
    g_below.xUnpin(of(cache).below, page, discard);
  }
};

bool install() {
  if (sqlite3_config(SQLITE_CONFIG_GETPCACHE2, &g_below) != SQLITE_OK || g_below.xCreate == nullptr) return false;
  auto methods = g_below;
  methods.xCreate = Cache::create;
  methods.xDestroy = Cache::destroy;
  methods.xFetch = Cache::fetch;
  methods.xRekey = Cache::rekey;
  methods.xTruncate = Cache::truncate;
  methods.xCachesize = Cache::set_size;
  methods.xPagecount = Cache::count;
  methods.xShrink = Cache::shrink;
  methods.xUnpin = Cache::unpin;
  return sqlite3_config(SQLITE_CONFIG_PCACHE2, &methods) == SQLITE_OK;
}

}  // namespace

void count_pages_in_cache() {
  static const bool kInstalled = install();
  (void)kInstalled;
}

}  // namespace rushes::sqlite
