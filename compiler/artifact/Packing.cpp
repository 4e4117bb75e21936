// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/artifact/Packing.h"

#include "compiler/diagnostics/Diagnostic.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <fcntl.h>
#include <mutex>
#include <thread>
#include <unistd.h>

namespace glm::artifact {

namespace {

Hash fromXxh(XXH128_hash_t hash) { return {hash.low64, hash.high64}; }

/// A hash that is fed in pieces.
class Hasher {
public:
  Hasher() : state(XXH3_createState(), XXH3_freeState) { XXH3_128bits_reset(state.get()); }
  void add(const void *bytes, size_t size) { XXH3_128bits_update(state.get(), bytes, size); }
  void addZeros(uint64_t count) {
    static const char zeros[4096] = {};
    for (; count > sizeof zeros; count -= sizeof zeros)
      add(zeros, sizeof zeros);
    add(zeros, count);
  }
  /// The hash so far; starts anew.
  Hash finish() {
    Hash result = fromXxh(XXH3_128bits_digest(state.get()));
    XXH3_128bits_reset(state.get());
    return result;
  }

private:
  std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state;
};

/// The checkpoint's files, opened once.
class Sources {
public:
  ~Sources() {
    for (int descriptor : descriptors)
      close(descriptor);
  }

  absl::Status open(const std::vector<std::filesystem::path> &files) {
    paths = files;
    for (const std::filesystem::path &path : files) {
      int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
      if (descriptor < 0)
        return failed(path, std::strerror(errno));
      descriptors.push_back(descriptor);
    }
    return absl::OkStatus();
  }

  absl::Status read(uint32_t file, uint64_t position, std::byte *bytes, uint64_t size) const {
    while (size) {
      ssize_t got = pread(descriptors[file], bytes, size, off_t(position));
      if (got < 0 && errno == EINTR)
        continue;
      if (got <= 0)
        return failed(paths[file], got ? std::strerror(errno) : "it ends before the tensor does");
      bytes += got, position += uint64_t(got), size -= uint64_t(got);
    }
    return absl::OkStatus();
  }

private:
  static absl::Status failed(const std::filesystem::path &path, const char *why) {
    return codedError(Code::CheckpointChanged, path.string(),
                      std::string("reading weights failed: ") + why,
                      "fetch the file again and do not change it while glmc runs");
  }

