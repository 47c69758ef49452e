#include "media/detail/picture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <new>

namespace rushes::media::detail {
namespace {

constexpr int kJpegScale = 4;     // 2 (best) .. 31
constexpr int kWebpQuality = 75;  // 0..100 (best)

FramePtr make_picture(int width, int height, AVPixelFormat format) {
  auto picture = make_frame();
  picture->width = width;
  picture->height = height;
  picture->format = format;
  if (av_frame_get_buffer(picture.get(), 0) < 0) throw std::bad_alloc();
  return picture;
}

/// Copies one plane, turned clockwise.
void turn_plane(const std::uint8_t* in, std::ptrdiff_t in_stride, int width, int height, std::uint8_t* out,
                std::ptrdiff_t out_stride, int degrees) noexcept {
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const auto value = in[y * in_stride + x];
      if (degrees == 90) {
        out[x * out_stride + (height - 1 - y)] = value;
      } else if (degrees == 180) {
        out[(height - 1 - y) * out_stride + (width - 1 - x)] = value;
      } else {
        out[(width - 1 - x) * out_stride + y] = value;
      }
    }
  }
}

struct Spread {
  double mean = 0;
  double deviation = 0;
};

/// Of every `step`-th value of every `step`-th row.
Spread spread_of(const std::uint8_t* plane, std::ptrdiff_t stride, int width, int height, int step) noexcept {
  double sum = 0;
  double squares = 0;
  double count = 0;
  for (int y = 0; y < height; y += step) {
    const auto* row = plane + y * stride;
    for (int x = 0; x < width; x += step, ++count) {
      sum += row[x];
      squares += static_cast<double>(row[x]) * row[x];
    }
  }
  if (count == 0) return {};
  const auto mean = sum / count;
  return {mean, std::sqrt(std::max(0.0, squares / count - mean * mean))};
}

}  // namespace

Result<FramePtr> scale(const AVFrame& frame, int width, int height, bool full_range) {
  const auto target = full_range ? AV_PIX_FMT_YUVJ420P : AV_PIX_FMT_YUV420P;
  const auto source = static_cast<AVPixelFormat>(frame.format);
  const ScalerPtr scaler(
      sws_getContext(frame.width, frame.height, source, width, height, target, SWS_AREA, nullptr, nullptr, nullptr));
  if (!scaler)
    return sws_isSupportedInput(source) > 0 ? memory_error() : unreadable_error("pictures of an unusual kind");
  // Unmarked pictures: HD is BT.709 by custom, smaller ones BT.601.
  const int colours = frame.colorspace != AVCOL_SPC_UNSPECIFIED ? static_cast<int>(frame.colorspace)
                      : frame.height >= 720                     ? SWS_CS_ITU709
                                                                : SWS_CS_ITU601;
  const int source_full = frame.color_range == AVCOL_RANGE_JPEG ? 1 : 0;
  constexpr int kOne = 1 << 16;
  (void)sws_setColorspaceDetails(scaler.get(), sws_getCoefficients(colours), source_full,
                                 sws_getCoefficients(SWS_CS_ITU601), full_range ? 1 : 0, 0, kOne, kOne);
  auto picture = make_picture(width, height, target);
  const int lines =
      sws_scale(scaler.get(), frame.data, frame.linesize, 0, frame.height, picture->data, picture->linesize);
  if (lines <= 0) return av_error("scale", lines);
  return picture;
}

FramePtr turn(FramePtr picture, int degrees) {
  if (degrees == 0) return picture;
  const bool swap = degrees != 180;
  auto turned = make_picture(swap ? picture->height : picture->width, swap ? picture->width : picture->height,
                             static_cast<AVPixelFormat>(picture->format));
  for (int plane = 0; plane < 3; ++plane) {
    const int width = plane == 0 ? picture->width : (picture->width + 1) / 2;
    const int height = plane == 0 ? picture->height : (picture->height + 1) / 2;
    turn_plane(picture->data[plane], picture->linesize[plane], width, height, turned->data[plane],
               turned->linesize[plane], degrees);
  }
  return turned;
}

double interest(const AVFrame& picture) noexcept {
  constexpr double kBlack = 24;  // mean brightness, 0..255
  constexpr double kNoise = 12;
  const auto light = spread_of(picture.data[0], picture.linesize[0], picture.width, picture.height, 4);
  const auto blue = spread_of(picture.data[1], picture.linesize[1], picture.width / 2, picture.height / 2, 4);
  const auto red = spread_of(picture.data[2], picture.linesize[2], picture.width / 2, picture.height / 2, 4);
  const auto most = std::max({light.deviation, blue.deviation, red.deviation});
  return light.mean < kBlack && most < kNoise ? 0 : most;
}

Result<std::string> encode(const AVFrame& picture, ImageFormat format) {
  const bool jpeg = format == ImageFormat::jpeg;
  const auto* codec = jpeg ? avcodec_find_encoder(AV_CODEC_ID_MJPEG) : avcodec_find_encoder_by_name("libwebp");
  if (codec == nullptr) return Error(Errc::unsupported, "media: libavcodec has no encoder for this kind of picture");
  const CodecContextPtr encoder(avcodec_alloc_context3(codec));
  if (!encoder) throw std::bad_alloc();
  encoder->width = picture.width;
  encoder->height = picture.height;
  encoder->pix_fmt = static_cast<AVPixelFormat>(picture.format);
  encoder->time_base = AVRational{1, 25};
  encoder->thread_count = 1;
  encoder->flags |= AV_CODEC_FLAG_QSCALE;
  encoder->global_quality = jpeg ? kJpegScale * FF_QP2LAMBDA : kWebpQuality * FF_QP2LAMBDA;
  if (const int error = avcodec_open2(encoder.get(), codec, nullptr); error < 0) return av_error("encode", error);
  const auto frame = FramePtr(av_frame_clone(&picture));
  if (!frame) throw std::bad_alloc();
  frame->quality = encoder->global_quality;
  frame->pts = 0;
  const auto packet = make_packet();
  int done = avcodec_send_frame(encoder.get(), frame.get());
  if (done >= 0) done = avcodec_send_frame(encoder.get(), nullptr);
  if (done >= 0) done = avcodec_receive_packet(encoder.get(), packet.get());
  if (done < 0) return av_error("encode", done);
  return std::string(reinterpret_cast<const char*>(packet->data), static_cast<std::size_t>(packet->size));
}

}  // namespace rushes::media::detail
