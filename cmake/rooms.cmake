# A room is a folder of core/ and a library. Its headers are reached as "room/header.h" through an
# include directory that holds nothing but that one room, so that a target sees exactly the rooms it links.

find_package(fmt REQUIRED)
find_package(ZLIB REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(nlohmann_json REQUIRED)

add_library(polypath_options INTERFACE)
target_compile_options(polypath_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # What g++ guesses from optimized standard library code is often wrong; clang and the sanitizers judge these.
  target_compile_options(polypath_options INTERFACE
    -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread -Wno-maybe-uninitialized -Wno-use-after-free
    -Wno-dangling-reference)
else()
  target_compile_options(polypath_options INTERFACE -Wno-deprecated-declarations)  # libstdc++ 12's own stable_sort
endif()
# g++ 12 sees an overlap in std::string operator+ that is not there (GCC bug 105651).
target_compile_options(polypath_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
if(POLYPATH_FAULTS)
  target_compile_definitions(polypath_options INTERFACE POLYPATH_FAULTS=1)
endif()
if(POLYPATH_FUZZ)  # coverage for libFuzzer, without its main; operands come from live sets, so comparisons tell little
  target_compile_options(polypath_options INTERFACE
    -fsanitize=fuzzer-no-link -fno-sanitize-coverage=trace-cmp,indirect-calls
    -fsanitize-address-use-after-return=never)
  target_link_options(polypath_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(POLYPATH_SANITIZE)
  target_compile_options(polypath_options INTERFACE
    -fsanitize=${POLYPATH_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(polypath_options INTERFACE -fsanitize=${POLYPATH_SANITIZE})
endif()

# Third-party headers are SYSTEM: our warnings are about our code.
add_library(polypath_external_zlib INTERFACE)
target_link_libraries(polypath_external_zlib INTERFACE ZLIB::ZLIB)
add_library(polypath_external_sqlite INTERFACE)
target_link_libraries(polypath_external_sqlite INTERFACE SQLite::SQLite3)
add_library(polypath_external_yaml INTERFACE)
if(TARGET yaml-cpp::yaml-cpp)  # from 0.8 on; the older name still exists there, and warns
  target_link_libraries(polypath_external_yaml INTERFACE yaml-cpp::yaml-cpp)
else()
  target_link_libraries(polypath_external_yaml INTERFACE yaml-cpp)
endif()
add_library(polypath_external_json INTERFACE)
target_link_libraries(polypath_external_json INTERFACE nlohmann_json::nlohmann_json)

find_path(POLYPATH_BOOST_GRAPH boost/graph/transitive_reduction.hpp REQUIRED DOC "Headers of Boost.Graph")
add_library(polypath_external_graph INTERFACE)
target_include_directories(polypath_external_graph SYSTEM INTERFACE ${POLYPATH_BOOST_GRAPH})

function(polypath_room name)
  cmake_parse_arguments(ROOM "" "" "DEPENDS;EXTERNAL" ${ARGN})
  set(source ${PROJECT_SOURCE_DIR}/core/${name})
  set(include ${PROJECT_BINARY_DIR}/rooms/${name})
  file(MAKE_DIRECTORY ${include})
  file(CREATE_LINK ${source} ${include}/${name} SYMBOLIC)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${source}/*.cpp)
  set(libraries polypath_options fmt::fmt)
  foreach(room IN LISTS ROOM_DEPENDS)
    list(APPEND libraries polypath_${room})
  endforeach()
  foreach(external IN LISTS ROOM_EXTERNAL)
    list(APPEND libraries polypath_external_${external})
  endforeach()
  if(sources)
    add_library(polypath_${name} STATIC ${sources})
    target_include_directories(polypath_${name} PUBLIC ${include})
    target_link_libraries(polypath_${name} PUBLIC ${libraries})
  else()
    add_library(polypath_${name} INTERFACE)
    target_include_directories(polypath_${name} INTERFACE ${include})
    target_link_libraries(polypath_${name} INTERFACE ${libraries})
  endif()
endfunction()
