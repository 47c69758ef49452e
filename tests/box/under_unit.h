#pragma once
#include <map>
#include <set>
#include <string>

/// A systemd unit's directives, as rushes_under_unit is given them.
using Settings = std::map<std::string, std::string>;

std::set<std::string> words_of(const std::string& text);

/// Ends the program unless `done`, with `what` and errno's words.
void must(bool done, const std::string& what);

/// Confines this process for good with the system call filters that systemd makes of `settings`.
void filter_calls(const Settings& settings);
