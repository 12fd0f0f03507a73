#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/sink.h"
#include "execute/signatures.h"
#include "render/receipt.h"

namespace gpup {

/// A receipt that fits the chain and, where that was asked for, its signature.
struct CheckedReceipt {
  std::string path;
  ReadReceipt receipt;
  std::optional<Signer> signer;
};

/// A line a receipt, in the order of the chain, and what the next one has to go on from. Escaped for a terminal.
void render_receipt_check_text(const std::vector<CheckedReceipt>& receipts, Sink& out);

/// The same as JSON (`schemas/receipt-check.v1.schema.json`).
void render_receipt_check_json(const std::vector<CheckedReceipt>& receipts, Sink& out);

}  // namespace gpup
