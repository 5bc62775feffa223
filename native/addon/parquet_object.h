// ParquetFile of src/engine/native.ts.
#pragma once

#include <napi.h>

#include <memory>

#include "output/parquet_file.h"

namespace sfkit::addon {

class ParquetObject : public Napi::ObjectWrap<ParquetObject> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit ParquetObject(const Napi::CallbackInfo& info);

 private:
  Napi::Value append(const Napi::CallbackInfo& info);
  Napi::Value finish(const Napi::CallbackInfo& info);

  std::vector<output::ColumnType> sources_;  // types of the batch's columns that are read
  std::unique_ptr<output::ParquetFile> file_;
};

}  // namespace sfkit::addon
