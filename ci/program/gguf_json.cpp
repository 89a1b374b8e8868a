#include "ci/program/gguf_json.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

namespace assay::program {
namespace {

using Json = nlohmann::ordered_json;
using Put = std::function<void(std::string_view)>;

std::string text_of(const Json& document) {
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string json_text(std::string_view text) {
  return text_of(Json(std::string(text)));
}

Json real(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return value;
}

void put_value(const gguf::Value& value, const Put& put) {
  if (value.type != gguf::ValueType::array) return put(gguf_scalar_json(value));
  put("[");
  gguf::Elements elements(value);
  const char* separator = "";
  while (const std::optional<gguf::Value> element = elements.next()) {
    put(separator);
    put_value(*element, put);
    separator = ",";
  }
  put("]");
}

void put_metadata(const gguf::File& file, const Put& put) {
  put("\"metadata\":{");
  const char* separator = "";
  for (const gguf::Metadata& entry : file.metadata()) {
    put(separator);
    put(json_text(entry.key) + ":");
    put_value(entry.value, put);
    separator = ",";
  }
  put("},\"metadata_types\":{");
  separator = "";
  for (const gguf::Metadata& entry : file.metadata()) {
    put(separator);
    put(json_text(entry.key) + ":" + json_text(gguf_type_text(entry.value)));
    separator = ",";
  }
  put("}");
}

void put_tensors(const gguf::ModelFiles& files, const Put& put) {
  put("\"tensors\":[");
  const char* separator = "";
  for (std::size_t part = 0; part < files.parts().size(); ++part) {
    for (const gguf::TensorEntry& tensor : files.parts()[part].tensors()) {
      Json shape = Json::array();
      for (std::uint32_t axis = 0; axis < tensor.rank; ++axis) shape.push_back(tensor.shape[axis]);
      Json entry{{"name", std::string(tensor.name)},
                 {"type", std::string(gguf::info_of(tensor.type).name)},
                 {"shape", shape},
                 {"offset", tensor.offset},
                 {"bytes", tensor.data.size()},
                 {"elements", tensor.elements}};
      if (files.parts().size() > 1) entry["part"] = part;
      put(separator);
      put(text_of(entry));
      separator = ",";
    }
  }
  put("]");
}

std::string_view scaling_name(gguf::RopeScaling scaling) {
  switch (scaling) {
    case gguf::RopeScaling::none:
      return "none";
    case gguf::RopeScaling::linear:
      return "linear";
    case gguf::RopeScaling::yarn:
      return "yarn";
    case gguf::RopeScaling::longrope:
      return "longrope";
  }
  return "?";
}

Json model_json(const gguf::ModelDescription& model) {
  Json document{
      {"architecture", std::string(gguf::name_of(model.architecture))},
      {"name", model.name},
      {"vocabulary", model.vocabulary},
      {"context_length", model.context_length},
      {"embedding_length", model.embedding_length},
      {"feed_forward_length", model.feed_forward_length},
      {"num_layers", model.num_layers},
      {"num_heads", model.num_heads},
      {"num_kv_heads", model.num_kv_heads},
      {"key_length", model.key_length},
      {"value_length", model.value_length},
      {"sliding_window", model.sliding_window},
      {"normalisation", model.normalisation == gguf::Normalisation::layer_norm ? "layer_norm" : "rms_norm"},
      {"norm_epsilon", model.norm_epsilon},
      {"tied_output", model.tied_output}};
  if (model.rope) {
    document["rope"] = Json{{"dimensions", model.rope->dimensions},
                            {"theta", model.rope->theta},
                            {"scaling", std::string(scaling_name(model.rope->scaling))},
                            {"factor", model.rope->factor},
                            {"original_context_length", model.rope->original_context_length}};
    if (model.rope->attention_factor) document["rope"]["attention_factor"] = *model.rope->attention_factor;
  }
  if (model.experts.count != 0) {
    document["experts"] = Json{{"count", model.experts.count},
                               {"used", model.experts.used},
                               {"feed_forward_length", model.experts.feed_forward_length}};
  }
  return document;
}

}  // namespace

std::string gguf_type_text(const gguf::Value& value) {
  if (value.type != gguf::ValueType::array) return std::string(gguf::name_of(value.type));
  return "array of " + std::string(gguf::name_of(value.element));
}

std::string gguf_scalar_json(const gguf::Value& value) {
  if (const auto text = value.as_text()) return json_text(*text);
  if (const auto flag = value.as_flag()) return *flag ? "true" : "false";
  if (const auto number = value.as_real()) return text_of(real(*number));
  if (const auto number = value.as_unsigned()) return std::to_string(*number);
  return std::to_string(value.as_signed().value_or(0));
}

void write_gguf_json(const GgufInput& input, const Result<gguf::ModelDescription>& model, const Put& put) {
  const gguf::File& first = input.files.parts().front();
  const gguf::Value* const architecture = first.find("general.architecture");
  Json head{{"file", first.path()}, {"version", first.version()}, {"architecture", nullptr}};
  if (architecture != nullptr && architecture->as_text()) {
    head["architecture"] = std::string(*architecture->as_text());
  }
  head["bytes"] = first.bytes();
  head["alignment"] = first.alignment();
  head["data_offset"] = first.data_offset();
  if (input.files.parts().size() > 1) {
    for (const gguf::File& part : input.files.parts()) {
      head["parts"].push_back(
          {{"file", part.path()}, {"bytes", part.bytes()}, {"data_offset", part.data_offset()}});
    }
  }
  head["model"] = model ? model_json(model.value()) : Json(nullptr);
  if (!model) head["no_model_because"] = model.error().message;
  head["warnings"] = input.warnings;
  std::string text = text_of(head);
  text.back() = ',';  // the brace: the two long members follow
  put(text);
  put_metadata(first, put);
  put(",");
  put_tensors(input.files, put);
  put("}\n");
}

}  // namespace assay::program
