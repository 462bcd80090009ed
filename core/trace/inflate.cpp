#include "trace/inflate.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <limits>

#include "trace/import_error.h"

namespace polypath::trace {
namespace {

constexpr std::size_t kChunk = std::size_t{256} << 10U;
constexpr int kGzipWindow = 15 + 16;  // zlib: largest window, gzip wrapper

/// Owns a zlib inflater; its memory is freed however the scope is left.
class Inflater {
 public:
  explicit Inflater(int window_bits) { ready_ = inflateInit2(&stream_, window_bits) == Z_OK; }
  ~Inflater() {
    if (ready_) inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  bool ready() const { return ready_; }
  z_stream& stream() { return stream_; }

 private:
  z_stream stream_{};
  bool ready_ = false;
};

bool begins_as_gzip(const std::string& bytes) {
  return bytes.size() >= 2 && static_cast<unsigned char>(bytes[0]) == 0x1F &&
         static_cast<unsigned char>(bytes[1]) == 0x8B;
}

std::string too_large(std::uint64_t limit) {
  return fmt::format("inflates to more than {} MiB; cut the recording into shorter ones", limit >> 20U);
}

}  // namespace

std::string inflate_text(std::string bytes, const std::string& name, std::uint64_t limit) {
  if (!begins_as_gzip(bytes)) {
    if (bytes.size() > limit) throw ImportError(name, too_large(limit));
    return bytes;
  }
  Inflater inflater(kGzipWindow);
  if (!inflater.ready()) throw ImportError(name, "no memory to inflate it; free some and try again");
  z_stream& stream = inflater.stream();
  std::string text;
  std::size_t used = 0;
  std::string chunk(kChunk, '\0');
  while (true) {
    if (stream.avail_in == 0 && used < bytes.size()) {
      const std::size_t piece =
          std::min<std::size_t>(bytes.size() - used, std::numeric_limits<uInt>::max() / 2);
      stream.next_in = reinterpret_cast<Bytef*>(bytes.data() + used);
      stream.avail_in = static_cast<uInt>(piece);
      used += piece;
    }
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = static_cast<uInt>(chunk.size());
    const int result = inflate(&stream, Z_NO_FLUSH);
    text.append(chunk, 0, chunk.size() - stream.avail_out);
    if (text.size() > limit) throw ImportError(name, too_large(limit));
    const bool spent = stream.avail_in == 0 && used == bytes.size();
    if (result == Z_STREAM_END) {
      if (spent) return text;
      const bool another = stream.avail_in >= 2 && stream.next_in[0] == 0x1F && stream.next_in[1] == 0x8B;
      if (!another) throw ImportError(name, "other data follows the compressed text; compress it again");
      inflateReset(&stream);
      continue;
    }
    if (result == Z_BUF_ERROR || (result == Z_OK && spent && stream.avail_out != 0)) {
      throw ImportError(name, "the compressed text ends in the middle; copy the file again");
    }
    if (result != Z_OK) {
      throw ImportError(name, "the compressed text is damaged; copy the file again");
    }
  }
}

std::string read_text_file(const std::string& path, std::uint64_t limit) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) {
    throw ImportError(path, fmt::format("cannot open: {}; check the name", std::strerror(errno)));
  }
  if (!S_ISREG(status.st_mode)) throw ImportError(path, "is not a regular file; name the recording itself");
  if (static_cast<std::uint64_t>(status.st_size) > limit) throw ImportError(path, too_large(limit));
  std::ifstream file(path, std::ios::binary);
  std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file)
    throw ImportError(path, "cannot be read to its end; check permissions and that nothing writes to it");
  return inflate_text(std::move(bytes), path, limit);
}

std::vector<std::byte> deflate_bytes(std::span<const std::byte> bytes) {
  std::vector<std::byte> out(compressBound(static_cast<uLong>(bytes.size())));
  auto size = static_cast<uLongf>(out.size());
  const int result =
      compress2(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(bytes.data()),
                static_cast<uLong>(bytes.size()), Z_BEST_SPEED);
  if (result != Z_OK) throw ImportError("", "no memory to compress a trace; free some and try again");
  out.resize(size);
  return out;
}

bool inflate_bytes(std::span<const std::byte> stream_bytes, std::uint64_t expected,
                   std::vector<std::byte>& out) {
  out.clear();
  if (stream_bytes.size() > std::numeric_limits<uInt>::max()) return false;
  Inflater inflater(15);
  if (!inflater.ready()) return false;
  z_stream& stream = inflater.stream();
  stream.next_in =
      reinterpret_cast<Bytef*>(const_cast<std::byte*>(stream_bytes.data()));  // zlib only reads it
  stream.avail_in = static_cast<uInt>(stream_bytes.size());
  while (true) {
    const std::size_t have = out.size();
    out.resize(have + static_cast<std::size_t>(std::min<std::uint64_t>(kChunk, expected - have + 1)));
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + have);
    stream.avail_out = static_cast<uInt>(out.size() - have);
    const int result = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
    if (out.size() > expected) return false;
    if (result == Z_STREAM_END) return out.size() == expected && stream.avail_in == 0;
    if (result != Z_OK) return false;
  }
}

}  // namespace polypath::trace