  std::vector<std::filesystem::path> paths;
  std::vector<int> descriptors;
};

/// Memory of one worker; grows to the largest chunk it meets.
struct Workspace {
  std::vector<std::byte> source, converted, turned, codes, result;
  std::vector<float> scales, numbers;
  std::vector<int8_t> zeros;
  Rounding rounding; // of the last chunk
};

bool isNumber(Element element) {
  return element == Element::F32 || element == Element::BF16 || element == Element::F16;
}

/// Codes, one a byte, in panels.
const std::byte *layOutCodes(const Chunk &chunk, Workspace &work) {
  int64_t rows = chunk.rows, columns = chunk.columns;
  if (chunk.to == Element::I4) {
    work.result.resize(nibbleBytes(rows, columns, chunk.n));
    packNibbles(work.codes.data(), rows, columns, chunk.n, work.result.data());
  } else {
    work.result.resize(panelBytes(rows, columns, 1, chunk.n, chunk.k));
    packPanels(work.codes.data(), rows, columns, 1, chunk.n, chunk.k, work.result.data());
  }
  return work.result.data();
}

/// Codes of the checkpoint.
const std::byte *copyCodes(const Chunk &chunk, Workspace &work) {
  work.codes.resize(size_t(chunk.rows * chunk.columns));
  if (chunk.to == Element::I4) {
    splitRowPairs(work.source.data(), chunk.rows, chunk.columns, work.codes.data());
  } else {
    work.codes.assign(work.source.begin(), work.source.end());
    if (chunk.to == Element::I8)
      offsetCodes(work.codes.data(), work.codes.size());
  }
  return layOutCodes(chunk, work);
}

/// Codes made of numbers, or what stands beside them, that of a run of columns side by side.
const std::byte *makeCodes(const Chunk &chunk, Workspace &work) {
  size_t count = size_t(chunk.rows * chunk.columns);
  work.numbers.resize(count);
  convert(work.source.data(), chunk.from, reinterpret_cast<std::byte *>(work.numbers.data()),
          Element::F32, count);
  int64_t runs = (chunk.columns + chunk.quantize.columns - 1) / chunk.quantize.columns;
  work.scales.resize(size_t(chunk.rows * runs)), work.zeros.resize(work.scales.size());
  work.codes.resize(count);
  work.rounding = quantize(work.numbers.data(), chunk.rows, chunk.columns, chunk.quantize,
                           {chunk.part == CodePart::Codes ? work.codes.data() : nullptr,
                            work.scales.data(), work.zeros.data()});
  if (chunk.part == CodePart::Codes)
    return isNumber(chunk.to) ? nullptr : layOutCodes(chunk, work);
  bool scales = chunk.part == CodePart::Scales;
  size_t width = scales ? sizeof(float) : 1;
  const void *parts = scales ? static_cast<const void *>(work.scales.data()) : work.zeros.data();
  auto bytes = static_cast<const std::byte *>(parts);
  if (chunk.n) {
    work.result.resize(panelBytes(chunk.rows, runs, width, chunk.n, chunk.k));
    packPanels(bytes, chunk.rows, runs, width, chunk.n, chunk.k, work.result.data());
  } else {
    work.result.resize(work.scales.size() * width);
    transpose(bytes, chunk.rows, runs, width, work.result.data());
  }
  return work.result.data();
}

/// Numbers rounded to what codes can say; still to be laid out.
void roundToCodes(const Chunk &chunk, Workspace &work) {
  size_t count = size_t(chunk.rows * chunk.columns);
  int64_t runs = (chunk.columns + chunk.quantize.columns - 1) / chunk.quantize.columns;
  float offset = float(offsetOf(chunk.quantize));
  for (size_t i = 0; i < count; ++i) {
    int64_t row = int64_t(i) / chunk.columns, column = int64_t(i) % chunk.columns;
    auto run = size_t(row * runs + column / chunk.quantize.columns);
    float code = float(uint8_t(work.codes[i])) - offset;
    work.numbers[i] = (code - float(work.zeros[run])) * work.scales[run];
  }
}

/// What converting numbers to `element` changed.
Rounding changesOf(const std::vector<float> &numbers, const std::byte *converted, Element element) {
  std::vector<float> back(numbers.size());
  convert(converted, element, reinterpret_cast<std::byte *>(back.data()), Element::F32,
          back.size());
  Rounding rounding;
  for (size_t i = 0; i < back.size(); ++i) {
    double change = double(back[i]) - numbers[i];
    rounding += {double(numbers[i]) * numbers[i], change * change};
  }
  return rounding;
}

/// Makes the bytes of a chunk from its source, which lies in `work.source`. Returns where they are.
const std::byte *layOut(const Chunk &chunk, Workspace &work) {
  bool rounds = chunk.quantize.columns && isNumber(chunk.to) && chunk.part == CodePart::Codes;
  if (chunk.quantize.columns) {
    const std::byte *made = makeCodes(chunk, work);
    if (!rounds)
      return made;
    roundToCodes(chunk, work);
  }
  bool codes = chunk.to == Element::I8 || chunk.to == Element::I4 || chunk.to == Element::F8E4M3;
  if (codes && chunk.n)
    return copyCodes(chunk, work);
  const std::byte *at = work.source.data();
  size_t count = size_t(chunk.rows * chunk.columns), width = bitsOf(chunk.to) / 8;
  if (chunk.dequantize.rows) {
    const Chunk::Dequantization &how = chunk.dequantize;
    work.numbers.resize(count);
    dequantize(at, chunk.from, chunk.rows, chunk.columns, how.firstRow,
               {work.scales, how.columns, how.blockRows, how.blockColumns}, work.numbers.data());
  }
  if (chunk.dequantize.rows || rounds) {
    work.converted.resize(count * width);
    convert(reinterpret_cast<const std::byte *>(work.numbers.data()), Element::F32,
            work.converted.data(), chunk.to, count);
    if (!rounds)
      work.rounding = changesOf(work.numbers, work.converted.data(), chunk.to);
    at = work.converted.data();
  } else if (chunk.from != chunk.to) {
    work.converted.resize(count * width);
    convert(at, chunk.from, work.converted.data(), chunk.to, count);
    at = work.converted.data();
  }
  int64_t rows = chunk.rows, columns = chunk.columns;
  if (chunk.transposed) {
    work.turned.resize(count * width);
    transpose(at, rows, columns, width, work.turned.data());
    at = work.turned.data();
    std::swap(rows, columns);
  }
  if (!chunk.n)
    return at;
  work.result.resize(panelBytes(rows, columns, width, chunk.n, chunk.k));
  packPanels(at, rows, columns, width, chunk.n, chunk.k, work.result.data());
  return work.result.data();
}

class Packer {
public:
  Packer(const PackingPlan &plan, const OutputFile &output, uint64_t offset,
         const Progress &progress)
      : plan(plan), output(output), offset(offset), progress(progress) {
    result.tensors.resize(plan.tensors);
    result.rounding.resize(plan.rounded.size());
  }

  absl::StatusOr<PackingResult> run(unsigned workers) {
    if (absl::Status status = sources.open(plan.files); !status.ok())
      return status;
    std::vector<std::jthread> threads;
    for (unsigned i = 1; i < workers; ++i)
      threads.emplace_back([this] { work(); });
    work();
    threads.clear();
    if (!failure.ok())
      return failure;
    segment.addZeros(plan.segmentBytes - hashed);
    result.segment = segment.finish();
    if (progress)
      progress(plan.segmentBytes, plan.segmentBytes);
    return std::move(result);
  }

private:
  void work() {
    Workspace space;
    while (takeChunk(space) || takeLoose(space))
      ;
  }

