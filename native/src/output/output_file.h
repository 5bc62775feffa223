// A file that a program writes by name: it appears complete, or not at all. Pipes, devices and
// standard output take the bytes as they come.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/file_descriptor.h"
#include "base/status.h"

namespace sfkit::output {

struct OutputOptions {
  bool keeps = false;       // what was never finished stays as NAME.part
  bool is_private = false;  // only its owner can read it
  // Once true, a reader of a pipe that takes nothing for `reader_timeout` is a failure; may be
  // null.
  const std::atomic<bool>* ending = nullptr;
  std::chrono::milliseconds reader_timeout{10'000};
};

class OutputFile {
 public:
  // Opens `path`, and replaces a regular file there on commit(); "-" is standard output. Waits for
  // the reader of a named pipe. Follows links to the file that they name.
  static Result<std::unique_ptr<OutputFile>> open(const std::string& path,
                                                  const OutputOptions& options);
  // Opens a file that replaces nothing: under the name `wanted` or, if that is taken or being
  // written, with -1, -2 and so on appended.
  static Result<std::unique_ptr<OutputFile>> open_new(const std::string& wanted,
                                                      const OutputOptions& options);
  // Without commit(), removes the file unless it `keeps`.
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  const std::string& name() const { return name_; }
  // False after a failure.
  bool write(Bytes bytes);
  // Closes the file and gives it its name. Call it once, last.
  Status commit();
  const Status& status() const { return status_; }

 private:
  OutputFile(std::string name, const OutputOptions& options)
      : name_(std::move(name)), options_(options) {}
  // Creates the file under its temporary name; 0, or errno.
  int create(bool is_new);
  Status open_stream(bool is_pipe);
  Status open_target();
  bool wait_for_reader(std::chrono::milliseconds& waited);
  void give_mode();
  bool fail(int error);

  std::string name_;     // as given
  std::string place_;    // where links lead
  std::string pending_;  // empty for a stream
  OutputOptions options_;
  FileDescriptor file_;
  bool committed_ = false;
  Status status_;
};

// Creates a directory and its parents unless they exist.
Status make_directory(const std::string& path);

}  // namespace sfkit::output
