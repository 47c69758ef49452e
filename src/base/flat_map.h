#pragma once
#include <boost/unordered/unordered_flat_map.hpp>

#include <functional>

namespace rushes {

/// A hash map whose entries lie in one piece of memory: what it looks up is found with one cache miss or two, what it
/// holds moves whenever it grows.
template <class Key, class Value>
using FlatMap = boost::unordered_flat_map<Key, Value, std::hash<Key>>;

}  // namespace rushes