  /// Packs the next chunk; false when there is none or something failed.
  bool takeChunk(Workspace &space) {
    size_t number = nextChunk.fetch_add(1);
    if (number >= plan.chunks.size())
      return false;
    const Chunk &chunk = plan.chunks[number];
    space.source.resize(chunk.sourceBytes());
    absl::Status status =
        sources.read(chunk.file, chunk.position, space.source.data(), space.source.size());
    if (const Chunk::Dequantization &how = chunk.dequantize; how.rows && status.ok()) {
      space.scales.resize(size_t(how.rows * how.columns));
      status =
          sources.read(how.file, how.position, reinterpret_cast<std::byte *>(space.scales.data()),
                       space.scales.size() * sizeof(float));
    }
    if (status.ok() && chunk.from == Element::F8E4M3)
      status = checkNumbers(chunk, space);
    const std::byte *bytes = nullptr;
    if (status.ok()) {
      bytes = layOut(chunk, space);
      status =
          output.write(offset + chunk.offset, {reinterpret_cast<const char *>(bytes), chunk.bytes});
    }
    std::unique_lock lock(mutex);
    turn.wait(lock, [&] { return number == hashedChunks || !failure.ok(); });
    if (!failure.ok())
      return false;
    if (status.ok())
      addToHashes(chunk, space, bytes);
    else
      failure = status;
    ++hashedChunks;
    turn.notify_all();
    if (status.ok() && progress)
      progress(hashed, plan.segmentBytes);
    return status.ok();
  }

  /// A weight that is no number is a broken checkpoint.
  absl::Status checkNumbers(const Chunk &chunk, const Workspace &space) const {
    size_t first = firstNotANumber(space.source.data(), space.source.size());
    if (first == space.source.size())
      return absl::OkStatus();
    return codedError(Code::NotANumber,
                      plan.nameOf ? plan.nameOf(chunk.file, chunk.position + first)
                                  : plan.files[chunk.file].string(),
                      "is the code of no number", "fetch the checkpoint again");
  }

  void addToHashes(const Chunk &chunk, const Workspace &space, const std::byte *bytes) {
    segment.addZeros(chunk.offset - hashed);
    segment.add(bytes, chunk.bytes);
    hashed = chunk.offset + chunk.bytes;
    if (chunk.rounded >= 0)
      result.rounding[size_t(chunk.rounded)] += space.rounding;
    if (chunk.tensor < 0)
      return;
    tensor.add(space.source.data(), space.source.size());
    if (chunk.last)
      result.tensors[size_t(chunk.tensor)] = tensor.finish();
  }

  /// All f32 of the bytes are zero, of either sign.
  static bool isZero(const std::vector<std::byte> &bytes) {
    for (size_t i = 0; i + sizeof(float) <= bytes.size(); i += sizeof(float)) {
      float value;
      std::memcpy(&value, bytes.data() + i, sizeof value);
      if (value != 0)
        return false;
    }
    return true;
  }

  bool takeLoose(Workspace &space) {
    size_t number = nextLoose.fetch_add(1);
    if (number >= plan.loose.size())
      return false;
    constexpr uint64_t piece = 4 << 20;
    const LooseTensor &loose = plan.loose[number];
    Hasher hasher;
    absl::Status status;
    for (uint64_t done = 0; done < loose.bytes && status.ok(); done += piece) {
      space.source.resize(std::min(piece, loose.bytes - done));
      status =
          sources.read(loose.file, loose.position + done, space.source.data(), space.source.size());
      hasher.add(space.source.data(), space.source.size());
      if (status.ok() && loose.mustBeZero && !isZero(space.source))
        status = codedError(Code::UnsupportedFormat, loose.name,
                            "holds offsets that are not zero; codes of this format are symmetric",
                            "use the BF16 form of the checkpoint");
    }
    std::unique_lock lock(mutex);
    if (!status.ok())
      failure = status;
    result.tensors[size_t(loose.tensor)] = hasher.finish();
    return failure.ok();
  }

  const PackingPlan &plan;
  const OutputFile &output;
  uint64_t offset;
  const Progress &progress;
  Sources sources;
  std::atomic<size_t> nextChunk{0}, nextLoose{0};

  std::mutex mutex;
  std::condition_variable turn;
  // Guarded by `mutex`.
  size_t hashedChunks = 0;
  uint64_t hashed = 0;
  Hasher segment, tensor;
  absl::Status failure;
  PackingResult result;
};

} // namespace

std::string Hash::text() const {
  static const char digits[] = "0123456789abcdef";
  std::string out;
  for (uint64_t half : {high, low})
    for (int shift = 60; shift >= 0; shift -= 4)
      out += digits[half >> shift & 15];
  return out;
}

Hash hashOf(std::string_view bytes) { return fromXxh(XXH3_128bits(bytes.data(), bytes.size())); }

absl::StatusOr<PackingResult> packWeights(const PackingPlan &plan, const OutputFile &output,
                                          uint64_t offset, unsigned workers,
                                          const Progress &progress) {
  return Packer(plan, output, offset, progress).run(std::max(1u, workers));
}

} // namespace glm::artifact
