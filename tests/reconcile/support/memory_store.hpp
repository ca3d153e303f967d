// A lockfile in memory.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "lockfile/store.hpp"
#include "reconcile/support/fuse.hpp"

namespace paas::reconcile::testing {

/// The lockfile on disk: what was stored stays when the process is killed.
class MemoryStore : public lockfile::Store {
 public:
  MemoryStore(lockfile::Lockfile& stored, Fuse& fuse) : stored_(stored), fuse_(fuse) {}
  Result<std::unique_ptr<lockfile::Guard>> acquire(const std::string&) override {
    return std::make_unique<lockfile::Guard>();
  }
  Result<lockfile::Lockfile> load() override { return stored_; }
  Status save(lockfile::Lockfile& next) override {
    PAAS_CHECK(fuse_.check());
    CHECK(next.serial == stored_.serial);
    ++next.serial;
    stored_ = next;
    return fuse_.spend();
  }
  bool exists() override { return stored_.serial > 0; }
  std::string location() override { return "memory"; }

 private:
  lockfile::Lockfile& stored_;
  Fuse& fuse_;
};

}  // namespace paas::reconcile::testing
