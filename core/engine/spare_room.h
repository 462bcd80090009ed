// Room for objects of one kind that are made and dropped over and over: what was dropped last is in the
// cache, and serves next. AddressSanitizer sees dropped objects as freed.
#pragma once

#include <sanitizer/asan_interface.h>

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace polypath::engine {

template <class T>
class SpareRoom {
 public:
  static constexpr std::size_t kMost = 256;  ///< kept; what is dropped beyond is given back

  template <class... Arguments>
  static T* make(Arguments&&... arguments) {
    static_assert(std::is_trivially_destructible_v<T> && sizeof(T) >= sizeof(Link) &&
                  alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);
    void* room = first_;
    if (room == nullptr) {
      give_back_at_end();
      room = ::operator new(sizeof(T));
    } else {
      first_ = first_->next;
      --count_;
      ASAN_UNPOISON_MEMORY_REGION(room, sizeof(T));
    }
    return ::new (room) T(std::forward<Arguments>(arguments)...);
  }
  static void drop(T* object) {
    if (count_ == kMost) {
      ::operator delete(object);
      return;
    }
    if (count_ == 0) give_back_at_end();
    first_ = ::new (static_cast<void*>(object)) Link{first_};
    ++count_;
    ASAN_POISON_MEMORY_REGION(first_ + 1, sizeof(T) - sizeof(Link));
  }

 private:
  struct Link {
    Link* next;
  };
  // At the end of its thread the room is given back; what is dropped after that (by objects of static
  // duration) finds the list full.
  struct Keeper {
    ~Keeper() {
      while (first_ != nullptr) {
        Link* const next = first_->next;
        ASAN_UNPOISON_MEMORY_REGION(first_, sizeof(T));
        ::operator delete(static_cast<void*>(first_));
        first_ = next;
      }
      count_ = kMost;
    }
  };
  static void give_back_at_end() {
    static thread_local const Keeper keeper;
    static_cast<void>(keeper);
  }
  // One list per thread.
  static inline thread_local constinit Link* first_ = nullptr;
  static inline thread_local constinit std::size_t count_ = 0;
};

}  // namespace polypath::engine
