// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Everything an artifact says about itself, as one JSON document: --json prints it, the text form
// is printed from it, and two of them are what --diff compares. Nothing here executes code or reads
// weights.
#ifndef GLM_TOOLS_INSPECT_REPORT_H
#define GLM_TOOLS_INSPECT_REPORT_H

#include "runtime/artifact/Artifact.h"

#include <nlohmann/json.hpp>
#include <string>

namespace glm::inspect {

using Json = nlohmann::ordered_json;

/// Throws tool::Failure when the file is no sound artifact.
void openArtifact(const std::string &path, runtime::Artifact &artifact);

Json report(const runtime::Artifact &artifact);

/// Entries, kernels with their launches, states and hand-offs.
void reportExecution(const schema::Program &program, Json &result);

/// Infix form of a size: "max_rows * 64".
std::string textOf(const schema::Expr &expression, const schema::Program &program);

/// 32 hexadecimal digits.
std::string hashText(uint64_t low, uint64_t high);

/// The text form of a report.
void print(const Json &report);

/// Prints what differs between two reports; returns the number of differences.
size_t printDifferences(const Json &before, const Json &after);

/// Prints the machine code of every code segment through llvm-objdump; throws when there is none.
void disassemble(const runtime::Artifact &artifact);

/// The level that this machine runs; throws the reason why it runs none.
std::string checkHost(const runtime::Artifact &artifact, const std::string &path);

} // namespace glm::inspect

#endif
