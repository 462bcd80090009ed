// JSON Schema of scenario files, for editors. Derived from the tables; nothing here names a step or an
// operand.
#include <nlohmann/json.hpp>

#include "program/errno_names.h"
#include "scenario/keys.h"
#include "scenario/scenario.h"
#include "spec/commands.h"

namespace polypath::scenario {
namespace {

using json = nlohmann::ordered_json;
using program::FieldRow;
using program::FieldType;
using program::StepRow;

constexpr const char* kName = "^[A-Za-z][A-Za-z0-9_.-]{0,63}$";

json reference(const char* definition) { return {{"$ref", std::string("#/$defs/") + definition}}; }

json list_of(json element) { return {{"type", "array"}, {"items", std::move(element)}}; }

json map_of(json element) {
  return {{"type", "object"}, {"minProperties", 1}, {"additionalProperties", std::move(element)}};
}

json definitions() {
  json out;
  out["name"] = {{"type", "string"}, {"pattern", kName}};
  out["number"] = {
      {"anyOf",
       {{{"type", "integer"}, {"minimum", 0}}, {{"type", "string"}, {"pattern", "^0x[0-9A-Fa-f]+$"}}}}};
  out["duration"] = {{"anyOf",
                      {{{"type", "integer"}, {"minimum", 0}},
                       {{"type", "string"}, {"pattern", "^[0-9]+(\\.[0-9]+)?(ns|us|ms|s|min|h)$"}}}}};
  out["size"] = {{"anyOf",
                  {{{"type", "integer"}, {"minimum", 0}},
                   {{"type", "string"}, {"pattern", "^[0-9]+(\\.[0-9]+)?([KMGTPE]i?B?|[kmgtpe]|B)?$"}}}}};
  out["live"] = {{"type", "object"},
                 {"properties", {{"live", reference("number")}}},
                 {"required", {"live"}},
                 {"additionalProperties", false}};
  out["free_name"] = {{"type", "object"},
                      {"properties", {{"name", reference("name")}}},
                      {"required", {"name"}},
                      {"additionalProperties", false}};
  out["reference"] = {
      {"anyOf", {reference("name"), reference("number"), reference("live"), reference("free_name")}}};
  return out;
}

json command_names() {
  json names = json::array();
  for (const spec::CommandRow& row : spec::commands()) names.push_back(row.name);
  return names;
}

json type_of(const FieldRow& row) {
  switch (row.type) {
    case FieldType::number:
      return reference("number");
    case FieldType::flag:
      return {{"type", "boolean"}};
    case FieldType::duration:
      return reference("duration");
    case FieldType::size:
      return reference("size");
    case FieldType::opcode:
      return {{"anyOf", {reference("number"), {{"enum", command_names()}}}}};
    case FieldType::status:
      return {{"type", {"string", "integer"}}};
    case FieldType::error:
      return {{"anyOf", {{{"enum", program::errno_names()}}, {{"type", "integer"}, {"minimum", 0}}}}};
    case FieldType::queue:
      return {{"anyOf", {reference("number"), reference("live")}}};
    case FieldType::host:
      return {{"anyOf", {reference("name"), reference("free_name")}}};
    case FieldType::ns:
    case FieldType::controller:
      return reference("reference");
    case FieldType::controllers:
      return {{"anyOf", {list_of(reference("reference")), reference("reference")}}};
    case FieldType::list_map:
      return map_of(list_of(reference("reference")));
    case FieldType::text:
      return {{"type", {"string", "integer"}}, {"maxLength", row.most}};
    case FieldType::policy:
      return {{"enum", {"numa", "round-robin"}}};
    case FieldType::bytes:
      return {{"type", {"string", "integer"}}};
  }
  return {};
}

json field_schema(const FieldRow& row) {
  json out = type_of(row);
  out["description"] = row.title;
  return out;
}

json key_schema(const KeyRow& row) {
  json out;
  switch (row.type) {
    case KeyType::text:
      out = {{"type", {"string", "integer"}}};
      break;
    case KeyType::name:
      out = reference("name");
      break;
    case KeyType::number:
      out = reference("number");
      break;
    case KeyType::byte:
      out = {{"type", "integer"}, {"minimum", 0}, {"maximum", 255}};
      break;
    case KeyType::flag:
      out = {{"type", "boolean"}};
      break;
    case KeyType::duration:
      out = reference("duration");
      break;
    case KeyType::names:
      out = list_of(reference("name"));
      break;
    case KeyType::label_reference:
      out = {{"anyOf", {reference("name"), reference("free_name")}}};
      break;
    case KeyType::map:
      out = {{"type", "object"}};
      break;
    case KeyType::list:
      out = {{"type", {"array", "null"}}};
      break;
  }
  out["description"] = row.title;
  return out;
}

json object_of(std::span<const KeyRow> rows) {
  json properties, required = json::array();
  for (const KeyRow& row : rows) {
    properties[std::string(row.name)] = key_schema(row);
    if (row.required) required.push_back(row.name);
  }
  return {{"type", "object"},
          {"properties", properties},
          {"required", required},
          {"additionalProperties", false}};
}

json expectations(const StepRow& row) {
  json properties = json::object();
  for (const auto& f : row.fields) {
    if (!program::is_expectation(f.field)) continue;
    const FieldRow& field = *program::find_field(f.field);
    properties[std::string(field.name)] = field_schema(field);
  }
  return {
      {"type", "object"}, {"minProperties", 1}, {"properties", properties}, {"additionalProperties", false}};
}

// A step: its kind's key with operands, and the keys of any step, beside the kind or among the operands.
json step_schema(const StepRow& row) {
  const std::string name(row.name);
  json operands = json::object(), required = json::array(), beside = json::object();
  for (const auto& f : row.fields) {
    if (program::is_expectation(f.field)) continue;
    const FieldRow& field = *program::find_field(f.field);
    operands[std::string(field.name)] = field_schema(field);
    if (f.required && f.field != program::Field::host) required.push_back(field.name);
  }
  for (const KeyRow& key : step_keys()) {
    const json schema = key.type == KeyType::map ? expectations(row) : key_schema(key);
    if (key.type != KeyType::map || !schema["properties"].empty()) {
      operands[std::string(key.name)] = schema;
      beside[std::string(key.name)] = schema;
    }
  }
  json map = {
      {"type", "object"}, {"properties", operands}, {"required", required}, {"additionalProperties", false}};
  json value = map;
  if (const FieldRow* only = shorthand(row)) value = {{"anyOf", {map, type_of(*only)}}};
  if (required.empty()) value = {{"anyOf", {value, {{"type", "null"}}}}};
  value["description"] = row.title;
  beside[name] = value;
  return {{"type", "object"}, {"properties", beside}, {"required", {name}}, {"additionalProperties", false}};
}

}  // namespace

std::string scenario_schema() {
  json schema;
  schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  schema["title"] = "Polypath scenario";
  const json file = object_of(file_keys());
  for (const auto& [key, value] : file.items()) schema[key] = value;
  json steps = json::array();
  for (const StepRow& row : program::step_rows()) steps.push_back(step_schema(row));
  json& properties = schema["properties"];
  const auto elements = [&](const char* key, json element) { properties[key]["items"] = std::move(element); };
  elements("topology", {{"type", "string"}});
  elements("hosts", object_of(host_keys()));
  elements("faults", {{"type", "string"}});
  elements("steps", {{"anyOf", steps}});
  elements("overrides", object_of(override_keys()));
  schema["$defs"] = definitions();
  return schema.dump(2) + "\n";
}

}  // namespace polypath::scenario
