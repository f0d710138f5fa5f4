// The tokens by which machines become hosts.
#include "control/join_tokens.h"

#include "ec2/own/handlers.h"

namespace pileus::ec2 {
namespace {

void write_token(pugi::xml_node node, const model::JoinToken& token, model::Millis now) {
  add(node, "joinTokenId", token.id.text());
  add(node, "state", control::name(control::state_of(token, now)));
  add(node, "madeBy", token.made_by);
  add_flag(node, "once", token.once);
  add_number(node, "uses", token.uses);
  add_time(node, "createdAt", token.created_at);
  add_time(node, "expiresAt", token.expires_at);
  if (token.revoked_at != 0) add_time(node, "revokedAt", token.revoked_at);
}

}  // namespace

Reply<> pileus_create_join_token(Call& call, pugi::xml_node answer) {
  control::NewJoinToken wish;
  wish.fingerprint = call.settings.authority_fingerprint;
  wish.made_by = call.account.name;
  const std::chrono::seconds usual = control::kUsualTokenLife;
  wish.life = std::chrono::seconds(TRY(call.parameters.integer("LifetimeSeconds", usual.count())));
  wish.once = TRY(call.parameters.boolean("Once", false));
  const Result<control::MadeJoinToken> made = control::make_join_token(call.store, call.clock, wish);
  if (!made && made.error().code() == ErrorCode::kInvalid)
    return ApiError("InvalidParameterValue", made.error().message());
  if (!made) return made.error();
  write_token(answer, made->record, call.clock.now());
  add(answer, "token", made->token.text());
  return {};
}

Reply<> pileus_describe_join_tokens(Call& call, pugi::xml_node answer) {
  pugi::xml_node set = add(answer, "joinTokenSet");
  for (const model::JoinToken& token : TRY(control::list_join_tokens(call.store))) {
    write_token(add_item(set), token, call.clock.now());
  }
  return {};
}

Reply<> pileus_revoke_join_token(Call& call, pugi::xml_node answer) {
  const auto id = TRY(parse_id<model::JoinTokenId>(call.parameters.get("JoinTokenId"), "JoinTokenID"));
  const Result<> revoked = control::revoke_join_token(call.store, call.clock, id, call.account.name);
  if (!revoked && revoked.error().code() == ErrorCode::kNotFound)
    return ApiError("InvalidJoinTokenID.NotFound", revoked.error().message());
  if (!revoked) return revoked.error();
  add_flag(answer, "return", true);
  return {};
}

}  // namespace pileus::ec2
