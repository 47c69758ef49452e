#pragma once
#include "base/random.h"
#include "store_sqlite/readers.h"
#include "store_sqlite/writer.h"
#include "webhooks/webhook_store.h"

namespace rushes::store_sqlite {

/// The webhooks in SQLite.
class SqliteWebhookStore final : public webhooks::WebhookStore {
 public:
  SqliteWebhookStore(Readers& readers, Writer& writer, const Clock& clock, Rng& rng)
      : readers_(readers), writer_(writer), clock_(clock), rng_(rng) {}

  Task<Result<webhooks::Webhook>> add(webhooks::Webhook webhook, int most) override;
  Task<Result<std::vector<webhooks::Webhook>>> list(UserId user) override;
  Task<Result<webhooks::Webhook>> change(UserId user, webhooks::WebhookId id, webhooks::WebhookChange change) override;
  Task<Result<void>> remove(UserId user, webhooks::WebhookId id) override;
  Task<Result<int>> consume(std::vector<webhooks::Told> told, std::int64_t upto) override;
  Task<Result<std::int64_t>> consumed() override;
  Task<Result<webhooks::Delivery>> file(UserId user, webhooks::WebhookId id, std::string type,
                                        std::string data) override;
  Task<Result<webhooks::Delivery>> resend(UserId user, webhooks::WebhookId id, webhooks::DeliveryId delivery) override;
  Task<Result<webhooks::Turn>> due(Timestamp now, webhooks::Share share) override;
  Task<Result<std::optional<webhooks::Webhook>>> record(webhooks::DeliveryId id, Outcome outcome) override;
  const webhooks::DeliveryCounts& counts() const noexcept override { return counts_; }
  Task<Result<int>> pending(int most) override;
  Task<Result<std::vector<webhooks::Delivery>>> deliveries(UserId user, webhooks::WebhookId id, int limit) override;
  Task<Result<int>> prune(Timestamp before, int limit) override;

 private:
  webhooks::Delivery insert(sqlite::Connection& database, const webhooks::WebhookId& webhook, const std::string& type,
                            const std::string& body);

  Readers& readers_;
  Writer& writer_;
  const Clock& clock_;
  Rng& rng_;
  webhooks::DeliveryCounts counts_;
};

}  // namespace rushes::store_sqlite
