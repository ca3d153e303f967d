// A machine's disk that is full, without using up this machine's.
#pragma once

#include <string>
#include <vector>

namespace paas::cloud::full_disk {

/// Folders that a machine's system and its Docker Engine write to.
const std::vector<std::string>& folders();

/// A shell script for the machine. Over each folder comes an overlay whose upper layer is a few
/// kilobytes of memory, filled to the last: what is there can be read, and every write fails with
/// ENOSPC. Volumes are filled with files of allocated blocks, which take no space in the sparse
/// file behind them. What is full already stays as it is.
std::string fill_script(const std::vector<std::string>& folders);

/// Takes all of that away again.
std::string free_script();

}  // namespace paas::cloud::full_disk
