// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The walk over a structurally sound program that makes sure everything it names is there. Every
// method returns false after it has filled the status.
#ifndef GLM_RUNTIME_ARTIFACT_CHECKER_H
#define GLM_RUNTIME_ARTIFACT_CHECKER_H

#include "runtime/artifact/Artifact.h"
#include "runtime/core/Expression.h"

namespace glm::runtime {

class Checker final {
public:
  Checker(const schema::Program &program, const glm_container_header &header, const char *path,
          glm_status &status)
      : program(program), header(header), path(path), status(status),
        dimCount(program.dims()->size()) {}

  bool all();

private:
  using Commands = flatbuffers::Vector<flatbuffers::Offset<schema::Command>>;
  using Ports = flatbuffers::Vector<flatbuffers::Offset<schema::Port>>;

  [[gnu::format(printf, 4, 5), gnu::cold]] bool broken(const char *kind, const char *name,
                                                       const char *format, ...);
  bool expression(const schema::Expr *expression, const char *kind, const char *name);

  bool devices();
  bool dims();
  bool segments();
  bool segmentPlace(const schema::Segment &segment);
  bool inSegment(const char *kind, const char *name, uint32_t segment, uint64_t offset,
                 uint64_t size);
  bool holds(uint32_t segment, schema::SegmentKind kind) const;
  bool dtype(const char *kind, const char *name, schema::Dtype dtype);
  bool weights();
  bool state(const schema::State &state);
  bool named();
  bool code(const flatbuffers::Vector<flatbuffers::Offset<schema::Kernel>> *kernels);
  bool kernels();
  bool entries();
  bool entry(const schema::Entry &entry);
  bool ports(const schema::Entry &entry, const Ports &ports);
  bool commands(const schema::Entry &entry, const Commands *commands);
  bool command(const schema::Entry &entry, const schema::Command &command);
  bool launch(const schema::Entry &entry, const schema::Launch &launch);
  bool copy(const schema::Entry &entry, const schema::Arg *source, const schema::Arg *destination,
            const schema::Expr *size);
  bool argument(const schema::Entry &entry, const schema::Arg &argument);
  bool device(uint32_t device);

  const schema::Program &program;
  const glm_container_header &header;
  const char *path;
  glm_status &status;
  size_t dimCount;
  const char *entryName = ""; // of the entry being checked
};

} // namespace glm::runtime

#endif
