#pragma once
#include <boost/unordered/unordered_flat_set.hpp>

#include <cstddef>
#include <functional>
#include <string_view>

namespace rushes {

/// Objects found by a name that each of them holds, in a word or two of memory each. `NameOf` is a callable that gives
/// the name of a `const T&`; names differ and stay while their objects are in the set.
///
/// Ownership: the set points at its objects and owns none.
template <class T, class NameOf>
class NamedSet {
 public:
  /// Nothing where there is none of that name.
  T* find(std::string_view name) const {
    const auto found = objects_.find(name);
    return found == objects_.end() ? nullptr : *found;
  }
  void insert(T& object) { objects_.insert(&object); }
  void erase(const T& object) { objects_.erase(const_cast<T*>(&object)); }
  std::size_t size() const noexcept { return objects_.size(); }
  auto begin() const noexcept { return objects_.begin(); }
  auto end() const noexcept { return objects_.end(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const noexcept { return std::hash<std::string_view>()(name); }
    std::size_t operator()(const T* object) const noexcept { return (*this)(NameOf()(*object)); }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const T* a, const T* b) const noexcept { return a == b || NameOf()(*a) == NameOf()(*b); }
    bool operator()(const T* a, std::string_view name) const noexcept { return NameOf()(*a) == name; }
    bool operator()(std::string_view name, const T* a) const noexcept { return NameOf()(*a) == name; }
  };

  boost::unordered_flat_set<T*, Hash, Equal> objects_;
};

}  // namespace rushes
