#include "allocations.h"

#include <cstdlib>
#include <new>

namespace polypath::engine {

namespace {
Allocations g_allocations;
}  // namespace

Allocations allocations() { return g_allocations; }

}  // namespace polypath::engine

namespace {

void* counted(std::size_t size) {
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  ++polypath::engine::g_allocations.made;
  ++polypath::engine::g_allocations.outstanding;
  return memory;
}

void give_back(void* memory) {
  if (memory == nullptr) return;
  --polypath::engine::g_allocations.outstanding;
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete[](void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { give_back(memory); }
void operator delete[](void* memory, std::size_t) noexcept { give_back(memory); }
