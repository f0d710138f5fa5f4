#include "local_token.h"

#include "os/file.h"

namespace pileus::cloudd {
namespace {

constexpr model::Millis kBetweenLooks = 60 * 1000;
constexpr unsigned kPrivate = 0600;

}  // namespace

Result<> LocalToken::step() {
  if (looked_at_ != 0 && clock_.now() < looked_at_ + kBetweenLooks) return {};
  looked_at_ = clock_.now();
  if (TRY(is_good_for_long())) return {};
  // One that could not be written is not made again: a full disk would fill the store with tokens that nobody knows.
  if (unwritten_.empty()) unwritten_ = TRY(control::make_join_token(store_, clock_, wish_)).token.text() + "\n";
  TRY(os::replace_file(file_, unwritten_, kPrivate));
  unwritten_.clear();
  return {};
}

Result<bool> LocalToken::is_good_for_long() const {
  const Result<std::string> text = os::read_file(file_);
  if (!text && text.error().code() != ErrorCode::kNotFound) return text.error();
  if (!text) return false;
  const Result<http::JoinToken> token = http::JoinToken::parse(text->substr(0, text->find('\n')));
  if (!token || token->fingerprint != wish_.fingerprint) return false;
  const auto record = control::find_good_join_token(store_, clock_.now(), token->secret);
  if (!record && record.error().code() != ErrorCode::kPermission) return record.error();
  const auto half = static_cast<model::Millis>(std::chrono::milliseconds(wish_.life).count()) / 2;
  return record && record->value.expires_at > clock_.now() + half;
}

}  // namespace pileus::cloudd
