#include "pipelines/run.h"

namespace rushes::pipelines {

Result<Product> run(const Order& order, Engines& engines, Reporter& reporter) {
  switch (order.type) {
    case jobs::JobType::transcript:
      return run_transcript(order, engines, reporter);
    case jobs::JobType::upload:
      return run_upload(order, engines, reporter);
    case jobs::JobType::youtube:
      return run_youtube(order, engines, reporter);
  }
  return Error(Errc::internal, "an order of an unknown type");
}

}  // namespace rushes::pipelines
