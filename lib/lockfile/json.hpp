// JSON that keeps the order of its members and finds one fast, also among tens of thousands.
#pragma once

#include <algorithm>
#include <functional>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

namespace paas::lockfile {

/// An object of nlohmann::ordered_json looks through all of its members for each one that is added
/// or looked up, which takes the square of the time for a lockfile of many servers. Those are
/// written by name, so that a member behind the last one is new, and the others are found by
/// halving. The members of objects in another order are looked through as ever.
template <class Key, class T, class IgnoredLess = std::less<Key>,
          class Allocator = std::allocator<std::pair<const Key, T>>>
class MemberMap : public nlohmann::ordered_map<Key, T, IgnoredLess, Allocator> {
  using Base = nlohmann::ordered_map<Key, T, IgnoredLess, Allocator>;

 public:
  using typename Base::const_iterator;
  using typename Base::iterator;
  using typename Base::size_type;
  using typename Base::value_type;

  MemberMap() = default;
  template <class Input>
  MemberMap(Input first, Input last) {
    insert(first, last);
  }

  template <class Name>
  iterator find(const Name& name) {
    return std::next(this->begin(), std::as_const(*this).find(name) - this->cbegin());
  }
  template <class Name>
  const_iterator find(const Name& name) const {
    const auto end = std::next(this->begin(), static_cast<std::ptrdiff_t>(ascending()));
    const auto found =
        std::lower_bound(this->begin(), end, name,
                         [](const auto& member, const auto& key) { return member.first < key; });
    if (found != end && found->first == name) return found;
    return std::find_if(end, this->end(), [&](const auto& member) { return member.first == name; });
  }
  template <class Name>
  size_type count(const Name& name) const {
    return find(name) == this->end() ? 0 : 1;
  }

  template <class Name>
  std::pair<iterator, bool> emplace(Name&& name, T&& value) {
    const bool is_last =
        ascending() == this->size() && (this->empty() || this->back().first < name);
    if (!is_last) {
      const auto found = find(name);
      if (found != this->end()) return {found, false};
    }
    Base::Container::emplace_back(std::forward<Name>(name), std::move(value));
    if (is_last) ascending_ = this->size();
    return {std::prev(this->end()), true};
  }
  template <class Name>
  T& operator[](Name&& name) {
    return emplace(std::forward<Name>(name), T{}).first->second;
  }
  std::pair<iterator, bool> insert(const value_type& member) {
    return emplace(member.first, T(member.second));
  }
  template <class Input>
  void insert(Input first, Input last) {
    for (; first != last; ++first) insert(*first);
  }

  iterator erase(iterator first, iterator last) {
    // Conservative: what comes after the gap is looked through from now on.
    ascending_ = std::min(ascending_, static_cast<size_type>(first - this->begin()));
    return Base::erase(first, last);
  }
  iterator erase(iterator place) { return erase(place, std::next(place)); }
  template <class Name>
  size_type erase(const Name& name) {
    const auto found = find(name);
    if (found == this->end()) return 0;
    erase(found);
    return 1;
  }

 private:
  /// How many members from the first on have ascending names. One that was moved from has none.
  size_type ascending() const { return std::min(ascending_, this->size()); }

  size_type ascending_ = 0;
};

using Json = nlohmann::basic_json<MemberMap>;

}  // namespace paas::lockfile
