// The stored form of a trace: without loss, and harmless whatever bytes it is read from.
#include "trace/blob.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstring>
#include <string>

#include "sample.h"
#include "trace/ftrace.h"
#include "trace/inflate.h"
#include "trace/partial.h"

namespace polypath::trace {
namespace {

TEST(Blob, GivesBackAnEqualTraceWithAnEqualHash) {
  const Trace trace = sample_trace();
  const Trace back = from_blob(to_blob(trace), "blob");
  EXPECT_EQ(back, trace);
  EXPECT_EQ(back.hash(), trace.hash());
  EXPECT_EQ(to_blob(back), to_blob(trace));
}

TEST(Blob, AnEmptyTraceRoundTripsToo) {
  const Trace trace;
  EXPECT_EQ(from_blob(to_blob(trace), "blob"), trace);
}

TEST(Blob, KeepsTheHashOfEventsThatWereForgotten) {
  Trace trace = sample_trace();
  const auto hash = trace.hash();
  trace.forget();
  const Trace back = from_blob(to_blob(trace), "blob");
  EXPECT_EQ(back.hash(), hash);
  EXPECT_TRUE(back.events().empty());
}

TEST(Blob, ARecordingOf2374CommandsIsSmall) {
  const Trace trace =
      partial_trace(read_ftrace(POLYPATH_TEST_DATA "/recordings/05-detach-0-1.ftrace.txt.gz"));
  const auto blob = to_blob(trace);
  EXPECT_EQ(from_blob(blob, "blob"), trace);
  EXPECT_LT(blob.size(), trace.events().size() * 16);  // of 56 bytes and a payload each
}

TEST(Blob, AnyFlippedBitAndAnyPrefixIsRefused) {
  const auto blob = to_blob(sample_trace());
  for (std::size_t length = 0; length < blob.size(); ++length) {
    EXPECT_THROW(from_blob(std::span(blob).first(length), "blob"), ImportError) << length;
  }
  for (std::size_t at = 0; at < blob.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      auto bytes = blob;
      bytes[at] ^= static_cast<std::byte>(1U << bit);
      EXPECT_THROW(from_blob(bytes, "blob"), ImportError) << at << "." << bit;
    }
  }
}

TEST(Blob, ANewerFormIsRefusedAndSaysSo) {
  auto bytes = to_blob(sample_trace());
  bytes[4] = static_cast<std::byte>(kBlobVersion + 1);
  try {
    from_blob(bytes, "blob");
    FAIL();
  } catch (const ImportError& error) {
    EXPECT_NE(std::string(error.what()).find("newer polypath"), std::string::npos);
  }
}

/// A blob with correct checksums around any content: what a hostile writer would make.
std::vector<std::byte> wrap(const std::vector<std::byte>& raw, std::uint64_t promised,
                            std::uint16_t version = kBlobVersion) {
  std::vector<std::byte> blob(24);
  std::memcpy(blob.data(), "PPTR", 4);
  std::memcpy(blob.data() + 4, &version, 2);
  std::memcpy(blob.data() + 8, &promised, 8);
  const auto crc = [](const std::byte* data, std::size_t size) {
    return static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(data), size));
  };
  const auto packed = deflate_bytes(raw);
  const auto packed_crc = crc(packed.data(), packed.size());
  std::memcpy(blob.data() + 16, &packed_crc, 4);
  const auto head_crc = crc(blob.data(), 20);
  std::memcpy(blob.data() + 20, &head_crc, 4);
  blob.insert(blob.end(), packed.begin(), packed.end());
  return blob;
}

std::vector<std::byte> unwrap(const std::vector<std::byte>& blob) {
  std::uint64_t size = 0;
  std::memcpy(&size, blob.data() + 8, 8);
  std::vector<std::byte> raw;
  EXPECT_TRUE(inflate_bytes(std::span(blob).subspan(24), size, raw));
  return raw;
}

// The first form did not say a controller's CNTLID, the second one not its host, the third one not what
// metadata blocks have.
TEST(Blob, EarlierFormsLoadWithWhatTheyDoNotSayUnknown) {
  Trace trace;
  trace.header.subsystems = {"nqn"};
  trace.header.controllers.push_back({"nvme0", 0});
  trace.header.controllers[0].cntlid = 0x1234;
  trace.header.controllers[0].host = 0x0056;
  trace.header.namespaces.push_back({});
  trace.header.namespaces[0].metadata = {.bytes = 0x789, .extended = true};
  EXPECT_EQ(from_blob(to_blob(trace), "blob").header, trace.header);
  auto raw = unwrap(to_blob(trace));
  auto expected = trace.header;
  expected.namespaces[0].metadata = {};
  const std::vector<std::byte> bytes{std::byte{0x89}, std::byte{0x07}};
  const auto metadata = std::search(raw.begin(), raw.end(), bytes.begin(), bytes.end());
  ASSERT_NE(metadata, raw.end());
  raw.erase(metadata, metadata + 7);
  EXPECT_EQ(from_blob(wrap(raw, raw.size(), 3), "blob").header, expected);
  const std::vector<std::byte> cntlid{std::byte{0x34}, std::byte{0x12}};
  const auto at = std::search(raw.begin(), raw.end(), cntlid.begin(), cntlid.end());
  ASSERT_NE(at, raw.end());
  const auto second = raw.erase(at + 2, at + 4);
  expected.controllers[0].host = kUnknownHost;
  EXPECT_EQ(from_blob(wrap(raw, raw.size(), 2), "blob").header, expected);
  raw.erase(second - 2, second);
  expected.controllers[0].cntlid = kUnknownCntlid;
  EXPECT_EQ(from_blob(wrap(raw, raw.size(), 1), "blob").header, expected);
}

TEST(Blob, ContentWithRightChecksumsButAnyWrongByteLoadsOrIsRefused) {
  const auto raw = unwrap(to_blob(sample_trace()));
  std::size_t loaded = 0, refused = 0;
  for (std::size_t at = 0; at < raw.size(); ++at) {
    for (const auto value : {0x00, 0x01, 0x7F, 0xFF}) {
      auto bytes = raw;
      bytes[at] = static_cast<std::byte>(value);
      try {
        from_blob(wrap(bytes, bytes.size()), "blob");
        ++loaded;
      } catch (const ImportError&) {
        ++refused;
      }
    }
  }
  EXPECT_GT(loaded, 0U);
  EXPECT_GT(refused, 0U);
}

TEST(Blob, ALyingLengthAllocatesNothingLarge) {
  const auto raw = unwrap(to_blob(sample_trace()));
  EXPECT_THROW(from_blob(wrap(raw, std::uint64_t{1} << 30U), "blob"), ImportError);
  EXPECT_THROW(from_blob(wrap(raw, ~0ULL), "blob"), ImportError);
  EXPECT_THROW(from_blob(wrap(raw, 1), "blob"), ImportError);
  // Counts of things inside.
  for (std::size_t at = 0; at + 8 <= raw.size(); ++at) {
    auto bytes = raw;
    const std::uint64_t count = 0x00FFFFFFFFFFFFFF;
    std::memcpy(bytes.data() + at, &count, 8);
    try {
      from_blob(wrap(bytes, bytes.size()), "blob");
    } catch (const ImportError&) {
    }
  }
}

}  // namespace
}  // namespace polypath::trace
