#include "operands.h"

#include <fmt/format.h>

#include <algorithm>

#include "program/errno_names.h"
#include "program/wording.h"
#include "spec/commands.h"
#include "spec/status.h"

namespace py = pybind11;

namespace polypath::python {
namespace {

using program::Field;
using program::FieldRow;
using program::FieldType;
using program::Form;
using program::in_quotes;
using program::InputError;
using program::Value;

bool is_text(const py::handle& value) { return py::isinstance<py::str>(value); }

std::string kind_of(const py::handle& value) { return py::str(py::type::handle_of(value).attr("__name__")); }

Value literal(std::uint64_t number) { return {Form::literal, number, {}, {}}; }
Value named(const py::handle& value, const std::string& place) {
  std::string name = py::cast<std::string>(value);
  if (!program::is_name(name)) {
    throw InputError(place,
                     fmt::format("{} is no name; a name is a letter, then letters, digits, '_', '-' or '.'",
                                 in_quotes(name)));
  }
  return {Form::name, 0, std::move(name), {}};
}

std::uint64_t number_of(const py::handle& value, std::uint64_t least, std::uint64_t most,
                        const std::string& place);

// A name, a number, or {"live": k}: the k-th of what there is when the step runs.
Value reference_of(const py::handle& value, std::uint64_t most, const std::string& place) {
  if (is_text(value)) return named(value, place);
  if (!py::isinstance<py::dict>(value)) return literal(number_of(value, 0, most, place));
  const auto map = py::reinterpret_borrow<py::dict>(value);
  if (map.size() != 1 || !map.contains("live"))
    throw InputError(place, "is a dict; give {'live': k} or a name");
  return {Form::live, number_of(map["live"], 0, most, place), {}, {}};
}

// Whatever Python takes for an integer (int, numpy.int64, IntEnum), within bounds.
std::uint64_t number_of(const py::handle& value, std::uint64_t least, std::uint64_t most,
                        const std::string& place) {
  PyObject* index = PyNumber_Index(value.ptr());
  if (index == nullptr) {
    PyErr_Clear();
    throw InputError(place, fmt::format("is {}; give an integer", kind_of(value)));
  }
  const auto integer = py::reinterpret_steal<py::object>(index);
  const std::uint64_t number = PyLong_AsUnsignedLongLong(integer.ptr());
  const bool overflow = PyErr_Occurred() != nullptr;
  if (overflow) PyErr_Clear();
  if (overflow || number < least || number > most) {
    throw InputError(place, fmt::format("is {}; give {} to {}", std::string(py::str(integer)), least, most));
  }
  return number;
}

std::uint64_t opcode_of(const py::handle& value, spec::CommandSet set, const std::string& place) {
  if (!is_text(value)) return number_of(value, 0, 255, place);
  const std::string name = py::cast<std::string>(value);
  std::vector<std::string_view> names;
  for (const spec::CommandRow& row : spec::commands()) {
    if (row.set != set) continue;
    names.push_back(row.name);
    if (row.name == name) return row.opcode;
  }
  throw InputError(place, fmt::format("{} names no command of this queue{}", in_quotes(name),
                                      program::remedy(name, names)));
}

std::uint64_t status_of(const py::handle& value, const std::string& place) {
  if (!is_text(value)) return number_of(value, 0, 0x47FF, place);
  spec::Status status{};
  const std::string name = py::cast<std::string>(value);
  if (!spec::status_from_name(name, status)) {
    throw InputError(place, fmt::format("{} is no status; give a name such as invalid_field, or a number",
                                        in_quotes(name)));
  }
  return static_cast<std::uint64_t>(status);
}

Value list_of(const py::handle& value, std::uint64_t most, const std::string& place);

Value value_of(const py::handle& given, const FieldRow& row, spec::CommandSet set, const std::string& place) {
  switch (row.type) {
    case FieldType::queue:
      if (py::isinstance<py::dict>(given)) return reference_of(given, row.most, place);
      [[fallthrough]];
    case FieldType::number:
      return literal(number_of(given, row.least, row.most, place));
    case FieldType::flag:
      return literal(py::cast<bool>(py::bool_(py::reinterpret_borrow<py::object>(given))) ? 1 : 0);
    case FieldType::duration:
      return literal(duration_of(given, place));
    case FieldType::size: {
      const std::uint64_t bytes = size_of(given, place);
      if (bytes < row.least || bytes > row.most) {
        throw InputError(place, fmt::format("is {} bytes; give {} to {}", bytes, row.least, row.most));
      }
      return literal(bytes);
    }
    case FieldType::opcode:
      return literal(opcode_of(given, set, place));
    case FieldType::status:
      return literal(status_of(given, place));
    case FieldType::error: {
      if (!is_text(given)) return literal(number_of(given, row.least, row.most, place));
      const auto number = program::errno_from_name(py::cast<std::string>(given));
      if (!number) throw InputError(place, "is no errno; give a name such as EIO, or none");
      return literal(*number);
    }
    case FieldType::host:
    case FieldType::ns:
    case FieldType::controller:
      return reference_of(given, row.most, place);
    case FieldType::controllers:
      return list_of(given, row.most, place);
    case FieldType::list_map: {
      if (!py::isinstance<py::dict>(given))
        throw InputError(place, "is no dict; give one such as {'nvme0': ['ns1']}");
      Value map;
      for (const auto& [key, members] : py::reinterpret_borrow<py::dict>(given)) {
        Value entry = list_of(members, row.most, place);
        entry.form = Form::name;
        entry.text = named(key, place).text;
        map.list.push_back(std::move(entry));
      }
      return map;
    }
    case FieldType::text:
    case FieldType::policy: {
      if (!is_text(given)) throw InputError(place, fmt::format("is {}; give a str", kind_of(given)));
      Value text;
      text.text = py::cast<std::string>(given);
      const bool policy = row.type == FieldType::policy;
      if (policy && text.text != "numa" && text.text != "round-robin") {
        throw InputError(
            place, fmt::format("{} is no path policy; give 'numa' or 'round-robin'", in_quotes(text.text)));
      }
      if (!policy && (text.text.size() < row.least || !program::is_clean_text(text.text, row.most))) {
        throw InputError(place, fmt::format("has {} bytes; give {} to {} printable ones", text.text.size(),
                                            row.least, row.most));
      }
      return text;
    }
    case FieldType::bytes: {
      Value bytes;
      bytes.text = bytes_of(given, place);
      if (bytes.text.size() > row.most) {
        throw InputError(place, fmt::format("has {} bytes; one step takes {} at most, split it",
                                            bytes.text.size(), row.most));
      }
      return bytes;
    }
  }
  return {};
}

Value list_of(const py::handle& value, std::uint64_t most, const std::string& place) {
  if (is_text(value) || !py::isinstance<py::sequence>(value)) {
    throw InputError(place, fmt::format("is {}; give a list", kind_of(value)));
  }
  Value list;
  for (const py::handle element : value) {
    list.list.push_back(reference_of(element, 0xFFFFFFFF, place));
  }
  if (list.list.size() > most) {
    throw InputError(place, fmt::format("has {} elements; {} are the limit", list.list.size(), most));
  }
  return list;
}

}  // namespace

engine::Time duration_of(const py::handle& value, const std::string& place) {
  if (!is_text(value)) return number_of(value, 0, program::kLongestDuration, place);
  const std::string text = py::cast<std::string>(value);
  const auto duration = program::parse_duration(text);
  if (!duration || *duration > program::kLongestDuration) {
    throw InputError(place,
                     fmt::format("{} is no duration; give '250ns', '10us', '5ms', '1.5s', '2min' or '1h', or "
                                 "nanoseconds as an int",
                                 in_quotes(text)));
  }
  return *duration;
}

std::uint64_t size_of(const py::handle& value, const std::string& place) {
  if (!is_text(value)) return number_of(value, 0, program::kMostNamespaceBytes, place);
  const std::string text = py::cast<std::string>(value);
  const auto size = program::parse_size(text);
  if (!size) {
    throw InputError(place, fmt::format("{} is no size; give '128MiB', '4KiB', '1GiB', or bytes as an int",
                                        in_quotes(text)));
  }
  return *size;
}

std::string bytes_of(const py::handle& value, const std::string& place) {
  Py_buffer view;
  if (PyObject_GetBuffer(value.ptr(), &view, PyBUF_FULL_RO) != 0) {
    PyErr_Clear();
    throw InputError(place,
                     fmt::format("is {}; give bytes, or a buffer such as a NumPy array", kind_of(value)));
  }
  std::string out(static_cast<std::size_t>(view.len), '\0');
  PyBuffer_ToContiguous(out.data(), &view, view.len, 'C');  // row by row, whatever its strides
  PyBuffer_Release(&view);
  return out;
}

namespace {

// Data for a command that by the table moves none: the buffer is as long as the data, and the controller sees
// to it.
void give_length(program::Step& step, spec::CommandSet set) {
  const Value* data = step.find(Field::data);
  if (data == nullptr || step.find(Field::opcode) == nullptr || step.find(Field::length) != nullptr) return;
  spec::SubmissionEntry entry;
  entry.opcode = static_cast<std::uint8_t>(step.number(Field::opcode));
  constexpr std::pair<Field, unsigned> kDwords[] = {
      {Field::cdw10, 10}, {Field::cdw11, 11}, {Field::cdw12, 12}};
  for (const auto& [field, dword] : kDwords)
    entry.set_cdw(dword, static_cast<std::uint32_t>(step.number(field)));
  const spec::CommandRow* row = spec::find_command(set, entry.opcode);
  if (row != nullptr && spec::data_bytes(*row, entry, 512) != 0) return;
  step.operands.push_back({Field::length, literal(data->text.size())});
}

}  // namespace

program::Step step_of(const std::string& kind, const py::dict& operands) {
  const program::StepRow* row = program::find_step(kind);
  if (row == nullptr || row->kind == program::StepKind::nothing) {
    std::vector<std::string_view> names;
    for (const program::StepRow& known : program::step_rows()) names.push_back(known.name);
    throw InputError("step(kind=)",
                     fmt::format("{} is no step{}", in_quotes(kind), program::remedy(kind, names)));
  }
  program::Step step;
  step.kind = row->kind;
  step.nowait = program::runs_beside(row->kind);
  spec::CommandSet set =
      row->kind == program::StepKind::admin ? spec::CommandSet::admin : spec::CommandSet::nvm;
  if (row->kind == program::StepKind::submit && operands.contains("queue") &&
      !py::isinstance<py::dict>(operands["queue"]) &&
      number_of(operands["queue"], 0, 65535, "submit(queue=)") == 0) {
    set = spec::CommandSet::admin;
  }
  for (const auto& [key, given] : operands) {
    if (given.is_none()) continue;
    const std::string name = py::cast<std::string>(key);
    const std::string place = fmt::format("{}({}=)", kind, name);
    const FieldRow* field = program::find_field(name);
    const auto takes = [&](const program::StepFieldRow& f) {
      return field != nullptr && f.field == field->field;
    };
    if (std::none_of(row->fields.begin(), row->fields.end(), takes)) {
      std::vector<std::string_view> names;
      for (const auto& known : row->fields) names.push_back(program::find_field(known.field)->name);
      throw InputError(place, fmt::format("{} has no such operand{}", kind, program::remedy(name, names)));
    }
    step.operands.push_back({field->field, value_of(given, *field, set, place)});
  }
  give_length(step, set);
  std::sort(step.operands.begin(), step.operands.end(),
            [](const program::Operand& a, const program::Operand& b) { return a.field < b.field; });
  for (const auto& wanted : row->fields) {
    if (!wanted.required || step.find(wanted.field) != nullptr) continue;
    throw InputError(fmt::format("{}({}=)", kind, program::find_field(wanted.field)->name),
                     "is missing; give it");
  }
  return step;
}

}  // namespace polypath::python
