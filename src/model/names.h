// Names of enumerators, as they stand in records and in EC2's answers.
//
// An enumeration with names counts from 0 without holes and specialises Names<E> with one array, in its order.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "base/ints.h"

namespace pileus::model {

template <typename E>
struct Names;

template <typename E>
concept Named = requires { Names<E>::kAll.size(); };

template <Named E>
constexpr std::string_view name(E value) {
  return Names<E>::kAll[static_cast<std::size_t>(value)];
}

template <Named E>
constexpr std::optional<E> parse_name(std::string_view text) {
  for (std::size_t i = 0; i < Names<E>::kAll.size(); i++) {
    if (Names<E>::kAll[i] == text) return static_cast<E>(i);
  }
  return std::nullopt;
}

}  // namespace pileus::model
