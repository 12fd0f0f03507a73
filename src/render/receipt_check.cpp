#include "render/receipt_check.h"

#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/json_writer.h"
#include "base/text.h"

namespace gpup {

namespace {

std::string by(const ReadReceipt& receipt) {
  return receipt.user.empty() ? std::string() : fmt::format(", by {} on {}", receipt.user, receipt.host);
}

}  // namespace

void render_receipt_check_text(const std::vector<CheckedReceipt>& receipts, Sink& out) {
  for (const CheckedReceipt& one : receipts) {
    const ReadReceipt& receipt = one.receipt;
    std::string line = fmt::format("{}: {}, exit code {}{}", one.path, receipt.ended, receipt.exit_code, by(receipt));
    if (!receipt.commit.empty()) {
      line += fmt::format(", commit {}", receipt.commit);
    }
    if (one.signer) {
      line += fmt::format("; signed by {} ({})", one.signer->name, one.signer->key);
    }
    out.write(escape_terminal(line) + "\n");
  }
  if (!receipts.empty()) {
    out.write(fmt::format("{} receipt{} in one chain, as written; the next one goes on from {}\n", receipts.size(),
                          receipts.size() == 1 ? "" : "s", receipts.back().receipt.sha256));
  }
}

void render_receipt_check_json(const std::vector<CheckedReceipt>& receipts, Sink& sink) {
  std::string out = "{\"apiVersion\": \"gpup/v1\", \"kind\": \"ReceiptCheck\",\n \"receipts\": [";
  std::string_view separator = "\n  ";
  for (const CheckedReceipt& one : receipts) {
    const ReadReceipt& receipt = one.receipt;
    out += std::exchange(separator, ",\n  ");
    append_json_member(out, "{\"file\": ", one.path);
    append_json_member(out, ", \"id\": ", receipt.id);
    append_json_member(out, ", \"sha256\": ", receipt.sha256);
    append_json_member(out, ", \"previous\": ", receipt.previous);
    append_json_member(out, ", \"run\": ", receipt.run);
    append_json_member(out, ", \"user\": ", receipt.user);
    append_json_member(out, ", \"host\": ", receipt.host);
    append_json_member(out, ", \"commit\": ", receipt.commit);
    append_json_member(out, ", \"plan\": ", receipt.plan);
    append_json_member(out, ", \"startedAt\": ", receipt.started);
    append_json_member(out, ", \"endedAt\": ", receipt.ended);
    out += ", \"exitCode\": ";
    append_json_number(out, receipt.exit_code);
    out += ", \"signedBy\": ";
    if (one.signer) {
      append_json_member(out, "{\"name\": ", one.signer->name);
      append_json_member(out, ", \"key\": ", one.signer->key);
      out += '}';
    } else {
      out += "null";
    }
    out += '}';
  }
  out += "]}\n";
  sink.write(out);
}

}  // namespace gpup
